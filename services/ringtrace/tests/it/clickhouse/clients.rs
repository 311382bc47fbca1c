//! The official clients, unmodified, as `make test` installs them.

use std::path::Path;
use std::process::Command;

use super::server::{Folder, Server, command};

#[track_caller]
fn says_ok(program: &Path, script: &str) {
    let data = Folder::new();
    let mut command = command(&data, &["--until-input-ends"]);
    let server = Server::start_command(command.env("RINGTRACE_CLICKHOUSE_SERVER_PASSWORD", "s3cret"));
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("../clickhouse/tests/clients");
    let port = server.url.rsplit(':').next().unwrap();
    let run = Command::new(program).arg(scripts.join(script)).arg(port).output();
    let run = run.unwrap_or_else(|error| panic!("{}: {error}; make test installs it", program.display()));
    let text = String::from_utf8_lossy(&run.stdout);
    assert!(run.status.success() && text.ends_with("ok\n"), "{text}{}", String::from_utf8_lossy(&run.stderr));
}

#[test]
fn the_python_client() {
    says_ok(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/clients/python/bin/python"), "client.py");
}

#[test]
fn the_javascript_client() {
    says_ok(Path::new("node"), "client.js");
}
