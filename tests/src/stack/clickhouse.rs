//! The embedded ClickHouse behind its own HTTP interface, as a process that can be started again and again.

use std::ffi::OsString;
use std::path::PathBuf;

use super::process::data;
use super::{binary, fixed_port, wait_for};

/// See the module's text.
pub struct Door {
    port: u16,
    folder: PathBuf,
}

impl Door {
    /// With a data directory of its own below `target/`.
    pub fn new(name: &str) -> Self {
        Door::at(data(name))
    }

    /// With a data directory anywhere.
    pub fn at(folder: PathBuf) -> Self {
        Door { port: fixed_port(), folder }
    }

    /// What starts it.
    pub fn command(&self) -> Vec<OsString> {
        let mut command = vec![binary().into_os_string(), "clickhouse".into(), "--data".into()];
        command.extend([self.folder.clone().into(), "--listen".into(), self.listen().into()]);
        command
    }

    /// Its address, without a scheme.
    pub fn listen(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("http://{}", self.listen())
    }

    /// Waits until it takes connections.
    pub fn wait(&self) {
        wait_for("ClickHouse", || std::net::TcpStream::connect(self.listen()).is_ok());
    }
}
