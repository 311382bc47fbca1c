//! A schedule from its seed to its end: faults, then quiet, then the comparison with a plain fold.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use hashbrown::HashMap;
use ringtrace_kit::config::{Config, load};
use ringtrace_kit::drain::Drain;
use ringtrace_kit::health::Health;
use ringtrace_model::{Call, CallKey, Event};
use serde_json::json;

use super::audit::{AtHome, Failure, Fate, NOT_STORABLE, ensure, same};
use super::cluster::Cluster;
use super::input::generate;
use super::log::Topic;
use super::plan::{Faults, Plan};
use super::random::Random;
use super::relink::{FIRST, SECOND, rules_of};
use super::rows::{Row, rows_of};
use super::state::State;
use super::store::{EventKey, Table, log_at_of, source_of};
use crate::native::Block;
use crate::run::Linker;
use crate::slot::Slot;
use crate::tables::{CALLS, Image, LEGS, put_call, put_leg};
use crate::topics::Input;
use crate::writer::Sink;

/// Actions after the last record, before the faults end.
const LAST_ACTIONS: usize = 200;

/// Rounds in which the processes must have caught up once the faults have ended.
const MOST_ROUNDS: usize = 4_000;

/// How long log time goes on at the end: every deadline is over then.
const AFTERWARDS_MS: u64 = 4 * 86_400_000;

/// What a schedule was like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Figures {
    pub(super) records: usize,
    pub(super) transactions: usize,
    pub(super) actions: usize,
    /// The same for the same seed.
    pub(super) trace: u64,
}

impl Figures {
    pub(super) fn add(&mut self, other: &Figures) {
        self.records += other.records;
        self.transactions += other.transactions;
        self.actions += other.actions;
        self.trace ^= other.trace;
    }
}

/// Runs the schedule of a seed.
///
/// # Errors
/// The first check that failed.
pub(super) fn run(seed: u64) -> Result<Figures, Failure> {
    let mut random = Random::with_seed(seed);
    let plan = Plan::draw(&mut random);
    let given = generate(&plan, &mut random);
    let linkers = [FIRST, SECOND].map(|rules| linker_for(&plan, false, rules));
    let cluster = Cluster::new(plan, linkers, random, given);
    let result = run_cluster(&cluster);
    // Processes and the cluster hold each other.
    for instance in &cluster.instances {
        drop(instance.session.borrow_mut().take());
        drop(instance.life.borrow_mut().take());
    }
    cluster.bury();
    result
}

fn run_cluster(cluster: &Rc<Cluster>) -> Result<Figures, Failure> {
    let mut actions = 0;
    let mut left = LAST_ACTIONS;
    while left > 0 && !cluster.has_failed() {
        cluster.act();
        actions += 1;
        if cluster.state.borrow().to_give.len() == 0 {
            left -= 1;
        }
    }
    failed(cluster)?;
    quiet(cluster);
    relink(cluster)?;
    let catches_up = cluster.state.borrow().plan.catches_up;
    if catches_up {
        cluster.state.borrow_mut().pass(AFTERWARDS_MS);
        catch_up(cluster)?;
    } else {
        run_on(cluster)?;
    }
    let state = cluster.state.borrow();
    compare(&state)?;
    Ok(Figures {
        records: state.audit.known.len(),
        transactions: state.audit.transactions,
        actions,
        trace: state.trace ^ state.passed_ms,
    })
}

/// `ringtrace relink`, where other rules were stored: once all slots judge by them, the calls that are left are asked for.
fn relink(cluster: &Rc<Cluster>) -> Result<(), Failure> {
    if !cluster.state.borrow().plan.raises {
        return Ok(());
    }
    let check = "everything is read and committed";
    cluster.raise_everywhere();
    settle(cluster, check, |cluster| cluster.state.borrow().is_all_committed())?;
    cluster.ask_for_the_rest();
    settle(cluster, check, |cluster| cluster.state.borrow().is_all_committed())
}

/// All processes run on until nothing changes any more.
fn run_on(cluster: &Rc<Cluster>) -> Result<(), Failure> {
    settle(cluster, "everything is read and committed", |cluster| cluster.state.borrow().is_all_committed())?;
    cluster.state.borrow_mut().pass(AFTERWARDS_MS);
    let end = cluster.state.borrow().wall_ms;
    settle(cluster, "everything is settled and written", |cluster| is_settled(cluster, end))
}

/// All processes stop, and one reads what is left: `ringtrace link --until-caught-up`.
fn catch_up(cluster: &Rc<Cluster>) -> Result<(), Failure> {
    for (index, instance) in cluster.instances.iter().enumerate() {
        cluster.stop(index);
        // Nor does it start again.
        instance.asleep_until_ms.set(u64::MAX);
    }
    let linker = {
        let state = cluster.state.borrow();
        linker_for(&state.plan, true, state.rules)
    };
    let ended = cluster.run_alone(linker);
    failed(cluster)?;
    ensure(ended.is_ok(), "a catch-up ends well", || format!("{:?}", ended.err()))?;
    let state = cluster.state.borrow();
    ensure(state.is_all_committed(), "a catch-up reads everything", || state.where_it_is())
}

fn failed(cluster: &Cluster) -> Result<(), Failure> {
    cluster.state.borrow().failure.clone().map_or(Ok(()), Err)
}

/// No more faults from here on.
fn quiet(cluster: &Cluster) {
    let foreign = {
        let mut state = cluster.state.borrow_mut();
        state.faults = Faults::NONE;
        state.stalled = None;
        state.take_foreign()
    };
    if let Some(id) = foreign {
        cluster.settle_transaction(id);
    }
    cluster.wake();
}

/// Lets everything go on until a condition holds.
fn settle(cluster: &Rc<Cluster>, check: &'static str, is_done: impl Fn(&Cluster) -> bool) -> Result<(), Failure> {
    for _ in 0..MOST_ROUNDS {
        failed(cluster)?;
        if is_done(cluster) {
            return Ok(());
        }
        cluster.round();
    }
    Err(Failure { check, saw: cluster.state.borrow().where_it_is() })
}

fn is_settled(cluster: &Cluster, end: i64) -> bool {
    let mut slots = 0;
    let is_quiet = |slot: &Slot| slot.log_clock() >= end && !slot.has_work() && slot.unchecked() == 0;
    for instance in &cluster.instances {
        let session = instance.session.borrow();
        let Some(session) = session.as_ref() else { continue };
        if session.in_flight || session.check.is_some() || !session.reading.slots.iter().flatten().all(is_quiet) {
            return false;
        }
        slots += session.reading.slots.iter().flatten().count();
    }
    let state = cluster.state.borrow();
    slots == state.group.partitions as usize && state.is_all_committed()
}

impl State {
    fn is_all_committed(&self) -> bool {
        let parts = self.audit.known.keys().map(|(place, _)| *place).collect::<BTreeSet<_>>();
        let is_read = |place: &crate::topics::Place| {
            let next = self.audit.offsets.get(place).copied().unwrap_or(0);
            self.log.unread((Topic::Input(place.0), place.1), next).next().is_none()
        };
        parts.iter().all(is_read)
    }

    pub(super) fn where_it_is(&self) -> String {
        format!(
            "partitions {}, committed {:?}, wall clock {}",
            self.group.partitions, self.group.committed, self.wall_ms
        )
    }
}

/// Rows as the plain fold of all records makes them.
#[derive(Default)]
struct Expected {
    calls: BTreeMap<CallKey, Call>,
    events: BTreeMap<EventKey, (i64, BTreeSet<String>)>,
    device_events: BTreeMap<EventKey, (i64, BTreeSet<String>)>,
    dead_letters: Vec<(String, String)>,
}

impl Expected {
    fn of(state: &State) -> Self {
        let mut expected = Expected::default();
        for (((input, partition), offset), known) in &state.audit.known {
            let part = (Topic::Input(*input), *partition);
            let is_there = known.entry.transaction.is_none_or(|id| state.log.transactions[id].decision == Some(true));
            if *input == Input::Internal || !is_there {
                continue;
            }
            debug_assert!(state.log.bounds(part).1 > *offset);
            expected.take(known);
        }
        expected
    }

    fn take(&mut self, known: &super::audit::Known) {
        let at = known.entry.at;
        let event = known.entry.value.as_deref().and_then(|value| Event::parse(value, at).ok());
        let call = match (&known.fate, event) {
            (Fate::DeadLetter(reason), _) => {
                return self.dead_letters.push((known.source.clone(), (*reason).to_owned()));
            }
            (Fate::Call(_, _, AtHome::NotStorable), _) => {
                return self.dead_letters.push((known.source.clone(), NOT_STORABLE.to_owned()));
            }
            (Fate::Device(key, call), Some(event)) => {
                note(&mut self.device_events, key.clone(), at, &known.source);
                call.clone().map(|call| (call, event))
            }
            (Fate::Call(_, call, _), Some(event)) => Some((call.clone(), event)),
            (Fate::Request(_), _) | (_, None) => None,
        };
        if let Some((call, event)) = call {
            let id = (&*event.event_id).into();
            let key = (call.tenant_id.clone(), call.call_uuid, Default::default(), id, event.contents);
            note(&mut self.events, key, at, &known.source);
            self.calls.entry(call).or_default().apply(&event, at);
        }
    }
}

fn note(rows: &mut BTreeMap<EventKey, (i64, BTreeSet<String>)>, key: EventKey, at: i64, source: &str) {
    let held = rows.entry(key).or_insert_with(|| (at, BTreeSet::new()));
    if at < held.0 {
        *held = (at, BTreeSet::new());
    }
    if at == held.0 {
        held.1.insert(source.to_owned());
    }
}

fn compare(state: &State) -> Result<(), Failure> {
    let expected = Expected::of(state);
    same(state.audit.dead_letters.clone(), expected.dead_letters.clone(), "dead letters are those of the input")?;
    compare_events(state, Table::Events, &expected.events, "events are those of the input")?;
    compare_events(state, Table::DeviceEvents, &expected.device_events, "device events are those of the input")?;
    let (mut legs, mut calls) = (Block::new(&LEGS), Block::new(&CALLS));
    let image = Image { updated_at: 0, first_seen: 0, version: 0 };
    let rules = state.rules();
    let mut verdicts = Vec::new();
    for (key, call) in &expected.calls {
        let Some(evaluation) = call.evaluate(key, rules, i64::MAX) else { continue };
        evaluation.legs.iter().for_each(|leg| put_leg(&mut legs, leg, image, false));
        put_call(&mut calls, &evaluation.call, image, false);
        let of_leg = |leg: &ringtrace_model::LegRow<'_>| {
            let verdict = (json!(leg.verdict).to_string(), json!(leg.evidence).to_string());
            ((key.clone(), leg.device_id.to_owned()), verdict)
        };
        verdicts.extend(evaluation.legs.iter().map(of_leg));
    }
    compare_images(state, Table::Legs, &legs, "legs are those of the fold")?;
    compare_images(state, Table::Calls, &calls, "calls are those of the fold")?;
    let last = state.audit.verdicts.iter().map(|((key, device), (_, verdict, evidence))| {
        ((key.clone(), device.to_string()), (verdict.to_string(), evidence.to_string()))
    });
    same(last.collect(), verdicts, "published verdicts end in those of the fold")
}

fn compare_events(
    state: &State,
    table: Table,
    expected: &BTreeMap<EventKey, (i64, BTreeSet<String>)>,
    check: &'static str,
) -> Result<(), Failure> {
    let found = state.store.final_events(table).map(|(key, row)| (key.clone(), log_at_of(table, row)));
    same(found.collect(), expected.iter().map(|(key, (at, _))| (key.clone(), *at)).collect(), check)?;
    for (key, row) in state.store.final_events(table) {
        let source = source_of(table, row);
        ensure(expected[key].1.contains(source), check, || format!("{key:?} has source {source}"))?;
    }
    Ok(())
}

/// All columns but when the row was updated, the slice, the version and the mark of deletion.
fn plain(row: &Row) -> &[super::rows::Cell] {
    &row[..row.len() - 4]
}

fn compare_images(state: &State, table: Table, expected: &Block, check: &'static str) -> Result<(), Failure> {
    let images = state.store.final_images(table);
    let found = images.iter().map(|(_, image)| plain(&image.row).to_vec()).collect();
    same(found, rows_of(&[expected]).iter().map(|row| plain(row).to_vec()).collect(), check)
}

/// A linker with the settings of a plan. Sessions borrow it, and there are only so many different ones: they are kept.
fn linker_for(plan: &Plan, until_caught_up: bool, rules: u64) -> &'static Linker {
    type Key = (usize, u64, usize, i64, bool, u64);
    thread_local! {
        static LINKERS: RefCell<HashMap<Key, &'static Linker>> = RefCell::default();
        static CONFIG: Config = load(None, std::iter::empty(), &[]).unwrap();
    }
    let key = (plan.flush_bytes, plan.flush_interval_ms, plan.calls_in_memory, plan.settled_ms, until_caught_up, rules);
    LINKERS.with_borrow_mut(|linkers| {
        let linker = linkers.entry(key).or_insert_with(|| {
            let mut config = CONFIG.with(Config::clone);
            config.link.flush_bytes = plan.flush_bytes;
            config.link.flush_interval_ms = plan.flush_interval_ms;
            config.link.calls_in_memory = plan.calls_in_memory;
            config.link.settled_ms = plan.settled_ms;
            config.rules = *rules_of(rules);
            let (health, drain) = (Health::default(), Drain::default());
            Box::leak(Box::new(Linker { config, sink: Sink::Discard, until_caught_up, health, drain }))
        });
        *linker
    })
}
