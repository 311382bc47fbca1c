//! What the HTTP door adds to the engine's C interface: the same statements through both, in turns, in one process.
//!
//! `make bench-door`. Times are medians of wall time and of this process's CPU
//! time. The client of the door, which opens a connection each time, counts in the wall time, but not in the CPU time.

#![allow(clippy::expect_used, clippy::panic, reason = "a benchmark ends where something fails")]

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::Instant;

use form_urlencoded::byte_serialize;
use ringtrace_clickhouse::{Access, Engine, find_library, serve};
use tokio::net::TcpListener;

const ROUNDS: usize = 31;
const BUFFER_BYTES: usize = 256 << 10;

/// A leg's columns, more or less: 14 of them, about 190 bytes a row.
const COLUMNS: &str = "tenant String, app LowCardinality(String), call UUID, device String, platform LowCardinality(String), \
    version LowCardinality(String), verdict LowCardinality(String), sent DateTime64(3, 'UTC'), received Nullable(DateTime64(3, 'UTC')), \
    reported Nullable(DateTime64(3, 'UTC')), latency Nullable(Int64), attempts UInt16, diagnoses Array(LowCardinality(String)), note String";
const ROW: &str = "SELECT 'default' AS tenant, toLowCardinality('com.acme.talk') AS app, generateUUIDv4(number) AS call, \
    'device-' || toString(number % 5000) AS device, toLowCardinality('ios') AS platform, toLowCardinality('5.3.' || toString(number % 7)) AS version, \
    toLowCardinality('reported') AS verdict, toDateTime64('2026-11-01 08:00:00', 3, 'UTC') + number AS sent, sent + 1 AS received, sent + 2 AS reported, \
    number % 7000 AS latency, 1 AS attempts, [toLowCardinality('late_push')] AS diagnoses, randomPrintableASCII(40) AS note FROM numbers";

struct Bench {
    engine: Engine,
    address: SocketAddr,
}

/// Wall and CPU milliseconds.
type Cost = (f64, f64);

impl Bench {
    /// Through HTTP; gives the answer.
    fn door(&self, query: &str, body: &[u8]) -> Vec<u8> {
        let mut answer = Vec::new();
        self.send(query, body).read_to_end(&mut answer).expect("the answer is read");
        assert!(answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer));
        answer
    }

    /// Through HTTP; reads the answer and throws it away.
    fn measured(&self, query: &str, body: &[u8], buffer: &mut [u8]) {
        let mut socket = self.send(query, body);
        let mut read = socket.read(buffer).expect("the answer is read");
        assert!(buffer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(buffer));
        while read > 0 {
            read = socket.read(buffer).expect("the answer is read");
        }
    }

    fn send(&self, query: &str, body: &[u8]) -> TcpStream {
        let mut socket = TcpStream::connect(self.address).expect("the door is open");
        let (path, length) = (byte_serialize(query.as_bytes()).collect::<String>(), body.len());
        let head =
            format!("POST /?query={path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n");
        socket.write_all(head.as_bytes()).and_then(|()| socket.write_all(body)).expect("the request is sent");
        socket
    }

    fn run(&self, sql: &str) {
        self.door("", sql.as_bytes());
    }

    /// Takes both ways in turns, and prints what each costs.
    fn compare(&self, what: &str, mut direct: impl FnMut(), mut door: impl FnMut()) {
        let (mut one, mut other) = (Vec::new(), Vec::new());
        for round in 0..=ROUNDS {
            let (direct, before) = (cost(&mut direct), own_cpu_ms());
            let (wall, cpu) = cost(&mut door);
            let costs = (direct, (wall, cpu - (own_cpu_ms() - before)));
            // The first warms up.
            if round > 0 {
                one.push(costs.0);
                other.push(costs.1);
            }
        }
        let (direct, door) = (median(&one), median(&other));
        let added = |part: fn(Cost) -> f64| (part(door) / part(direct) - 1.0) * 100.0;
        println!(
            "{what:<44} {:>9.2} {:>9.2} {:>+7.1} % {:>11.2} {:>9.2} {:>+7.1} %",
            direct.0,
            door.0,
            added(|cost| cost.0),
            direct.1,
            door.1,
            added(|cost| cost.1)
        );
    }

    fn inserts(&self, rows: usize, format: &str, engine: &str) {
        self.run("DROP TABLE IF EXISTS t");
        self.run(&format!("CREATE TABLE t ({COLUMNS}) ENGINE = {engine}"));
        let answer = self.door(&format!("SELECT * FROM s LIMIT {rows} FORMAT {format}"), b"");
        let data = unchunked(&answer);
        let name = engine.split(' ').next().unwrap_or_default();
        let mut buffer = vec![0; BUFFER_BYTES];
        self.compare(
            &format!("INSERT of {rows} rows, {format}, {name}"),
            || {
                let written = self.engine.direct().expect("a connection").insert("INSERT INTO t", format, &data);
                assert_eq!(written.expect("an insert"), rows as u64);
            },
            || self.measured(&format!("INSERT INTO t FORMAT {format}"), &data, &mut buffer),
        );
    }

    fn selects(&self, rows: usize, format: &str) {
        let mut buffer = vec![0; BUFFER_BYTES];
        self.compare(
            &format!("SELECT of {rows} rows, {format}"),
            || {
                let bytes = self
                    .engine
                    .direct()
                    .expect("a connection")
                    .select(&format!("SELECT * FROM s LIMIT {rows}"), format);
                assert!(bytes.expect("a select") > rows);
            },
            || self.measured(&format!("SELECT * FROM s LIMIT {rows} FORMAT {format}"), b"", &mut buffer),
        );
    }
}

fn cost(work: &mut impl FnMut()) -> Cost {
    let (started, cpu) = (Instant::now(), cpu_ms());
    work();
    (started.elapsed().as_secs_f64() * 1e3, cpu_ms() - cpu)
}

/// CPU time of this process, in milliseconds, as the scheduler counts it: of all threads that live.
fn cpu_ms() -> f64 {
    let tasks = fs::read_dir("/proc/self/task").expect("Linux").flatten();
    let of_task = |path: &Path| fs::read_to_string(path.join("schedstat")).ok()?.split(' ').next()?.parse::<f64>().ok();
    tasks.filter_map(|task| of_task(&task.path())).sum::<f64>() / 1e6
}

/// CPU time of this thread, in milliseconds.
fn own_cpu_ms() -> f64 {
    let text = fs::read_to_string("/proc/thread-self/schedstat").expect("Linux");
    text.split(' ').next().and_then(|ns| ns.parse::<f64>().ok()).expect("a number") / 1e6
}

fn median(costs: &[Cost]) -> Cost {
    let middle = |part: fn(&Cost) -> f64| {
        let mut all: Vec<f64> = costs.iter().map(part).collect();
        all.sort_by(f64::total_cmp);
        all.get(all.len() / 2).copied().unwrap_or(f64::NAN)
    };
    (middle(|cost| cost.0), middle(|cost| cost.1))
}

/// The data of a chunked answer.
fn unchunked(answer: &[u8]) -> Vec<u8> {
    let find = |text: &[u8], what: &[u8]| text.windows(what.len()).position(|window| window == what).expect("HTTP");
    let (mut rest, mut data) = (&answer[find(answer, b"\r\n\r\n") + 4..], Vec::new());
    loop {
        let line = find(rest, b"\r\n");
        let length = usize::from_str_radix(std::str::from_utf8(&rest[..line]).expect("HTTP"), 16).expect("HTTP");
        if length == 0 {
            return data;
        }
        data.extend_from_slice(&rest[line + 2..line + 2 + length]);
        rest = &rest[line + 2 + length + 2..];
    }
}

#[tokio::main]
async fn main() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/door");
    // It may not be there.
    let _ = fs::remove_dir_all(&folder);
    let library = find_library().unwrap_or_else(|error| panic!("{error}"));
    let engine = Engine::open(&library, &folder, Access::Inside).unwrap_or_else(|error| panic!("{error}"));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let bench = Bench { engine: engine.clone(), address: listener.local_addr().expect("an address") };
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let server = tokio::spawn(serve(engine, listener, None, async move { drop(stopped.await) }));
    let measured = tokio::task::spawn_blocking(move || {
        println!(
            "{:<44} {:>9} {:>9} {:>9} {:>11} {:>9} {:>9}",
            "milliseconds", "C, wall", "HTTP", "added", "C, CPU", "HTTP", "added"
        );
        bench.run(&format!("CREATE TABLE s ({COLUMNS}) ENGINE = MergeTree ORDER BY (tenant, call)"));
        bench.run(&format!("INSERT INTO s {ROW}(200000)"));
        for (rows, format) in [(100_000, "Native"), (100_000, "RowBinary"), (100_000, "JSONEachRow"), (1_000, "Native")]
        {
            bench.inserts(rows, format, "MergeTree ORDER BY (tenant, call)");
        }
        bench.inserts(100_000, "Native", "Null");
        for (rows, format) in [(100_000, "Native"), (100_000, "RowBinary"), (100_000, "JSONEachRow"), (1, "TSV")] {
            bench.selects(rows, format);
        }
    });
    measured.await.expect("the measurement");
    let _ = stop.send(());
    server.await.expect("the server").expect("a clean end");
    let _ = fs::remove_dir_all(&folder);
}
