//! Queries: where they come from, what they may do, and how results are streamed.

use crate::server::{Server, eventually, header, server};

#[tokio::test]
async fn health_checks_answer() {
    let server = server();
    for path in ["/ping", "/replicas_status", "/"] {
        let response = server.http.get(format!("{}{path}", server.url)).send().await.unwrap();
        assert_eq!((response.status().as_u16(), response.text().await.unwrap().as_str()), (200, "Ok.\n"), "{path}");
    }
    let missing = server.http.get(format!("{}/nowhere", server.url)).send().await.unwrap();
    assert_eq!(missing.status().as_u16(), 404);
}

#[tokio::test]
async fn a_query_comes_by_url_by_body_or_by_both() {
    let server = server();
    let get = server.http.get(&server.url).query(&[("query", "SELECT 1")]).send().await.unwrap();
    assert_eq!(get.text().await.unwrap(), "1\n");
    assert_eq!(server.ask(&[], "SELECT 2").await, "2");
    assert_eq!(server.ask(&[("query", "SELECT 3")], "FORMAT CSVWithNames").await, "\"3\"\n3");
}

#[tokio::test]
async fn headers_tell_about_the_result() {
    let server = server();
    let request = server.post(&[("query_id", "q-1")], "SELECT number FROM numbers(3) FORMAT JSON");
    let response = request.send().await.unwrap();
    assert_eq!(header(&response, "x-clickhouse-query-id").as_deref(), Some("q-1"));
    assert_eq!(header(&response, "x-clickhouse-format").as_deref(), Some("JSON"));
    assert_eq!(header(&response, "content-type").as_deref(), Some("application/json; charset=UTF-8"));
    assert!(header(&response, "x-clickhouse-timezone").is_some());
    assert!(header(&response, "x-clickhouse-server-display-name").is_some());
    let summary = header(&response, "x-clickhouse-summary").unwrap();
    assert!(summary.contains("\"read_rows\":\"3\""), "{summary}");
    assert!(!summary.contains("\"result_bytes\":\"0\""), "{summary}");
    assert_eq!(header(&response, "x-clickhouse-progress"), None);
    assert!(response.text().await.unwrap().contains("\"rows\": 3"));
}

#[tokio::test]
async fn progress_is_told_when_it_is_asked_for() {
    let request = server().post(&[("send_progress_in_http_headers", "1")], "SELECT number FROM numbers(3)");
    let progress = header(&request.send().await.unwrap(), "x-clickhouse-progress").unwrap();
    assert!(progress.contains("\"read_rows\":\"3\""), "{progress}");
}

#[tokio::test]
async fn the_format_is_the_clause_then_the_header_then_the_parameter() {
    let server = server();
    let ask = |sql: &'static str| server.post(&[("default_format", "JSONEachRow")], sql);
    assert_eq!(ask("SELECT 1 AS a").send().await.unwrap().text().await.unwrap(), "{\"a\":1}\n");
    let with_header = ask("SELECT 1 AS a").header("X-ClickHouse-Format", "CSV").send().await.unwrap();
    assert_eq!(with_header.text().await.unwrap(), "1\n");
    assert_eq!(ask("SELECT 1 AS a FORMAT TSVWithNames").send().await.unwrap().text().await.unwrap(), "a\n1\n");
}

#[tokio::test]
async fn parameters_are_bound() {
    let server = server();
    let parameters = [("param_n", "41"), ("param_s", "it's \\t; --")];
    assert_eq!(server.ask(&parameters, "SELECT {n:UInt8} + 1, {s:String}").await, "42\tit\\'s \\t; --");
    let described = server.ask(&[("param_t", "one")], "DESCRIBE TABLE system.{t:Identifier}").await;
    assert!(described.starts_with("dummy\tUInt8"), "{described}");
}

#[tokio::test]
async fn settings_are_passed_on_and_forgotten() {
    let server = server();
    let sql = "SELECT getSetting('max_threads')";
    let default = server.ask(&[], sql).await;
    assert_eq!(server.ask(&[("max_threads", "7"), ("async_insert", "0")], sql).await, "7");
    assert_eq!(server.ask(&[], "SET max_threads = 9").await, "");
    assert_eq!(server.ask(&[], sql).await, default);
}

#[tokio::test]
async fn the_database_is_kept_for_one_request() {
    let server = server();
    server.run("CREATE DATABASE IF NOT EXISTS `odd``name`").await;
    assert_eq!(server.ask(&[("database", "odd`name")], "SELECT currentDatabase()").await, "odd`name");
    let by_header = server.post(&[], "SELECT currentDatabase()").header("X-ClickHouse-Database", "system");
    assert_eq!(by_header.send().await.unwrap().text().await.unwrap(), "system\n");
    server.run("USE system").await;
    assert_eq!(server.ask(&[], "SELECT currentDatabase()").await, "default");
}

#[tokio::test]
async fn a_get_may_not_modify() {
    let server = server();
    for sql in [
        "CREATE DATABASE by_get",
        "INSERT INTO FUNCTION null('a Int8') VALUES (1)",
        "INSERT INTO FUNCTION null('a Int8') SELECT 1",
        "SET readonly = 0",
    ] {
        let request = server.http.get(&server.url).query(&[("query", sql), ("readonly", "0")]);
        let (status, code, text) = Server::outcome(request).await;
        assert_eq!((status, code), (500, Some(164)), "{sql}: {text}");
    }
    let request = server.http.get(&server.url).query(&[("query", "SELECT 1 SETTINGS max_threads = 1")]);
    assert_eq!(Server::outcome(request).await, (200, None, "1\n".to_owned()));
}

#[tokio::test]
async fn a_million_rows_are_streamed() {
    let server = server();
    let sql = "SELECT number, toString(number) FROM numbers(1000000) FORMAT RowBinaryWithNamesAndTypes";
    let mut response = server.post(&[], sql).send().await.unwrap();
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.unwrap() {
        body.extend_from_slice(&chunk);
    }
    let header = b"\x02\x06number\x10toString(number)\x06UInt64\x06String";
    let digits: usize = (0..1_000_000_u32).map(|number| number.to_string().len()).sum();
    assert!(body.starts_with(header));
    assert_eq!(body.len(), header.len() + 1_000_000 * 9 + digits, "the header is in it once, and every row");
}

#[tokio::test]
async fn streamed_formats_are_whole_documents() {
    let server = server();
    let small_blocks = [("max_block_size", "3")];
    for format in ["TSVWithNames", "CSVWithNamesAndTypes", "JSONCompactEachRowWithNames", "RowBinaryWithNames", "TSKV"]
    {
        let sql = format!("SELECT number AS `a\"b`, number % 2 AS k FROM numbers(8) FORMAT {format}");
        let whole = server.ask(&[("max_block_size", "3"), ("wait_end_of_query", "1")], &sql).await;
        assert_eq!(server.ask(&small_blocks, &sql).await, whole, "{format}");
    }
    let totals =
        "SELECT number % 2 AS k, count() FROM numbers(5) GROUP BY k WITH TOTALS ORDER BY k FORMAT TSVWithNames";
    assert_eq!(server.ask(&[], totals).await, "k\tcount()\n0\t3\n1\t2\n\n0\t5");
    let framed = [("max_block_size", "3"), ("output_format_json_array_of_rows", "1")];
    let array = server.ask(&framed, "SELECT number AS n FROM numbers(5) FORMAT JSONEachRow").await;
    assert_eq!(array.lines().filter(|line| *line == "[").count(), 1);
}

#[tokio::test]
async fn native_results_come_in_the_version_that_the_client_asks_for() {
    let server = server();
    let sql = "SELECT [toLowCardinality('x')] AS a, map('k', (1, 'z')) AS m FROM numbers(2) FORMAT Native";
    let ask = |version: &'static str| server.post(&[("client_protocol_version", version)], sql);
    let plain = ask("0").send().await.unwrap().bytes().await.unwrap();
    let revised = ask("54460").send().await.unwrap().bytes().await.unwrap();
    assert!(revised.starts_with(b"\x01\0\x02\xff\xff\xff\xff\0\x02\x02\x01a\x1dArray(LowCardinality(String))\0"));
    assert_eq!(revised.len(), plain.len() + 8 + 2);
    let (status, code, _) =
        Server::outcome(server.post(&[("client_protocol_version", "54460")], "SELECT sumState(1) FORMAT Native")).await;
    assert_eq!((status, code), (501, Some(48)));
}

#[tokio::test]
async fn read_only_posts_may_read() {
    let server = server();
    assert_eq!(server.ask(&[("readonly", "1"), ("max_threads", "1")], "SELECT 1").await, "1");
    let (_, code, _) = Server::outcome(server.post(&[("readonly", "1")], "CREATE DATABASE by_post")).await;
    assert_eq!(code, Some(164));
}

#[tokio::test]
async fn sixteen_clients_at_once() {
    let tasks: Vec<_> = (0..16).map(|client| tokio::spawn(one_client(client))).collect();
    for task in tasks {
        task.await.unwrap();
    }
}

async fn one_client(client: u32) {
    let server = server();
    for round in 0..10 {
        let (threads, parameter) = ((client + 1).to_string(), format!("{client}-{round}"));
        let parameters = [("max_threads", threads.as_str()), ("param_p", parameter.as_str())];
        let sql = "SELECT getSetting('max_threads'), {p:String}, sum(number) FROM numbers(100000)";
        assert_eq!(server.ask(&parameters, sql).await, format!("{threads}\t{parameter}\t4999950000"));
    }
}

#[tokio::test]
async fn a_client_that_leaves_before_the_first_row_stops_its_query() {
    let server = server();
    let sql = "SELECT sum(sipHash64(number)) AS never FROM numbers(1000000000000000)";
    let impatient = server.post(&[("log_comment", "impatient")], sql).timeout(std::time::Duration::from_secs(2));
    assert!(impatient.send().await.unwrap_err().is_timeout());
    let running = "SELECT count() FROM system.processes WHERE Settings['log_comment'] = 'impatient'";
    eventually("the query has stopped", || async { server.ask(&[], running).await == "0" }).await;
}

#[tokio::test]
async fn a_client_that_goes_away_frees_its_connection() {
    let server = server();
    for _ in 0..40 {
        let response = server.post(&[], "SELECT * FROM numbers(1000000000000)").send().await.unwrap();
        drop(response);
    }
    let request = server.ask(&[], "SELECT 'still here'");
    let answer = tokio::time::timeout(std::time::Duration::from_secs(20), request).await;
    assert_eq!(answer.expect("every connection is taken"), "still here");
}
