//! Input that means nothing: damaged HTTP, and damaged documents of every format that the engine reads.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use super::server::{Folder, Random, Server, http, long};

/// How long an answer to a damaged request is waited for; what is cut off gets none.
const PATIENCE: Duration = Duration::from_millis(50);

const REQUESTS: [&[u8]; 8] = [
    b"GET /?query=SELECT%201&param_x=%41&max_threads=1 HTTP/1.1\r\nHost: a\r\n\r\n",
    b"POST /?decompress=1&query=INSERT+INTO+g+FORMAT+RowBinary HTTP/1.1\r\nHost: a\r\nContent-Length: 40\r\n\r\n\
        0123456789abcdef\x82\x0f\0\0\0\x05\0\0\0aaaaaaaaaaaaaaa",
    b"POST /?query=INSERT+INTO+g+FORMAT+Native HTTP/1.1\r\nHost: a\r\nContent-Length: 20\r\n\r\n\
        \x01\x01\x01a\x06UInt64\0\0\0\0\0\0\0\0\0\0",
    b"POST / HTTP/1.1\r\nHost: a\r\nContent-Encoding: gzip\r\nContent-Length: 10\r\n\r\n\x1f\x8b\x08\0\0\0\0\0\0\0",
    b"POST / HTTP/1.1\r\nHost: a\r\nContent-Encoding: zstd\r\nContent-Length: 21\r\n\r\n\
        \x28\xb5\x2f\xfd\x04\x58\x41\0\0SELECT 1\x7f\x16\x28\x1b",
    b"POST /?t_types=UInt8&session_id=s HTTP/1.1\r\nHost: a\r\nContent-Type: multipart/form-data; boundary=X\r\nContent-Length: 140\
        \r\n\r\n--X\r\nContent-Disposition: form-data; name=\"query\"\r\n\r\nSELECT * FROM t\r\n\
        --X\r\nContent-Disposition: form-data; name=\"t\"; filename=\"f\"\r\n\r\n1\r\n--X--",
    b"POST /?client_protocol_version=54405&default_format=Native HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\
        \r\nAuthorization: Basic eDp5\r\n\r\n8\r\nSELECT 1\r\n0\r\n\r\n",
    b"POST /?session_id=s&session_timeout=9&readonly=1&database=system&max_block_size=7 HTTP/1.1\r\nHost: a\r\n\
        Content-Length: 8\r\n\r\nSELECT 1",
];

/// Damages bytes at random places: changed, removed, repeated, cut off.
fn damage(bytes: &mut Vec<u8>, random: &mut Random) {
    for _ in 0..=random.below(6) {
        if bytes.is_empty() {
            return;
        }
        let at = random.below(bytes.len());
        match random.below(5) {
            0 => bytes[at] = u8::try_from(random.below(256)).unwrap(),
            1 => drop(bytes.remove(at)),
            2 => bytes.insert(at, b"'\"`($\\\0\xff/*"[random.below(10)]),
            3 => bytes[at] ^= 1 << random.below(8),
            _ => bytes.extend_from_within(at..at + random.below(bytes.len() - at)),
        }
    }
    if random.below(4) == 0 {
        bytes.truncate(random.below(bytes.len() + 1));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn garbage_never_ends_the_server() {
    let data = Folder::new();
    let mut server = Server::start(&data, &[]);
    server.ask("CREATE TABLE g (a UInt64) ENGINE = Null").await;
    let mut random = Random::seeded();
    for round in 0..if long() { 20_000 } else { 600 } {
        let mut request = REQUESTS[random.below(REQUESTS.len())].to_vec();
        damage(&mut request, &mut random);
        let mut socket = TcpStream::connect(server.url.strip_prefix("http://").unwrap()).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        // The server may close before it has read everything.
        let _ = socket.write_all(&request);
        let _ = socket.read(&mut [0; 64]);
        assert!(server.runs(), "round {round}: {}", request.escape_ascii());
    }
    assert_eq!(server.ask("SELECT 1").await, "1");
}

/// How long a damaged document of a few hundred bytes may take.
const ENDLESS: Duration = Duration::from_secs(20);

/// Columns of many types, which all formats but a few can write.
const COLUMNS: &str =
    "id UInt64, n Nullable(Int32), f Float64, s String, d Date, t DateTime64(3, 'UTC'), a Array(String)";
const ROWS: &str = "SELECT number AS id, if(number % 2 = 0, NULL, 7)::Nullable(Int32) AS n, number / 3 AS f, 'text \\' \\0' AS s, \
    toDate('2026-01-02') AS d, toDateTime64('2026-01-02 03:04:05.678', 3, 'UTC') AS t, ['x', 'y']::Array(String) AS a FROM numbers(3)";

#[tokio::test(flavor = "multi_thread")]
async fn damaged_documents_of_no_format_end_the_server() {
    let data = Folder::new();
    let mut server = Server::start(&data, &[]);
    server.ask(&format!("CREATE TABLE g ({COLUMNS}) ENGINE = Null")).await;
    let formats = server.ask("SELECT name FROM system.formats WHERE is_input AND is_output ORDER BY name").await;
    let (mut random, mut tried, mut endless) = (Random::seeded(), 0, 0);
    for format in formats.lines() {
        let response = http().post(&server.url).body(format!("{ROWS} FORMAT {format}")).send().await.unwrap();
        if !response.status().is_success() {
            // It needs a schema.
            continue;
        }
        let document = response.bytes().await.unwrap();
        let insert = [("query", format!("INSERT INTO g FORMAT {format}"))];
        for round in 0..if long() { 1_000 } else { 10 } {
            let mut body = document.to_vec();
            damage(&mut body, &mut random);
            let request = http().post(&server.url).query(&insert).body(body.clone()).timeout(ENDLESS);
            // A refusal and an acceptance are both well. The engine's reader of Parquet may take a number in a damaged file
            // at its word and count to it, which nothing can cancel (README.md).
            let answer = request.send().await;
            let is_endless = answer.as_ref().is_err_and(reqwest::Error::is_timeout);
            assert!(
                (is_endless || answer.is_ok()) && server.runs(),
                "{format}, round {round}: {}",
                body.escape_ascii()
            );
            tried += 1;
            if is_endless {
                endless += 1;
                assert_eq!(format, "Parquet", "round {round} does not end: {}", body.escape_ascii());
                assert_eq!(server.ask("SELECT 1").await, "1", "others go on");
                server.kill();
                server = Server::start(&data, &[]);
            }
        }
    }
    println!("{tried} damaged documents, {endless} without an end");
    assert!(tried > 300, "{tried}");
    assert_eq!(server.ask("SELECT 1").await, "1");
}
