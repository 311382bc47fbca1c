//! The facts of a file of events, folded by `ringtrace-model` as log time goes on.

mod calls;
mod devices;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::convert::Infallible;
use std::hash::{DefaultHasher, Hash, Hasher};

use ringtrace_model::{Event, Kind, Known};

use crate::device::{DeviceHistory, Sight};
use crate::fact::{Arrival, Dim, Leg};
use crate::judge::{Credential, DeadLetters, Loss, Source, Versions};
use crate::query::{EXAMPLES, Example, Group, Measure, Query, Span, Table, known};
use crate::stats::Count;
use calls::Calls;
use devices::Devices;

const DAY_MS: i64 = 86_400_000;

/// See the module's text.
#[derive(Default)]
pub struct Memory {
    calls: Calls,
    devices: Devices,
    /// Tenants and apps of events.
    apps: Vec<(String, String)>,
    app_places: HashMap<(String, String), usize>,
    /// Events of calls, each once, as in `events`; by log time.
    arrivals: Vec<Arrived>,
    /// Events of this day and of the one before, so that those that come again are not counted again.
    seen: [HashSet<(u64, u64)>; 2],
    seen_since: i64,
    dead: Vec<(String, String, i64)>,
    credentials: BTreeMap<(String, String, String), (i64, i64)>,
    versions: Versions,
    settle_after_ms: Option<i64>,
}

struct Arrived {
    app: usize,
    log_at: i64,
    late_ms: i64,
}

impl Memory {
    /// One that does not fold calls any more that have not changed for so many milliseconds: it needs about 5 KB for a call
    /// before that, and 1 KB after it. What comes later for such a call is not seen.
    pub fn settling(after_ms: i64) -> Memory {
        Memory { settle_after_ms: Some(after_ms), ..Memory::default() }
    }

    /// Takes an event in, at its log time. Events come in the order of their log times.
    pub fn take(&mut self, event: &Event<'_>, log_at: i64) {
        if event.is_call_event() && self.is_new(event, log_at) {
            let app = self.app(event);
            self.arrivals.push(Arrived { app, log_at, late_ms: log_at - event.corrected_at() });
        }
        self.take_device(event, log_at);
        let is_end = event.kind == Kind::Known(Known::AppTerminated);
        self.calls.take(event, is_end.then(|| event.corrected_at()), log_at);
    }

    fn is_new(&mut self, event: &Event<'_>, log_at: i64) -> bool {
        if log_at - self.seen_since > DAY_MS {
            self.seen_since = log_at;
            self.seen.swap(0, 1);
            self.seen[0].clear();
        }
        let mut hasher = DefaultHasher::new();
        event.event_id.hash(&mut hasher);
        let name = (hasher.finish(), event.contents);
        !self.seen[1].contains(&name) && self.seen[0].insert(name)
    }

    fn app(&mut self, event: &Event<'_>) -> usize {
        let key = (event.tenant_id.to_string(), event.app_id.to_string());
        let next = self.apps.len();
        let place = *self.app_places.entry(key.clone()).or_insert(next);
        if place == next {
            self.apps.push(key);
        }
        place
    }

    /// Takes note of a record that is no valid event; tenant and app are empty where it doesn't say.
    pub fn take_dead(&mut self, tenant_id: &str, app_id: &str, log_at: i64) {
        self.dead.push((tenant_id.to_owned(), app_id.to_owned(), log_at));
    }

    fn take_device(&mut self, event: &Event<'_>, log_at: i64) {
        let Kind::Known(known) = event.kind else { return };
        let attributes = || serde_json::from_str::<serde_json::Value>(&event.attributes).unwrap_or_default();
        if known == Known::CredentialStatus {
            let attributes = attributes();
            let name = attributes["credential"].as_str().unwrap_or_default().to_owned();
            let key = (event.tenant_id.to_string(), event.app_id.to_string(), name);
            if let Some(days) = attributes["expires_in_days"].as_i64() {
                self.credentials.insert(key, (log_at, days));
            }
            return;
        }
        let Some(device_id) = event.device_id.as_deref() else { return };
        let sight = match known {
            Known::AppLaunched if attributes()["reason"] == "install" => Sight::Reinstalled,
            Known::AppLaunched | Known::SdkHeartbeat | Known::PermissionSnapshot | Known::CallDirectoryStatus => {
                Sight::Alive
            }
            _ => return,
        };
        let key = [event.tenant_id.as_ref(), event.app_id.as_ref(), device_id].map(str::to_owned);
        self.devices.say(key, event.corrected_at(), sight);
    }

    /// Lets log time go on to `now`: calls that have changed, or change by then, are judged again.
    pub fn advance(&mut self, now: i64) {
        self.calls.advance(now, &mut self.devices, &mut self.versions);
        if let Some(after_ms) = self.settle_after_ms {
            self.calls.settle(now - after_ms);
        }
    }

    /// Everything that a query's measure counts: group, time, whether it is bad, and the example that it would be.
    fn each<'m>(&'m self, query: &Query, mut take: impl FnMut(&[&'m str], i64, bool, &dyn Fn() -> Option<Example>)) {
        let Query { measure, now, .. } = *query;
        let mut values: Vec<&str> = Vec::with_capacity(query.group_by.len());
        let of_call = |dim: &Dim, tenant: &'m str, app: &'m str| if *dim == Dim::Tenant { tenant } else { app };
        match measure.table() {
            Table::Legs => {
                for (leg, _) in self.calls.legs_in(&query.spans) {
                    let Some(is_bad) = measure.of_leg(leg, now) else { continue };
                    values.clear();
                    values.extend(query.group_by.iter().map(|dim| leg.dim(*dim)));
                    take(&values, leg.started_at, is_bad, &|| Some(example(leg)));
                }
            }
            Table::Calls => {
                for call in self.calls.calls_in(&query.spans) {
                    let Some(is_bad) = measure.of_call(call, now) else { continue };
                    values.clear();
                    values.extend(query.group_by.iter().map(|dim| of_call(dim, &call.tenant_id, &call.app_id)));
                    let example = || {
                        let call_uuid = call.call_uuid.clone();
                        Some(Example { call_uuid, device_id: String::new(), at: call.started_at })
                    };
                    take(&values, call.started_at, is_bad, &example);
                }
            }
            Table::Events => {
                for (arrived, (tenant, app)) in self.arrived(&query.spans) {
                    let late_ms = arrived.late_ms;
                    let arrival = Arrival { log_at: arrived.log_at, late_ms };
                    let Some(is_bad) = measure.of_arrival(&arrival) else { continue };
                    values.clear();
                    values.extend(query.group_by.iter().map(|dim| of_call(dim, tenant, app)));
                    take(&values, arrived.log_at, is_bad, &|| None);
                }
            }
        }
    }

    /// Events that came to the log in one of the spans, with tenant and app.
    fn arrived<'m>(&'m self, spans: &[Span]) -> impl Iterator<Item = (&'m Arrived, &'m (String, String))> {
        let from = spans.iter().map(|span| span.from).min().unwrap_or_default();
        let first = self.arrivals.partition_point(|arrived| arrived.log_at < from);
        let arrived = self.arrivals.get(first..).unwrap_or_default().iter();
        let arrived = arrived.filter(|arrived| spans.iter().any(|span| span.holds(arrived.log_at)));
        arrived.filter_map(|arrived| Some((arrived, self.apps.get(arrived.app)?)))
    }
}

fn example(leg: &Leg) -> Example {
    Example { call_uuid: leg.call_uuid.clone(), device_id: leg.device_id.clone(), at: leg.started_at }
}

/// The examples that an alert carries.
fn newest(mut examples: Vec<Example>) -> Vec<Example> {
    examples.sort_by(|a, b| (b.at, &a.call_uuid, &a.device_id).cmp(&(a.at, &b.call_uuid, &b.device_id)));
    examples.truncate(EXAMPLES);
    examples
}

impl Source for Memory {
    type Error = Infallible;

    async fn counts(&self, query: &Query) -> Result<Vec<Group>, Infallible> {
        let mut groups: BTreeMap<Vec<&str>, Vec<Count>> = BTreeMap::new();
        self.each(query, |values, at, is_bad, _| {
            if !groups.contains_key(values) {
                groups.insert(values.to_vec(), vec![Count::default(); query.spans.len()]);
            }
            let counts = groups.get_mut(values).into_iter().flatten();
            for (count, span) in counts.zip(&query.spans) {
                if span.holds(at) {
                    count.add(is_bad);
                }
            }
        });
        let owned = |values: Vec<&str>| values.into_iter().map(str::to_owned).collect();
        Ok(groups.into_iter().map(|(values, counts)| Group { values: owned(values), counts }).collect())
    }

    async fn missed(&self, span: Span, now: i64, carrier: &[String; 3]) -> Result<Vec<Example>, Infallible> {
        let (spans, known) = ([span], known(span, now));
        let is_of = |device| {
            let device = self.devices.history(device, &self.calls, known, false);
            device.is_some_and(|device| [device.tenant_id, device.app_id, device.carrier] == *carrier)
        };
        let missed = self
            .calls
            .legs_in(&spans)
            .filter(|(leg, device)| Measure::Missing.of_leg(leg, now) == Some(true) && is_of(*device));
        Ok(newest(missed.map(|(leg, _)| example(leg)).collect()))
    }

    async fn examples(&self, query: &Query, values: &[String]) -> Result<Vec<Example>, Infallible> {
        let mut examples = Vec::new();
        let spans = query.spans.first().copied().into_iter().collect();
        self.each(&Query { spans, ..query.clone() }, |of, _, is_bad, example| {
            if is_bad && of == values {
                examples.extend(example());
            }
        });
        Ok(newest(examples))
    }

    async fn versions(&self, _now: i64) -> Result<Versions, Infallible> {
        Ok(self.versions.clone())
    }

    async fn devices(&self, span: Span) -> Result<Vec<DeviceHistory>, Infallible> {
        Ok(self.devices.struck(&self.calls, span))
    }

    async fn losses(&self, span: Span, now: i64) -> Result<Vec<Loss>, Infallible> {
        let mut devices: BTreeMap<usize, Count> = BTreeMap::new();
        for (leg, device) in self.calls.legs_in(&[span]) {
            if let Some(is_bad) = Measure::Missing.of_leg(leg, now) {
                devices.entry(device).or_default().add(is_bad);
            }
        }
        let known = known(span, now);
        let losses = devices.into_iter().filter_map(|(device, count)| {
            let device = self.devices.history(device, &self.calls, known, false)?;
            let DeviceHistory { tenant_id, app_id, carrier, os_major, .. } = device;
            Some(Loss { tenant_id, app_id, carrier, os_major, count })
        });
        Ok(losses.collect())
    }

    async fn credentials(&self, span: Span) -> Result<Vec<Credential>, Infallible> {
        let held = self.credentials.iter().filter(|(_, (log_at, _))| span.holds(*log_at));
        let credentials = held.map(|((tenant, app, name), (_, days))| Credential {
            tenant_id: tenant.clone(),
            app_id: app.clone(),
            credential: name.clone(),
            expires_in_days: *days,
        });
        Ok(credentials.collect())
    }

    async fn dead_letters(&self, span: Span) -> Result<Vec<DeadLetters>, Infallible> {
        let mut apps: BTreeMap<(String, String), Count> = BTreeMap::new();
        let spans = [span];
        let good = self.arrived(&spans).map(|(_, (tenant, app))| (tenant, app, false));
        let dead = self.dead.iter().filter(|(_, _, log_at)| span.holds(*log_at));
        let dead = dead.map(|(tenant, app, _)| (tenant, app, true));
        for (tenant, app, is_dead) in good.chain(dead) {
            apps.entry((tenant.clone(), app.clone())).or_default().add(is_dead);
        }
        let letters = apps.into_iter();
        Ok(letters.map(|((tenant_id, app_id), count)| DeadLetters { tenant_id, app_id, count }).collect())
    }
}
