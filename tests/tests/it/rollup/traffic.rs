//! Late and repeated events, calls whose start moves, other rules, and two rollers at once, on real Kafka.

use std::thread::JoinHandle;

use ringtrace_kit::drain::Drain;
use ringtrace_model::Event;
use ringtrace_tests::stack::{Case, Given};
use serde_json::{Map, Value, json};

use super::equal::wait_until_equal;
use crate::link::input::{Disorder, everything};

/// A roller on a thread of its own.
fn start_roller(case: &Case, drain: &Drain) -> JoinHandle<()> {
    let (settings, drain) = (case.config().clickhouse, drain.clone());
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(ringtrace_rollup::run(&settings, &drain));
    })
}

/// The same event half an hour before, under an id of its own: the leg has started earlier, in other ten minutes.
fn earlier(record: &Given) -> Option<Given> {
    let event = Event::parse(record.value.as_deref()?, record.log_at).ok()?;
    let mut fields: Map<String, Value> = serde_json::from_slice(record.value.as_deref()?).ok()?;
    fields.insert("event_id".to_owned(), json!(format!("{}-before", event.event_id.get(..40).unwrap_or(&event.event_id))));
    fields.insert("occurred_at".to_owned(), json!(event.occurred_at - 1_800_000));
    (event.kind.as_str() == "push.sent" && event.occurred_at > 1_800_000)
        .then(|| Given { value: serde_json::to_vec(&fields).ok(), ..record.clone() })
}

#[test]
fn what_is_rolled_up_equals_what_it_is_made_of() {
    let mut case = Case::new("rolled", 3);
    let records = Disorder::with_seed(8).apply(everything(), 3);
    let (first, late) = records.split_at(records.len() / 2);
    let drain = Drain::default();
    let rollers = [start_roller(&case, &drain), start_roller(&case, &drain)];
    case.write(first);
    case.catch_up();
    wait_until_equal(&case);

    // The rest of every call comes late, much of it twice, and some legs turn out to have begun before.
    let moved: Vec<Given> = records.iter().filter_map(earlier).step_by(7).collect();
    assert!(moved.len() > 20, "{}", moved.len());
    case.write(&[late, &first[..first.len() / 4], &moved].concat());
    case.catch_up();
    wait_until_equal(&case);

    // Judged by other rules.
    case.set_rules(&[("RINGTRACE_RULES_REPORT_DEADLINE_MS", "3000")]);
    let linker = case.start(&["link"]);
    let exit = case.run(&["relink", "--from", "2000-01-01"]);
    assert!(exit.status.success(), "{}", exit.output);
    wait_until_equal(&case);
    linker.signal("TERM");
    assert!(linker.wait().status.success());
    drain.start();
    rollers.into_iter().for_each(|roller| roller.join().unwrap());
    assert!(case.number("SELECT count() FROM leg_facts") > 1_000);
}
