//! Who may ask, and what statements may reach.

use std::fs;

use super::server::{Folder, Server, command, http};

const PASSWORD: &str = "a b:ü";

#[tokio::test]
async fn the_password_is_asked_for_in_each_way_to_bring_it() {
    let data = Folder::new();
    let file = data.join("password");
    fs::write(&file, format!("{PASSWORD}\n")).unwrap();
    let server = Server::start(&data.join("data"), &["--password-file", file.to_str().unwrap()]);
    let post = || http().post(&server.url).body("SELECT currentUser()");
    for request in [
        post().header("X-ClickHouse-User", "default").header("X-ClickHouse-Key", PASSWORD.as_bytes()),
        post().basic_auth("default", Some(PASSWORD)),
        post().query(&[("user", "default"), ("password", PASSWORD)]),
    ] {
        let response = request.send().await.unwrap();
        assert_eq!((response.status().as_u16(), response.text().await.unwrap().as_str()), (200, "default\n"));
    }
    for request in [
        post(),
        post().basic_auth("default", Some("wrong")),
        post().basic_auth("admin", Some(PASSWORD)),
        post().query(&[("password", "")]),
        post().header("X-ClickHouse-Key", "wrong").query(&[("password", PASSWORD)]),
    ] {
        let response = request.send().await.unwrap();
        let code = response.headers()["x-clickhouse-exception-code"].to_str().unwrap().to_owned();
        assert_eq!((response.status().as_u16(), code.as_str()), (403, "516"));
    }
    let ping = http().get(format!("{}/ping", server.url)).send().await.unwrap();
    assert_eq!(ping.status(), 200, "checks need no password");
}

#[tokio::test]
async fn the_password_may_come_from_the_environment() {
    let data = Folder::new();
    let mut command = command(&data, &["--until-input-ends"]);
    let server = Server::start_command(command.env("RINGTRACE_CLICKHOUSE_SERVER_PASSWORD", "x"));
    assert_eq!(server.answer("SELECT 1").await.0, 403);
    let client = clickhouse::Client::default().with_url(&server.url).with_user("default").with_password("x");
    assert_eq!(client.query("SELECT 1").fetch_one::<u8>().await.unwrap(), 1);
}

#[tokio::test]
async fn statements_reach_nothing_outside() {
    let data = Folder::new();
    let secret = data.join("secret.csv");
    fs::write(&secret, "secret\n").unwrap();
    let secret = secret.to_str().unwrap();
    let server = Server::start(&data.join("data"), &[]);
    server.ask("CREATE TABLE t (a String) ENGINE = MergeTree ORDER BY a").await;
    for sql in [
        format!("SELECT * FROM file('{secret}', 'CSV', 'a String')"),
        format!("SELECT * FROM `{secret}`"),
        format!("SELECT file('{secret}')"),
        format!("SELECT `file` /* c */ ('{secret}')"),
        format!("SELECT \"\\x66ile\"('{secret}')"),
        format!("SELECT $x$'$x$, file('{secret}') --'"),
        format!("SELECT arrayMap(file, ['{secret}'])"),
        format!("SELECT * APPLY(file) FROM (SELECT '{secret}')"),
        format!("SELECT b FROM format(JSONEachRow, 'a String, b String DEFAULT file(a)', '{{\"a\":\"{secret}\"}}')"),
        format!("INSERT INTO t VALUES (file('{secret}'))"),
        format!("INSERT INTO FUNCTION file('{secret}2') SELECT 1"),
        format!("SELECT 1 INTO OUTFILE '{secret}2'"),
        format!("INSERT INTO t FROM INFILE '{secret}' FORMAT CSV"),
        format!("CREATE TABLE f (a String) ENGINE = File(CSV, '{secret}')"),
        format!("CREATE DATABASE f ENGINE = Filesystem('{secret}')"),
        format!("SELECT 1 FORMAT Template SETTINGS format_template_row = '{secret}'"),
        format!("BACKUP TABLE t TO File('{secret}2')"),
        "SELECT * FROM url('http://127.0.0.1:1/', 'CSV', 'a String')".to_owned(),
        "SELECT * FROM s3('http://127.0.0.1:1/bucket/x.csv', 'CSV', 'a String')".to_owned(),
        "SELECT * FROM remote('127.0.0.1:1', 'system.one')".to_owned(),
        "SELECT * FROM mysql('127.0.0.1:1', 'd', 't', 'u', 'p')".to_owned(),
        "SELECT * FROM executable('id', 'TSV', 'a String')".to_owned(),
        "CREATE TABLE u (a String) ENGINE = URL('http://127.0.0.1:1/', CSV)".to_owned(),
        "CREATE DICTIONARY d (k UInt64) PRIMARY KEY k SOURCE(EXECUTABLE(command 'id' format 'TSV')) LAYOUT(FLAT()) \
            LIFETIME(0)"
            .to_owned(),
        "SYSTEM SHUTDOWN".to_owned(),
        "GRANT ALL ON *.* TO default".to_owned(),
        "SET dialect = 'prql'".to_owned(),
    ] {
        let (status, text) = server.answer(&sql).await;
        assert!(status != 200 && text.starts_with("Code: ") && !text.contains("secret\n"), "{sql}: {status} {text}");
    }
    assert_eq!(server.ask("SELECT count() FROM t").await, "0");
    assert!(!fs::exists(format!("{secret}2")).unwrap());
}

#[tokio::test]
async fn statements_reach_outside_where_it_is_allowed() {
    let data = Folder::new();
    let file = data.join("known.csv");
    fs::write(&file, "known\n").unwrap();
    let server = Server::start(&data.join("data"), &["--allow-external"]);
    let path = file.to_str().unwrap();
    assert_eq!(server.ask(&format!("SELECT a FROM file('{path}', 'CSV', 'a String')")).await, "known");
    assert_eq!(server.ask(&format!("SELECT trim(file('{path}'))")).await, "known\\n");
}
