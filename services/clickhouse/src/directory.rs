//! The data directory: who holds it, and which version of the engine wrote it.

use std::fs::{File, TryLockError};
use std::path::Path;

use crate::Error;

const LOCK: &str = "ringtrace.lock";
const VERSION: &str = "ringtrace-engine-version";

/// Holds the directory as long as the file is open; a process that ends in any way lets it go.
pub(crate) fn lock(data: &Path) -> Result<File, Error> {
    let unusable = |source| Error::Data { path: data.to_owned(), source };
    let file = File::options().create(true).truncate(false).write(true).open(data.join(LOCK)).map_err(unusable)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Error::InUse { path: data.to_owned() }),
        Err(TryLockError::Error(source)) => Err(unusable(source)),
    }
}

/// Writes down that this version has written here.
///
/// # Errors
///
/// A newer version has: what it wrote may be read wrongly.
pub(crate) fn claim(data: &Path, version: &str) -> Result<(), Error> {
    match last_version(data) {
        Some(last) if numbers(&last) > numbers(version) => {
            Err(Error::Newer { path: data.to_owned(), last, version: version.to_owned() })
        }
        Some(last) if last == version => Ok(()),
        _ => {
            std::fs::write(data.join(VERSION), version).map_err(|source| Error::Data { path: data.to_owned(), source })
        }
    }
}

/// Why the engine did not start, as far as the directory tells.
pub(crate) fn not_started(data: &Path) -> Error {
    Error::Start { path: data.to_owned(), last: last_version(data).unwrap_or_else(|| "an unknown version".to_owned()) }
}

fn last_version(data: &Path) -> Option<String> {
    let text = std::fs::read_to_string(data.join(VERSION)).ok()?;
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

fn numbers(version: &str) -> Vec<u64> {
    version.split('.').map_while(|number| number.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::numbers;

    #[test]
    fn versions_compare_by_their_numbers() {
        assert!(numbers("26.10.1.1") > numbers("26.7.2.1"));
        assert!(numbers("26.7.2.1") > numbers("26.7.2"));
        assert_eq!(numbers("nonsense"), []);
    }
}
