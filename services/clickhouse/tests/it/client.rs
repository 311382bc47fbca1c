//! The `clickhouse` crate, unchanged: what the services use.

use clickhouse::{Client, Compression, Row};
use serde::{Deserialize, Serialize};

use crate::server::server;

#[derive(Clone, Debug, Deserialize, PartialEq, Row, Serialize)]
struct Leg {
    id: u64,
    device: String,
    latency_ms: Option<i32>,
    tags: Vec<String>,
}

fn leg(id: u64) -> Leg {
    let latency_ms = id.is_multiple_of(3).then(|| i32::try_from(id).unwrap());
    Leg { id, device: format!("device\0{id}"), latency_ms, tags: vec!["a".to_owned(), id.to_string()] }
}

async fn table(client: &Client, name: &str) {
    let columns = "id UInt64, device String, latency_ms Nullable(Int32), tags Array(String)";
    client.query(&format!("CREATE TABLE {name} ({columns}) ENGINE = MergeTree ORDER BY id")).execute().await.unwrap();
}

async fn goes_round(client: Client, name: &str) {
    table(&client, name).await;
    let mut insert = client.insert::<Leg>(name).await.unwrap();
    for id in 0..20_000 {
        insert.write(&leg(id)).await.unwrap();
    }
    insert.end().await.unwrap();
    let count: u64 = client.query(&format!("SELECT count() FROM {name}")).fetch_one().await.unwrap();
    assert_eq!(count, 20_000);
    let sql = format!("SELECT ?fields FROM {name} WHERE id >= ? AND id < {{to:UInt64}} ORDER BY id");
    let legs: Vec<Leg> = client.query(&sql).bind(100).param("to", 150).fetch_all().await.unwrap();
    assert_eq!(legs, (100..150).map(leg).collect::<Vec<_>>());
}

#[tokio::test]
async fn rows_go_round_with_validation_and_lz4() {
    goes_round(server().client().with_compression(Compression::Lz4), "crate_lz4").await;
}

#[tokio::test]
async fn rows_go_round_with_validation_and_without_compression() {
    goes_round(server().client().with_compression(Compression::None), "crate_plain").await;
}

#[tokio::test]
async fn rows_go_round_without_validation() {
    goes_round(server().client().with_validation(false), "crate_unchecked").await;
}

#[tokio::test]
async fn the_database_and_settings_of_the_client_count() {
    let client = server().client().with_user("default").with_password("");
    client.query("CREATE DATABASE IF NOT EXISTS crate_db").execute().await.unwrap();
    let client = client.with_database("crate_db").with_setting("max_block_size", "1234");
    let (database, setting): (String, u16) =
        client.query("SELECT currentDatabase(), getSetting('max_block_size')").fetch_one().await.unwrap();
    assert_eq!((database.as_str(), setting), ("crate_db", 1234));
    goes_round(client, "here").await;
}

#[tokio::test]
async fn a_million_rows_are_read_as_a_stream() {
    let client = server().client();
    let mut rows =
        client.query("SELECT number, toString(number) FROM numbers(1000000)").fetch::<(u64, String)>().unwrap();
    let (mut count, mut sum) = (0, 0);
    while let Some((number, text)) = rows.next().await.unwrap() {
        count += 1;
        sum += number + u64::try_from(text.len()).unwrap();
    }
    assert_eq!((count, sum), (1_000_000, 499_999_500_000 + 5_888_890));
}

#[tokio::test]
async fn preformatted_data_is_inserted_and_read_as_bytes() {
    let client = server().client();
    table(&client, "crate_formatted").await;
    let mut insert = client.insert_formatted_with("INSERT INTO crate_formatted (id, device) FORMAT CSV").buffered();
    insert.write_buffered(b"1,one\n2,two\n");
    insert.end().await.unwrap();
    let mut cursor = client.query("SELECT id, device FROM crate_formatted ORDER BY id").fetch_bytes("CSV").unwrap();
    assert_eq!(cursor.collect().await.unwrap(), &b"1,\"one\"\n2,\"two\"\n"[..]);
}

#[tokio::test]
async fn errors_arrive_with_their_codes() {
    let client = server().client();
    let error = client.query("SELECT * FROM no_such_table").execute().await.unwrap_err();
    assert!(error.to_string().contains("Code: 60"), "{error}");
    let error = client.insert::<Leg>("no_such_table").await.err().map(|error| error.to_string()).unwrap_or_default();
    assert!(error.contains("Code: 60"), "{error}");
    table(&client, "crate_dropped").await;
    let mut insert = client.insert::<Leg>("crate_dropped").await.unwrap();
    client.query("DROP TABLE crate_dropped SYNC").execute().await.unwrap();
    let _sent = insert.write(&leg(1)).await;
    let error = insert.end().await.unwrap_err();
    assert!(error.to_string().contains("Code: 60"), "{error}");
}
