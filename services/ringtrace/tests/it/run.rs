//! Starts the binary with some input and waits for what it prints.

use std::fs;
use std::io::{ErrorKind, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread;

use serde_json::Value;

/// What the binary did.
pub struct Run {
    pub status: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Run {
    /// The JSON objects that it printed.
    pub fn rows(&self) -> Vec<Value> {
        rows(&self.stdout)
    }
}

/// Runs `ringtrace explain` with `input` as its standard input.
pub fn explain(args: &[&str], input: &[u8]) -> Run {
    ringtrace(&[&["explain"], args].concat(), input)
}

/// Runs `ringtrace`.
pub fn ringtrace(args: &[&str], input: &[u8]) -> Run {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ringtrace"));
    command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let output = thread::scope(|scope| {
        scope.spawn(move || match stdin.write_all(input) {
            // It need not read its input to the end.
            Err(error) if error.kind() != ErrorKind::BrokenPipe => panic!("{error}"),
            _ => drop(stdin),
        });
        child.wait_with_output().unwrap()
    });
    Run {
        status: output.status.code().expect("it ended by itself"),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// JSON objects, one a line.
pub fn rows(lines: &str) -> Vec<Value> {
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The path of a file in `tests/scenarios`.
pub fn scenario(name: &str) -> String {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/scenarios");
    folder.join(name).to_str().unwrap().to_owned()
}

/// The names of all scenarios, without `.jsonl`.
pub fn scenarios() -> Vec<String> {
    let files = fs::read_dir(scenario("")).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
    files.filter_map(|file| file.strip_suffix(".expected.jsonl").map(str::to_owned)).collect()
}

/// The lines of a scenario.
pub fn events(name: &str) -> String {
    fs::read_to_string(scenario(&format!("{name}.jsonl"))).unwrap()
}
