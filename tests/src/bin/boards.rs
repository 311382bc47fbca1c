//! Writes Grafana's boards from their definitions. A test fails when they are not what their definitions say.

use std::fs;
use std::process::ExitCode;

use ringtrace_tests::boards::{NAMES, json, path};

fn main() -> ExitCode {
    match NAMES.into_iter().try_for_each(write) {
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
