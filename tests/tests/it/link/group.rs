//! How instances share the work, and what becomes of it when the topics change under them.

use ringtrace_tests::stack::{Case, Running, classic_stack, free_port, get, wait_for};

use super::SLOTS;
use super::compare::compare;
use super::expect::Expected;
use super::input::{Disorder, everything, scenarios};

fn is_ready(case: &Case) -> bool {
    get(&case.http(), "/readyz").starts_with("HTTP/1.1 200")
}

/// How many slots an instance has taken over so far.
fn loads(linker: &Running) -> usize {
    loads_in(&linker.output())
}

fn loads_in(output: &str) -> usize {
    output.matches("slot loaded").count()
}

/// Stops an instance; what it has printed.
fn stop(linker: Running) -> String {
    linker.signal("TERM");
    let exit = linker.wait();
    assert!(exit.status.success(), "{}: {}", exit.status, exit.output);
    exit.output
}

#[test]
fn an_instance_that_joins_or_leaves_moves_only_its_own_slots() {
    let case = Case::new("moving", SLOTS);
    let mut disorder = Disorder::with_seed(6);
    let records = disorder.apply(everything(), SLOTS);
    let (first_half, second_half) = records.split_at(records.len() / 2);
    let first = case.start(&["link"]);
    wait_for("readiness", || loads(&first) == SLOTS as usize);
    assert!(first.output().contains("protocol=Consumer"), "{}", first.output());
    let mut sources = case.write(first_half);
    let second = case.start_sibling("b");
    wait_for("a slot to move", || loads(&second) >= 1);
    sources.extend(case.write(second_half));
    wait_for("all of it", || case.has_committed(&sources));
    // One of three or two: whose name comes first is chance.
    let moved = loads_in(&stop(second));
    assert!((1..SLOTS as usize).contains(&moved), "{moved} slots have moved");
    wait_for("the slots to come back", || loads(&first) >= SLOTS as usize + moved);
    assert_eq!(loads_in(&stop(first)), SLOTS as usize + moved, "no slot is loaded anew that did not move");
    case.catch_up();
    compare(&case, &Expected::of(&case, &records, &sources));
}

#[test]
fn an_instance_without_partitions_is_ready_and_takes_over() {
    let case = Case::new("spare", 1);
    // Which of the two gets the partition is the broker's choice: it goes by their random names.
    let mut linkers = ["a", "b"].map(|instance| {
        let address = format!("127.0.0.1:{}", free_port());
        let listen = [("RINGTRACE_HTTP_LISTEN".to_owned(), address.clone())];
        (case.start_with(instance, instance, &listen), address)
    });
    let told = "\nwarning: spare: there are fewer partitions than instances";
    let is_spare = |address: &str| {
        let answer = get(address, "/readyz");
        answer.starts_with("HTTP/1.1 200") && answer.contains(told)
    };
    wait_for("one to have none", || linkers.iter().any(|(_, address)| is_spare(address)));
    if is_spare(&linkers[0].1) {
        linkers.reverse();
    }
    let [(owner, _), (spare, address)] = linkers;
    wait_for("the other to take all", || loads(&owner) >= 1);
    let before = loads(&spare);
    stop(owner);
    wait_for("the spare one to take all", || loads(&spare) > before);
    wait_for("the warning to go", || {
        let answer = get(&address, "/readyz");
        answer.starts_with("HTTP/1.1 200") && !answer.contains(told)
    });
    stop(spare);
}

#[test]
fn instances_of_both_protocols_work_in_one_group() {
    let case = Case::new("mixed", SLOTS);
    let mut disorder = Disorder::with_seed(7);
    let records = disorder.apply(everything(), SLOTS);
    let classic = [("RINGTRACE_KAFKA_PROPERTIES".to_owned(), "group.protocol=classic".to_owned())];
    let old = case.start_with("old", "old", &classic);
    wait_for("the old one to take all", || loads(&old) == SLOTS as usize);
    let (first, rest) = records.split_at(records.len() / 3);
    let (second, third) = rest.split_at(rest.len() / 2);
    let mut sources = case.write(first);
    let new = case.start_sibling("new");
    wait_for("the new one to take some", || loads(&new) >= 1);
    sources.extend(case.write(second));
    stop(old);
    wait_for("the new one to take all", || loads(&new) >= SLOTS as usize);
    sources.extend(case.write(third));
    stop(new);
    case.catch_up();
    compare(&case, &Expected::of(&case, &records, &sources));
}

#[test]
fn brokers_without_the_consumer_protocol_get_the_classic_one() {
    let case = Case::on(classic_stack(), "older", SLOTS);
    let records = scenarios();
    let sources = case.write(&records);
    let linker = case.start(&["link"]);
    wait_for("readiness", || loads(&linker) == SLOTS as usize);
    assert!(linker.output().contains("protocol=Classic"), "{}", linker.output());
    stop(linker);
    case.catch_up();
    compare(&case, &Expected::of(&case, &records, &sources));
}

#[test]
fn topics_that_do_not_fit_together_are_named_with_the_command() {
    let case = Case::new("uneven", SLOTS);
    case.grow(&["push-events"], 5);
    let exit = case.run(&["link"]);
    assert_eq!(exit.status.code(), Some(1), "{}", exit.output);
    let brokers = case.brokers();
    let command = format!("kafka-topics.sh --bootstrap-server {brokers} --alter --topic TOPIC --partitions 5");
    for part in ["uneven.push-events has 5", "uneven.call-events has 3", "uneven.ringtrace.calls has 3", &command] {
        assert!(exit.output.contains(part), "{part} is not in: {}", exit.output);
    }
}

#[test]
fn partitions_that_are_added_are_noticed() {
    let case = Case::new("growing", SLOTS);
    let mut disorder = Disorder::with_seed(8);
    let records = disorder.apply(everything(), SLOTS);
    let (first, rest) = records.split_at(records.len() / 3);
    let (second, third) = rest.split_at(rest.len() / 2);
    let (linker, sibling) = (case.start(&["link"]), case.start_sibling("b"));
    let mut sources = case.write(first);
    wait_for("all of it", || case.has_committed(&sources));
    // A while the topics don't fit together, and producers use what is there already.
    case.grow(&["call-events"], 5);
    sources.extend(case.write(second));
    wait_for("the pause", || get(&case.http(), "/readyz").contains("growing.call-events has 5"));
    case.grow(&["push-events", "ringtrace.internal", "ringtrace.calls"], 5);
    sources.extend(case.write(third));
    wait_for("readiness", || is_ready(&case));
    wait_for("all slots", || linker.output().contains("slot=4") || sibling.output().contains("slot=4"));
    stop(linker);
    stop(sibling);
    case.catch_up();
    compare(&case, &Expected::of(&case, &records, &sources));
}

#[test]
fn a_topic_that_is_made_again_is_read_from_its_start() {
    let case = Case::new("remade", SLOTS);
    let records = everything();
    let (first, second) = records.split_at(records.len() / 2);
    let linker = case.start(&["link"]);
    let mut sources = case.write(first);
    wait_for("all of it", || case.has_committed(&sources));
    case.make_again("call-events", SLOTS);
    let more = case.write(second);
    wait_for("the rest", || case.has_committed(&more));
    sources.extend(more);
    stop(linker);
    case.catch_up();
    compare(&case, &Expected::of(&case, &records, &sources));
}
