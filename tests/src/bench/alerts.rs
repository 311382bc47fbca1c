//! How long it takes from the deciding event in Kafka to the page at a webhook: real Kafka, linker, ClickHouse and alerter, as they
//! are set by default.

use std::collections::BTreeMap;
use std::fs;
use std::time::{Duration, Instant};

use ringtrace_kit::clock;
use serde_json::{Value, json};

use crate::stack::{Case, Given, Hook, Running, data, get, stack, topic_of, wait_for};

/// Partitions of each topic, as `ringtrace migrate` makes them by default.
const PARTITIONS: i32 = 6;

/// The rules whose pages are timed, each decided by a confirmed violation.
pub const RULES: [&str; 2] = ["push-without-call-new-version", "push-without-call-fast"];

/// Pushes of an app that are answered well before the violations that page.
const WELL: u32 = 40;

/// Violations before the one that makes a burn rate page.
const VIOLATIONS: u32 = 4;

/// How long before now an app's first version was there, in milliseconds: another one is new.
const LONG_AGO_MS: i64 = 2 * 3_600_000;

/// How far apart deciding events are, in time. No multiple of a second, so that they meet every phase of the evaluations.
const APART: Duration = Duration::from_millis(1_370);

/// Everything that stands between an event and a page.
pub struct Line {
    case: Case,
    hook: Hook,
    /// Killed when this is dropped.
    _services: [Running; 2],
}

impl Line {
    /// Starts it, and waits until the alerter evaluates.
    ///
    /// # Panics
    /// When something does not start.
    pub fn start() -> Line {
        let case = Case::stamped(stack().clone(), "bench-alerts", PARTITIONS);
        let hook = Hook::start();
        let rules = data("bench-alerts-rules.toml");
        let text = format!("[[receiver]]\nname = \"hook\"\nkind = \"webhook\"\nurl = \"{}\"\n", hook.url);
        fs::write(&rules, text).expect("target/ can be written");
        let listen = format!("127.0.0.1:{}", crate::stack::free_port());
        let settings = [
            ("RINGTRACE_ALERT_RULES", rules.display().to_string()),
            ("RINGTRACE_ALERT_GROUP", format!("{}-alerter", case.group())),
            ("RINGTRACE_HTTP_LISTEN", listen.clone()),
        ];
        let settings = settings.map(|(name, value)| (name.to_owned(), value));
        let services = [case.start_as("link", "linker", &[]), case.start_as("alert", "alerter", &settings)];
        wait_for("the alerter", || get(&listen, "/metrics").contains("ringtrace_alert_evaluations_total"));
        Line { case, hook, _services: services }
    }

    /// Has as many apps as asked for page once by each rule; how long each page took, by rule.
    ///
    /// # Panics
    /// When a page does not come.
    pub fn measure(&self, apps: u32) -> BTreeMap<&'static str, Vec<Duration>> {
        self.prepare(apps);
        let seconds = apps * VIOLATIONS * APART.as_millis() as u32 / 1_000;
        eprintln!("{apps} apps, {VIOLATIONS} violations each: {seconds} s, and the wait for the last page");
        let mut acknowledged: BTreeMap<(&str, String), Instant> = BTreeMap::new();
        let mut last = Instant::now();
        for app in 0..apps {
            for nth in 0..VIOLATIONS {
                let push = Push { app, nth: WELL + nth, at: clock::wall_ms() - 1_000, version: "1.1.0" };
                self.case.write(&push.received());
                let is_due = || last.elapsed() >= APART;
                wait_for("the next violation's turn", is_due);
                self.case.write(&[push.event("push.handler_returned", 20, &json!({ "reported": false }))]);
                last = Instant::now();
                let rule =
                    if nth == 0 { Some(RULES[0]) } else { RULES.get(1).copied().filter(|_| nth + 1 == VIOLATIONS) };
                if let Some(rule) = rule {
                    acknowledged.insert((rule, app_id(app)), last);
                }
            }
            let paged = self.hook.timed().iter().filter(|(_, page)| is_timed(page)).count();
            eprintln!("{} of {apps} apps have their violations, {paged} of {} pages came", app + 1, acknowledged.len());
        }
        wait_for("all pages", || {
            self.hook.timed().iter().filter(|(_, page)| is_timed(page)).count() >= acknowledged.len()
        });
        let mut took: BTreeMap<&'static str, Vec<Duration>> = BTreeMap::new();
        for (at, page) in self.hook.timed().iter().filter(|(_, page)| is_timed(page)) {
            let labels = &page["commonLabels"];
            let text = |name: &str| labels[name].as_str().unwrap_or_default();
            let rule = RULES.into_iter().find(|rule| *rule == text("alertname")).unwrap_or_default();
            if let Some(sent) = acknowledged.get(&(rule, text("app_id").to_owned())) {
                took.entry(rule).or_default().push(at.saturating_duration_since(*sent));
            }
        }
        took
    }

    /// Apps whose first version was there long ago, and whose second one has made its reports so far.
    fn prepare(&self, apps: u32) {
        let now = clock::wall_ms();
        for app in 0..apps {
            let first = Push { app, nth: WELL + VIOLATIONS, at: now - LONG_AGO_MS, version: "1.0.0" };
            let well = (0..WELL).map(|nth| Push { app, nth, at: now - 60_000 - i64::from(nth), version: "1.1.0" });
            let records: Vec<Given> = [first].into_iter().chain(well).flat_map(|push| push.reported()).collect();
            self.case.write(&records);
        }
        let expected = i64::from(apps * (WELL + 1));
        wait_for("legs in ClickHouse", || {
            self.case.number("SELECT toInt64(count()) FROM legs WHERE verdict = 'reported'") == expected
        });
    }
}

fn is_timed(page: &Value) -> bool {
    page["status"] == "firing" && page["commonLabels"]["alertname"].as_str().is_some_and(|name| RULES.contains(&name))
}

fn app_id(app: u32) -> String {
    format!("com.example.app{app}")
}

/// A push to a device that wakes an app in the background.
struct Push {
    app: u32,
    nth: u32,
    /// When it was sent, in milliseconds since the Unix epoch.
    at: i64,
    version: &'static str,
}

impl Push {
    fn received(&self) -> Vec<Given> {
        vec![
            self.event("push.sent", 0, &json!({ "channel": "apns_voip" })),
            self.event("push.accepted", 5, &json!({ "status": 200 })),
            self.event("push.received", 10, &json!({ "app_state": "not_running" })),
        ]
    }

    fn reported(&self) -> Vec<Given> {
        let mut records = self.received();
        records.push(self.event("call.reported", 20, &json!({ "ui": "callkit" })));
        records.push(self.event("call.declined", 2_000, &json!({})));
        records
    }

    fn event(&self, kind: &str, after_ms: i64, more: &Value) -> Given {
        let Push { app, nth, at, version } = self;
        let call = format!("00000000-0000-4000-8000-{app:06}{nth:06}");
        let mut value = json!({ "event_id": format!("{kind}-{app}-{nth}"), "kind": kind, "occurred_at": at + after_ms,
            "app_id": app_id(*app), "call_uuid": call, "device_id": format!("iphone-{app}-{nth}"), "platform": "ios",
            "os_version": "26.5", "app_version": version, "build_channel": "app_store", "push_id": format!("p{app}-{nth}") });
        let (fields, more) = (value.as_object_mut(), more.as_object().cloned());
        fields.into_iter().for_each(|fields| fields.extend(more.clone().unwrap_or_default()));
        Given {
            topic: topic_of(kind).to_owned(),
            key: Some(call.into_bytes()),
            value: Some(value.to_string().into_bytes()),
            log_at: clock::wall_ms(),
            ..Given::default()
        }
    }
}
