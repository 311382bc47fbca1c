//! What it says when something is wrong: parameters, limits, ClickHouse slow or away, clients that leave.

use ringtrace_tests::stack::{Answer, Case, begin, free_port, wait_for};
use serde_json::Value;

use super::{RANGE, Served};

fn problem(answer: &Answer) -> Value {
    assert!(answer.head.contains("application/problem+json"), "{}\n{}", answer.head, answer.body);
    serde_json::from_str(&answer.body).unwrap()
}

#[test]
fn what_is_asked_wrongly_is_named() {
    let served = Served::with("served-wrong", &[("RINGTRACE_SERVE_QUERY_ROWS", "100")]);
    for (path, parameter) in [
        ("/summary?verdct=reported", "verdct"),
        ("/summary?from=yesterday", "from"),
        ("/summary?from=now&to=now-1h", "from"),
        ("/summary?group_by=colour", "group_by"),
        ("/summary?group_by=app,app_version,country", "group_by"),
        ("/summary?verdict=late", "verdict"),
        ("/summary?compare=week", "compare"),
        ("/series", "measures"),
        ("/series?measures=nothing", "measures"),
        ("/series?measures=legs&bucket=7m", "bucket"),
        ("/distribution?stage=sent", "stage"),
        ("/legs?limit=501", "limit"),
        ("/legs?cursor=zz", "cursor"),
        ("/legs?slower_than=talk", "slower_than"),
        ("/legs?call_uuid=1", "call_uuid"),
        ("/legs/export?format=xls", "format"),
        ("/dead-letters?reason=none", "reason"),
        ("/status?x=1", "x"),
    ] {
        let answer = served.get(path);
        assert_eq!(answer.status, 400, "{path}: {}", answer.body);
        assert_eq!(problem(&answer)["parameter"], parameter, "{path}");
    }
    for path in ["/nothing", "/calls/nothing", "/dimensions/colour", "/calls/00000000-0000-4000-8000-000000000000"] {
        assert_eq!(problem(&served.get(path))["status"], 404, "{path}");
    }
    let large = served.get(&format!("/summary?{RANGE}"));
    let document = problem(&large);
    assert_eq!((large.status, &document["limit"]), (422, &100.into()), "{}", large.body);
    let long = served.get("/series?measures=legs&from=now-30d&bucket=10s");
    assert_eq!(long.status, 422, "{}", long.body);
}

/// A view that takes an hour, in the place of `slots`.
const SLOW: &str = "CREATE OR REPLACE VIEW slots AS
    SELECT toUInt32(max(length(SHA256(toString(number))))) AS slot, toUInt64(0) AS sequence, now64(3, 'UTC') AS log_clock,
        CAST(map(), 'Map(String, Int64)') AS positions, toUInt64(0) AS open_calls, '' AS instance, now64(3, 'UTC') AS written_at
    FROM numbers(3000000000)";

#[test]
fn a_slow_question_is_given_up_and_one_whose_client_leaves_is_cancelled() {
    let mut case = Case::new("served-slow", 1);
    let address = format!("127.0.0.1:{}", free_port());
    case.set("RINGTRACE_SERVE_LISTEN", &address);
    drop(case.rows(SLOW));
    case.set("RINGTRACE_SERVE_QUERY_SECONDS", "600");
    let server = case.start(&["serve"]);
    wait_for("the server", || ringtrace_tests::stack::ask(&address, "/api/v1/definitions", &[]).status == 200);
    let running = || {
        case.number(
            "SELECT count() FROM system.processes WHERE query LIKE '%FROM slots%' AND query NOT LIKE '%system.processes%'",
        )
    };
    let client = begin(&address, "/api/v1/pipeline", &[]);
    wait_for("the question to run", || running() > 0);
    drop(client);
    wait_for("the question to be cancelled", || running() == 0);
    drop(server);

    case.set("RINGTRACE_SERVE_QUERY_SECONDS", "2");
    let _server = case.start(&["serve"]);
    wait_for("the server", || ringtrace_tests::stack::ask(&address, "/api/v1/definitions", &[]).status == 200);
    let slow = ringtrace_tests::stack::ask(&address, "/api/v1/pipeline", &[]);
    assert_eq!((slow.status, &problem(&slow)["limit"]), (504, &2.into()), "{}", slow.body);
}

#[test]
fn clickhouse_away_is_a_503_that_says_when_to_ask_again() {
    let mut case = Case::new("served-away", 1);
    let address = format!("127.0.0.1:{}", free_port());
    case.set("RINGTRACE_SERVE_LISTEN", &address);
    case.set("RINGTRACE_CLICKHOUSE_URL", &format!("http://127.0.0.1:{}", free_port()));
    let _server = case.start(&["serve"]);
    wait_for("the server", || ringtrace_tests::stack::ask(&address, "/api/v1/definitions", &[]).status == 200);
    for path in
        ["/summary", "/series?measures=legs", "/legs", "/legs/export", "/calls", "/devices", "/reasons", "/pipeline"]
    {
        let answer = ringtrace_tests::stack::ask(&address, &format!("/api/v1{path}"), &[]);
        assert_eq!(answer.status, 503, "{path}: {}", answer.body);
        assert!(answer.head.to_lowercase().contains("retry-after: "), "{path}: {}", answer.head);
        assert!(problem(&answer)["retry_after_s"].as_i64().is_some_and(|seconds| seconds > 0), "{path}");
    }
    let status = ringtrace_tests::stack::ask(&address, "/api/v1/status", &[]);
    assert_eq!(status.status, 200, "the server itself is there: {}", status.body);
    let ready = ringtrace_tests::stack::get(&case.http(), "/readyz");
    assert!(ready.contains("503") && ready.contains("clickhouse"), "{ready}");
}
