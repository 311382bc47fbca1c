//! Exceptions: code, text and status as ClickHouse gives them, before and in the middle of a result.

use crate::server::{Server, server};

#[tokio::test]
async fn each_class_of_error_has_its_code_and_status() {
    let server = server();
    for (parameters, sql, status, code, name) in [
        (("max_threads", "1"), "SELEC 1", 400, 62, "SYNTAX_ERROR"),
        (("max_threads", "1"), "SELECT 1; SELECT 2", 400, 62, "SYNTAX_ERROR"),
        (("max_threads", "1"), "", 400, 62, "SYNTAX_ERROR"),
        (("max_threads", "1"), "SELECT * FROM no_such_table", 404, 60, "UNKNOWN_TABLE"),
        (("max_threads", "1"), "SELECT * FROM no_such_database.t", 404, 81, "UNKNOWN_DATABASE"),
        (("database", "no_such_database"), "SELECT 1", 404, 81, "UNKNOWN_DATABASE"),
        (("no_such_setting", "1"), "SELECT 1", 404, 115, "UNKNOWN_SETTING"),
        (("max_threads", "many"), "SELECT 1", 400, 27, "CANNOT_PARSE_INPUT_ASSERTION_FAILED"),
        (("max_threads", "1"), "SELECT * FROM numbers(1) WHERE number = 'x'", 400, 53, "TYPE_MISMATCH"),
        (("max_threads", "1"), "SELECT no_such_column FROM system.one", 404, 47, "UNKNOWN_IDENTIFIER"),
        (("max_threads", "1"), "SELECT 1 FORMAT NoSuchFormat", 404, 73, "UNKNOWN_FORMAT"),
        (("max_threads", "1"), "SELECT {p:UInt8}", 500, 456, "UNKNOWN_QUERY_PARAMETER"),
        (("param_p", "x"), "SELECT {p:UInt8}", 500, 457, "BAD_QUERY_PARAMETER"),
        (("max_threads", "1"), "SELECT 1 INTO OUTFILE '/tmp/out'", 500, 358, "INTO_OUTFILE_NOT_ALLOWED"),
        (("max_threads", "1"), "SELECT throwIf(1)", 500, 395, "FUNCTION_THROW_IF_VALUE_IS_NON_ZERO"),
    ] {
        let (got_status, got_code, text) = Server::outcome(server.post(&[parameters], sql)).await;
        assert_eq!((got_status, got_code), (status, Some(code)), "{sql}: {text}");
        assert!(text.starts_with(&format!("Code: {code}. DB::Exception: ")), "{sql}: {text}");
        assert!(text.contains(&format!("({name})")), "{sql}: {text}");
    }
}

#[tokio::test]
async fn an_insert_s_errors_have_their_codes() {
    let server = server();
    server.run("CREATE TABLE IF NOT EXISTS errors_insert (a UInt32, s String) ENGINE = MergeTree ORDER BY a").await;
    for (query, body, status, code) in [
        ("INSERT INTO no_such_table FORMAT RowBinary", "x", 404, 60),
        ("INSERT INTO no_such_database.t FORMAT RowBinary", "x", 404, 81),
        ("INSERT INTO errors_insert FORMAT CSV", "abc,x\n", 400, 27),
        ("INSERT INTO errors_insert FORMAT RowBinary", "\0\0\0\0\x05ab", 500, 33),
        ("INSERT INTO errors_insert (nope) FORMAT CSV", "1", 500, 16),
        ("INSERT INTO errors_insert FORMAT NoSuchFormat", "1", 404, 73),
        ("INSERT INTO errors_insert SETTINGS no_such_setting = 1 FORMAT CSV", "1,2", 404, 115),
        ("INSERT INTO errors_insert FROM INFILE '/etc/hostname' FORMAT CSV", "", 501, 48),
        ("INSERT INTO errors_insert VALUES ('x', 'y')", "", 400, 6),
        ("INSERT INTO errors_insert SELECT a, '' FROM input('a UInt32') FORMAT CSV", "1\n", 501, 48),
    ] {
        let (got_status, got_code, text) = Server::outcome(server.post(&[("query", query)], body)).await;
        assert_eq!((got_status, got_code), (status, Some(code)), "{query}: {text}");
    }
    assert_eq!(server.ask(&[], "SELECT count() FROM errors_insert").await, "0");
}

#[tokio::test]
async fn a_large_body_for_an_unknown_table_is_answered_with_the_error() {
    let server = server();
    let request = server.post(&[("query", "INSERT INTO no_such_table FORMAT RowBinary")], vec![0; 32 << 20]);
    let (status, code, _) = Server::outcome(request).await;
    assert_eq!((status, code), (404, Some(60)));
}

const FAILS_LATE: &str = "SELECT throwIf(number = 1500000), toString(number) FROM numbers(3000000)";

#[tokio::test]
async fn an_error_in_mid_stream_breaks_the_answer_off() {
    let server = server();
    let mut response = server.post(&[], format!("{FAILS_LATE} FORMAT RowBinary")).send().await.unwrap();
    assert_eq!(response.status().as_u16(), 200);
    let tag = crate::server::header(&response, "x-clickhouse-exception-tag").unwrap();
    let (mut body, mut broken) = (Vec::new(), false);
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Ok(None) => break,
            Err(_) => {
                broken = true;
                break;
            }
        }
    }
    let text = String::from_utf8_lossy(&body[body.len() - 600..]).into_owned();
    assert!(broken, "a client that reads to the end must notice");
    assert!(text.contains("Code: 395. DB::Exception"), "{text}");
    assert!(text.ends_with(&format!(" {tag}\r\n__exception__\r\n")), "{text}");
}

#[tokio::test]
async fn a_slow_client_reads_the_error_as_well() {
    let server = server();
    let sql = "SELECT throwIf(number = 3000000), randomString(1000) FROM numbers(4000000) FORMAT RowBinary";
    let mut response = server.post(&[], sql).send().await.unwrap();
    // More than the sockets' buffers hold is on its way when the query fails.
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    let mut last = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        last.extend_from_slice(&chunk);
        last.drain(..last.len().saturating_sub(2000));
    }
    assert!(String::from_utf8_lossy(&last).contains("Code: 395. DB::Exception"), "the exception was dropped");
}

#[tokio::test]
async fn with_wait_end_of_query_the_status_tells_of_a_late_error() {
    let server = server();
    let request = server.post(&[("wait_end_of_query", "1")], format!("{FAILS_LATE} FORMAT RowBinary"));
    let (status, code, _) = Server::outcome(request).await;
    assert_eq!((status, code), (500, Some(395)));
}

#[tokio::test]
async fn the_crate_sees_an_error_in_mid_stream() {
    let client = server().client();
    for compression in [clickhouse::Compression::None, clickhouse::Compression::Lz4] {
        let mut rows = client.clone().with_compression(compression).query(FAILS_LATE).fetch::<(u8, String)>().unwrap();
        let error = loop {
            match rows.next().await {
                Ok(Some(_)) => {}
                Ok(None) => panic!("the rows ended without an error"),
                Err(error) => break error,
            }
        };
        assert!(error.to_string().contains("Code: 395"), "{error}");
    }
}
