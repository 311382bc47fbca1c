//! `kill -9` in the middle of concurrent inserts.
//!
//! Each insert is one block into one partition: after the restart all of it is there, or nothing; and all of it when it
//! was acknowledged. A kill is no power loss: the kernel still writes what the engine has handed over.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::server::{Folder, Random, Server, http, long};

const WRITERS: u64 = 8;
const ROWS: u64 = 500;
/// The longest that a start after a kill may take.
const START: Duration = Duration::from_secs(10);

/// What all writers share.
#[derive(Default)]
struct Counts {
    next: AtomicU64,
    acknowledged: AtomicUsize,
}

/// Inserts batches until the server is gone; gives those acknowledged.
async fn write(url: String, counts: Arc<Counts>) -> Vec<u64> {
    let (http, mut acknowledged) = (http(), Vec::new());
    loop {
        let batch = counts.next.fetch_add(1, Ordering::Relaxed);
        let rows = (0..ROWS).fold(String::new(), |rows, row| format!("{rows}{batch}\t{row}\n"));
        let request = http.post(&url).query(&[("query", "INSERT INTO kept FORMAT TSV")]).body(rows);
        match request.send().await {
            Ok(response) if response.status().is_success() => {
                acknowledged.push(batch);
                counts.acknowledged.fetch_add(1, Ordering::Relaxed);
            }
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
    let (counts, mut random) = (Arc::new(Counts::default()), Random::seeded());
    let (mut acknowledged, mut slowest) = (Vec::new(), Duration::ZERO);
    let mut server = Server::start(&data, &[]);
    server.ask("CREATE TABLE kept (batch UInt64, row UInt64) ENGINE = MergeTree ORDER BY (batch, row)").await;
    for round in 0..rounds {
        let writers: Vec<_> = (0..WRITERS).map(|_| tokio::spawn(write(server.url.clone(), counts.clone()))).collect();
        let enough = counts.acknowledged.load(Ordering::Relaxed) + 1 + random.below(60);
        while counts.acknowledged.load(Ordering::Relaxed) < enough {
            tokio::task::yield_now().await;
        }
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
