//! A response as the request's blocking thread gives it: the head, pieces, an end or an exception.

use std::time::Instant;

use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};

use super::request::Request;
use super::response::{Head, Kind, exception_text};
use crate::Exception;
use crate::body::{Compression, Encoder};
use crate::ffi::{Chunk, Counts};
use crate::wait::Waiter;

/// A piece of a response body; the error breaks the connection off, so that the client notices.
pub(super) type Piece = Result<Bytes, BrokenOff>;

/// The client has closed the connection, or the engine is interrupted: nobody reads on.
#[derive(Debug)]
pub(crate) struct Gone;

/// The response was broken off after an exception.
#[derive(Debug, thiserror::Error)]
#[error("the query failed while its result was sent")]
pub(super) struct BrokenOff;

/// The sending end of a response.
pub(crate) struct Answer {
    head: Option<oneshot::Sender<Head>>,
    pieces: mpsc::Sender<Piece>,
    waiter: Waiter,
    encoder: Encoder,
    query_id: String,
    /// Whether the head tells of the progress.
    progress: bool,
    /// As ClickHouse does it, an exception comes in blocks where a result would, but never in a `Content-Encoding`.
    in_blocks: bool,
    version: String,
    tag: String,
    started: Instant,
}

impl Answer {
    pub(super) fn new(
        head: oneshot::Sender<Head>,
        pieces: mpsc::Sender<Piece>,
        waiter: Waiter,
        request: &Request,
        version: String,
    ) -> Self {
        let tag = uuid::Uuid::new_v4().simple().to_string().chars().take(16).collect();
        Self {
            head: Some(head),
            pieces,
            waiter,
            encoder: Encoder::None,
            query_id: request.query_id.clone(),
            progress: request.progress,
            in_blocks: request.compression == Compression::Blocks,
            version,
            tag,
            started: Instant::now(),
        }
    }

    /// Begins a result. Later calls change nothing.
    pub(crate) fn begin(&mut self, format: &str, compression: Compression, counts: Counts) {
        let Some(sender) = self.head.take() else { return };
        // Without memory for an encoder the result goes as it is, and its head says so.
        let (encoder, compression) =
            Encoder::new(compression).map_or((Encoder::None, Compression::None), |encoder| (encoder, compression));
        self.encoder = encoder;
        let kind = Kind::Result {
            format: format.to_owned(),
            compression,
            counts,
            elapsed_ns: self.started.elapsed().as_nanos(),
            progress: self.progress,
            tag: self.tag.clone(),
        };
        let _gone = sender.send(Head { query_id: self.query_id.clone(), kind });
    }

    /// The engine's own memory as bytes to send: no copy.
    pub(crate) fn bytes(chunk: Chunk) -> Bytes {
        Bytes::from_owner(chunk)
    }

    /// Sends a piece, and waits while the client is behind.
    pub(crate) fn push(&mut self, piece: Bytes) -> Result<(), Gone> {
        let piece = self.encoder.push(piece);
        self.send(Ok(piece))
    }

    /// Ends the result.
    pub(crate) fn finish(mut self) -> Result<(), Gone> {
        let rest = std::mem::replace(&mut self.encoder, Encoder::None).finish();
        self.send(Ok(rest))
    }

    /// Answers with an exception, or appends it to a result that has begun, tagged as ClickHouse does since 25.11, and
    /// breaks the response off.
    pub(crate) fn fail(mut self, exception: Exception) -> Result<(), Gone> {
        if let Some(sender) = self.head.take() {
            let text = exception_text(&exception, &self.version);
            let kind = Kind::Exception(exception);
            let _gone = sender.send(Head { query_id: self.query_id.clone(), kind });
            let mut encoder = if self.in_blocks { Encoder::Blocks } else { Encoder::None };
            return self.send(Ok(encoder.push(text.into())));
        }
        let text = exception_text(&exception, &self.version);
        let (tag, length) = (&self.tag, text.len());
        let tagged = format!("\r\n__exception__\r\n{tag}\r\n{text}{length} {tag}\r\n__exception__\r\n");
        let mut encoder = std::mem::replace(&mut self.encoder, Encoder::None);
        let mut last = encoder.push(tagged.into()).to_vec();
        last.extend_from_slice(&encoder.finish());
        self.send(Ok(last.into()))?;
        self.send(Err(BrokenOff))
    }

    fn send(&self, piece: Piece) -> Result<(), Gone> {
        if piece.as_ref().is_ok_and(Bytes::is_empty) {
            return Ok(());
        }
        let sent = self.waiter.wait(self.pieces.send(piece));
        sent.is_some_and(|sent| sent.is_ok()).then_some(()).ok_or(Gone)
    }
}
