//! Inserts: their data comes in the URL, behind the statement or as a stream, and half of it is never a success.

use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::server::{Server, eventually, header, server};

async fn table(server: &Server, name: &str) {
    server.run(&format!("CREATE TABLE {name} (a UInt32, s String DEFAULT 'none') ENGINE = MergeTree ORDER BY a")).await;
}

/// What the linker sends with each insert.
const LINKER: [(&str, &str); 4] = [
    ("async_insert", "0"),
    ("insert_deduplicate", "0"),
    ("max_partitions_per_insert_block", "0"),
    ("database", "default"),
];

#[tokio::test]
async fn data_comes_from_everywhere() {
    let server = server();
    table(&server, "forms").await;
    server.run("INSERT INTO forms VALUES (1, 'a'), (2, concat('b', 'c'))").await;
    server.run("INSERT INTO forms (a) FORMAT CSV\n3\n4\n").await;
    server.ask(&[("query", "INSERT INTO forms FORMAT TSV")], "5\tx\n").await;
    server.ask(&[("query", "INSERT INTO forms VALUES")], "(6, 'y')").await;
    server.ask(&[("query", "INSERT INTO forms")], "VALUES (7, 'z')").await;
    server.run("INSERT INTO forms SELECT number + 8, 's' FROM numbers(2)").await;
    server.ask(&[("query", "INSERT INTO forms VALUES (11, 'url')")], "").await;
    server.ask(&[("param_v", "12")], "INSERT INTO forms VALUES ({v:UInt32}, 'p')").await;
    server.ask(&[], "INSERT INTO forms SETTINGS async_insert = 0 FORMAT JSONEachRow {\"a\": 13}").await;
    let rows = server.ask(&[], "SELECT groupArray((a, s)) FROM (SELECT * FROM forms ORDER BY a) FORMAT CSV").await;
    let expected = "[(1,'a'),(2,'bc'),(3,'none'),(4,'none'),(5,'x'),(6,'y'),(7,'z'),(8,'s'),(9,'s'),(11,'url'),(12,'p'),(13,'none')]";
    assert_eq!(rows, format!("\"{expected}\""));
}

#[tokio::test]
async fn native_data_with_zero_bytes_arrives_as_it_was() {
    let server = server();
    table(&server, "native").await;
    let sql =
        "SELECT number::UInt32 AS a, concat(char(0, 10, 255), toString(number), char(0)) AS s FROM numbers(300000)";
    let native = server.post(&[], format!("{sql} FORMAT Native")).send().await.unwrap().bytes().await.unwrap();
    let query = [&LINKER[..], &[("query", "INSERT INTO native (a, s) FORMAT Native")]].concat();
    let response = server.post(&query, native).send().await.unwrap();
    assert_eq!(response.status().as_u16(), 200);
    assert!(header(&response, "x-clickhouse-summary").unwrap().contains("\"written_rows\":\"300000\""));
    let hash = "SELECT count(), sum(cityHash64(a, s)) FROM";
    assert_eq!(server.ask(&[], &format!("{hash} native")).await, server.ask(&[], &format!("{hash} ({sql})")).await);
}

#[tokio::test]
async fn a_million_rows_stream_in() {
    let server = server();
    table(&server, "million").await;
    let pieces = stream::iter(0..1000_u32).map(|piece| {
        let rows = (0..1000).flat_map(move |row| {
            let number = piece * 1000 + row;
            [&number.to_le_bytes()[..], b"\x03a\0b"].concat()
        });
        Ok::<_, std::io::Error>(rows.collect::<Vec<u8>>())
    });
    let body = reqwest::Body::wrap_stream(pieces);
    server
        .post(&[("query", "INSERT INTO million FORMAT RowBinary")], body)
        .send()
        .await
        .unwrap()
        .error_for_status()
        .unwrap();
    assert_eq!(server.ask(&[], "SELECT count(), sum(a), any(s) FROM million").await, "1000000\t499999500000\ta\\0b");
}

#[tokio::test]
async fn an_aborted_body_inserts_nothing() {
    let server = server();
    table(&server, "aborted").await;
    // Chunked without its end, and shorter than its length: whole rows, so that only the missing end tells.
    let rows = "1\ta\n".repeat(1000);
    let chunk = format!("Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{rows}\r\n", rows.len());
    let length = format!("Content-Length: {}\r\n\r\n{rows}", rows.len() * 2);
    for rest in [chunk, length] {
        let address = server.url.strip_prefix("http://").unwrap();
        let mut socket = tokio::net::TcpStream::connect(address).await.unwrap();
        let head = "POST /?query=INSERT+INTO+aborted+FORMAT+TSV HTTP/1.1\r\nHost: x\r\n";
        socket.write_all(format!("{head}{rest}").as_bytes()).await.unwrap();
        eventually("the insert runs", || async {
            server.ask(&[], "SELECT count() FROM system.processes WHERE query LIKE 'INSERT INTO aborted%'").await != "0"
        })
        .await;
        socket.shutdown().await.unwrap();
        let mut answer = Vec::new();
        let _reset = tokio::time::timeout(Duration::from_secs(5), socket.read_to_end(&mut answer)).await;
        assert!(!answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer));
    }
    eventually("the inserts end", || async {
        server.ask(&[], "SELECT count() FROM system.processes WHERE query LIKE 'INSERT INTO aborted%'").await == "0"
    })
    .await;
    assert_eq!(server.ask(&[], "SELECT count() FROM aborted").await, "0");
}

#[tokio::test]
async fn replacing_rows_are_resolved_by_a_final_view() {
    let server = server();
    server
        .run("CREATE TABLE legs_rows (id UInt32, verdict String, version UInt64) ENGINE = ReplacingMergeTree(version) ORDER BY id")
        .await;
    server.run("CREATE VIEW legs AS SELECT * FROM legs_rows FINAL").await;
    for version in 1..=3 {
        let query = "INSERT INTO legs_rows (id, verdict, version) FORMAT CSV";
        let rows = format!("1,v{version},{version}\n{},new,1\n", version + 1);
        server
            .post(&[&LINKER[..], &[("query", query)]].concat(), rows)
            .send()
            .await
            .unwrap()
            .error_for_status()
            .unwrap();
    }
    assert_eq!(server.ask(&[], "SELECT id, verdict FROM legs ORDER BY id").await, "1\tv3\n2\tnew\n3\tnew\n4\tnew");
}
