//! The request body as it arrives from the network, for a blocking reader.

use std::io::{self, ErrorKind, Read};

use bytes::{Buf as _, Bytes};
use tokio::sync::mpsc;

use crate::wait::Waiter;

/// What the network side sends. A body without [`End`](Part::End) was aborted.
pub(crate) enum Part {
    Data(Bytes),
    End,
}

/// The reading end. It waits for data, so it belongs on a blocking thread.
pub(crate) struct Incoming {
    parts: mpsc::Receiver<Part>,
    waiter: Waiter,
    current: Bytes,
    ended: bool,
}

impl Incoming {
    pub(crate) fn new(parts: mpsc::Receiver<Part>, waiter: Waiter) -> Self {
        Self { parts, waiter, current: Bytes::new(), ended: false }
    }

    /// The next piece as it came; `None` at the end.
    pub(crate) fn next(&mut self) -> io::Result<Option<Bytes>> {
        while self.current.is_empty() {
            if self.ended {
                return Ok(None);
            }
            match self.waiter.wait(self.parts.recv()).flatten() {
                Some(Part::Data(data)) => self.current = data,
                Some(Part::End) => self.ended = true,
                None => return Err(ErrorKind::ConnectionAborted.into()),
            }
        }
        Ok(Some(std::mem::take(&mut self.current)))
    }
}

impl Read for Incoming {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let Some(mut data) = self.next()? else { return Ok(0) };
        let length = data.len().min(into.len());
        data.copy_to_slice(into.get_mut(..length).unwrap_or_default());
        self.current = data;
        Ok(length)
    }
}
