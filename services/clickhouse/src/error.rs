//! What can go wrong outside a query: the library, the data directory, the listener.

use std::path::PathBuf;

/// Errors of opening and serving the engine. A query that fails is an [`Exception`](crate::Exception) instead.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No `libchdb.so` at any of the places where it is looked for.
    #[error(
        "libchdb.so was not found; `make build` installs it (npm ci in services/clickhouse), or name it in {variable}; tried: {}",
        paths(.tried)
    )]
    LibraryMissing {
        /// The environment variable that names the library.
        variable: &'static str,
        /// Every path that was tried, in order.
        tried: Vec<PathBuf>,
    },
    /// The library is there and can't be loaded, or lacks a function of the pinned version.
    #[error("{} can't be used as the ClickHouse engine; `make build` installs the right one", path.display())]
    Library {
        /// The library.
        path: PathBuf,
        /// What the loader said.
        #[source]
        source: libloading::Error,
    },
    /// The data directory can't be made or found.
    #[error("the data directory {} can't be used", path.display())]
    Data {
        /// The data directory.
        path: PathBuf,
        /// What the operating system said.
        #[source]
        source: std::io::Error,
    },
    /// Another engine holds the data directory.
    #[error("the data directory {} is in use by another process: stop that one, or name another directory", path.display())]
    InUse {
        /// The data directory.
        path: PathBuf,
    },
    /// The data directory was last written by a newer engine.
    #[error(
        "the data directory {} was written by ClickHouse {last}, newer than the {version} here: use that version, or another directory",
        path.display()
    )]
    Newer {
        /// The data directory.
        path: PathBuf,
        /// The version that wrote it.
        last: String,
        /// The version of the library.
        version: String,
    },
    /// The engine did not start. It gives no reason; one is that this process holds another data directory.
    #[error(
        "the ClickHouse engine did not start in {}, last written by {last}: its files may be damaged, or no space left on the disk",
        path.display()
    )]
    Start {
        /// The data directory.
        path: PathBuf,
        /// The version that wrote it.
        last: String,
    },
    /// The operating system can't keep the process inside its data directory, though it knows how to.
    #[error("the process can't be confined to the data directory; --allow-external starts it without")]
    Confine(#[source] std::io::Error),
    /// There is no such user to become.
    #[error("there is no user {name} on this machine")]
    UserMissing {
        /// The name.
        name: String,
    },
    /// The process may not become the user.
    #[error("the process can't become the user {name}: start it as root, or as that user")]
    User {
        /// The name.
        name: String,
        /// What the operating system said.
        #[source]
        source: std::io::Error,
    },
    /// The engine runs, but a query that it needs at its start failed.
    #[error("the ClickHouse engine started, but does not answer")]
    Answer(#[source] crate::Exception),
    /// The HTTP listener failed.
    #[error("the ClickHouse HTTP interface stopped")]
    Listen(#[source] std::io::Error),
}

fn paths(tried: &[PathBuf]) -> String {
    tried.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
}
