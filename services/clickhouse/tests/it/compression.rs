//! Every encoding, both ways, as raw HTTP sees them.

use std::io::{Read as _, Write as _};

use crate::server::{Server, header, server};

const SQL: &str = "SELECT number AS a, repeat('x', 20) AS s FROM numbers(200000)";

async fn plain(server: &Server) -> Vec<u8> {
    server.post(&[], format!("{SQL} FORMAT RowBinary")).send().await.unwrap().bytes().await.unwrap().to_vec()
}

async fn table(server: &Server, name: &str) {
    server.run(&format!("CREATE TABLE {name} (a UInt64, s String) ENGINE = MergeTree ORDER BY a")).await;
}

async fn is_complete(server: &Server, name: &str) {
    let hash = |table: &str| format!("SELECT count(), sum(cityHash64(*)) FROM {table}");
    assert_eq!(server.ask(&[], &hash(name)).await, server.ask(&[], &hash(&format!("({SQL})"))).await);
}

#[tokio::test]
async fn results_are_compressed_as_the_client_accepts() {
    let server = server();
    let plain = plain(&server).await;
    for encoding in ["gzip", "lz4", "deflate", "zstd"] {
        let request = server.post(&[], format!("{SQL} FORMAT RowBinary")).header("Accept-Encoding", encoding);
        let response = request.send().await.unwrap();
        assert_eq!(header(&response, "content-encoding").as_deref(), Some(encoding));
        let body = response.bytes().await.unwrap();
        let mut decoded = Vec::new();
        match encoding {
            "gzip" => flate2::read::GzDecoder::new(&body[..]).read_to_end(&mut decoded).unwrap(),
            "deflate" => flate2::read::ZlibDecoder::new(&body[..]).read_to_end(&mut decoded).unwrap(),
            "zstd" => zstd::Decoder::new(&body[..]).unwrap().read_to_end(&mut decoded).unwrap(),
            _ => lz4_flex::frame::FrameDecoder::new(&body[..]).read_to_end(&mut decoded).unwrap(),
        };
        assert!(decoded == plain && body.len() < plain.len() / 2, "{encoding}");
    }
    let off = server.post(&[("enable_http_compression", "0")], "SELECT 1").header("Accept-Encoding", "gzip");
    let response = off.send().await.unwrap();
    assert_eq!(header(&response, "content-encoding"), None);
}

#[tokio::test]
async fn bodies_are_decompressed() {
    let server = server();
    let plain = plain(&server).await;
    for encoding in ["gzip", "deflate", "lz4", "zstd"] {
        let name = format!("sent_{encoding}");
        table(&server, &name).await;
        let body = match encoding {
            "gzip" => {
                let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
                encoder.write_all(&plain).unwrap();
                encoder.finish().unwrap()
            }
            "deflate" => {
                let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
                encoder.write_all(&plain).unwrap();
                encoder.finish().unwrap()
            }
            "zstd" => zstd::encode_all(&plain[..], 1).unwrap(),
            _ => {
                let mut encoder = lz4_flex::frame::FrameEncoder::new(Vec::new());
                encoder.write_all(&plain).unwrap();
                encoder.finish().unwrap()
            }
        };
        let query = format!("INSERT INTO {name} FORMAT RowBinary");
        let request = server.post(&[("query", &query)], body).header("Content-Encoding", encoding);
        let (status, _, text) = Server::outcome(request).await;
        assert_eq!(status, 200, "{encoding}: {text}");
        is_complete(&server, &name).await;
    }
}

#[tokio::test]
async fn clickhouse_s_own_blocks_go_both_ways() {
    let server = server();
    table(&server, "sent_blocks").await;
    let sql = format!("{SQL} FORMAT Native");
    let response = server.post(&[("compress", "1")], sql).header("Accept-Encoding", "gzip").send().await.unwrap();
    assert_eq!(header(&response, "content-encoding"), None);
    let blocks = response.bytes().await.unwrap();
    let query = [("query", "INSERT INTO sent_blocks FORMAT Native"), ("decompress", "1")];
    let (status, _, text) = Server::outcome(server.post(&query, blocks.clone())).await;
    assert_eq!(status, 200, "{text}");
    is_complete(&server, "sent_blocks").await;
}

#[tokio::test]
async fn damaged_compression_inserts_nothing() {
    let server = server();
    table(&server, "damaged").await;
    let request = server.post(&[("compress", "1")], format!("{SQL} FORMAT Native"));
    let mut blocks = request.send().await.unwrap().bytes().await.unwrap().to_vec();
    let query = [("query", "INSERT INTO damaged FORMAT Native"), ("decompress", "1")];
    let cut = blocks[..blocks.len() - 1].to_vec();
    assert_eq!(Server::outcome(server.post(&query, cut)).await.1, Some(33));
    let middle = blocks.len() / 2;
    blocks[middle] ^= 0xff;
    assert_eq!(Server::outcome(server.post(&query, blocks)).await.1, Some(40));
    let gzip = server.post(&query[..1], "this is no gzip data at all").header("Content-Encoding", "gzip");
    assert_eq!(Server::outcome(gzip).await.1, Some(271));
    let unknown = server.post(&query[..1], "x").header("Content-Encoding", "zip");
    assert_eq!(Server::outcome(unknown).await.1, Some(89));
    assert_eq!(server.ask(&[], "SELECT count() FROM damaged").await, "0");
}
