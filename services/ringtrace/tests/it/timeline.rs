//! The story of one call.

use crate::run::{Run, events, explain};

const CALL: &str = "7b001eef-5c1e-4b7a-9d3f-001f00c27719";

/// An event of [`CALL`], `at` milliseconds after 2026-09-21 14:13:20 UTC.
fn event(id: &str, kind: &str, at: i64, more: &str) -> String {
    let at = 1_790_000_000_000_i64 + at;
    format!(
        r#"{{"event_id":"{id}","kind":"{kind}","occurred_at":{at},"app_id":"com.acme.talk","call_uuid":"{CALL}"{more}}}"#
    )
}

fn timeline(args: &[&str], events: &[String]) -> Run {
    explain(&[&["--timeline", CALL], args].concat(), events.join("\n").as_bytes())
}

/// Whether the story has these lines, in this order; runs of spaces count as one.
#[track_caller]
fn tells(run: &Run, lines: &[&str]) {
    assert_eq!((run.status, run.stderr.as_str()), (0, ""));
    let squeeze = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut story = run.stdout.lines().map(squeeze);
    for line in lines {
        assert!(story.any(|told| told == *line), "{line:?} is missing, or not in its place, in\n{}", run.stdout);
    }
}

const KILLED: &str = r#"Call 7b003dde-5c1e-4b7a-9d3f-001f00c41032

  tenant       default
  app          com.acme.talk
  outcome      unanswered (end reason timeout)
  legs         1 of callees (1 violating), 0 of callers
  started      2026-09-21 14:13:20.000 UTC
  diagnoses    push_unreported
  judged at    the end of time, when nothing is pending (--until MS judges earlier)
  next change  none, unless an event comes

Leg iphone-a1 (callee)

  device       ios 17.6.1, iPhone16,1, com.acme.talk 5.2.0, US, cellular
  pushes       1 sent, apns_voip (production)

  time, corrected (UTC)    since previous     since first  of       event
  2026-09-21 14:13:20.000                                  call     call.initiated
  2026-09-21 14:13:20.020           20 ms           20 ms  leg      push.sent              push_id=p1 channel=apns_voip
  2026-09-21 14:13:20.060           40 ms           60 ms  leg      push.accepted          push_id=p1 status=200
  2026-09-21 14:13:20.350          290 ms          350 ms  leg      push.received          push_id=p1 app_state=not_running
  2026-09-21 14:13:20.372           22 ms          372 ms  leg      push.handler_returned  reported=false
  2026-09-21 14:13:20.420           48 ms          420 ms  leg      app.terminated         exception_reason="Killing app because it never posted an incoming call to the system after receiving a PushKit VoIP push callback."
  2026-09-21 14:14:05.000        44.580 s        45.000 s  call     call.ended             end_reason=timeout

  verdict      unreported (confirmed), by line 1 of 14: iOS killed the app because a VoIP push was
               never reported as a call.
  outcome      unanswered
  latencies    sent to accepted 40 ms, accepted to received 290 ms, sent to received 330 ms
  diagnoses    push_unreported

  push_unreported
    cause        The app got a VoIP push and reported no call, for which iOS ends the app and, if it
                 happens repeatedly, stops launching it for VoIP pushes.
    remedy       Report a call on every path before the PushKit delegate method returns, also for
                 payloads that can't be read or calls that are over, and end it afterwards.
    document     Apple, PushKit: PKPushType.voIP
                 https://developer.apple.com/documentation/pushkit/pkpushtype/voip
"#;

#[test]
fn a_whole_story() {
    let input = events("unreported_push_killed");
    for uuid in ["7b003dde-5c1e-4b7a-9d3f-001f00c41032", "7B003DDE-5C1E-4B7A-9D3F-001F00C41032"] {
        let run = explain(&["--timeline", uuid], input.as_bytes());
        assert_eq!((run.stdout.as_str(), run.stderr.as_str(), run.status), (KILLED, "", 0));
    }
    let reversed: Vec<&str> = input.lines().chain(input.lines()).rev().collect();
    let run = explain(&["--timeline", "7b003dde-5c1e-4b7a-9d3f-001f00c41032"], reversed.join("\n").as_bytes());
    assert_eq!(run.stdout, KILLED, "order and duplicates change nothing");
}

#[test]
fn what_is_pending_says_until_when() {
    let received = event("r", "push.received", 0, r#","device_id":"d1","platform":"ios""#);
    let run = timeline(&["--until", "1790000001000"], std::slice::from_ref(&received));
    let lines = [
        "outcome in_progress",
        "judged at 2026-09-21 14:13:21.000 UTC",
        "next change 2026-09-21 14:13:50.000 UTC, unless an event comes first",
        "verdict pending, by line 14 of 14: The device got the push, and the report may still come.",
        "changes at 2026-09-21 14:13:50.000 UTC, unless an event comes first",
        "diagnoses none",
    ];
    tells(&run, &lines);
    let run = timeline(&["--until", "1790000030000"], &[received]);
    tells(&run, &["next change none, unless an event comes", "diagnoses push_unreported", "push_unreported"]);
    assert!(run.stdout.contains("unreported (probable), by line 13 of 14: "), "{}", run.stdout);
    assert!(!run.stdout.contains("changes at"));
}

#[test]
fn every_leg_has_its_own_events_and_the_calls() {
    let on = |device: &str| format!(r#","device_id":"{device}","platform":"ios""#);
    let input = [
        event("i", "call.initiated", 0, ""),
        event("o", "call.outgoing_started", 0, &on("caller")),
        event("a", "call.answered", 65_000, &on("d1")),
        event("d", "call.ended", 4_000, r#","device_id":"d2","platform":"ios","end_reason":4,"clock_offset_ms":2000"#),
        event("h", "call.held", 70_000, &on("d1")),
        event("n", "call.brand_new", 70_500, ""),
        event("l", "call.muted", 71_000, &on("d3")),
        event("b", "call.busy", 72_000, &on("d1")),
    ];
    let run = timeline(&[], &input);
    let lines = [
        "legs 2 of callees (0 violating), 1 of callers",
        "Leg caller (caller)",
        "2026-09-21 14:13:20.000 call call.initiated",
        "2026-09-21 14:13:20.000 0 ms 0 ms leg call.outgoing_started",
        "Leg d1 (callee)",
        "2026-09-21 14:13:20.000 call call.initiated",
        "2026-09-21 14:14:25.000 1 min 05 s 1 min 05 s leg call.answered",
        "2026-09-21 14:14:30.000 5.000 s 1 min 10 s history call.held",
        "2026-09-21 14:14:30.500 500 ms 1 min 10 s history call.brand_new",
        "2026-09-21 14:14:32.000 1.500 s 1 min 12 s call call.busy",
        "answered_without_audio",
        "Leg d2 (callee)",
        "2026-09-21 14:13:26.000 6.000 s 6.000 s leg call.ended end_reason=answered_elsewhere",
        "Events of no leg",
        "2026-09-21 14:14:31.000 history call.muted",
    ];
    tells(&run, &lines);
    assert_eq!(run.stdout.matches("call.answered").count(), 1);
}

#[test]
fn tenants_that_share_a_uuid_have_a_story_each() {
    let of = |tenant: &str| event("i", "call.initiated", 0, &format!(r#","tenant_id":"{tenant}""#));
    let other = event("x", "call.initiated", 0, "").replace(CALL, "7b001eef-5c1e-4b7a-9d3f-001f00c27710");
    let run = timeline(&[], &[of("zeta"), other, of("acme")]);
    let call = "Call 7b001eef-5c1e-4b7a-9d3f-001f00c27719";
    tells(
        &run,
        &[call, "tenant acme", "call.initiated", call, "tenant zeta"].map(|line| match line {
            "call.initiated" => "2026-09-21 14:13:20.000 call call.initiated",
            line => line,
        }),
    );
    assert_eq!(run.stdout.matches("Call ").count(), 2);
}

#[test]
fn texts_from_outside_cannot_disturb_the_terminal_and_personal_data_is_not_told() {
    let more =
        r#","device_id":"d\u001b[31m1","carrier":"x\ny","push_id":"p\r1","caller_name":"Ann Example","token":"abc""#;
    let run = timeline(&[], &[event("s", "push.accepted", 0, more)]);
    tells(
        &run,
        &["Leg d\\u{1b}[31m1 (callee)", "device x\\ny", "2026-09-21 14:13:20.000 leg push.accepted push_id=p\\r1"],
    );
    assert!(!run.stdout.contains("Ann") && !run.stdout.contains("abc"), "{}", run.stdout);
}

#[test]
fn a_long_story_has_an_end() {
    let input: Vec<String> = (0..10_050).map(|i| event(&format!("e{i}"), "call.held", i, "")).collect();
    let input = [input, vec![event("i", "call.initiated", 0, "")]].concat();
    let run = timeline(&[], &input);
    tells(&run, &["51 later events are not shown."]);
    assert_eq!(run.stdout.matches("\n  2026-").count(), 10_000);
}

#[test]
fn a_call_that_is_not_there_is_a_failure() {
    for input in [vec![], vec![event("h", "call.held", 0, "")]] {
        let run = timeline(&[], &input);
        assert_eq!((run.status, run.stdout.as_str()), (1, ""));
        assert!(
            run.stderr.starts_with(&format!("ringtrace explain: call {CALL} is not in the input")),
            "{}",
            run.stderr
        );
    }
    let run = timeline(&[], &[event("i", "call.initiated", 0, ""), "x".to_owned()]);
    assert_eq!(run.status, 65, "bad lines stay bad");
    assert!(run.stdout.starts_with("Call "));
}
