//! Sessions that outlive a request, and tables that come with one.

use crate::server::{Server, eventually, server};

const READONLY: Option<u16> = Some(164);

#[tokio::test]
async fn a_session_keeps_its_tables_and_settings() {
    let server = server();
    let of = [("session_id", "kept")];
    server.ask(&of, "CREATE TEMPORARY TABLE mine (a UInt8)").await;
    server.ask(&of, "INSERT INTO mine VALUES (1), (2)").await;
    server.ask(&of, "SET max_threads = 7").await;
    assert_eq!(server.ask(&of, "SELECT sum(a), getSetting('max_threads') FROM mine").await, "3\t7");
    assert_eq!(Server::outcome(server.post(&[], "SELECT * FROM mine")).await.1, Some(60));
    assert_eq!(Server::outcome(server.post(&of, "SELECT * FROM no_such_table")).await.1, Some(60));
    assert_eq!(server.ask(&of, "SELECT count() FROM mine").await, "2", "an error ends no session");
    server.ask(&[of[0], ("close_session", "1")], "SELECT 1").await;
    assert_eq!(Server::outcome(server.post(&of, "SELECT * FROM mine")).await.1, Some(60));
}

#[tokio::test]
async fn what_a_request_sets_for_itself_does_not_stay_in_its_session() {
    let server = server();
    let id = ("session_id", "own");
    server.ask(&[id], "SET max_block_size = 100, log_comment = 'it''s \\\\ mine'").await;
    let once = [id, ("max_block_size", "7"), ("max_threads", "3"), ("log_comment", "x"), ("database", "system")];
    let ask = "SELECT currentDatabase(), getSetting('max_block_size'), getSetting('max_threads') = 3, \
        getSetting('log_comment')";
    assert_eq!(server.ask(&once, ask).await, "system\t7\t1\tx");
    assert_eq!(server.ask(&[id], ask).await, "default\t100\t0\tit\\'s \\\\ mine");
}

#[tokio::test]
async fn a_get_in_a_session_may_not_modify() {
    let server = server();
    let of = [("session_id", "got")];
    server.ask(&of, "CREATE TEMPORARY TABLE mine (a UInt8)").await;
    let get = |sql| server.http.get(&server.url).query(&of).query(&[("query", sql)]);
    assert_eq!(Server::outcome(get("SELECT count() FROM mine")).await.2, "0\n");
    for sql in ["DROP TABLE mine", "INSERT INTO mine SELECT 1", "CREATE TABLE kept_by_get (a UInt8) ENGINE = Memory"] {
        assert_eq!(Server::outcome(get(sql)).await.1, READONLY, "{sql}");
    }
    let limited = [of[0], ("readonly", "1")];
    assert_eq!(Server::outcome(server.post(&limited, "DROP TABLE mine")).await.1, READONLY);
    server.ask(&of, "DROP TABLE mine").await;
}

#[tokio::test]
async fn sessions_have_clickhouse_s_errors() {
    let server = server();
    let outcome =
        async |parameters: &[(&str, &str)], sql: &'static str| Server::outcome(server.post(parameters, sql)).await.1;
    assert_eq!(outcome(&[("session_id", "absent"), ("session_check", "1")], "SELECT 1").await, Some(372));
    for timeout in ["3601", "-1", "x"] {
        assert_eq!(outcome(&[("session_id", "t"), ("session_timeout", timeout)], "SELECT 1").await, Some(374));
    }
    let locked = [("session_id", "locked")];
    let endless = "SELECT sum(sipHash64(number)) FROM numbers(1000000000000000)";
    let long = tokio::spawn(server.post(&[locked[0], ("log_comment", "locks")], endless).send());
    let running = "SELECT count() FROM system.processes WHERE Settings['log_comment'] = 'locks'";
    eventually("the query runs", || async { server.ask(&[], running).await == "1" }).await;
    assert_eq!(outcome(&locked, "SELECT 1").await, Some(373));
    server.ask(&[], "KILL QUERY WHERE Settings['log_comment'] = 'locks' ASYNC").await;
    assert!(!long.await.unwrap().unwrap().status().is_success());
    assert_eq!(outcome(&locked, "SELECT 1").await, None);
}

#[tokio::test]
async fn a_session_ends_when_its_time_has_passed() {
    let server = server();
    let of = [("session_id", "short"), ("session_timeout", "1")];
    server.ask(&of, "SELECT 1").await;
    let check = [of[0], of[1], ("session_check", "1")];
    let ended = || async {
        // A session that is used lives on, so there is a pause of more than its timeout between two looks.
        tokio::time::sleep(std::time::Duration::from_millis(1500)).await;
        Server::outcome(server.post(&check, "SELECT 1")).await.1 == Some(372)
    };
    eventually("the session has ended", ended).await;
}

/// A form with one query and these files.
fn form(query: &str, files: &[(&str, &str)]) -> String {
    let field = |name: &str, file: &str, text: &str| {
        format!("--X\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n\r\n{text}\r\n")
    };
    let files: String = files.iter().map(|(name, text)| field(name, "; filename=\"data\"", text)).collect();
    format!("{}{files}--X--\r\n", field("query", "", query))
}

#[tokio::test]
async fn tables_come_with_a_request() {
    const QUERY: &str = "SELECT sum(a), any(b) FROM t1 JOIN t2 ON a = _1";
    let server = server();
    let described = [
        ("t1_structure", "a UInt8, b String"),
        ("t1_format", "CSV"),
        ("t2_types", "UInt8,Array(Tuple(UInt8, String))"),
    ];
    let ask = async |parameters: &[(&str, &str)], t2: &str| {
        let form = form(QUERY, &[("t1", "1,x\n2,y\n"), ("t2", t2)]);
        let request = server.post(parameters, form).header("Content-Type", "multipart/form-data; boundary=X");
        Server::outcome(request).await
    };
    let (status, _, text) = ask(&described, "2\t[(1,'a')]\n").await;
    assert_eq!((status, text.as_str()), (200, "2\ty\n"));
    assert_eq!(ask(&described[..2], "2\n").await.1, Some(36), "no types");
    assert_eq!(ask(&described, "x\t[]\n").await.1, Some(27), "a bad number");
    let of = [("session_id", "with-tables"), described[0], described[1], described[2]];
    assert_eq!(ask(&of, "2\t[]\n").await.0, 200);
    assert_eq!(Server::outcome(server.post(&of[..1], "SELECT * FROM t1")).await.1, Some(60), "they went with it");
    server.ask(&of[..1], "CREATE TEMPORARY TABLE t2 (mine UInt8)").await;
    assert_eq!(ask(&of, "2\t[]\n").await.1, Some(57), "the session has one of that name");
    assert_eq!(server.ask(&of[..1], "SELECT count() FROM t2").await, "0", "which stays");
}
