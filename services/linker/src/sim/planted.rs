//! Bugs that the simulation must find: planted one at a time, and in tests only.

use std::cell::Cell;
use std::collections::BTreeMap;

use super::audit::Failure;
use super::schedule::run;

/// A bug. Where it sits, the code says `planted!`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bug {
    /// The transaction is begun before the rows of `events` are acknowledged.
    TransactionFirst,
    /// Offsets are committed on their own, before the transaction.
    OffsetsOutside,
    /// Rows of `legs` and `calls` are written before the commit.
    RowsFirst,
    /// The version of rows counts writes of the process.
    VersionCountsWrites,
    /// Verdicts wait by the wall clock.
    WallClock,
    /// A call that comes back is not looked up.
    LookUpSkipped,
    /// A call leaves memory when its rows are handed over.
    LeavesUnacknowledged,
    /// A new owner does not write rows again.
    RowsNotRepeated,
    /// A full table of calls pauses reading.
    FullTablePauses,
    /// A record of the internal topic is rerouted.
    ReroutedAgain,
    /// A call that comes back is of the ten minutes of its return.
    SliceNotKept,
    /// A slot works without its changelog.
    ChangelogUnread,
    /// Offsets go along only where they moved.
    OnlyMovedOffsets,
    /// A flush that was refused is sent again though its partitions were lost meanwhile.
    SentAgainAfterLoss,
    /// Nobody asks whether partitions were added.
    PartitionsUnchecked,
    /// A partition that does not move is left alone.
    NoWatchdog,
    /// A request is read, and nothing is done.
    RequestIgnored,
    /// A request is acknowledged without rows.
    RequestWithoutRows,
    /// A process goes on judging by its rules when there are newer ones.
    OldRulesServe,
}

thread_local! {
    static PLANTED: Cell<Option<Bug>> = const { Cell::new(None) };
    static WRITES: Cell<u64> = const { Cell::new(0) };
}

/// Whether a bug is planted in this thread.
pub(crate) fn is(bug: Bug) -> bool {
    PLANTED.get() == Some(bug)
}

/// Counts a write of the process.
pub(crate) fn count_write() -> u64 {
    WRITES.set(WRITES.get() + 1);
    WRITES.get()
}

/// A process starts: it counts from nothing.
pub(super) fn forget_writes() {
    WRITES.set(0);
}

/// Runs the schedule of a seed with a bug.
pub(super) fn run_with(bug: Bug, seed: u64) -> Result<(), Failure> {
    PLANTED.set(Some(bug));
    let result = run(seed);
    PLANTED.set(None);
    result.map(|_| ())
}

/// Plants a bug, and runs schedules until the check finds it that it is for; a long run counts what finds it in all.
fn finds(bug: Bug, check: &str) {
    let mut found = BTreeMap::<&str, u64>::new();
    for seed in 0..super::SCHEDULES {
        if let Err(failure) = run_with(bug, seed) {
            *found.entry(failure.check).or_default() += 1;
        }
        if found.contains_key(check) && !super::is_long() {
            println!("{bug:?} is found in {} schedules: {found:?}", seed + 1);
            return;
        }
    }
    println!("{bug:?} is found in {} of {} schedules: {found:?}", found.values().sum::<u64>(), super::SCHEDULES);
    assert!(found.contains_key(check), "{bug:?} is not found by \"{check}\"");
}

#[test]
fn a_transaction_before_its_events_is_found() {
    finds(Bug::TransactionFirst, "events are acknowledged before their transaction");
}

#[test]
fn offsets_outside_the_transaction_are_found() {
    finds(Bug::OffsetsOutside, "each record is in exactly one place: reroutes");
}

#[test]
fn rows_before_the_commit_are_found() {
    finds(Bug::RowsFirst, "no row without a commit");
}

#[test]
fn a_version_that_counts_writes_is_found() {
    finds(Bug::VersionCountsWrites, "a version never carries two images");
}

#[test]
fn the_wall_clock_in_place_of_the_log_clock_is_found() {
    finds(Bug::WallClock, "the log clock is never ahead of unread records");
}

#[test]
fn a_skipped_look_up_is_found() {
    finds(Bug::LookUpSkipped, "every verdict is true of a prefix at its log clock");
}

#[test]
fn a_call_that_leaves_too_early_is_found() {
    finds(Bug::LeavesUnacknowledged, "legs are those of the fold");
}

#[test]
fn rows_that_are_not_written_again_are_found() {
    finds(Bug::RowsNotRepeated, "legs are those of the fold");
}

#[test]
fn a_full_table_that_pauses_reading_is_found() {
    finds(Bug::FullTablePauses, "everything is read and committed");
}

#[test]
fn a_record_that_is_rerouted_again_is_found() {
    finds(Bug::ReroutedAgain, "each record is in exactly one place: reroutes");
}

#[test]
fn a_day_that_is_not_kept_is_found() {
    finds(Bug::SliceNotKept, "legs are those of the fold");
}

#[test]
fn a_changelog_that_is_not_read_is_found() {
    finds(Bug::ChangelogUnread, "the log clock never goes back");
}

#[test]
fn offsets_that_are_sent_only_when_they_moved_are_found() {
    finds(Bug::OnlyMovedOffsets, "sequences only go on");
}

#[test]
fn a_refused_flush_that_is_sent_again_after_a_loss_is_found() {
    finds(Bug::SentAgainAfterLoss, "offsets never go back");
}

#[test]
fn partitions_that_are_not_checked_are_found() {
    finds(Bug::PartitionsUnchecked, "each record is in exactly one place: reroutes");
}

#[test]
fn a_missing_watchdog_is_found() {
    finds(Bug::NoWatchdog, "everything is read and committed");
}

#[test]
fn a_request_that_is_ignored_is_found() {
    finds(Bug::RequestIgnored, "requests have done their work in their transaction");
}

#[test]
fn a_request_without_rows_is_found() {
    finds(Bug::RequestWithoutRows, "legs are those of the fold");
}

#[test]
fn old_rules_that_go_on_are_found() {
    finds(Bug::OldRulesServe, "requests are served by the rules that they ask for");
}
