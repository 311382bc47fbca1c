//! The facts of a file of events, folded by `ringtrace-model` as log time goes on.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::convert::Infallible;

use ringtrace_model::{CallKey, Event, Kind, Known};

use crate::device::{DeviceFact, DeviceHistory, Sight};
use crate::fact::{Arrival, Call, Dim, Leg};
use crate::judge::{Credential, DeadLetters, Loss, Source, Versions};
use crate::query::{EXAMPLES, Example, Group, Measure, Query, Span, Table};
use crate::stats::Count;

/// How far back carriers of devices are looked up, in milliseconds.
const DAY_MS: i64 = 86_400_000;

/// A call with what rules see of it.
#[derive(Default)]
struct Held {
    call: Box<ringtrace_model::Call>,
    legs: Vec<Leg>,
    row: Option<Call>,
}

/// What a device said beside its calls.
struct Said {
    tenant_id: String,
    app_id: String,
    device_id: String,
    at: i64,
    sight: Sight,
}

/// See the module's text.
#[derive(Default)]
pub struct Memory {
    calls: HashMap<CallKey, Held>,
    changed: BTreeSet<CallKey>,
    /// When a call changes by itself.
    timers: BTreeMap<i64, BTreeSet<CallKey>>,
    /// Events of calls, each once, as in `events`.
    arrivals: Vec<Arrival>,
    seen: HashSet<(String, u64)>,
    dead: Vec<(String, String, i64)>,
    said: Vec<Said>,
    /// Corrected time at which the app of a call and device was terminated.
    terminated: BTreeMap<(String, String), i64>,
    credentials: BTreeMap<(String, String, String), (i64, i64)>,
    rules: ringtrace_model::Rules,
}

impl Memory {
    /// Takes an event in, at its log time. Events come in the order of their log times.
    pub fn take(&mut self, event: &Event<'_>, log_at: i64) {
        let is_new = self.seen.insert((event.event_id.to_string(), event.contents));
        if is_new && event.is_call_event() {
            let (tenant_id, app_id) = (event.tenant_id.to_string(), event.app_id.to_string());
            self.arrivals.push(Arrival { tenant_id, app_id, log_at, late_ms: log_at - event.corrected_at() });
        }
        self.take_device(event, log_at);
        if let Some(call_uuid) = event.call_uuid {
            let key = CallKey { tenant_id: event.tenant_id.as_ref().into(), call_uuid };
            if self.calls.entry(key.clone()).or_default().call.apply(event, log_at) {
                self.changed.insert(key);
            }
        }
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
        if let (Known::AppTerminated, Some(call_uuid)) = (known, event.call_uuid) {
            let key = (call_uuid.hyphenated().to_string(), device_id.to_owned());
            self.terminated.insert(key, event.corrected_at());
        }
        let sight = match known {
            Known::AppLaunched if attributes()["reason"] == "install" => Sight::Reinstalled,
            Known::AppLaunched | Known::SdkHeartbeat | Known::PermissionSnapshot | Known::CallDirectoryStatus => {
                Sight::Alive
            }
            _ => return,
        };
        self.said.push(Said {
            tenant_id: event.tenant_id.to_string(),
            app_id: event.app_id.to_string(),
            device_id: device_id.to_owned(),
            at: event.corrected_at(),
            sight,
        });
    }

    /// Lets log time go on to `now`: calls that have changed, or change by then, are judged again.
    pub fn advance(&mut self, now: i64) {
        let later = self.timers.split_off(&(now + 1));
        let due = std::mem::replace(&mut self.timers, later);
        let mut keys = std::mem::take(&mut self.changed);
        keys.extend(due.into_values().flatten());
        for key in keys {
            let Some(held) = self.calls.get_mut(&key) else { continue };
            let Some(evaluation) = held.call.evaluate(&key, &self.rules, now) else { continue };
            held.legs = evaluation.legs.iter().filter_map(Leg::of).collect();
            held.row = Some(Call::of(&evaluation.call));
            if let Some(at) = evaluation.next_change_at {
                self.timers.entry(at).or_default().insert(key);
            }
        }
    }

    /// Every leg with its time, in no order.
    fn legs(&self) -> impl Iterator<Item = &Leg> {
        self.calls.values().flat_map(|held| &held.legs)
    }

    /// Everything that a query's measure counts: group, time, whether it is bad, and the example that it would be.
    fn each(&self, query: &Query, mut take: impl FnMut(Vec<String>, i64, bool, Example)) {
        let Query { measure, now, .. } = *query;
        let of_call = |tenant: &str, app: &str| {
            let value = |dim: &Dim| if *dim == Dim::Tenant { tenant.to_owned() } else { app.to_owned() };
            query.group_by.iter().map(value).collect::<Vec<String>>()
        };
        let is_asked = |at: i64| query.spans.iter().any(|span| span.holds(at));
        match measure.table() {
            Table::Legs => {
                for leg in self.legs().filter(|leg| is_asked(leg.started_at)) {
                    let Some(is_bad) = measure.of_leg(leg, now) else { continue };
                    let values = query.group_by.iter().map(|dim| leg.dim(*dim).to_owned()).collect();
                    let (call_uuid, device_id) = (leg.call_uuid.clone(), leg.device_id.clone());
                    take(values, leg.started_at, is_bad, Example { call_uuid, device_id, at: leg.started_at });
                }
            }
            Table::Calls => {
                let calls = self.calls.values().filter_map(|held| held.row.as_ref());
                for call in calls.filter(|call| is_asked(call.started_at)) {
                    let Some(is_bad) = measure.of_call(call, now) else { continue };
                    let example =
                        Example { call_uuid: call.call_uuid.clone(), device_id: String::new(), at: call.started_at };
                    take(of_call(&call.tenant_id, &call.app_id), call.started_at, is_bad, example);
                }
            }
            Table::Events => {
                for arrival in self.arrivals.iter().filter(|arrival| is_asked(arrival.log_at)) {
                    let Some(is_bad) = measure.of_arrival(arrival) else { continue };
                    let example = Example { call_uuid: String::new(), device_id: String::new(), at: arrival.log_at };
                    take(of_call(&arrival.tenant_id, &arrival.app_id), arrival.log_at, is_bad, example);
                }
            }
        }
    }
}

impl Source for Memory {
    type Error = Infallible;

    async fn counts(&self, query: &Query) -> Result<Vec<Group>, Infallible> {
        let mut groups: BTreeMap<Vec<String>, Vec<Count>> = BTreeMap::new();
        self.each(query, |values, at, is_bad, _| {
            let counts = groups.entry(values).or_insert_with(|| vec![Count::default(); query.spans.len()]);
            for (count, span) in counts.iter_mut().zip(&query.spans) {
                if span.holds(at) {
                    count.add(is_bad);
                }
            }
        });
        Ok(groups.into_iter().map(|(values, counts)| Group { values, counts }).collect())
    }

    async fn examples(&self, query: &Query, values: &[String]) -> Result<Vec<Example>, Infallible> {
        let mut examples = Vec::new();
        let span = query.spans.first().copied();
        self.each(query, |of, at, is_bad, example| {
            if is_bad && of == values && !example.call_uuid.is_empty() && span.is_some_and(|span| span.holds(at)) {
                examples.push(example);
            }
        });
        examples.sort_by(|a, b| (b.at, &a.call_uuid, &a.device_id).cmp(&(a.at, &b.call_uuid, &b.device_id)));
        examples.truncate(EXAMPLES);
        Ok(examples)
    }

    async fn versions(&self, _now: i64) -> Result<Versions, Infallible> {
        let mut versions = Versions::default();
        for leg in self.legs() {
            let name = |dim| leg.dim(dim).to_owned();
            versions.add(name(Dim::Tenant), name(Dim::App), name(Dim::AppVersion), leg.started_at);
        }
        Ok(versions)
    }

    async fn devices(&self, span: Span) -> Result<Vec<DeviceHistory>, Infallible> {
        let mut devices: BTreeMap<(String, String, String), DeviceHistory> = BTreeMap::new();
        for leg in self.legs().filter(|leg| span.holds(leg.started_at)) {
            let terminated_at = self.terminated.get(&(leg.call_uuid.clone(), leg.device_id.clone())).copied();
            let Some(fact) = DeviceFact::of_leg(leg, terminated_at) else { continue };
            let key = (leg.dim(Dim::Tenant).to_owned(), leg.dim(Dim::App).to_owned(), leg.device_id.clone());
            let device = devices.entry(key).or_insert_with(|| DeviceHistory::of(leg));
            device.learn(leg);
            device.facts.push(fact);
        }
        for said in self.said.iter().filter(|said| span.holds(said.at)) {
            let key = (said.tenant_id.clone(), said.app_id.clone(), said.device_id.clone());
            if let Some(device) = devices.get_mut(&key) {
                device.facts.push(DeviceFact { at: said.at, sight: said.sight, call_uuid: String::new() });
            }
        }
        Ok(devices.into_values().filter(DeviceHistory::has_strike).collect())
    }

    async fn losses(&self, span: Span, now: i64) -> Result<Vec<Loss>, Infallible> {
        let known = Span::before(now, DAY_MS);
        let mut devices: BTreeMap<(&str, &str, &str), (DeviceHistory, Count)> = BTreeMap::new();
        for leg in self.legs().filter(|leg| known.holds(leg.started_at)) {
            let key = (leg.dim(Dim::Tenant), leg.dim(Dim::App), leg.device_id.as_str());
            let (device, count) = devices.entry(key).or_insert_with(|| (DeviceHistory::of(leg), Count::default()));
            device.learn(leg);
            if let Some(is_bad) = Measure::Missing.of_leg(leg, now).filter(|_| span.holds(leg.started_at)) {
                count.add(is_bad);
            }
        }
        let losses = devices.into_values().map(|(device, count)| Loss {
            tenant_id: device.tenant_id,
            app_id: device.app_id,
            carrier: device.carrier,
            os_major: device.os_major,
            count,
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
        let good = self.arrivals.iter().map(|arrival| (&arrival.tenant_id, &arrival.app_id, arrival.log_at, false));
        let dead = self.dead.iter().map(|(tenant, app, log_at)| (tenant, app, *log_at, true));
        for (tenant, app, log_at, is_dead) in good.chain(dead) {
            if span.holds(log_at) {
                apps.entry((tenant.clone(), app.clone())).or_default().add(is_dead);
            }
        }
        let letters = apps.into_iter();
        Ok(letters.map(|((tenant_id, app_id), count)| DeadLetters { tenant_id, app_id, count }).collect())
    }
}
