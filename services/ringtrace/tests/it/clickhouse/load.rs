//! Many clients at once, and queries that have to end before their end.

use std::time::{Duration, Instant};

use super::server::{Folder, Server, http, long};

const CLIENTS: u64 = 32;
const ROWS: u64 = 1_000;
const MAX_MEMORY_MIB: u64 = 3_000;

/// Inserts and checks what is there, until the deadline; gives the number of rows inserted.
async fn client(url: String, id: u64, until: Instant) -> u64 {
    let (http, mut rows) = (http(), 0);
    while Instant::now() < until {
        let body = (rows..rows + ROWS).fold(String::new(), |body, row| format!("{body}{id}\t{row}\n"));
        let insert = http.post(&url).query(&[("query", "INSERT INTO load FORMAT TSV")]).body(body);
        assert_eq!(insert.send().await.unwrap().status(), 200);
        rows += ROWS;
        let query = http.post(&url).body(format!("SELECT count(), sum(row) FROM load WHERE client = {id}"));
        let text = query.send().await.unwrap().text().await.unwrap();
        assert_eq!(text.trim_end(), format!("{rows}\t{}", rows * (rows - 1) / 2), "client {id}");
    }
    rows
}

#[tokio::test(flavor = "multi_thread")]
async fn thirty_two_clients_see_what_they_wrote_and_memory_is_bounded() {
    let data = Folder::new();
    let server = Server::start(&data, &[]);
    server.ask("CREATE TABLE load (client UInt32, row UInt64) ENGINE = MergeTree ORDER BY (client, row)").await;
    let until = Instant::now() + Duration::from_secs(if long() { 180 } else { 6 });
    let clients: Vec<_> = (0..CLIENTS).map(|id| tokio::spawn(client(server.url.clone(), id, until))).collect();
    let (mut total, mut memory) = (0, 0);
    for client in clients {
        total += client.await.unwrap();
        memory = memory.max(server.memory_mib());
    }
    assert_eq!(server.ask("SELECT count() FROM load").await, total.to_string());
    println!("{total} rows in inserts of {ROWS}, as many queries, {memory} MiB resident");
    assert!(memory < MAX_MEMORY_MIB, "{memory} MiB");
}

/// The queries that run, without the one that asks.
async fn running(server: &Server) -> String {
    server.ask("SELECT count() FROM system.processes WHERE query NOT LIKE '%system.processes%'").await
}

async fn eventually_idle(server: &Server) {
    let until = Instant::now() + Duration::from_secs(20);
    while running(server).await != "0" {
        assert!(Instant::now() < until, "a query still runs");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_result_larger_than_memory_streams_and_a_client_that_leaves_stops_it() {
    let data = Folder::new();
    let server = Server::start(&data, &[]);
    let mut response = http()
        .post(&server.url)
        .body("SELECT number FROM numbers(100000000000) FORMAT RowBinary")
        .send()
        .await
        .unwrap();
    let mut bytes = 0;
    while bytes < 1 << 30 {
        bytes += response.chunk().await.unwrap().unwrap().len();
    }
    assert!(server.memory_mib() < MAX_MEMORY_MIB, "{} MiB", server.memory_mib());
    drop(response);
    eventually_idle(&server).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_is_listed_and_killed_and_its_time_is_limited() {
    const ENDLESS: &str = "SELECT count() FROM numbers(1000000000000000) WHERE NOT ignore(sipHash64(number))";
    let data = Folder::new();
    let server = Server::start(&data, &[]);
    let limited = http().post(&server.url).query(&[("max_execution_time", "1")]).body(ENDLESS);
    let text = limited.send().await.unwrap().text().await.unwrap();
    assert!(text.starts_with("Code: 159."), "{text}");
    let url = server.url.clone();
    let endless =
        tokio::spawn(async move { http().post(&url).body(ENDLESS).send().await.unwrap().text().await.unwrap() });
    let until = Instant::now() + Duration::from_secs(10);
    while running(&server).await != "1" {
        assert!(Instant::now() < until, "the query is not listed");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    server.ask("KILL QUERY WHERE query LIKE 'SELECT count() FROM numbers(1000%' ASYNC").await;
    let text = endless.await.unwrap();
    assert!(text.starts_with("Code: 394."), "{text}");
    eventually_idle(&server).await;
}
