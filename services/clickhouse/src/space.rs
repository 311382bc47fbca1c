//! A reserve of the disk, which inserts, merges and definitions leave alone, so that what has begun can end.
//!
//! The engine has the reserve in its configuration (`keep_free_space_bytes`) for each block of rows and for each merge. It
//! knows none for definitions, and an insert that it would refuse is better refused before its rows are read. What has
//! begun when something else fills the disk waits in [`writes`](crate::writes).

use std::path::Path;

use nix::sys::statvfs::statvfs;

use crate::Exception;
use crate::exception::Code;
use crate::sql::writes_definition;

/// What must be free to begin, in bytes: more than 16 inserts of a linker write.
pub(crate) const ROOM: u64 = 16 << 20;

/// Checks a statement.
///
/// # Errors
///
/// It inserts or writes a definition, and the disk has less than [`ROOM`] free (243).
pub(crate) fn check(data: &Path, statement: &[u8], inserts: bool) -> Result<(), Exception> {
    if !inserts && !writes_definition(statement) {
        return Ok(());
    }
    // A file system that can't say has no limit that could be told.
    let free = statvfs(data).map_or(u64::MAX, |disk| disk.blocks_available().saturating_mul(disk.fragment_size()));
    if free < ROOM {
        let message =
            format!("The disk of the data directory has {free} bytes free, and {ROOM} are kept in reserve: make room");
        return Err(Exception::new(Code::NotEnoughSpace, message));
    }
    Ok(())
}
