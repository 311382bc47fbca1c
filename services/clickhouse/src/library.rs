//! Where `libchdb.so` is looked for.

use std::path::{Path, PathBuf};

use crate::Error;

/// The environment variable that names the library and wins over every other place.
pub const LIBRARY_VARIABLE: &str = "RINGTRACE_LIBCHDB";

const FILE: &str = "libchdb.so";
/// Where `npm ci` puts it, seen from the root of the project and from its own folder.
const INSTALLED: [&str; 2] = [
    "services/clickhouse/node_modules/@chdb/lib-linux-x64-gnu/libchdb.so",
    "node_modules/@chdb/lib-linux-x64-gnu/libchdb.so",
];

/// Finds `libchdb.so`: the path in `RINGTRACE_LIBCHDB`; beside the executable; where `npm ci` in `services/clickhouse`
/// puts it, looked for upwards from the executable's folder and from the current directory.
///
/// # Errors
///
/// [`Error::LibraryMissing`] with every path tried. A path in `RINGTRACE_LIBCHDB` that is no file is an error too:
/// nothing else is tried then.
pub fn find_library() -> Result<PathBuf, Error> {
    let named = std::env::var_os(LIBRARY_VARIABLE).filter(|path| !path.is_empty()).map(PathBuf::from);
    let executable = std::env::current_exe().ok();
    let beside = executable.as_deref().and_then(Path::parent);
    let current = std::env::current_dir().ok();
    first_file(candidates(named, beside, current.as_deref()))
}

fn candidates(named: Option<PathBuf>, beside: Option<&Path>, current: Option<&Path>) -> Vec<PathBuf> {
    if let Some(path) = named {
        return vec![path];
    }
    let upwards = beside.into_iter().chain(current).flat_map(Path::ancestors);
    let installed = upwards.flat_map(|folder| INSTALLED.map(|path| folder.join(path)));
    beside.map(|folder| folder.join(FILE)).into_iter().chain(installed).collect()
}

fn first_file(tried: Vec<PathBuf>) -> Result<PathBuf, Error> {
    match tried.iter().find(|path| path.is_file()) {
        Some(path) => Ok(path.clone()),
        None => Err(Error::LibraryMissing { variable: LIBRARY_VARIABLE, tried }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_named_library_is_the_only_candidate() {
        let found = candidates(Some("/x/libchdb.so".into()), Some(Path::new("/bin")), Some(Path::new("/work")));
        assert_eq!(found, [PathBuf::from("/x/libchdb.so")]);
    }

    #[test]
    fn it_is_looked_for_beside_the_executable_and_upwards() {
        let found = candidates(None, Some(Path::new("/p/target/release")), Some(Path::new("/p/services/clickhouse")));
        assert_eq!(found[0], Path::new("/p/target/release/libchdb.so"));
        let at_root = Path::new("/p").join(INSTALLED[0]);
        assert!(found.contains(&at_root), "{found:?}");
        assert!(found.contains(&Path::new("/p/services/clickhouse").join(INSTALLED[1])), "{found:?}");
    }

    #[test]
    fn the_error_names_what_was_tried_and_the_remedy() {
        let error = first_file(vec!["/nowhere/libchdb.so".into()]).unwrap_err().to_string();
        assert!(error.contains("/nowhere/libchdb.so") && error.contains("make build"), "{error}");
    }
}
