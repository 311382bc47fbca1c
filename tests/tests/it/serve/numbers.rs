//! Numbers are those of plain SQL over `legs` and `calls`, from the roll-up and from the facts.

use ringtrace_model::Verdict;
use ringtrace_tests::stack::{Case, free_port, wait_for};
use serde_json::Value;

use super::{RANGE, Served};

/// A measure, and what it is by hand: over callee legs, or over calls.
const BY_HAND: [(&str, &str); 14] = [
    ("legs", "SELECT count() FROM legs WHERE role = 'callee'"),
    ("legs_accepted", "SELECT count(accepted_at) FROM legs WHERE role = 'callee'"),
    ("legs_sent", "SELECT count(sent_at) FROM legs WHERE role = 'callee'"),
    ("violations", "SELECT countIf(verdict = 'unreported') FROM legs WHERE role = 'callee'"),
    ("verdict_filtered", "SELECT countIf(verdict = 'filtered') FROM legs WHERE role = 'callee'"),
    ("outcome_declined", "SELECT countIf(outcome = 'declined') FROM legs WHERE role = 'callee'"),
    ("push_attempts", "SELECT sum(push_attempts) FROM legs WHERE role = 'callee'"),
    ("sent_to_received_count", "SELECT count(sent_to_received_ms) FROM legs WHERE role = 'callee'"),
    ("calls", "SELECT count() FROM calls"),
    ("calls_answered", "SELECT countIf(outcome = 'answered') FROM calls"),
    ("calls_initiated", "SELECT count(initiated_at) FROM calls"),
    (
        "calls_rung",
        "SELECT uniqExact(tenant_id, call_uuid) FROM legs WHERE role = 'callee' AND (reported_at IS NOT NULL OR verdict IN ('reported', 'reported_late'))",
    ),
    ("call_outcome_unreachable", "SELECT countIf(outcome = 'unreachable') FROM calls"),
    (
        "legs_reported",
        "SELECT countIf(reported_at IS NOT NULL OR verdict IN ('reported', 'reported_late')) FROM legs WHERE role = 'callee'",
    ),
];

/// A rate, and its two sides by hand.
const RATES: [(&str, &str); 5] = [
    (
        "violation_rate",
        "countIf(verdict = 'unreported') / countIf(verdict IN ('reported', 'reported_late', 'filtered', 'report_error', 'unreported'))",
    ),
    (
        "report_rate",
        "countIf(verdict = 'reported') / countIf(verdict IN ('reported', 'reported_late', 'filtered', 'report_error', 'unreported'))",
    ),
    ("receipt_rate", "countIf(accepted_at IS NOT NULL AND received_at IS NOT NULL) / count(accepted_at)"),
    ("received_within_2s", "countIf(accepted_at IS NOT NULL AND sent_to_received_ms <= 2000) / count(accepted_at)"),
    ("average_call_duration_s", "avg(talk_ms) / 1000"),
];

fn float(served: &Served, query: &str) -> f64 {
    served.case.rows(query)[0].as_object().unwrap().values().next().unwrap().as_f64().unwrap()
}

fn close(found: &Value, expected: f64, what: &str) {
    let found = found.as_f64().unwrap_or_else(|| panic!("{what}: {found}"));
    assert!((found - expected).abs() < 1e-9, "{what}: {found}, by hand {expected}");
}

#[test]
fn the_summary_is_what_plain_sql_says() {
    let served = Served::simulated("served-numbers");
    let whole = &served.json(&format!("/summary?{RANGE}"))["groups"][0]["current"];
    // Filters that the roll-up does not have, and that take everything: facts alone.
    let verdicts: String = Verdict::ALL.iter().map(|verdict| format!("&verdict={verdict}")).collect();
    let of_facts = &served.json(&format!("/summary?{RANGE}{verdicts}"))["groups"][0]["current"];
    // Neither end is one of ten minutes: the middle from the roll-up, the edges from the facts.
    let edges = "from=2026-11-01T07:03:07Z&to=2026-11-01T09:57:01.123Z";
    let of_edges = &served.json(&format!("/summary?{edges}"))["groups"][0]["current"];
    for (measure, query) in BY_HAND {
        let by_hand = served.case.number(query);
        assert_eq!(whole[measure], by_hand, "{measure}");
        assert_eq!(of_edges[measure], by_hand, "{measure} with edges");
        if !measure.starts_with("call") {
            assert_eq!(of_facts[measure], by_hand, "{measure} of facts");
        }
    }
    for (measure, expression) in RATES {
        let by_hand = float(&served, &format!("SELECT {expression} FROM legs WHERE role = 'callee'"));
        close(&whole[measure], by_hand, measure);
        close(&of_facts[measure], by_hand, measure);
    }
    for percent in [50, 90, 95, 99] {
        let query =
            format!("SELECT quantileExactHigh(0.{percent})(sent_to_received_ms) FROM legs WHERE role = 'callee'");
        let (found, by_hand) = (&whole[format!("sent_to_received_p{percent}")], float(&served, &query));
        let found = found.as_f64().unwrap();
        assert!((found / by_hand - 1.0).abs() < 0.03, "p{percent}: {found}, by hand {by_hand}");
    }
    groups_and_series(&served);
    distribution(&served);
    comparing(&served);
    comparing_with_a_range_that_overlaps(&served);
}

fn groups_and_series(served: &Served) {
    let grouped = served.json(&format!("/summary?{RANGE}&group_by=app,app_version&measures=legs,violations"));
    let by_hand = served.case.rows(
        "SELECT toString(app_id) AS app, app_version AS version, count() AS legs, countIf(verdict = 'unreported') AS v FROM legs \
         WHERE role = 'callee' GROUP BY app, version ORDER BY legs DESC",
    );
    let groups = grouped["groups"].as_array().unwrap();
    // Calls without legs are a group of their own, of no version.
    assert!(groups.len() >= by_hand.len() && by_hand.len() > 5);
    for row in &by_hand {
        let group = groups
            .iter()
            .find(|group| group["key"]["app"] == row["app"] && group["key"]["app_version"] == row["version"]);
        let current = &group.unwrap_or_else(|| panic!("{row}"))["current"];
        assert_eq!((&current["legs"], &current["violations"]), (&row["legs"], &row["v"]), "{row}");
    }
    let limited = served.json(&format!("/summary?{RANGE}&group_by=app,app_version&measures=legs&limit=2"));
    assert_eq!((limited["groups"].as_array().unwrap().len(), &limited["truncated"]), (2, &true.into()));
    assert_eq!(limited["groups"][0]["key"]["app"], by_hand[0]["app"], "the largest first");

    for bucket in ["1m", "10m", "1h"] {
        let series = served.json(&format!("/series?{RANGE}&measures=legs,calls_answered&bucket={bucket}"));
        let times = series["times"].as_array().unwrap();
        let line = |measure: &str| series["groups"][0]["current"][measure].as_array().unwrap().clone();
        assert_eq!(line("legs").len(), times.len());
        let sum: i64 = line("calls_answered").iter().map(|value| value.as_i64().unwrap()).sum();
        assert_eq!(sum, served.case.number("SELECT countIf(outcome = 'answered') FROM calls"), "{bucket}");
        let width = series["bucket_ms"].as_i64().unwrap() / 1000;
        for (time, legs) in times.iter().zip(line("legs")) {
            let from = time.as_i64().unwrap() / 1000;
            let to = from + width;
            let query = format!(
                "SELECT count() FROM legs WHERE role = 'callee' AND started_at >= toDateTime({from}) AND started_at < toDateTime({to})"
            );
            if legs != 0 {
                assert_eq!(legs, served.case.number(&query), "{bucket} at {from}");
            }
        }
        let legs: i64 = line("legs").iter().map(|value| value.as_i64().unwrap()).sum();
        assert_eq!(legs, served.case.number("SELECT count() FROM legs WHERE role = 'callee'"), "{bucket}");
    }
}

fn distribution(served: &Served) {
    let found = served.json(&format!("/distribution?{RANGE}&stage=sent_to_received&bucket=10m"));
    let total = served.case.number("SELECT count(sent_to_received_ms) FROM legs WHERE role = 'callee'");
    let censored = "SELECT countIf(accepted_at IS NOT NULL AND received_at IS NULL) FROM legs WHERE role = 'callee'";
    assert_eq!((&found["total"], &found["censored"]), (&total.into(), &served.case.number(censored).into()));
    let sum = |counts: &Value| counts.as_array().unwrap().iter().map(|count| count.as_i64().unwrap()).sum::<i64>();
    assert_eq!(sum(&found["counts"]), total);
    let rows = found["heatmap"]["counts"].as_array().unwrap();
    assert_eq!(rows.iter().map(sum).sum::<i64>(), total);
    assert_eq!(found["bounds"].as_array().unwrap().len(), found["counts"].as_array().unwrap().len());
}

/// The same ten minutes, seen from a day later.
fn comparing(served: &Served) {
    let later = "from=2026-11-02T07:00:00Z&to=2026-11-02T10:00:00Z";
    let compared = served.json(&format!("/summary?{later}&compare=1d&measures=legs"));
    let legs = served.case.number("SELECT count() FROM legs WHERE role = 'callee'");
    let group = &compared["groups"][0];
    assert_eq!((&group["current"]["legs"], &group["previous"]["legs"]), (&0.into(), &legs.into()));
    let series = served.json(&format!("/series?{later}&compare=1d&measures=legs&bucket=10m"));
    let line = |name: &str| series["groups"][0][name]["legs"].as_array().unwrap().clone();
    let sum = |line: &[Value]| line.iter().map(|value| value.as_i64().unwrap()).sum::<i64>();
    assert_eq!((sum(&line("current")), sum(&line("previous"))), (0, legs));
    let coverage = served.json(&format!("/summary?{RANGE}&measures=telemetry_coverage"));
    let coverage = coverage["groups"][0]["current"]["telemetry_coverage"].as_f64().unwrap();
    assert!((0.5..=1.0).contains(&coverage), "{coverage}");
}

/// What two ranges share counts in both, and what only one of them has in that one alone.
fn comparing_with_a_range_that_overlaps(served: &Served) {
    let measures =
        "measures=legs,calls,violation_rate,sent_to_received_count,sent_to_received_p90,answered_to_audio_p50";
    let earlier = "from=2026-11-01T08:00:03Z&to=2026-11-01T10:00:03Z";
    let range = "from=2026-11-01T08:05:03Z&to=2026-11-01T10:05:03Z";
    for by in ["", "&group_by=app", "&group_by=app,app_version", "&group_by=carrier"] {
        let groups = |question: &str| {
            let answer = served.json(&format!("/summary?{question}&{measures}{by}&limit=500"));
            answer["groups"].as_array().unwrap().clone()
        };
        let (compared, alone, before) = (groups(&format!("{range}&compare=5m")), groups(range), groups(earlier));
        assert_eq!(compared.len(), alone.len(), "{by}");
        let legs =
            |groups: &[Value]| groups.iter().map(|group| group["current"]["legs"].as_i64().unwrap()).sum::<i64>();
        assert!(legs(&before) > legs(&alone) && legs(&alone) > 0, "{by}: the ranges differ");
        for (group, alone) in compared.iter().zip(&alone) {
            assert_eq!((&group["key"], &group["current"]), (&alone["key"], &alone["current"]), "{by}");
            if let Some(before) = before.iter().find(|before| before["key"] == group["key"]) {
                assert_eq!(group["previous"], before["current"], "{by} {}", group["key"]);
            }
        }
    }
    let line = |question: &str, part: &str| {
        let answer = served.json(&format!("/series?{question}&measures=legs,sent_to_received_p50&bucket=10m"));
        answer["groups"][0][part].clone()
    };
    let (range, earlier) =
        ("from=2026-11-01T08:05:03Z&to=2026-11-01T10:05:03Z", "from=2026-11-01T07:55:03Z&to=2026-11-01T09:55:03Z");
    assert_eq!(line(&format!("{range}&compare=10m"), "current"), line(range, "current"));
    assert_eq!(line(&format!("{range}&compare=10m"), "previous"), line(earlier, "current"));
}

/// Devices 0 to 299,999, each pushed to once; every tenth is not heard of. The first fifty are in another country.
const MANY_DEVICES: &str = "
    INSERT INTO legs_rows (tenant_id, first_seen, call_uuid, device_id, app_id, role, country, verdict, outcome, push_attempts,
        accepted_at, received_at, started_at, updated_at, version)
    SELECT 'acme', toStartOfTenMinutes(started_at), toUUID(concat('7b003dde-5c1e-4b7a-9d3f-', leftPad(toString(number), 12, '0'))),
        concat('phone-', toString(number)), 'com.example.talk', 'callee', if(number < 50, 'NO', 'DE'), 'reported', 'unanswered', 1,
        started_at, if(number % 10 = 0, NULL, started_at), toDateTime64('2026-11-01 08:05:00', 3, 'UTC') AS started_at, started_at, 1
    FROM numbers(300000)";

#[test]
fn the_coverage_of_many_devices_is_that_of_one_in_64() {
    let mut case = Case::new("serve-sampled", 1);
    case.execute(MANY_DEVICES);
    let address = format!("127.0.0.1:{}", free_port());
    case.set("RINGTRACE_SERVE_LISTEN", &address);
    let server = case.start(&["serve"]);
    wait_for("the roll-up", || case.number("SELECT sum(legs) FROM leg_stats") == 300_000);
    let served = Served { case, server, address };
    let coverage = |filter: &str| {
        let answer = served.json(&format!("/summary?{RANGE}&measures=telemetry_coverage{filter}"));
        answer["groups"][0]["current"]["telemetry_coverage"].as_f64().unwrap()
    };
    let heard = "SELECT toInt64(1e9 * countIf(received_at IS NOT NULL) / count()) FROM leg_facts WHERE cityHash64(device_id) % 64 = 0";
    let sampled = served.case.number(heard) as f64 / 1e9;
    assert!((coverage("") - sampled).abs() < 1e-6 && (sampled - 0.9).abs() < 0.03, "{} {sampled}", coverage(""));
    assert!((coverage("&country=NO") - 0.9).abs() < 1e-9, "of few devices, each counts");
}
