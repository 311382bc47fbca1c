//! A full disk: a small one, in a mount namespace of its own.

use std::collections::HashMap;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::server::{Folder, Server, http};

const FULL: &str = "Code: 243.";
const ROWS: u64 = 200;

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

/// A small disk in a namespace of its own, which outlives the servers on it.
struct SmallDisk {
    folder: PathBuf,
    holder: Child,
}

impl SmallDisk {
    fn mount(data: &Folder, mib: usize) -> Self {
        let folder = data.join("disk");
        fs::create_dir_all(&folder).unwrap();
        let script = format!("mount -t tmpfs -o size={mib}m tmpfs \"$0\" && echo mounted && exec cat");
        let mut command = Command::new("unshare");
        command.args(["--map-root-user", "--mount", "sh", "-c", &script]).arg(&folder);
        // Its input ends with this process, also when that is killed.
        let mut holder = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(holder.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "mounted\n");
        Self { folder, holder }
    }

    fn serve(&self) -> Server {
        let mut command = Command::new("nsenter");
        command.args(["--user", "--preserve-credentials", "--mount", "--target", &self.holder.id().to_string()]);
        command.arg(env!("CARGO_BIN_EXE_ringtrace")).args(["clickhouse", "--listen", "127.0.0.1:0"]);
        command.args(["--until-input-ends", "--data"]).arg(self.folder.join("data"));
        Server::start_command(command.env_remove("RINGTRACE_CLICKHOUSE_SERVER_PASSWORD"))
    }

    /// The file that fills it, as seen from here.
    fn ballast(&self) -> PathBuf {
        let root = PathBuf::from(format!("/proc/{}/root", self.holder.id()));
        root.join(self.folder.strip_prefix("/").unwrap()).join("ballast")
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}

/// What inserts and merges go through, and what they have done.
#[derive(Default)]
struct Work {
    next: AtomicU64,
    acknowledged: AtomicUsize,
    refused: AtomicUsize,
    stopped: AtomicBool,
}

impl Work {
    /// Whether the statement succeeded; it may fail for want of room alone.
    async fn did(&self, url: &str, sql: String) -> bool {
        let response = http().post(url).body(sql.clone()).send().await.unwrap();
        let (fine, text) = (response.status().is_success(), response.text().await.unwrap());
        assert!(fine || text.starts_with(FULL), "{sql}: {text}");
        fine
    }

    /// Inserts batches of [`ROWS`] until it is stopped; gives those acknowledged.
    async fn insert(self: Arc<Self>, url: String) -> Vec<u64> {
        let mut acknowledged = Vec::new();
        while !self.stopped.load(Ordering::Relaxed) {
            let batch = self.next.fetch_add(1, Ordering::Relaxed);
            let part = batch % 4;
            let sql = format!("INSERT INTO kept SELECT {batch}, {part}, randomString(100) FROM numbers({ROWS})");
            let count = if self.did(&url, sql).await {
                acknowledged.push(batch);
                &self.acknowledged
            } else {
                &self.refused
            };
            count.fetch_add(1, Ordering::Relaxed);
        }
        acknowledged
    }

    async fn merge(self: Arc<Self>, url: String) {
        for part in (0..4).cycle() {
            if self.stopped.load(Ordering::Relaxed) {
                return;
            }
            self.did(&url, format!("OPTIMIZE TABLE kept PARTITION {part}")).await;
        }
    }
}

/// Runs `meanwhile` until the count has grown by `more`.
async fn until_grown(count: &AtomicUsize, more: usize, mut meanwhile: impl FnMut()) {
    let (enough, deadline) = (count.load(Ordering::Relaxed) + more, Instant::now() + Duration::from_secs(120));
    while count.load(Ordering::Relaxed) < enough {
        assert!(Instant::now() < deadline, "nothing goes on");
        meanwhile();
        tokio::task::yield_now().await;
    }
}

/// Every acknowledged batch is whole, and so is every other that is there.
async fn check(server: &Server, acknowledged: &[u64], when: &str) {
    let sql = "SELECT batch, count(), sum(length(s)) FROM kept GROUP BY batch";
    let text = server.ask(sql).await;
    let stored: HashMap<&str, &str> = text.lines().map(|line| line.split_once('\t').unwrap()).collect();
    let whole = format!("{ROWS}\t{}", ROWS * 100);
    let lost = acknowledged.iter().filter(|batch| !stored.contains_key(batch.to_string().as_str())).count();
    let halved = stored.values().filter(|rows| **rows != whole).count();
    assert!(lost == 0 && halved == 0, "{when}: of {} batches {lost} lost, {halved} damaged", acknowledged.len());
    let sql = "CHECK TABLE kept SETTINGS check_query_single_value_result = 1";
    assert_eq!(server.ask(sql).await, "1", "{when}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_others_fill_during_inserts_and_merges_damages_nothing() {
    // The engine keeps merged parts for a while, which fill the disk by themselves in more rounds.
    let rounds = 5;
    let data = Folder::new();
    let disk = SmallDisk::mount(&data, 96 + 4 * rounds);
    let mut server = disk.serve();
    let settings = "old_parts_lifetime = 1, merge_tree_clear_old_parts_interval_seconds = 1";
    let table = "(batch UInt64, part UInt8, s String) ENGINE = MergeTree PARTITION BY part ORDER BY batch";
    server.ask(&format!("CREATE TABLE kept {table} SETTINGS {settings}")).await;
    let work = Arc::new(Work::default());
    let writers: Vec<_> = (0..4).map(|_| tokio::spawn(work.clone().insert(server.url.clone()))).collect();
    let mergers: Vec<_> = (0..2).map(|_| tokio::spawn(work.clone().merge(server.url.clone()))).collect();
    for _ in 0..rounds {
        until_grown(&work.acknowledged, 20, || {}).await;
        until_grown(&work.refused, 50, || fill(&disk.ballast())).await;
        server.ask("SELECT sum(length(s)) FROM kept").await;
        fs::remove_file(disk.ballast()).unwrap();
    }
    until_grown(&work.acknowledged, 20, || {}).await;
    work.stopped.store(true, Ordering::Relaxed);
    let mut acknowledged = Vec::new();
    for writer in writers {
        acknowledged.extend(writer.await.unwrap());
    }
    for merger in mergers {
        merger.await.unwrap();
    }
    check(&server, &acknowledged, "before the restart").await;
    server.kill();
    check(&disk.serve(), &acknowledged, "after the restart").await;
    println!("{rounds} times full, {} inserts acknowledged", acknowledged.len());
}
