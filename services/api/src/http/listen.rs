//! Connections: accepting, TLS, limits on their number and on how slow they may be, and their orderly end.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use openssl::ssl::{Ssl, SslAcceptor};
use ringtrace_kit::drain::Drain;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, Sleep, sleep, sleep_until, timeout};
use tokio_openssl::SslStream;
use tower::ServiceExt;

use super::Peer;

/// Connections at once; others wait in the kernel's queue.
const MOST_CONNECTIONS: usize = 1_024;

/// How long a client may take for its TLS handshake, and for the headers of a request.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long a client may take nothing of an answer.
const STALLED: Duration = Duration::from_secs(60);

/// How long requests that run at the end may still take.
const DRAIN: Duration = Duration::from_secs(10);

/// How long to wait where no connection can be accepted, for want of file descriptors.
const EXHAUSTED: Duration = Duration::from_millis(100);

/// Serves until the drain starts, then lets running requests finish.
pub(crate) async fn serve(listener: TcpListener, tls: Option<SslAcceptor>, router: Router, drain: Drain) {
    let places = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    let graceful = GracefulShutdown::new();
    let tls = tls.map(Arc::new);
    let started = drain.started();
    tokio::pin!(started);
    loop {
        let accepted = tokio::select! {
            () = &mut started => break,
            accepted = accept(&listener, &places) => accepted,
        };
        match accepted {
            Ok((stream, peer, place)) => {
                let connection = Connection { peer, tls: tls.clone(), router: router.clone(), place };
                tokio::spawn(connection.serve(stream, graceful.watcher()));
            }
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "a connection was not accepted");
                sleep(EXHAUSTED).await;
            }
        }
    }
    drop(listener);
    if timeout(DRAIN, graceful.shutdown()).await.is_err() {
        tracing::warn!(drain_s = DRAIN.as_secs(), "requests still run and are broken off");
    }
}

async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> io::Result<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let place = Arc::clone(places).acquire_owned().await.map_err(io::Error::other)?;
    let (stream, peer) = listener.accept().await?;
    // Answers are written whole: nothing is gained by waiting for more.
    stream.set_nodelay(true)?;
    Ok((stream, peer, place))
}

struct Connection {
    peer: SocketAddr,
    tls: Option<Arc<SslAcceptor>>,
    router: Router,
    place: OwnedSemaphorePermit,
}

impl Connection {
    async fn serve(self, stream: TcpStream, watcher: Watcher) {
        let stream = Patient::new(stream);
        let Some(tls) = &self.tls else { return self.speak(stream, watcher).await };
        let stream = Ssl::new(tls.context()).and_then(|ssl| SslStream::new(ssl, stream));
        let Ok(mut stream) = stream else { return };
        match timeout(PATIENCE, Pin::new(&mut stream).accept()).await {
            Ok(Ok(())) => self.speak(stream, watcher).await,
            _ => metrics::counter!("ringtrace_http_refused_total", "reason" => "handshake").increment(1),
        }
    }

    async fn speak(self, stream: impl AsyncRead + AsyncWrite + Unpin + 'static, watcher: Watcher) {
        let Connection { peer, router, place, .. } = self;
        let service = router.map_request(move |request: Request<hyper::body::Incoming>| {
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(Peer(peer));
            request
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(PATIENCE)
            .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
        // A client that leaves in the middle is no fault of ours.
        let _ended = watcher.watch(connection).await;
        drop(place);
    }
}

/// A connection that ends when the other side takes nothing for [`STALLED`].
struct Patient {
    stream: TcpStream,
    stalled: Option<Pin<Box<Sleep>>>,
}

impl Patient {
    fn new(stream: TcpStream) -> Self {
        Patient { stream, stalled: None }
    }

    fn watch<T>(&mut self, context: &mut Context<'_>, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.stalled = None;
            return written;
        }
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(sleep_until(Instant::now() + STALLED)));
        match stalled.as_mut().poll(context) {
            Poll::Ready(()) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl AsyncRead for Patient {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, into)
    }
}

impl AsyncWrite for Patient {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, from: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, from);
        self.watch(context, written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(context);
        self.watch(context, flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
