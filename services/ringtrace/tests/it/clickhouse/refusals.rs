//! Starts that are refused: one sentence that says what to do, and the exit status.

use std::fs;

use super::server::{Folder, Server, command, ended};

#[track_caller]
fn refused((status, text): (i32, String), expected: i32, words: &[&str]) {
    assert_eq!(status, expected, "{text}");
    assert_eq!(text.lines().count(), 1, "one sentence: {text}");
    for word in words {
        assert!(text.contains(word), "{word}: {text}");
    }
}

#[test]
fn other_addresses_need_a_password() {
    let data = Folder::new();
    for address in ["0.0.0.0:0", "[::]:0"] {
        let run = ended(command(&data, &[]).args(["--listen", address]));
        // The last of two wins nowhere: clap refuses to take the option twice.
        assert_eq!(run.0, 64, "{}", run.1);
        let run = ended(
            std::process::Command::new(env!("CARGO_BIN_EXE_ringtrace"))
                .args(["clickhouse", "--listen", address, "--data"])
                .arg(&*data)
                .env_remove("RINGTRACE_CLICKHOUSE_SERVER_PASSWORD"),
        );
        refused(run, 78, &[address, "--password-file", "RINGTRACE_CLICKHOUSE_SERVER_PASSWORD"]);
    }
}

#[test]
fn a_password_file_must_hold_one() {
    let data = Folder::new();
    let file = data.join("password");
    let path = file.to_str().unwrap();
    refused(ended(&mut command(&data, &["--password-file", path])), 78, &[path, "can't be read"]);
    fs::write(&file, "\nsecond line").unwrap();
    refused(ended(&mut command(&data, &["--password-file", path])), 78, &[path, "no password"]);
}

#[test]
fn a_missing_or_wrong_library_names_the_command_that_installs_it() {
    let data = Folder::new();
    let run = |library: &str| ended(command(&data, &[]).env("RINGTRACE_LIBCHDB", library));
    refused(run("/nowhere/libchdb.so"), 78, &["/nowhere/libchdb.so", "make build"]);
    let wrong = data.join("libchdb.so");
    fs::write(&wrong, "no library").unwrap();
    refused(run(wrong.to_str().unwrap()), 1, &["make build"]);
}

#[test]
fn a_folder_in_use_and_a_port_in_use_are_named() {
    let (data, other) = (Folder::new(), Folder::new());
    let server = Server::start(&data, &[]);
    refused(ended(&mut command(&data, &[])), 1, &[data.to_str().unwrap(), "in use by another process"]);
    let listen = server.url.strip_prefix("http://").unwrap();
    let run = std::process::Command::new(env!("CARGO_BIN_EXE_ringtrace"))
        .args(["clickhouse", "--listen", listen, "--data"])
        .arg(&*other)
        .output()
        .unwrap();
    let text = String::from_utf8(run.stderr).unwrap();
    refused((run.status.code().unwrap(), text), 1, &[listen, "another port"]);
}

#[test]
fn a_folder_of_a_newer_engine_is_refused() {
    let data = Folder::new();
    drop(Server::start(&data, &[]));
    fs::write(data.join("ringtrace-engine-version"), "99.1.2.3\n").unwrap();
    refused(ended(&mut command(&data, &[])), 1, &[data.to_str().unwrap(), "99.1.2.3", "use that version"]);
}

#[test]
fn a_folder_that_can_not_be_made_is_named() {
    let data = Folder::new();
    let below_a_file = data.join("file/data");
    fs::write(data.join("file"), "").unwrap();
    refused(ended(&mut command(&below_a_file, &[])), 1, &["data directory", below_a_file.to_str().unwrap()]);
}
