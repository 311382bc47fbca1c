//! Connections that tell when all that was written has gone out to the kernel.
//!
//! A response that fails in the middle ends with the exception's text, and then breaks off. The HTTP library drops what
//! it has not yet written when a body fails, so the failure has to wait until a slow client has been sent that text.

use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// Listens for such connections.
pub(super) struct Sockets(pub(super) TcpListener);

impl Listener for Sockets {
    type Io = Socket;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Socket, SocketAddr) {
        let (stream, address) = Listener::accept(&mut self.0).await;
        // Small answers go out at once; a socket without the option is only slower.
        let _slower = stream.set_nodelay(true);
        (Socket { stream, flushes: watch::Sender::new(0) }, address)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

/// One connection.
pub(super) struct Socket {
    stream: TcpStream,
    /// How often everything was written: the HTTP library flushes only then.
    flushes: watch::Sender<u64>,
}

impl AsyncRead for Socket {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, into)
    }
}

impl AsyncWrite for Socket {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, data)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        data: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, data)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(context);
        if flushed.is_ready() {
            self.flushes.send_modify(|count| *count = count.wrapping_add(1));
        }
        flushed
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// What a request knows of its connection.
#[derive(Clone)]
pub(super) struct Flushes(watch::Receiver<u64>);

impl Flushes {
    /// Waits until everything is written that the HTTP library has been given so far, or the connection is gone.
    pub(super) async fn next(&mut self) {
        self.0.mark_unchanged();
        let _gone = self.0.changed().await;
    }
}

impl Connected<IncomingStream<'_, Sockets>> for Flushes {
    fn connect_info(stream: IncomingStream<'_, Sockets>) -> Self {
        Self(stream.io().flushes.subscribe())
    }
}
