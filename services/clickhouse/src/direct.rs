//! The engine's C interface without the door: what a benchmark compares the door with.

use crate::ffi::Connection;
use crate::{Engine, Exception};

/// A connection of its own, without HTTP, limits and checks.
pub struct Direct(Connection);

impl Engine {
    /// Opens a connection, which has to be closed before the engine is. `None` when the engine gives none.
    #[must_use]
    pub fn direct(&self) -> Option<Direct> {
        self.connect().map(Direct)
    }
}

impl Direct {
    /// Runs a SELECT that can be streamed, and counts the bytes of its result in this format.
    ///
    /// # Errors
    ///
    /// What the engine says.
    pub fn select(&mut self, sql: &str, format: &str) -> Result<usize, Exception> {
        let mut rows = self.0.stream(sql.as_bytes(), format, &[])?;
        let mut bytes = 0;
        while let Some(chunk) = rows.next()? {
            bytes += chunk.bytes().len();
        }
        Ok(bytes)
    }

    /// Runs a statement such as `INSERT INTO t` with data in this format, and gives the rows written.
    ///
    /// # Errors
    ///
    /// What the engine says.
    pub fn insert(&mut self, sql: &str, format: &str, data: &[u8]) -> Result<u64, Exception> {
        let mut insert = self.0.insert(sql.as_bytes(), format, &[])?;
        insert.append(data)?;
        insert.finish().map(|result| result.counts().written_rows)
    }
}
