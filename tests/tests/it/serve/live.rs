//! The live tail: legs as they change, going on where a client was.

use std::io::{BufRead, BufReader, Read};
use std::net::TcpStream;
use std::time::Duration;

use ringtrace_tests::stack::{Case, begin, free_port, wait_for};
use serde_json::Value;

/// Reads events until the legs are enough; gives the last id and the legs.
fn legs(stream: TcpStream, mut is_enough: impl FnMut(&[Value]) -> bool) -> (String, Vec<Value>) {
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let (mut id, mut found, mut event) = (String::new(), Vec::new(), String::new());
    for line in BufReader::new(stream).lines() {
        let line = line.expect("the stream goes on");
        if let Some(text) = line.strip_prefix("id: ") {
            text.clone_into(&mut id);
        } else if let Some(text) = line.strip_prefix("event: ") {
            text.clone_into(&mut event);
        } else if let (Some(data), "leg") = (line.strip_prefix("data: "), event.as_str()) {
            found.push(serde_json::from_str(data).unwrap());
            if is_enough(&found) {
                break;
            }
        }
    }
    (id, found)
}

#[test]
fn changes_are_told_as_they_happen_and_none_is_missed_after_a_break() {
    let mut case = Case::new("served-live", 2);
    let address = format!("127.0.0.1:{}", free_port());
    case.set("RINGTRACE_SERVE_LISTEN", &address);
    let mut server = case.start(&["serve"]);
    case.set("RINGTRACE_HTTP_LISTEN", &format!("127.0.0.1:{}", free_port()));
    wait_for("the server", || ringtrace_tests::stack::ask(&address, "/api/v1/definitions", &[]).status == 200);
    let following = begin(&address, "/api/v1/live?app=com.acme.talk", &[]);
    // One who never reads delays nobody.
    let _silent = begin(&address, "/api/v1/live", &[]);
    let _linker = case.start_sibling("served-live-2");
    let simulate = case.start(&["simulate", "--devices", "500", "--calls-per-second", "20"]);
    let (id, found) = legs(following, |found| found.len() >= 20);
    assert!(found.iter().all(|leg| leg["app_id"] == "com.acme.talk" && leg["role"] == "callee"), "the filter holds");
    // Others come while nobody follows.
    let since: i64 = id.parse().expect("an id is a log time");
    let later = format!(
        "SELECT count() FROM legs WHERE app_id = 'com.acme.talk' AND role = 'callee' AND updated_at > fromUnixTimestamp64Milli({since})"
    );
    wait_for("more legs", || case.number(&later) > 20);
    let missed = case.rows(&later.replace(
        "count()",
        "toString(call_uuid) AS call, device_id AS device, toUnixTimestamp64Milli(updated_at) AS at",
    ));
    let again = begin(&address, "/api/v1/live?app=com.acme.talk", &[("Last-Event-ID", &id)]);
    let is_told = |row: &Value, found: &[Value]| {
        found.iter().any(|leg| leg["call_uuid"] == row["call"] && leg["device_id"] == row["device"])
    };
    // One after the other is told; what is never told ends this by its patience.
    let mut left = missed.iter();
    let mut next = left.next();
    legs(again, |found| {
        while next.is_some_and(|row| is_told(row, found)) {
            next = left.next();
        }
        next.is_none()
    });
    assert!(next.is_none(), "{next:?} was missed");
    simulate.signal("TERM");
    assert!(simulate.wait().status.success());
    assert!(server.ended().is_none());
    ends_with_the_server(&address, &server);
    assert!(server.wait().status.success());
}

/// A client that follows sees the end when the server drains.
fn ends_with_the_server(address: &str, server: &ringtrace_tests::stack::Running) {
    let mut following = begin(address, "/api/v1/live", &[]);
    let mut first = [0; 64];
    assert!(following.read(&mut first).is_ok_and(|read| read > 0));
    server.signal("TERM");
    let mut rest = Vec::new();
    following.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    assert!(following.read_to_end(&mut rest).is_ok(), "the stream ends");
}
