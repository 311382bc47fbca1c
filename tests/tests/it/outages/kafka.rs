//! Kafka is away: the log clock stands still, so that nothing is held against a device that could not be heard.

use std::time::{Duration, Instant};

use ringtrace_tests::stack::{Case, Toxiproxy, stack, wait_for};
use serde_json::json;

use super::{SLOTS, event, now, verdicts, wait_for_commits, wait_for_ready};

/// Report deadline and grace of the test: long enough to cut the connection in.
const DEADLINE: Duration = Duration::from_secs(20);

#[test]
fn while_kafka_is_away_nobody_is_accused() {
    let mut case = Case::new("kafka-away", SLOTS);
    let proxied = stack().proxied;
    let toxiproxy = Toxiproxy::start("kafka-away-toxiproxy");
    let wire = toxiproxy.proxy("kafka", proxied.advertised, &format!("127.0.0.1:{}", proxied.port));
    case.set("RINGTRACE_KAFKA_BROKERS", &wire.address());
    let grace = (DEADLINE.as_millis() - 7_000).to_string();
    case.set_rules(&[("RINGTRACE_RULES_TELEMETRY_GRACE_MS", &grace)]);
    let linker = case.start(&["link"]);
    wait_for_ready(&case, 200, &[]);
    let sent_at = now();
    let records = [
        event("push.sent", sent_at, &json!({ "channel": "apns_voip" })),
        event("push.accepted", sent_at, &json!({ "status": 200 })),
        event("push.received", sent_at, &json!({ "channel": "apns_voip", "app_state": "background" })),
    ];
    let mut sources = case.write(&records);
    wait_for_commits(&case, &sources);
    wire.cut();
    // The device reports in time; only the linker does not hear it.
    let reported = event("call.reported", sent_at + 500, &json!({}));
    sources.extend(case.write(std::slice::from_ref(&reported)));
    wait_for_ready(&case, 503, &["kafka", "brokers do not answer"]);
    let cut = Instant::now();
    wait_for("the deadline to be over", || cut.elapsed() > DEADLINE);
    wire.mend();
    wait_for_commits(&case, &sources);
    wait_for_ready(&case, 200, &[]);
    wait_for("the report to be seen", || case.number("SELECT count() FROM legs WHERE verdict = 'reported'") == 1);
    let published = verdicts(&case);
    assert!(published.len() >= 2 && !published.contains(&"unreported".to_owned()), "{published:?}");
    linker.signal("TERM");
    let exit = linker.wait();
    assert!(exit.status.success(), "{}: {}", exit.status, exit.output);
}
