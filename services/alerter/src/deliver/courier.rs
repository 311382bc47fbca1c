//! One receiver's task: compares what it should know with what it was told, and tells it the difference until it has taken it.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use metrics::counter;
use reqwest::Client;
use ringtrace_kit::backoff::Backoff;
use ringtrace_kit::clock;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::exchange::{DeliveryError, post};
use super::notice::Notice;
use super::{alertmanager, pagerduty, slack, webhook};
use crate::judge::State;
use crate::rules::{Receiver, ReceiverKind};

/// How often Alertmanager is sent what it knows already: it forgets what is not repeated.
const REPEAT: Duration = Duration::from_secs(60);

/// Waits after failures: the first, and the longest.
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(300);

/// The alerts of the board that people are told, by fingerprint.
pub type Wanted = BTreeMap<String, Notice>;

/// Where it is written down what a receiver was told, so that a restart neither tells twice nor forgets.
pub trait Ledger: Send + Sync + 'static {
    /// Writes down that a receiver was told. A failure means at most that it is told again after a restart.
    fn told(&self, receiver: &str, notice: &Notice) -> impl Future<Output = ()> + Send;
}

/// See the module's text.
pub struct Courier<L> {
    receiver: Receiver,
    client: Client,
    wanted: watch::Receiver<Arc<Wanted>>,
    /// What the receiver was told of each alert: when it fired, and the state; `None` is owed.
    told: BTreeMap<String, (i64, Option<State>)>,
    waits: BTreeMap<String, (Instant, Backoff)>,
    ledger: Arc<L>,
}

impl<L: Ledger> Courier<L> {
    /// For a receiver that was told some already.
    pub fn new(
        receiver: Receiver,
        wanted: watch::Receiver<Arc<Wanted>>,
        told: BTreeMap<String, (i64, Option<State>)>,
        ledger: Arc<L>,
    ) -> Self {
        Courier { receiver, client: Client::new(), wanted, told, waits: BTreeMap::new(), ledger }
    }

    /// Delivers until nobody wants anything any more.
    pub async fn run(mut self) {
        loop {
            let wanted = Arc::clone(&self.wanted.borrow_and_update());
            let next = match self.receiver.kind {
                ReceiverKind::Alertmanager => self.repeat(&wanted).await,
                _ => self.tell_all(&wanted).await,
            };
            let is_over = tokio::select! {
                changed = self.wanted.changed() => changed.is_err(),
                () = sleep_until(next) => false,
            };
            if is_over {
                return;
            }
        }
    }

    fn is_for(&self, notice: &Notice) -> bool {
        self.receiver.is_for(notice.severity)
    }

    /// Sends Alertmanager everything; when to do so again.
    async fn repeat(&mut self, wanted: &Wanted) -> Instant {
        let wall = clock::wall_ms();
        let current = wanted.values().filter(|notice| self.is_for(notice) && alertmanager::is_current(notice, wall));
        let current: Vec<&Notice> = current.collect();
        if !current.is_empty()
            && let Err(error) = self.send_alertmanager(&current, wall).await
        {
            return self.note_failure("", &error);
        }
        self.waits.clear();
        Instant::now() + REPEAT
    }

    async fn send_alertmanager(&self, notices: &[&Notice], wall: i64) -> Result<(), DeliveryError> {
        let url = self.receiver.url.read().map_err(DeliveryError::Secret)?;
        alertmanager::check(&post(&self.client, alertmanager::request(&url, notices, wall)).await?)?;
        self.count("delivered", notices.len());
        Ok(())
    }

    /// Tells what was not told; when to look again.
    async fn tell_all(&mut self, wanted: &Wanted) -> Instant {
        let mut next = Instant::now() + REPEAT;
        self.waits.retain(|fingerprint, _| wanted.contains_key(fingerprint));
        for (fingerprint, notice) in wanted {
            let Some(state) = self.owed(notice).filter(|_| self.is_for(notice)) else { continue };
            if state == State::Firing {
                self.told.insert(fingerprint.clone(), (notice.fired_at, None));
            }
            if let Some((at, _)) = self.waits.get(fingerprint).filter(|(at, _)| *at > Instant::now()) {
                next = next.min(*at);
                continue;
            }
            let telling = Notice { state, ..notice.clone() };
            match self.send(&telling).await {
                Ok(()) => {
                    self.waits.remove(fingerprint);
                    self.told.insert(fingerprint.clone(), (notice.fired_at, Some(state)));
                    self.count("delivered", 1);
                    self.ledger.told(&self.receiver.name, &telling).await;
                    if state != notice.state {
                        next = Instant::now();
                    }
                }
                // This one waits. Time has passed: the others are looked at anew.
                Err(error) => {
                    self.note_failure(fingerprint, &error);
                    return Instant::now();
                }
            }
        }
        next
    }

    /// What the receiver has to be told of an alert next. One that was resolved before it could be told is told as firing
    /// first; one that was resolved before this receiver was asked for is not told at all.
    fn owed(&self, notice: &Notice) -> Option<State> {
        let told = self.told.get(&notice.fingerprint).filter(|(fired_at, _)| *fired_at == notice.fired_at);
        match (told, notice.state) {
            (Some((_, None)), _) => Some(State::Firing),
            (Some((_, Some(State::Firing))), State::Resolved) => Some(State::Resolved),
            (None, State::Firing) => Some(State::Firing),
            _ => None,
        }
    }

    async fn send(&self, notice: &Notice) -> Result<(), DeliveryError> {
        let Receiver { name, kind, url, secret, .. } = &self.receiver;
        let url = url.read().map_err(DeliveryError::Secret)?;
        let secret = secret.as_ref().map(|secret| secret.read()).transpose().map_err(DeliveryError::Secret)?;
        match kind {
            ReceiverKind::Slack => slack::check(&post(&self.client, slack::request(&url, notice)).await?),
            ReceiverKind::PagerDuty => {
                let key = secret.unwrap_or_default();
                pagerduty::check(&post(&self.client, pagerduty::request(&url, &key, notice)).await?)
            }
            ReceiverKind::Webhook | ReceiverKind::Alertmanager => {
                let request = webhook::request(&url, secret.as_deref(), name, notice, clock::wall_ms());
                post(&self.client, request).await.map(drop)
            }
        }
    }

    fn note_failure(&mut self, fingerprint: &str, error: &DeliveryError) -> Instant {
        let wait = self
            .waits
            .entry(fingerprint.to_owned())
            .or_insert_with(|| (Instant::now(), Backoff::new(FIRST_WAIT, LONGEST_WAIT)));
        let backoff = if error.is_lasting() { LONGEST_WAIT } else { wait.1.next_wait() };
        wait.0 = Instant::now() + backoff.max(error.retry_after().unwrap_or_default());
        let at = wait.0;
        self.count(error.kind(), 1);
        let cause = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
        let receiver = &self.receiver.name;
        if error.is_lasting() {
            tracing::error!(receiver, fingerprint, %error, cause, "alert can't be delivered");
        } else {
            tracing::warn!(receiver, fingerprint, %error, cause, "alert is delivered later");
        }
        at
    }

    fn count(&self, outcome: &'static str, notices: usize) {
        counter!("ringtrace_alert_deliveries_total", "receiver" => self.receiver.name.clone(), "outcome" => outcome)
            .increment(notices as u64);
    }
}
