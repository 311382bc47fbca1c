//! `kill -9` in the middle of concurrent inserts.
//!
//! Each insert is one block into one partition: after the restart all of it is there, or nothing; and all of it when it
//! was acknowledged. A kill is no power loss: the kernel still writes what the engine has handed over.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::server::{Folder, Server, http, long};

const WRITERS: u64 = 8;
const ROWS: u64 = 500;
/// The longest that a start after a kill may take.
const START: Duration = Duration::from_secs(10);

/// Inserts batches until the server is gone; gives those acknowledged.
async fn write(url: String, next: Arc<AtomicU64>) -> Vec<u64> {
    let (http, mut acknowledged) = (http(), Vec::new());
    loop {
        let batch = next.fetch_add(1, Ordering::Relaxed);
        let rows = (0..ROWS).fold(String::new(), |rows, row| format!("{rows}{batch}\t{row}\n"));
        let request = http.post(&url).query(&[("query", "INSERT INTO kept FORMAT TSV")]).body(rows);
        match request.send().await {
            Ok(response) if response.status().is_success() => acknowledged.push(batch),
            _ => return acknowledged,
        }
    }
}

async fn stored(server: &Server) -> HashMap<u64, u64> {
    let text = server.ask("SELECT batch, count() FROM kept GROUP BY batch").await;
    let number = |text: &str| text.parse().unwrap();
    text.lines().map(|line| line.split_once('\t').unwrap()).map(|(a, b)| (number(a), number(b))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn acknowledged_rows_outlive_a_kill_and_no_insert_is_halved() {
    let rounds = if long() { 100 } else { 10 };
    let data = Folder::new();
    let next = Arc::new(AtomicU64::new(0));
    let (mut acknowledged, mut slowest) = (Vec::new(), Duration::ZERO);
    let mut server = Server::start(&data, &[]);
    server.ask("CREATE TABLE kept (batch UInt64, row UInt64) ENGINE = MergeTree ORDER BY (batch, row)").await;
    for round in 0..rounds {
        let writers: Vec<_> = (0..WRITERS).map(|_| tokio::spawn(write(server.url.clone(), next.clone()))).collect();
        let moment = u64::from(std::process::id()).wrapping_mul(2_654_435_761).wrapping_add(round * 7919) % 700;
        tokio::time::sleep(Duration::from_millis(50 + moment)).await;
        server.kill();
        for writer in writers {
            acknowledged.extend(writer.await.unwrap());
        }
        let started = Instant::now();
        server = Server::start(&data, &[]);
        let stored = stored(&server).await;
        slowest = slowest.max(started.elapsed());
        let lost: Vec<_> = acknowledged.iter().filter(|batch| !stored.contains_key(batch)).collect();
        let halved: Vec<_> = stored.iter().filter(|(_, rows)| **rows != ROWS).collect();
        assert!(lost.is_empty() && halved.is_empty(), "round {round}: lost {lost:?}, halved {halved:?}");
    }
    println!("{rounds} kills, {} acknowledged inserts, slowest start {slowest:?}", acknowledged.len());
    assert!(slowest < START && acknowledged.len() > usize::try_from(rounds).unwrap(), "{slowest:?}");
}
