//! A full disk: a small one, in a mount namespace of its own.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::server::{Folder, Server};

const FULL: &str = "Code: 243.";

/// A server whose data directory is on a disk of 48 MiB, which other processes reach through `/proc`.
fn on_a_small_disk(data: &Folder) -> Server {
    let disk = data.join("disk");
    fs::create_dir_all(&disk).unwrap();
    let script = "mount -t tmpfs -o size=48m tmpfs \"$0\" && exec \"$1\" clickhouse --listen 127.0.0.1:0 --until-input-ends --data \"$0/data\"";
    let mut command = Command::new("unshare");
    command.args(["--map-root-user", "--mount", "sh", "-c", script]).arg(&disk).arg(env!("CARGO_BIN_EXE_ringtrace"));
    Server::start_command(command.env_remove("RINGTRACE_CLICKHOUSE_SERVER_PASSWORD"))
}

/// A file that takes what the disk still has.
fn fill(file: &Path) {
    let mut size = 1 << 20;
    while size > 0 {
        let has_room = fs::File::options()
            .create(true)
            .append(true)
            .open(file)
            .and_then(|mut file| std::io::Write::write_all(&mut file, &vec![1; size]));
        if has_room.is_err() {
            size /= 2;
        }
    }
}

#[tokio::test]
async fn a_full_disk_refuses_and_loses_nothing() {
    let data = Folder::new();
    let server = on_a_small_disk(&data);
    server.ask("CREATE TABLE kept (a UInt64, s String) ENGINE = MergeTree ORDER BY a").await;
    server.ask("INSERT INTO kept SELECT number, 'x' FROM numbers(1000)").await;
    let (status, text) = server.answer("INSERT INTO kept SELECT number, randomString(1000) FROM numbers(100000)").await;
    assert!(status == 500 && text.starts_with(FULL), "{text}");
    let disk = server.root().join(data.join("disk").strip_prefix("/").unwrap());
    fill(&disk.join("fill"));
    for sql in [
        "INSERT INTO kept VALUES (1, 'y')",
        "CREATE TABLE other (a UInt8) ENGINE = MergeTree ORDER BY a",
        "ALTER TABLE kept ADD COLUMN b UInt8",
    ] {
        let (_, text) = server.answer(sql).await;
        assert!(text.starts_with(FULL), "{sql}: {text}");
    }
    assert_eq!(server.ask("SELECT count() FROM kept").await, "1000");
    fs::remove_file(disk.join("fill")).unwrap();
    server.ask("CREATE TABLE other (a UInt8) ENGINE = MergeTree ORDER BY a").await;
    server.ask("INSERT INTO kept VALUES (1000, 'y')").await;
    assert_eq!(server.ask("SELECT count() FROM kept").await, "1001");
}
