//! The listener: routes, the way of a request to its blocking thread and of the response back, and the end.

use std::future::Future;
use std::time::Duration;

use axum::Router;
use axum::body::{Body as HttpBody, BodyDataStream};
use axum::extract::{ConnectInfo, Request as HttpRequest, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use futures_util::{StreamExt as _, stream};
use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};

use super::answer::{Answer, Piece};
use super::credentials::Password;
use super::multipart;
use super::request::Request;
use super::response::{Head, Kind, exception_text};
use super::socket::{Flushes, Sockets};
use crate::body::{Body, Incoming, Part};
use crate::exception::Code;
use crate::watch::{Progress, Watch};
use crate::{Engine, Error, Exception, execute};

/// How long [`serve`] waits at its end for requests that run.
pub const DRAIN: Duration = Duration::from_secs(30);
/// How long [`serve`] waits for statements that it has cancelled.
const CANCEL: Duration = Duration::from_secs(10);
/// How often sessions are looked through for those whose time has passed.
const SESSION_CHECK: Duration = Duration::from_secs(1);
/// Pieces between the network and the request's thread, in each direction.
const QUEUE: usize = 4;
/// What is read of a body that nobody needs any more, so that the client sees the answer and not a broken connection.
const MAX_DISCARD_BYTES: usize = 1 << 30;

/// Serves ClickHouse's HTTP interface, to those who know the password where there is one, until `shutdown`, then lets the requests that run finish, up to [`DRAIN`], cancels
/// those that have not, and closes the engine, so that the data directory is clean.
///
/// # Errors
///
/// The listener fails.
pub async fn serve(
    engine: Engine,
    listener: TcpListener,
    password: Option<Password>,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), Error> {
    let (stopping, stopped) = oneshot::channel();
    let shutdown = async move {
        shutdown.await;
        let _serving = stopping.send(());
    };
    let service = router(Door { engine: engine.clone(), password }).into_make_service_with_connect_info::<Flushes>();
    let server = axum::serve(Sockets(listener), service).with_graceful_shutdown(shutdown);
    let serving = async {
        let served = server.await.map_err(Error::Listen);
        // A statement may outlive the connection that asked for it.
        engine.idle().await;
        served
    };
    let late = async {
        match stopped.await {
            Ok(()) => tokio::time::sleep(DRAIN).await,
            Err(_) => std::future::pending().await,
        }
    };
    let served = tokio::select! {
        served = serving => served,
        () = end_idle_sessions(engine.clone()) => Ok(()),
        () = late => {
            tracing::warn!(drain_s = DRAIN.as_secs(), "statements still run and are cancelled");
            interrupt(engine.clone()).await;
            Ok(())
        }
    };
    close(engine).await;
    served
}

/// Ends sessions whose time has passed, for ever.
async fn end_idle_sessions(engine: Engine) {
    let mut interval = tokio::time::interval(SESSION_CHECK);
    loop {
        interval.tick().await;
        let engine = engine.clone();
        // Ending a session takes the engine's locks.
        let _ended = tokio::task::spawn_blocking(move || engine.end_idle_sessions()).await;
    }
}

/// Cancels statements, and waits a little until they have ended.
async fn interrupt(engine: Engine) {
    let engine_there = engine.clone();
    let interrupted = tokio::task::spawn_blocking(move || engine_there.interrupt()).await;
    let idle = tokio::time::timeout(CANCEL, engine.idle()).await;
    if interrupted.is_err() || idle.is_err() {
        tracing::error!("statements can't be cancelled, the engine closes after them");
    }
}

/// Closing takes the engine's locks, so it is kept off the runtime's threads.
async fn close(engine: Engine) {
    if tokio::task::spawn_blocking(move || engine.close()).await.is_err() {
        tracing::error!("closing the engine panicked");
    }
}

/// What a request meets: the engine, behind its password.
#[derive(Clone)]
struct Door {
    engine: Engine,
    password: Option<Password>,
}

fn router(door: Door) -> Router {
    Router::new()
        .route("/ping", get(|| async { "Ok.\n" }))
        .route("/replicas_status", get(|| async { "Ok.\n" }))
        .route("/", get(query).post(query))
        .fallback(|| async {
            (StatusCode::NOT_FOUND, "There is no handle here; use / for queries, /ping for checks\n")
        })
        .with_state(door)
}

async fn query(
    State(Door { engine, password }): State<Door>,
    ConnectInfo(flushes): ConnectInfo<Flushes>,
    request: HttpRequest,
) -> Response {
    let (parts, body) = request.into_parts();
    let url = parts.uri.query().unwrap_or_default();
    if parts.method != axum::http::Method::POST && url.is_empty() {
        return "Ok.\n".into_response();
    }
    let mut body = body.into_data_stream();
    let content_type = parts.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let allowed = password.map_or(Ok(()), |password| password.check(url, &parts.headers));
    if let Err(exception) = allowed {
        return refuse(&engine, exception, &mut body).await;
    }
    let read = match Request::read(&parts.method, url, &parts.headers) {
        Ok(request) => form(request, content_type.unwrap_or_default(), &mut body).await,
        Err(exception) => Err(exception),
    };
    match read {
        Ok(request) => run(engine, request, body, flushes).await,
        Err(exception) => refuse(&engine, exception, &mut body).await,
    }
}

/// Reads a form into the request; any other body is left alone.
async fn form(mut request: Request, content_type: &str, body: &mut BodyDataStream) -> Result<Request, Exception> {
    if multipart::is_form(content_type) {
        let mut form = Vec::new();
        while let Some(data) = body.next().await {
            let data = data.map_err(|_| Exception::new(Code::NetworkError, "The form is cut off"))?;
            form.extend_from_slice(&data);
            if form.len() > execute::MAX_QUERY_BYTES {
                return Err(execute::too_large());
            }
        }
        request.form(content_type, &form)?;
    }
    Ok(request)
}

async fn run(engine: Engine, request: Request, mut body: BodyDataStream, flushes: Flushes) -> Response {
    let permit = match engine.admit() {
        Ok(permit) => permit,
        Err(exception) => return refuse(&engine, exception, &mut body).await,
    };
    let (parts, incoming) = mpsc::channel(QUEUE);
    let (pieces, outgoing) = mpsc::channel(QUEUE);
    let (head, started) = oneshot::channel();
    let version = engine.version().to_owned();
    let waiter = engine.waiter(Handle::current());
    let answer = Answer::new(head, pieces, waiter.clone(), &request, version);
    let progress = Progress::default();
    let watch = Watch { engine: engine.clone(), request: request.mark, progress: progress.clone() };
    let thread_engine = engine.clone();
    tokio::task::spawn_blocking(move || {
        let _permit = permit;
        let body = Body::new(Incoming::new(incoming, waiter.clone()), request.encoding, request.blocks);
        execute::run(&thread_engine, &waiter, &request, &progress, body, answer);
    });
    pump(&mut body, parts).await;
    match started.await {
        Ok(head) => respond(&engine, &head, Reading { outgoing, flushes, _watch: watch }),
        Err(_) => {
            let exception = Exception::new(Code::UnknownException, "The request's thread ended without an answer");
            refuse(&engine, exception, &mut body).await
        }
    }
}

/// Hands the body over as it arrives. A body that breaks off has no [`Part::End`]. What the thread does not want any
/// more is read and dropped.
async fn pump(body: &mut BodyDataStream, parts: mpsc::Sender<Part>) {
    while let Some(data) = body.next().await {
        let Ok(data) = data else { return };
        if !data.is_empty() && parts.send(Part::Data(data)).await.is_err() {
            return discard(body).await;
        }
    }
    let _finished = parts.send(Part::End).await;
}

async fn discard(body: &mut BodyDataStream) {
    let mut bytes = 0;
    while let Some(Ok(data)) = body.next().await {
        bytes += data.len();
        if bytes > MAX_DISCARD_BYTES {
            return;
        }
    }
}

async fn refuse(engine: &Engine, exception: Exception, body: &mut BodyDataStream) -> Response {
    discard(body).await;
    let text = exception_text(&exception, engine.version());
    let head = Head { query_id: String::new(), kind: Kind::Exception(exception) };
    finish(head.builder(engine.about()).body(text.into()))
}

/// What lives as long as the client reads the result.
struct Reading {
    outgoing: mpsc::Receiver<Piece>,
    flushes: Flushes,
    _watch: Watch,
}

fn respond(engine: &Engine, head: &Head, reading: Reading) -> Response {
    let body = stream::unfold(reading, |mut reading| async {
        let piece = reading.outgoing.recv().await?;
        if piece.is_err() {
            // The exception before it must be on its way before the connection breaks off.
            reading.flushes.next().await;
        }
        Some((piece, reading))
    });
    finish(head.builder(engine.about()).body(HttpBody::from_stream(body)))
}

fn finish(response: Result<Response, axum::http::Error>) -> Response {
    response.unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response())
}
