//! A full disk: the engine reserves space for rows, but writes an empty file for a definition that has no room, says that
//! all is well, and can't read its directory at the next start. So definitions are refused while there is little room.

use std::path::Path;

use nix::sys::statvfs::statvfs;

use crate::Exception;
use crate::exception::Code;
use crate::sql::writes_definition;

/// What must be free, in bytes.
const ROOM: u64 = 16 << 20;

/// Checks a statement.
///
/// # Errors
///
/// It writes a definition, and the disk has less than [`ROOM`] free (243).
pub(crate) fn check(data: &Path, statement: &[u8]) -> Result<(), Exception> {
    if !writes_definition(statement) {
        return Ok(());
    }
    // A file system that can't say has no limit that could be told.
    let free = statvfs(data).map_or(u64::MAX, |disk| disk.blocks_available().saturating_mul(disk.fragment_size()));
    if free < ROOM {
        let message =
            format!("The disk of the data directory has {free} bytes free, and a definition needs {ROOM}: make room");
        return Err(Exception::new(Code::NotEnoughSpace, message));
    }
    Ok(())
}
