//! `ringtrace simulate` into Kafka: what it sends is what the simulator gives, and it links as the model links it.

use ringtrace_simulator::Plan;
use ringtrace_tests::simulated;
use ringtrace_tests::stack::{Case, Read};

use super::SLOTS;
use super::compare::compare;
use super::expect::Expected;

#[test]
fn a_world_sent_to_kafka_is_linked_as_the_model_links_it() {
    let case = Case::new("simulated", SLOTS);
    let arguments = ["simulate", "--speed", "0", "--start", "2026-11-01T08:00:00Z", "--for", "5m", "--devices", "3000"];
    let exit = case.run(&arguments);
    assert!(exit.status.success(), "{}", exit.output);
    let plan = Plan { length_ms: Some(300_000), devices: Some(3_000), ..Plan::default() };
    let records = simulated::records("", plan);
    assert!(exit.output.contains(&format!("sent: {} events", records.len())), "{}", exit.output);
    for topic in ["push-events", "call-events", "device-events"] {
        let mut sent: Vec<Read> = case.read(topic);
        sent.sort_by(|a, b| (a.timestamp, &a.value).cmp(&(b.timestamp, &b.value)));
        let mut expected: Vec<_> = records.iter().filter(|record| record.topic == topic).collect();
        expected.sort_by(|a, b| (a.log_at, &a.value).cmp(&(b.log_at, &b.value)));
        assert_eq!(sent.len(), expected.len(), "{topic}");
        for (sent, expected) in sent.iter().zip(expected) {
            assert_eq!((&sent.key, &sent.value), (&expected.key, &expected.value), "{topic}");
            assert_eq!(sent.timestamp, expected.log_at, "{topic}");
        }
    }
    case.catch_up();
    let mut expected = Expected::of(&case, &records, &vec![String::new(); records.len()]);
    // Where each record went is the sender's choice.
    expected.forget_sources();
    compare(&case, &expected);
}

#[test]
fn times_of_its_own_need_topics_that_keep_them() {
    let mut case = Case::new("simulated-stamped", SLOTS);
    case.set("RINGTRACE_KAFKA_CALL_TOPIC", "simulated-stamped.now");
    assert!(case.run(&["migrate"]).status.success());
    let exit = case.run(&["simulate", "--speed", "0", "--for", "1m", "--devices", "500"]);
    assert_eq!(exit.status.code(), Some(1), "{}", exit.output);
    assert!(exit.output.contains("simulated-stamped.now stamps records itself"), "{}", exit.output);
    // In real time nothing is lost by it.
    let running = case.start(&["simulate", "--devices", "500", "--calls-per-second", "20"]);
    ringtrace_tests::stack::wait_for("calls", || !case.read("push-events").is_empty());
    running.signal("TERM");
    let exit = running.wait();
    assert!(exit.status.success() && exit.output.contains("sent: "), "{}: {}", exit.status, exit.output);
}
