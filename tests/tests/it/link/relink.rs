//! `ringtrace relink`, and the rules that `migrate` stores.

use std::collections::BTreeMap;

use ringtrace_kit::clock::wall_ms;
use ringtrace_model::Rules;
use ringtrace_tests::stack::{Case, Given, wait_for};
use serde_json::{Value, json};

use super::compare::compare;
use super::expect::Expected;
use super::input::{Disorder, everything, scenarios};
use super::{SLOTS, write_and_see};

/// Other rules than those with which a case begins: some stricter, some not.
const OTHERS: Rules = Rules {
    report_deadline_ms: 3_000,
    telemetry_grace_ms: 30_000,
    receipt_timeout_ms: 20_000,
    ring_timeout_ms: 60_000,
};

/// Gives what runs from now on the other rules in its configuration.
fn change_settings(case: &mut Case) {
    for (name, value) in OTHERS.settings() {
        case.set(&format!("RINGTRACE_RULES_{}", name.to_uppercase()), &value.to_string());
    }
}

/// A leg's words by its key.
fn verdicts(case: &Case) -> BTreeMap<String, (String, String)> {
    let query = "SELECT concat(tenant_id, ' ', toString(call_uuid), ' ', device_id) AS leg, outcome, \
                 if(evidence IS NULL, verdict, concat(verdict, ' (', assumeNotNull(evidence), ')')) AS verdict FROM legs";
    let text = |row: &Value, name: &str| row[name].as_str().unwrap().to_owned();
    let rows = case.rows(query).into_iter();
    rows.map(|row| (text(&row, "leg"), (text(&row, "verdict"), text(&row, "outcome")))).collect()
}

/// How often each word has become each other one: lines of a dry run without its spaces.
fn changes(
    before: &BTreeMap<String, (String, String)>,
    after: &BTreeMap<String, (String, String)>,
    word: fn(&(String, String)) -> &String,
) -> Vec<String> {
    let mut counts = BTreeMap::<(&str, &str), u64>::new();
    for (leg, held) in before {
        let (old, new) = (word(held), word(&after[leg]));
        if old != new {
            *counts.entry((old, new)).or_default() += 1;
        }
    }
    counts.iter().map(|((old, new), count)| format!("{old} -> {new} {count}")).collect()
}

/// The lines below a title of a dry run, without needless spaces.
fn said(output: &str, title: &str) -> Vec<String> {
    let lines = output.lines().skip_while(|line| *line != title).skip(1).take_while(|line| line.starts_with("  "));
    lines.map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

#[test]
fn history_is_judged_by_new_rules_as_a_dry_run_has_said() {
    let mut case = Case::new("relinked", SLOTS);
    let records = Disorder::with_seed(6).apply(everything(), SLOTS);
    let sources = case.write(&records);
    case.catch_up();
    let (before, published) = (verdicts(&case), case.read("ringtrace.verdicts").len());
    let expected = Expected::of(&case, &records, &sources).judged_by(&OTHERS);

    change_settings(&mut case);
    let dry = case.run(&["relink", "--from", "2000-01-01", "--dry-run"]);
    assert!(dry.status.success(), "{}", dry.output);
    assert_eq!(verdicts(&case), before, "a dry run changes nothing");
    assert!(case.run(&["migrate", "--accept-rules"]).status.success());
    let linker = case.start(&["link"]);
    let done = case.run(&["relink", "--from", "2000-01-01", "--calls-at-once", "100"]);
    assert!(done.status.success(), "{}", done.output);
    assert!(
        done.output.contains(&format!("linked again by rules 2: {} calls", expected.calls.len())),
        "{}",
        done.output
    );
    // The rows are there as soon as it says so.
    compare(&case, &expected);
    let after = verdicts(&case);
    let changed = changes(&before, &after, |words| &words.0);
    assert!(changed.iter().any(|line| line.starts_with("reported -> reported_late ")), "{changed:?}");
    assert_eq!(said(&dry.output, "verdicts of legs"), changed, "{}", dry.output);
    assert_eq!(said(&dry.output, "outcomes of legs"), changes(&before, &after, |words| &words.1), "{}", dry.output);
    let count: usize = changed.iter().map(|line| line.rsplit(' ').next().unwrap().parse::<usize>().unwrap()).sum();
    assert_eq!(case.read("ringtrace.verdicts").len() - published, count, "every change is published, once");

    // Once more: nothing is left to change.
    let again = case.run(&["relink", "--from", "2000-01-01"]);
    assert!(again.status.success(), "{}", again.output);
    assert_eq!(case.read("ringtrace.verdicts").len() - published, count);
    let dry = case.run(&["relink", "--from", "2000-01-01", "--dry-run"]);
    assert!(dry.output.contains("verdicts of legs: no change\noutcomes of legs: no change\n"), "{}", dry.output);
    assert!(dry.output.contains("rows that would change: 0 of legs, 0 of calls"), "{}", dry.output);
    linker.signal("TERM");
    assert!(linker.wait().status.success());
    compare(&case, &expected);
}

#[test]
fn history_is_linked_again_while_traffic_flows_and_linkers_come_and_go() {
    let mut case = Case::new("relinked-busy", SLOTS);
    case.set("RINGTRACE_LINK_FLUSH_INTERVAL_MS", "100");
    let records = Disorder::with_seed(7).apply(everything(), SLOTS);
    let (past, traffic) = records.split_at(records.len() * 2 / 3);
    let mut sources = case.write(past);
    // It is not caught up when the settings change, and goes on judging by the old ones until it notices.
    let old = case.start_sibling("old");
    wait_for("some rows", || case.number("SELECT count() FROM legs") > 300);
    change_settings(&mut case);
    assert!(case.run(&["migrate", "--accept-rules"]).status.success());
    let first = case.start_sibling("first");
    let relink = case.start(&["relink", "--from", "2000-01-01", "--calls-at-once", "50"]);
    let mut second = None;
    for (index, part) in traffic.chunks(traffic.len() / 4 + 1).enumerate() {
        sources.extend(write_and_see(&case, part));
        match index {
            0 => second = Some(case.start_sibling("second")),
            1 => drop(second.take()),
            2 => second = Some(case.start_sibling("third")),
            _ => {}
        }
    }
    let exit = old.wait();
    assert_eq!(exit.status.code(), Some(78), "{}", exit.output);
    let exit = relink.wait();
    assert!(exit.status.success(), "{}", exit.output);
    for linker in [Some(first), second].into_iter().flatten() {
        linker.signal("TERM");
        let exit = linker.wait();
        assert!(exit.status.success(), "{}: {}", exit.status, exit.output);
    }
    case.catch_up();
    compare(&case, &Expected::of(&case, &records, &sources).judged_by(&OTHERS));
}

#[test]
fn settings_that_are_not_stored_are_refused_until_the_change_is_accepted() {
    let mut case = Case::new("refused-rules", SLOTS);
    let running = case.start_sibling("old");
    wait_for("its slots", || running.output().matches("slot loaded").count() == SLOTS as usize);
    let migrated = case.run(&["migrate"]);
    assert!(migrated.output.contains("rules: 1, nothing to do"), "{}", migrated.output);
    case.set("RINGTRACE_RULES_REPORT_DEADLINE_MS", "3000");
    case.set("RINGTRACE_RULES_RING_TIMEOUT_MS", "60000");
    let refusal = "the settings here are not those that are stored as rules 1: rules.report_deadline_ms is 7000 there and 3000 \
                   here, rules.ring_timeout_ms is 120000 there and 60000 here; either set them back here, or store them with \
                   `ringtrace migrate --accept-rules`, after which `ringtrace relink --from TIME` judges history again";
    for command in [&["link"][..], &["migrate"], &["check"], &["relink", "--from", "2026-11-01"]] {
        let exit = case.run(command);
        assert_eq!(exit.status.code(), Some(78), "{command:?}: {}", exit.output);
        assert!(exit.output.contains(refusal), "{command:?}: {}", exit.output);
    }
    let accepted = case.run(&["migrate", "--accept-rules"]);
    assert!(accepted.status.success(), "{}", accepted.output);
    for line in
        ["report_deadline_ms 7000 -> 3000", "ring_timeout_ms 120000 -> 60000", "2; linkers with other settings stop"]
    {
        assert!(accepted.output.contains(&format!("\nrules: {line}")), "{}", accepted.output);
    }
    let checked = case.run(&["check"]);
    assert!(checked.status.success() && checked.output.contains("rules: 2, as stored"), "{}", checked.output);
    // The one that runs has the old settings.
    let exit = running.wait();
    assert_eq!(exit.status.code(), Some(78), "{}", exit.output);
    assert!(
        exit.output.contains("stored as rules 2: rules.report_deadline_ms is 3000 there and 7000 here"),
        "{}",
        exit.output
    );
    let stored = case.rows("SELECT number, settings['report_deadline_ms'] AS deadline FROM rules ORDER BY number");
    assert_eq!(stored, [json!({"number": 1, "deadline": 7000}), json!({"number": 2, "deadline": 3000})]);
}

#[test]
fn open_calls_are_judged_by_other_rules_without_being_asked_for() {
    let mut case = Case::new("open-rules", SLOTS);
    case.set_rules(&[("RINGTRACE_RULES_REPORT_DEADLINE_MS", "600000")]);
    let at = wall_ms() - 60_000;
    let events = [("push.sent", json!("apns_voip")), ("push.received", Value::Null)];
    let records = events.map(|(kind, channel)| {
        let call = "3f0c6f5e-54cb-4f1c-8f0e-7c1f2d9a0b11";
        let event = json!({"event_id": kind, "kind": kind, "occurred_at": at, "app_id": "com.example.talk", "call_uuid": call,
            "device_id": "phone", "platform": "ios", "push_id": "p", "channel": channel});
        let value = Some(event.to_string().into_bytes());
        Given { topic: "push-events".to_owned(), key: Some(call.into()), value, log_at: at, ..Given::default() }
    });
    case.write(&records);
    case.catch_up();
    assert_eq!(verdicts(&case)["default 3f0c6f5e-54cb-4f1c-8f0e-7c1f2d9a0b11 phone"].0, "pending");
    case.set_rules(&[("RINGTRACE_RULES_REPORT_DEADLINE_MS", "3000")]);
    case.catch_up();
    assert_eq!(verdicts(&case)["default 3f0c6f5e-54cb-4f1c-8f0e-7c1f2d9a0b11 phone"].0, "unreported (probable)");
}

#[test]
fn requests_wait_for_a_linker_and_say_so() {
    let case = Case::new("relink-alone", SLOTS);
    case.write(&scenarios());
    case.catch_up();
    let exit = case.run(&["relink", "--from", "2000-01-01", "--wait", "2s"]);
    assert_eq!(exit.status.code(), Some(1), "{}", exit.output);
    assert!(
        exit.output.contains("no linker serves the requests to slots 0, 1, 2: is `ringtrace link` running"),
        "{}",
        exit.output
    );
    // What was asked for is done by whoever comes.
    case.catch_up();
    assert_eq!(case.run(&["relink"]).status.code(), Some(64), "what is meant has to be said");
    assert_eq!(case.run(&["relink", "--from", "yesterday"]).status.code(), Some(64));
}

#[test]
fn calls_are_chosen_by_time_tenant_app_and_name() {
    let case = Case::new("relink-chosen", SLOTS);
    let records = scenarios();
    case.write(&records);
    case.catch_up();
    // A call may be chosen by a duplicate's log time, as long as no merge has left it out.
    case.execute("OPTIMIZE TABLE events_rows FINAL");
    let one =
        case.rows("SELECT tenant_id, app_id, toString(call_uuid) AS call_uuid FROM calls ORDER BY call_uuid LIMIT 1");
    let text = |name: &str| one[0][name].as_str().unwrap().to_owned();
    let calls = |condition: &str| {
        case.number(&format!(
            "SELECT uniqExact(tenant_id, call_uuid) FROM events_rows WHERE first_seen != toDateTime(0) AND {condition}"
        ))
    };
    let middle = case.number("SELECT toUnixTimestamp64Milli(quantileExactLow(0.5)(log_at)) FROM events_rows");
    let since = calls(&format!("log_at >= fromUnixTimestamp64Milli({middle})"));
    let until = calls(&format!("log_at < fromUnixTimestamp64Milli({middle})"));
    let (middle, day) = (middle.to_string(), "2000-01-01");
    for (arguments, count) in [
        (vec!["--from", &middle], since),
        (vec!["--from", day, "--to", &middle], until),
        (vec!["--from", day, "--tenant", &text("tenant_id")], calls(&format!("tenant_id = '{}'", text("tenant_id")))),
        (vec!["--from", day, "--app", &text("app_id")], calls(&format!("app_id = '{}'", text("app_id")))),
        (vec!["--call", &text("call_uuid")], calls(&format!("call_uuid = '{}'", text("call_uuid")))),
        (vec!["--from", day, "--tenant", "nobody"], 0),
    ] {
        let exit = case.run(&[&["relink", "--dry-run"], arguments.as_slice()].concat());
        assert!(
            exit.output.contains(&format!("calls folded again: {count}, ")),
            "{arguments:?}, {count}: {}",
            exit.output
        );
    }
    assert!(since > 0 && until > 0);
}

#[test]
fn a_request_that_cannot_be_read_is_a_dead_letter() {
    let case = Case::new("relink-unread", SLOTS);
    let request = |kind: &[u8], value: &[u8]| Given {
        topic: "ringtrace.internal".to_owned(),
        partition: Some(1),
        value: Some(value.to_vec()),
        headers: vec![("ringtrace.request".to_owned(), kind.to_vec())],
        log_at: 1_793_520_000_000,
        ..Given::default()
    };
    case.write(&[request(b"relink", b"{oops"), request(b"tango", br#"{"rules":1,"calls":[]}"#)]);
    // One that is marked as a request, but came from outside, is a record like any other.
    let outside = Given { topic: "call-events".to_owned(), ..request(b"relink", br#"{"rules":1,"calls":[]}"#) };
    case.write(&[outside]);
    case.catch_up();
    let letters = case.read("ringtrace.dead-letters");
    let mut reasons: Vec<String> = letters.iter().map(|letter| letter.headers["ringtrace.detail"].clone()).collect();
    reasons.sort();
    assert_eq!(reasons.len(), 3, "{reasons:?}");
    assert!(reasons.iter().any(|detail| detail.starts_with("ringtrace.request: can't be read")), "{reasons:?}");
    assert!(reasons.iter().any(|detail| detail.starts_with("ringtrace.request: is no request that")), "{reasons:?}");
}
