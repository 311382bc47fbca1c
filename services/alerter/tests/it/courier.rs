//! Receivers that work, are down, slow, refuse, or answer rubbish: each is told once, and none delays another.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use hmac::{Hmac, KeyInit, Mac};
use ringtrace_alerter::deliver::{Courier, Ledger, Notice, Wanted};
use ringtrace_alerter::judge::State;
use ringtrace_alerter::rules::{Hidden, Receiver, ReceiverKind, Severity};
use tokio::runtime::Runtime;
use tokio::sync::watch;

use super::server::{Answer, Server};

const OK: Answer = Answer::With(200, "", "");

#[derive(Default)]
struct Book(Mutex<Vec<(String, State)>>);

impl Ledger for Book {
    async fn told(&self, receiver: &str, notice: &Notice) {
        self.0.lock().unwrap().push((receiver.to_owned(), notice.state));
    }
}

fn notice(fingerprint: &str, state: State) -> Notice {
    let labels = [("alertname", "ghost-calls"), ("severity", "page"), ("app_id", "com.<a>"), ("tenant_id", "t")];
    let annotations =
        [("summary", "3 of 4 & more"), ("example_1", "https://x/calls/1?tenant=t"), ("runbook", "Do it.")];
    let owned =
        |pairs: &[(&str, &str)]| pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Notice {
        fingerprint: fingerprint.to_owned(),
        severity: Severity::Page,
        state,
        labels: owned(&labels),
        annotations: owned(&annotations),
        fired_at: 1_795_000_000_000,
        resolved_at: (state == State::Resolved).then_some(1_795_000_060_000),
        link: "https://x/delivery?from=1".to_owned(),
    }
}

fn wanted(notices: &[Notice]) -> Arc<Wanted> {
    Arc::new(notices.iter().map(|notice| (notice.fingerprint.clone(), notice.clone())).collect())
}

fn receiver(name: &str, kind: ReceiverKind, server: &Server) -> Receiver {
    let secret = Some(Hidden::Text("key".to_owned()));
    Receiver { name: name.to_owned(), kind, url: Hidden::Text(server.url.clone()), secret, severities: Vec::new() }
}

/// Couriers at work.
struct Desk {
    runtime: Runtime,
    wanted: watch::Sender<Arc<Wanted>>,
    book: Arc<Book>,
}

impl Desk {
    fn new() -> Desk {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        Desk { runtime, wanted: watch::channel(Arc::default()).0, book: Arc::default() }
    }

    fn hire(&self, receiver: Receiver, told: &[(&str, i64, Option<State>)]) {
        let told: BTreeMap<_, _> = told.iter().map(|(name, at, state)| ((*name).to_owned(), (*at, *state))).collect();
        let courier = Courier::new(receiver, self.wanted.subscribe(), told, Arc::clone(&self.book));
        self.runtime.spawn(courier.run());
    }

    fn want(&self, notices: &[Notice]) {
        self.wanted.send_replace(wanted(notices));
    }
}

#[test]
fn a_webhook_is_told_of_firing_and_of_resolution_once_each_and_signed() {
    let (desk, server) = (Desk::new(), Server::start(&[OK]));
    desk.hire(receiver("hook", ReceiverKind::Webhook, &server), &[]);
    desk.want(&[notice("f1", State::Firing)]);
    server.wait_for(1);
    desk.want(&[notice("f1", State::Firing), notice("f2", State::Firing)]);
    server.wait_for(2);
    desk.want(&[notice("f1", State::Resolved), notice("f2", State::Firing)]);
    let received = server.wait_for(3);
    let said: Vec<_> =
        received.iter().map(|one| (one.body["alerts"][0]["fingerprint"].clone(), one.body["status"].clone())).collect();
    assert_eq!(
        said,
        [("f1".into(), "firing".into()), ("f2".into(), "firing".into()), ("f1".into(), "resolved".into())]
    );
    let body = &received[0].body;
    assert_eq!(
        (&body["version"], &body["receiver"], &body["truncatedAlerts"]),
        (&"4".into(), &"hook".into(), &0.into())
    );
    assert_eq!(body["alerts"][0]["startsAt"], "2026-11-18T11:06:40.000Z");
    assert_eq!(body["alerts"][0]["endsAt"], "0001-01-01T00:00:00Z");
    assert_eq!(body["commonLabels"]["app_id"], "com.<a>");
    assert_eq!(received[2].body["alerts"][0]["endsAt"], "2026-11-18T11:07:40.000Z");
    for one in &received {
        let header = &one.headers.iter().find(|(name, _)| name == "x-ringtrace-signature").unwrap().1;
        let (time, signature) = header.strip_prefix("t=").unwrap().split_once(",v1=").unwrap();
        let mut mac = Hmac::<sha2::Sha256>::new_from_slice(b"key").unwrap();
        mac.update(format!("{time}.{}", one.text).as_bytes());
        let expected: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(signature, expected);
    }
}

#[test]
fn slack_and_pagerduty_are_spoken_to_as_they_document() {
    let desk = Desk::new();
    let slack = Server::start(&[Answer::With(200, "", "ok")]);
    let pagerduty =
        Server::start(&[Answer::With(202, "", r#"{"status":"success","message":"Event processed","dedup_key":"f1"}"#)]);
    desk.hire(receiver("slack", ReceiverKind::Slack, &slack), &[]);
    desk.hire(receiver("pagerduty", ReceiverKind::PagerDuty, &pagerduty), &[]);
    desk.want(&[notice("f1", State::Firing)]);
    let said = slack.wait_for(1)[0].body["blocks"][0]["text"]["text"].as_str().unwrap().to_owned();
    assert!(said.contains("*ghost-calls: com.&lt;a&gt;* (page)\n3 of 4 &amp; more"), "{said}");
    assert!(said.contains("<https://x/calls/1?tenant=t|call 1>"), "{said}");
    let event = &pagerduty.wait_for(1)[0].body;
    assert_eq!(event["routing_key"], "key");
    assert_eq!((&event["event_action"], &event["dedup_key"]), (&"trigger".into(), &"f1".into()));
    assert_eq!((&event["payload"]["severity"], &event["payload"]["source"]), (&"critical".into(), &"ringtrace".into()));
    assert_eq!(event["links"][1]["href"], "https://x/calls/1?tenant=t");
    desk.want(&[notice("f1", State::Resolved)]);
    let event = pagerduty.wait_for(2)[1].body.clone();
    assert_eq!((&event["event_action"], &event["dedup_key"]), (&"resolve".into(), &"f1".into()));
    assert!(slack.wait_for(2)[1].body["text"].as_str().unwrap().ends_with("(resolved)"));
}

#[test]
fn alertmanager_is_sent_all_that_is_current_at_once() {
    let (desk, server) = (Desk::new(), Server::start(&[OK]));
    desk.hire(receiver("am", ReceiverKind::Alertmanager, &server), &[]);
    desk.want(&[notice("f1", State::Firing), notice("f2", State::Resolved)]);
    let received = server.wait_for(1);
    assert_eq!(received[0].path, "/hook/api/v2/alerts");
    let alerts = received[0].body.as_array().unwrap();
    assert_eq!(alerts.len(), 1, "what was resolved long ago is not repeated");
    assert_eq!(alerts[0]["labels"]["alertname"], "ghost-calls");
    assert!(alerts[0]["endsAt"].as_str().unwrap() > alerts[0]["startsAt"].as_str().unwrap());
}

#[test]
fn a_receiver_that_fails_is_told_later_and_delays_no_other() {
    let desk = Desk::new();
    let down = Server::start(&[
        Answer::With(503, "", "no"),
        Answer::Rubbish,
        Answer::With(429, "retry-after: 1\r\n", ""),
        Answer::With(200, "", "<html>a captive portal</html>"),
        Answer::With(200, "", "ok"),
    ]);
    let (silent, well) = (Server::start(&[Answer::Never]), Server::start(&[OK]));
    desk.hire(receiver("silent", ReceiverKind::Webhook, &silent), &[]);
    desk.hire(receiver("down", ReceiverKind::Slack, &down), &[]);
    desk.hire(receiver("well", ReceiverKind::Webhook, &well), &[]);
    desk.want(&[notice("f1", State::Firing)]);
    well.wait_for(1);
    assert!(down.received().len() < 5, "the one that works does not wait for the others");
    silent.wait_for(1);
    down.wait_for(5);
    desk.want(&[notice("f1", State::Resolved)]);
    well.wait_for(2);
    down.wait_for(6);
    let told = desk.book.0.lock().unwrap().clone();
    let of = |name: &str| told.iter().filter(|(held, _)| held == name).map(|(_, state)| *state).collect::<Vec<_>>();
    assert_eq!(of("well"), [State::Firing, State::Resolved]);
    assert_eq!(of("down").first(), Some(&State::Firing));
    assert_eq!(of("silent"), []);
}

#[test]
fn an_alert_that_is_refused_for_good_does_not_hold_up_the_others() {
    let desk = Desk::new();
    let server = Server::start(&[Answer::With(400, "", "invalid_payload"), Answer::With(200, "", "ok")]);
    desk.hire(receiver("slack", ReceiverKind::Slack, &server), &[]);
    desk.want(&[notice("f1", State::Firing), notice("f2", State::Firing)]);
    server.wait_for(2);
}

#[test]
fn a_restart_neither_tells_again_nor_forgets() {
    let fired_at = notice("", State::Firing).fired_at;
    let (desk, server) = (Desk::new(), Server::start(&[OK]));
    // Told; told of an earlier episode; owed, and over meanwhile; resolved before this receiver was there.
    let told = [("f1", fired_at, Some(State::Firing)), ("f2", 1, Some(State::Resolved)), ("f3", fired_at, None)];
    desk.hire(receiver("hook", ReceiverKind::Webhook, &server), &told);
    desk.want(&[
        notice("f1", State::Firing),
        notice("f2", State::Firing),
        notice("f3", State::Resolved),
        notice("f4", State::Resolved),
    ]);
    let received = server.wait_for(3);
    let said = received.iter().map(|one| {
        let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
        (text(&one.body["alerts"][0]["fingerprint"]), text(&one.body["status"]))
    });
    let mut said: Vec<_> = said.collect();
    said.sort();
    let expected = [("f2", "firing"), ("f3", "firing"), ("f3", "resolved")];
    assert_eq!(said, expected.map(|(name, status)| (name.to_owned(), status.to_owned())));
}
