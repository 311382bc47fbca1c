//! Whether published verdicts were justified: each is what the model says of some prefix of the log at the log clock that it
//! names, and that prefix holds all that the log clock has passed.

use std::collections::BTreeMap;

use ringtrace_kit::kafka::partition_of;
use ringtrace_model::{Call, CallKey, Event, Rules};
use ringtrace_tests::stack::{Case, Given};
use serde_json::Value;

/// Prefixes of the log that are tried for one verdict, about. Of the records in the wrong place so many are tried in every
/// combination, the latest of a call, as that allows; earlier ones are taken for read.
const MOST_TRIES: usize = 1 << 13;

/// What the log says of a verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Finding {
    /// A prefix justifies it.
    Justified,
    /// None does.
    False,
    /// None of those that were tried does, and there are more.
    Unknown,
}

/// The records of a call, by their place in the log.
#[derive(Default)]
struct Story<'r> {
    /// Of `push-events` and `call-events`, in the partition of the call: read in order, and waited for by the log clock.
    home: [Vec<&'r Given>; 2],
    /// Everywhere else: they come by way of the internal topic, whenever.
    others: Vec<&'r Given>,
}

/// Checks every verdict; gives how many there were, and how many could not be judged.
pub fn check(case: &Case, slots: i32, records: &[Given], rules: &Rules) -> (usize, usize) {
    let stories = stories(records, slots);
    let (mut count, mut unjudged) = (0, 0);
    for message in case.read("ringtrace.verdicts") {
        let change: Value = serde_json::from_slice(message.value.as_deref().unwrap()).unwrap();
        let key = CallKey {
            tenant_id: change["tenant_id"].as_str().unwrap().into(),
            call_uuid: change["call_uuid"].as_str().unwrap().parse().unwrap(),
        };
        let story = stories.get(&key).unwrap_or_else(|| panic!("nothing was produced of {change}"));
        count += 1;
        let finding = story.finding(&key, &change, rules);
        assert_ne!(finding, Finding::False, "no prefix of the log justifies {change}");
        unjudged += usize::from(finding == Finding::Unknown);
    }
    (count, unjudged)
}

fn stories(records: &[Given], slots: i32) -> BTreeMap<CallKey, Story<'_>> {
    let mut stories = BTreeMap::<CallKey, Story<'_>>::new();
    for record in records {
        let Some(value) = record.value.as_deref() else { continue };
        let Ok(event) = Event::parse(value, record.log_at) else { continue };
        let Some(call_uuid) = event.call_uuid else { continue };
        let topic = ["push-events", "call-events"].iter().position(|topic| *topic == record.topic);
        if !if topic.is_some() { event.is_call_event() } else { event.is_forwarded() } {
            continue;
        }
        let home = partition_of(call_uuid.hyphenated().to_string().as_bytes(), slots);
        let story = stories.entry(CallKey { tenant_id: event.tenant_id.as_ref().into(), call_uuid }).or_default();
        match topic.filter(|_| record.partition == Some(home)) {
            Some(topic) => story.home[topic].push(record),
            None => story.others.push(record),
        }
    }
    for story in stories.values_mut() {
        story.others.sort_by_key(|record| record.log_at);
    }
    stories
}

impl Story<'_> {
    fn finding(&self, key: &CallKey, change: &Value, rules: &Rules) -> Finding {
        let log_clock = change["log_clock"].as_i64().unwrap();
        // What has an earlier log time was read before the clock went by it.
        let least = self.home.each_ref().map(|home| home.partition_point(|record| record.log_at < log_clock));
        let (pushes, calls) = (self.home[0].len() - least[0] + 1, self.home[1].len() - least[1] + 1);
        let free = ((MOST_TRIES / (pushes * calls)).max(1).ilog2() as usize).min(self.others.len());
        let (early, late) = self.others.split_at(self.others.len() - free);
        // The most likely first: all that there is was read, and of what comes by another way that before the log clock.
        let likely =
            late.iter().enumerate().map(|(nth, record)| usize::from(record.log_at < log_clock) << nth).sum::<usize>();
        for number in (0..pushes * calls).rev() {
            let home = [least[0] + number / calls, least[1] + number % calls];
            let mut prefix = Call::default();
            let read = self.home[0][..home[0]].iter().chain(&self.home[1][..home[1]]).chain(early);
            read.for_each(|record| apply(&mut prefix, record));
            for unlikely in 0..1_usize << free {
                let mut call = prefix.clone();
                let chosen = late.iter().enumerate().filter(|(nth, _)| (likely ^ unlikely) >> nth & 1 == 1);
                chosen.for_each(|(_, record)| apply(&mut call, record));
                if says(&call, key, change, rules, log_clock) {
                    return Finding::Justified;
                }
            }
        }
        if early.is_empty() { Finding::False } else { Finding::Unknown }
    }
}

fn apply(call: &mut Call, record: &Given) {
    if let Ok(event) = Event::parse(record.value.as_deref().unwrap_or_default(), record.log_at) {
        call.apply(&event, record.log_at);
    }
}

/// Whether the model says of the call what was published, column by column.
fn says(call: &Call, key: &CallKey, change: &Value, rules: &Rules, log_clock: i64) -> bool {
    let Some(evaluation) = call.evaluate(key, rules, log_clock) else { return false };
    evaluation.legs.iter().any(|leg| {
        leg.device_id == change["device_id"]
            && leg.verdict.as_str() == change["verdict"]
            && serde_json::to_value(leg)
                .unwrap()
                .as_object()
                .unwrap()
                .iter()
                .all(|(name, value)| change["leg"][name] == *value)
    })
}

#[test]
fn a_verdict_is_justified_only_by_what_the_log_clock_has_passed() {
    const AT: i64 = 1_793_606_400_000;
    let uuid = "0a7a6e00-0000-4000-8000-000000000002";
    let record = |kind: &str, log_at: i64| {
        let value = serde_json::json!({
            "event_id": kind, "kind": kind, "occurred_at": log_at, "app_id": "a", "call_uuid": uuid, "device_id": "d",
            "platform": "ios", "channel": "apns_voip", "app_state": "background",
        });
        Given { value: Some(value.to_string().into_bytes()), log_at, ..Given::default() }
    };
    let (received, reported) = (record("push.received", AT), record("call.reported", AT + 35_000));
    let story = Story { home: [vec![&received], vec![&reported]], others: Vec::new() };
    let key = CallKey { tenant_id: "default".into(), call_uuid: uuid.parse().unwrap() };
    let mut call = Call::default();
    apply(&mut call, &received);
    let said_at = |log_clock: i64| {
        let evaluation = call.evaluate(&key, &Rules::default(), AT + 30_000).unwrap();
        let leg = serde_json::to_value(&evaluation.legs[0]).unwrap();
        assert_eq!(leg["verdict"], "unreported");
        let change =
            serde_json::json!({ "device_id": "d", "verdict": leg["verdict"], "leg": leg, "log_clock": log_clock });
        story.finding(&key, &change, &Rules::default())
    };
    let found = [29_999, 30_000, 35_000, 35_001].map(|after| said_at(AT + after));
    let wanted = [Finding::False, Finding::Justified, Finding::Justified, Finding::False];
    assert_eq!(found, wanted, "too early; due; due; after the report");
}
