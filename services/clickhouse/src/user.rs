//! Giving up the rights of root.

use std::ffi::CString;
use std::os::unix::fs::chown;
use std::path::Path;

use nix::unistd::{User, initgroups, setgid, setuid};

use crate::Error;

/// Makes the process run as this user, with that user's groups, for good. A data directory that is missing is made, and
/// belongs to the user. Call it before any other thread is there, and after what only root may do.
///
/// # Errors
///
/// There is no such user; the data directory can't be made; the process is not root's, and the user is another one.
pub fn become_user(name: &str, data: &Path) -> Result<(), Error> {
    let missing = || Error::UserMissing { name: name.to_owned() };
    let user = User::from_name(name).ok().flatten().ok_or_else(missing)?;
    let text = CString::new(name).map_err(|_| missing())?;
    if !data.exists() {
        let unusable = |source| Error::Data { path: data.to_owned(), source };
        std::fs::create_dir_all(data).map_err(unusable)?;
        chown(data, Some(user.uid.as_raw()), Some(user.gid.as_raw())).map_err(unusable)?;
    }
    if nix::unistd::geteuid() == user.uid && nix::unistd::getuid() == user.uid {
        return Ok(());
    }
    let changed = initgroups(&text, user.gid).and_then(|()| setgid(user.gid)).and_then(|()| setuid(user.uid));
    changed.map_err(|error| Error::User { name: name.to_owned(), source: error.into() })
}
