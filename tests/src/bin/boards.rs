//! Grafana's boards from their definitions: `boards write` makes the JSON, `boards check` fails when it is not up to date.

use std::fs;
use std::process::ExitCode;

use ringtrace_tests::boards::{NAMES, json, path};

fn main() -> ExitCode {
    let each: fn(&str) -> Result<(), String> = match std::env::args().nth(1).as_deref() {
        Some("write") => write,
        Some("check") => check,
        _ => |_| Err("expected `check` or `write`".to_owned()),
    };
    match NAMES.into_iter().try_for_each(each) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("boards: {problem}");
            ExitCode::FAILURE
        }
    }
}

fn write(name: &str) -> Result<(), String> {
    fs::write(path(name), json(name)?).map_err(|error| format!("{}: {error}", path(name).display()))
}

fn check(name: &str) -> Result<(), String> {
    let is_current = fs::read_to_string(path(name)).unwrap_or_default() == json(name)?;
    is_current.then_some(()).ok_or_else(|| format!("{} is not what its definition says: run `make boards`", path(name).display()))
}
