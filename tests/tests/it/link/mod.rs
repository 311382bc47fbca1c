//! The linker on real Kafka and ClickHouse, against the model's own fold of the same records.

mod bad;
mod commands;
pub mod compare;
mod dead_letters;
pub mod expect;
mod group;
pub mod input;
mod relink;
mod running;
mod simulated;

use ringtrace_tests::stack::{Case, Given, wait_for};

use compare::compare;
use expect::Expected;
use input::{Disorder, everything};

/// Slots of every case: enough that records can sit in the wrong one.
const SLOTS: i32 = 3;

/// Writes records, and waits until a quarter of them is stored. Events are counted, since a merge makes rows fewer.
fn write_and_see(case: &Case, records: &[Given]) -> Vec<String> {
    let stored = || case.number("SELECT count() FROM events");
    let enough = stored() + records.len() as i64 / 4;
    let sources = case.write(records);
    wait_for("a part to be read", || stored() >= enough);
    sources
}

#[test]
fn everything_is_linked_as_the_model_links_it() {
    let case = Case::new("all", SLOTS);
    let records = Disorder::with_seed(1).apply(everything(), SLOTS);
    let sources = case.write(&records);
    case.catch_up();
    let expected = Expected::of(&case, &records, &sources);
    compare(&case, &expected);
    // Again from the start of nothing new: all stays as it is.
    case.catch_up();
    compare(&case, &expected);
}
