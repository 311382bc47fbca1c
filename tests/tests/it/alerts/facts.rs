//! The questions of rules have the same answers from ClickHouse as from the model's fold in memory.

use std::collections::BTreeMap;

use ringtrace_alerter::dead_letters::Tail;
use ringtrace_alerter::device::{DeviceHistory, fold};
use ringtrace_alerter::fact::Dim;
use ringtrace_alerter::judge::{Loss, Source};
use ringtrace_alerter::memory::Memory;
use ringtrace_alerter::query::{Group, Measure, Query, Span};
use ringtrace_alerter::rules::Rules;
use ringtrace_alerter::service::assess;
use ringtrace_alerter::stats::Count;
use ringtrace_alerter::store::Store;
use ringtrace_kit::clock;
use ringtrace_model::Event;
use ringtrace_tests::simulated::{EVENTFUL, quarter_of_an_hour, records};
use ringtrace_tests::stack::{Case, Given};

const MEASURES: [Measure; 15] = [
    Measure::Violations,
    Measure::Confirmed,
    Measure::ConfirmedInStore,
    Measure::SlowReports(2_000),
    Measure::SlowDelivery(1_000),
    Measure::Missing,
    Measure::Unanswered,
    Measure::CredentialErrors,
    Measure::TokenErrors,
    Measure::Misuse,
    Measure::GhostCalls,
    Measure::PriorityLowered,
    Measure::Untold,
    Measure::Late(10_000),
    Measure::Early(100),
];

fn sorted(mut groups: Vec<Group>) -> Vec<Group> {
    groups.sort_by(|a, b| a.values.cmp(&b.values));
    groups
}

fn devices(mut devices: Vec<DeviceHistory>, now: i64) -> Vec<(String, String, String, String)> {
    let settings = Rules::parse("").unwrap().device;
    devices.sort_by(|a, b| (&a.tenant_id, &a.app_id, &a.device_id).cmp(&(&b.tenant_id, &b.app_id, &b.device_id)));
    let all = devices.into_iter().map(|device| {
        let risk = fold(&device.facts, &settings, now);
        (device.device_id, device.app_id, device.os_major, format!("{risk:?}"))
    });
    all.collect()
}

/// The same records in ClickHouse and in memory, and up to when.
pub fn linked(case: &Case, records: &[Given]) -> (Store, Memory, i64) {
    case.write(records);
    case.catch_up();
    let now = clock::wall_ms();
    let mut memory = Memory::default();
    let mut by_time: Vec<_> = records.iter().collect();
    by_time.sort_by_key(|record| record.log_at);
    for record in by_time {
        match Event::parse(record.value.as_deref().unwrap_or_default(), record.log_at) {
            Ok(event) => memory.take(&event, record.log_at),
            Err(reject) => panic!("{reject}"),
        }
    }
    memory.advance(now);
    (store(case), memory, now)
}

/// One that has asked nothing yet.
pub fn store(case: &Case) -> Store {
    Store::new(ringtrace_kit::clickhouse::client(&case.config().clickhouse), Tail::default())
}

#[test]
fn clickhouse_and_memory_answer_alike() {
    let case = Case::new("alert-facts", 3);
    let (store, memory, now) = linked(&case, &records(EVENTFUL, quarter_of_an_hour()));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let start = ringtrace_simulator::Plan::START;
    let spans = vec![
        Span { from: start + 300_000, to: start + 600_000 },
        Span { from: start - 86_400_000, to: start + 86_400_000 },
    ];
    let mut bad = 0;
    for measure in MEASURES {
        let dims = match measure {
            Measure::Untold | Measure::Late(_) | Measure::Early(_) => vec![Dim::Tenant, Dim::App],
            _ => Dim::ALL.to_vec(),
        };
        let query = Query { measure, group_by: dims, spans: spans.clone(), now };
        let expected = sorted(runtime.block_on(memory.counts(&query)).unwrap());
        let found = sorted(runtime.block_on(store.counts(&query)).unwrap());
        assert_eq!(found, expected, "{measure:?}");
        assert!(!found.is_empty(), "{measure:?} counts something");
        bad += found.iter().flat_map(|group| &group.counts).map(|count| count.bad).sum::<u64>();
        for group in found.iter().filter(|group| group.counts[0].bad > 0).take(3) {
            let expected = runtime.block_on(memory.examples(&query, &group.values)).unwrap();
            assert_eq!(runtime.block_on(store.examples(&query, &group.values)).unwrap(), expected, "{measure:?}");
        }
    }
    assert!(bad > 100, "{bad} bad ones are too few to show anything");
    let whole = Span { from: start - 86_400_000, to: now };
    let both = |span| {
        (runtime.block_on(store.credentials(span)).unwrap(), runtime.block_on(memory.credentials(span)).unwrap())
    };
    let (mut found, mut expected) = both(whole);
    found.sort_by(|a, b| (&a.tenant_id, &a.app_id).cmp(&(&b.tenant_id, &b.app_id)));
    expected.sort_by(|a, b| (&a.tenant_id, &a.app_id).cmp(&(&b.tenant_id, &b.app_id)));
    assert_eq!(found, expected);
    assert_eq!(runtime.block_on(store.versions(now)).unwrap(), runtime.block_on(memory.versions(now)).unwrap());
    let at = start + 86_400_000;
    let span = Span { from: start - 86_400_000, to: at };
    let found = devices(runtime.block_on(store.devices(span)).unwrap(), at);
    assert_eq!(found, devices(runtime.block_on(memory.devices(span)).unwrap(), at));
    assert!(!found.is_empty());
    let by_carrier = |losses: Vec<Loss>| {
        let mut sums: BTreeMap<(String, String, String, String), Count> = BTreeMap::new();
        for loss in losses {
            let sum = sums.entry((loss.tenant_id, loss.app_id, loss.carrier, loss.os_major)).or_default();
            *sum = sum.and(loss.count);
        }
        sums
    };
    let (at_hour, hour) = (start + 3_600_000, Span { from: start, to: start + 3_600_000 });
    let found = by_carrier(runtime.block_on(store.losses(hour, at_hour)).unwrap());
    assert_eq!(found, by_carrier(runtime.block_on(memory.losses(hour, at_hour)).unwrap()));
    assert!(found.values().any(|count| count.bad > 0) && found.len() > 10);
    let mut seen = 0;
    for (tenant, app, carrier, _) in found.keys() {
        let carrier = [tenant, app, carrier].map(String::clone);
        let missed = runtime.block_on(store.missed(hour, at_hour, &carrier)).unwrap();
        assert_eq!(missed, runtime.block_on(memory.missed(hour, at_hour, &carrier)).unwrap(), "{carrier:?}");
        seen += missed.len();
    }
    assert!(seen > 10, "{seen} examples are too few to show anything");
    let rules = Rules::parse("").unwrap();
    let found = runtime.block_on(assess(&store, &rules, at)).unwrap();
    assert_eq!(found, runtime.block_on(assess(&memory, &rules, at)).unwrap());
}
