//! Whether published verdicts were justified: each is what the model says of some prefix of the log at the log clock that it
//! names, and that prefix holds all that the log clock has passed.

use std::collections::BTreeMap;

use ringtrace_kit::kafka::partition_of;
use ringtrace_model::{Call, CallKey, Event, Rules};
use ringtrace_tests::stack::{Case, Given};
use serde_json::Value;

use super::SLOTS;

/// Records in the wrong place that are tried in every combination; calls with more are not judged.
const MOST_OTHERS: usize = 10;

/// The records of a call, by their place in the log.
#[derive(Default)]
struct Story<'r> {
    /// Of `push-events` and `call-events`, in the partition of the call: read in order, and waited for by the log clock.
    home: [Vec<&'r Given>; 2],
    /// Everywhere else: they come by way of the internal topic, whenever.
    others: Vec<&'r Given>,
}

/// Checks every verdict; gives how many there were, and how many could not be judged.
pub fn check(case: &Case, records: &[Given], rules: &Rules) -> (usize, usize) {
    let stories = stories(records);
    let (mut count, mut unjudged) = (0, 0);
    for message in case.read("ringtrace.verdicts") {
        let change: Value = serde_json::from_slice(message.value.as_deref().unwrap()).unwrap();
        let key = CallKey {
            tenant_id: change["tenant_id"].as_str().unwrap().into(),
            call_uuid: change["call_uuid"].as_str().unwrap().parse().unwrap(),
        };
        let story = stories.get(&key).unwrap_or_else(|| panic!("nothing was produced of {change}"));
        count += 1;
        if story.others.len() > MOST_OTHERS {
            unjudged += 1;
        } else {
            assert!(story.justifies(&key, &change, rules), "no prefix of the log justifies {change}");
        }
    }
    (count, unjudged)
}

fn stories(records: &[Given]) -> BTreeMap<CallKey, Story<'_>> {
    let mut stories = BTreeMap::<CallKey, Story<'_>>::new();
    for record in records {
        let Some(value) = record.value.as_deref() else { continue };
        let Ok(event) = Event::parse(value, record.log_at) else { continue };
        let Some(call_uuid) = event.call_uuid else { continue };
        let topic = ["push-events", "call-events"].iter().position(|topic| *topic == record.topic);
        if !if topic.is_some() { event.is_call_event() } else { event.is_forwarded() } {
            continue;
        }
        let home = partition_of(call_uuid.hyphenated().to_string().as_bytes(), SLOTS);
        let story = stories.entry(CallKey { tenant_id: event.tenant_id.as_ref().into(), call_uuid }).or_default();
        match topic.filter(|_| record.partition == Some(home)) {
            Some(topic) => story.home[topic].push(record),
            None => story.others.push(record),
        }
    }
    stories
}

impl Story<'_> {
    fn justifies(&self, key: &CallKey, change: &Value, rules: &Rules) -> bool {
        let log_clock = change["log_clock"].as_i64().unwrap();
        // What has an earlier log time was read before the clock went by it.
        let least = self.home.each_ref().map(|home| home.partition_point(|record| record.log_at < log_clock));
        for pushes in least[0]..=self.home[0].len() {
            for calls in least[1]..=self.home[1].len() {
                let mut prefix = Call::default();
                self.home[0][..pushes]
                    .iter()
                    .chain(&self.home[1][..calls])
                    .for_each(|record| apply(&mut prefix, record));
                for others in 0..1_u32 << self.others.len() {
                    let mut call = prefix.clone();
                    let chosen = self.others.iter().enumerate().filter(|(nth, _)| others >> nth & 1 == 1);
                    chosen.for_each(|(_, record)| apply(&mut call, record));
                    if says(&call, key, change, rules, log_clock) {
                        return true;
                    }
                }
            }
        }
        false
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
