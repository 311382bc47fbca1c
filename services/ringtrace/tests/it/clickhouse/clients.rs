//! The official clients, unmodified, as `make test` installs them.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::server::{Folder, Server, command};

/// Runs a program that make test installs, with the server's port as its last argument.
#[track_caller]
fn says_ok(program: &Path, arguments: &[&Path]) {
    let data = Folder::new();
    let mut command = command(&data, &["--until-input-ends"]);
    let server = Server::start_command(command.env("RINGTRACE_CLICKHOUSE_SERVER_PASSWORD", "s3cret"));
    let port = server.url.rsplit(':').next().unwrap();
    let run = Command::new(program).args(arguments).arg(port).output();
    let run = run.unwrap_or_else(|error| panic!("{}: {error}; make test installs it", program.display()));
    let text = String::from_utf8_lossy(&run.stdout);
    assert!(run.status.success() && text.ends_with("ok\n"), "{text}{}", String::from_utf8_lossy(&run.stderr));
}

fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn script(name: &str) -> PathBuf {
    project().join("services/clickhouse/tests/clients").join(name)
}

#[test]
fn the_python_client() {
    says_ok(&project().join("target/clients/python/bin/python"), &[&script("client.py")]);
}

#[test]
fn the_javascript_client() {
    says_ok(Path::new("node"), &[&script("client.js")]);
}

#[test]
fn the_go_client_as_grafana_uses_it() {
    says_ok(&project().join("target/clients/go/client"), &[]);
}
