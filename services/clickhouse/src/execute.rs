//! Runs a request on its blocking thread: read the query, open a session, set it up, run, answer.

use bytes::Bytes;

use crate::Exception;
use crate::body::Body;
use crate::engine::{Engine, Session};
use crate::exception::Code;
use crate::ffi::{Counts, Rows};
use crate::format::{DEFAULT, FRAMING, Joiner, Joining};
use crate::http::{Answer, Request};
use crate::native;
use crate::setup::{self, modifies};
use crate::space;
use crate::sql::{Head, InsertHead, Statement, check_inside};
use crate::wait::Waiter;
use crate::watch::Progress;

/// The longest query text, without the data of an INSERT. The engine has a limit of its own, `max_query_size`.
pub(crate) const MAX_QUERY_BYTES: usize = 16 << 20;

/// The longest statement of an INSERT with data: it is looked at again with each piece of the body.
const MAX_HEAD_BYTES: usize = 1 << 20;

/// What the engine says, before it runs anything, when it can't stream a statement.
const NOT_STREAMED: &str = "Streaming query is not supported for query";

/// A query text as far as it has been read.
enum Task {
    /// The text holds the statement and the first of the data.
    Insert(InsertHead, Bytes),
    Statement(Statement, Vec<u8>),
}

impl Task {
    /// The text that the engine parses, with what there is of an INSERT's data when it holds expressions.
    fn sql(&self) -> &[u8] {
        match self {
            Self::Insert(head, text) if head.format.eq_ignore_ascii_case("Values") => text,
            Self::Insert(head, text) => text.get(..head.statement).unwrap_or_default(),
            Self::Statement(_, text) => text,
        }
    }

    fn run(self, session: &mut Session, request: &Request, body: &mut Body, answer: &mut Answer) -> Result<(), Failed> {
        match self {
            Self::Insert(head, text) => insert(session, request, &head, text, body, answer),
            Self::Statement(statement, text) => select(session, request, &statement, &text, answer),
        }
    }

    fn inserts(&self) -> bool {
        matches!(self, Self::Insert(..) | Self::Statement(Statement { insert: true, .. }, _))
    }
}

/// Why a request has no result.
enum Failed {
    Exception(Exception),
    /// The client is gone: nobody to tell.
    Gone,
}

impl From<Exception> for Failed {
    fn from(exception: Exception) -> Self {
        Self::Exception(exception)
    }
}

impl From<crate::http::Gone> for Failed {
    fn from(_: crate::http::Gone) -> Self {
        Self::Gone
    }
}

/// Runs the request and answers it, with a result or an exception.
pub(crate) fn run(
    engine: &Engine,
    waiter: &Waiter,
    request: &Request,
    progress: &Progress,
    body: Result<Body, Exception>,
    mut answer: Answer,
) {
    let result = body
        .map_err(Failed::from)
        .and_then(|mut body| attempt(engine, waiter, request, progress, &mut body, &mut answer));
    progress.end();
    let sent = match result {
        Ok(()) => answer.finish(),
        Err(Failed::Exception(exception)) => {
            tracing::debug!(code = exception.code(), "query failed");
            answer.fail(exception)
        }
        Err(Failed::Gone) => Err(crate::http::Gone),
    };
    if sent.is_err() {
        tracing::debug!("the client closed the connection before the end of its result");
    }
}

fn attempt(
    engine: &Engine,
    waiter: &Waiter,
    request: &Request,
    progress: &Progress,
    body: &mut Body,
    answer: &mut Answer,
) -> Result<(), Failed> {
    let task = read(request, body)?;
    if request.read_only && task.inserts() {
        // The engine's own check lets table functions pass.
        return Err(modifies().into());
    }
    if engine.is_confined() {
        check_inside(task.sql())?;
    }
    space::check(engine.data(), task.sql(), task.inserts())?;
    let mut session = engine.session(waiter, &request.session)?;
    let (undo, done) = match setup::prepare(engine, &mut session, request, task.sql()) {
        Err((undo, exception)) => (undo, Err(exception.into())),
        Ok(undo) if progress.has_left() => (undo, Err(Failed::Gone)),
        Ok(undo) => (undo, task.run(&mut session, request, body, answer)),
    };
    match undo.run(&mut session) {
        Ok(()) => session.keep(),
        Err(error) => tracing::warn!(%error, "a session ends: what a request has changed in it can't be undone"),
    }
    done
}

/// Reads the query: all of it, or of an INSERT as much as its statement needs, so that its data is not copied.
fn read(request: &Request, body: &mut Body) -> Result<Task, Exception> {
    let mut text = request.query.clone().unwrap_or_default().into_bytes();
    if !text.is_empty() {
        // ClickHouse joins query and body with a line break.
        text.push(b'\n');
    }
    let mut complete = false;
    loop {
        match Head::parse(&text, complete) {
            Head::Insert(head) => return Ok(Task::Insert(head, text.into())),
            Head::Other => break,
            Head::Incomplete if text.len() > MAX_HEAD_BYTES => return Err(too_large()),
            Head::Incomplete => match body.next()? {
                Some(more) => text.extend_from_slice(&more),
                None => complete = true,
            },
        }
    }
    while let Some(more) = body.next()? {
        text.extend_from_slice(&more);
        if text.len() > MAX_QUERY_BYTES {
            return Err(too_large());
        }
    }
    let statement = Statement::parse(&text)?;
    if statement.empty {
        return Err(Exception::new(Code::SyntaxError, "Syntax error: Empty query"));
    }
    Ok(Task::Statement(statement, text))
}

pub(crate) fn too_large() -> Exception {
    Exception::new(Code::QueryIsTooLarge, format!("The query is larger than {MAX_QUERY_BYTES} bytes"))
}

/// Streams the body into the engine. Only a complete body is committed: on every error the insert is cancelled.
fn insert(
    session: &mut Session,
    request: &Request,
    head: &InsertHead,
    text: Bytes,
    body: &mut Body,
    answer: &mut Answer,
) -> Result<(), Failed> {
    if head.infile {
        return Err(Exception::new(Code::NotImplemented, "FROM INFILE is not supported over HTTP").into());
    }
    let statement = text.slice(..head.statement);
    let mut insert = session.connection.insert(&statement, &head.format, &request.parameters)?;
    let mut piece = Some(text.slice(head.data..));
    drop(text);
    while let Some(data) = piece {
        if !data.is_empty() {
            insert.append(&data)?;
        }
        piece = body.next()?;
    }
    let counts = insert.finish()?.counts();
    answer.begin(
        format_of(request, None),
        request.compression,
        Counts { result_rows: counts.written_rows, result_bytes: counts.written_bytes, ..counts },
    );
    Ok(())
}

fn format_of<'f>(request: &'f Request, clause: Option<&'f str>) -> &'f str {
    let default = if request.default_format.is_empty() { DEFAULT } else { &request.default_format };
    clause.unwrap_or(default)
}

fn select(
    session: &mut Session,
    request: &Request,
    statement: &Statement,
    text: &[u8],
    answer: &mut Answer,
) -> Result<(), Failed> {
    let format = format_of(request, statement.format.as_deref());
    let joining = Joining::of(format).filter(|_| statement.select && !request.wait_end && !reframed(request, text));
    if let Some(joining) = joining {
        match session.connection.stream(text, format, &request.parameters) {
            Ok(rows) => return stream(rows, Joiner::new(joining), request, format, answer),
            Err(error) if error.text().contains(NOT_STREAMED) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let result = session.connection.query(text, format, &request.parameters)?;
    let counts = result.counts();
    let whole = revised(Answer::bytes(result), request, format)?;
    answer.begin(format, request.compression, counts);
    Ok(answer.push(whole)?)
}

/// The piece in the version that the client asks for.
fn revised(piece: Bytes, request: &Request, format: &str) -> Result<Bytes, Exception> {
    let as_it_is = request.protocol_version == 0 || !format.eq_ignore_ascii_case("Native");
    if as_it_is { Ok(piece) } else { native::revise(&piece, request.protocol_version) }
}

/// Whether a setting of the request or a word of the statement frames a format that otherwise has no frame. A word that
/// only looks like it costs no more than the streaming.
fn reframed(request: &Request, text: &[u8]) -> bool {
    FRAMING.iter().any(|frame| {
        request.settings.iter().any(|(name, _)| name == frame)
            || text.windows(frame.len()).any(|window| window.eq_ignore_ascii_case(frame.as_bytes()))
    })
}

/// Sends the pieces as the engine makes them. The head waits for the first one, so that most errors have their status.
fn stream(
    mut rows: Rows<'_>,
    mut joiner: Joiner,
    request: &Request,
    format: &str,
    answer: &mut Answer,
) -> Result<(), Failed> {
    let mut counts = None;
    while let Some(chunk) = rows.next()? {
        let first = *counts.get_or_insert_with(|| chunk.counts());
        let piece = revised(joiner.push(Answer::bytes(chunk)), request, format)?;
        answer.begin(format, request.compression, first);
        answer.push(piece)?;
    }
    answer.begin(format, request.compression, Counts::default());
    Ok(())
}
