//! Plays events to the rules by log time, as the alerter would have seen them, and says what fires and resolves when.

use std::fmt::{self, Display};

use chrono::{DateTime, SecondsFormat};
use ringtrace_model::Event;

use crate::judge::{Alert, Board, Moment, State, evaluate};
use crate::memory::Memory;
use crate::rules::Rules;

/// An alert that fired, from its beginning to its end.
#[derive(Clone, Debug)]
pub struct Fired {
    /// As it was when it fired.
    pub alert: Alert,
    /// When it was resolved, in milliseconds since the Unix epoch; `None` where it fires at the end.
    pub resolved_at: Option<i64>,
}

impl Fired {
    /// When it began to fire, in milliseconds since the Unix epoch.
    pub fn fired_at(&self) -> i64 {
        self.alert.fired_at.unwrap_or_default()
    }
}

/// A time as people read it.
pub fn time(ms: i64) -> String {
    let time = DateTime::from_timestamp_millis(ms).unwrap_or_default();
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

impl Display for Fired {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Alert { rule, severity, group, summary, .. } = &self.alert;
        let labels: Vec<String> = group.iter().map(|(name, value)| format!("{name}=\"{value}\"")).collect();
        let until = self.resolved_at.map_or_else(|| "the end".to_owned(), time);
        let (severity, labels) = (severity.as_str(), labels.join(","));
        write!(out, "{} to {until}  {severity:<6} {rule}{{{labels}}}\n    {summary}", time(self.fired_at()))?;
        for example in &self.alert.examples {
            write!(out, "\n    call {} {}", example.call_uuid, example.device_id)?;
        }
        Ok(())
    }
}

/// See the module's text. Events come in the order of their log times.
pub struct Player<'r> {
    rules: &'r Rules,
    /// How much log time lies between evaluations, in milliseconds.
    every_ms: i64,
    memory: Memory,
    board: Board,
    /// When rules are evaluated next; `None` before the first event.
    next: Option<i64>,
    fired: Vec<Fired>,
}

impl<'r> Player<'r> {
    /// One that has seen nothing yet.
    pub fn new(rules: &'r Rules, every_ms: i64, memory: Memory) -> Player<'r> {
        Player { rules, every_ms, memory, board: Board::default(), next: None, fired: Vec::new() }
    }

    /// Takes an event in.
    pub fn take(&mut self, event: &Event<'_>, log_at: i64) {
        self.pass(log_at);
        self.memory.take(event, log_at);
    }

    /// Takes note of a record that is no valid event; tenant and app are empty where it doesn't say.
    pub fn take_dead(&mut self, tenant_id: &str, app_id: &str, log_at: i64) {
        self.pass(log_at);
        self.memory.take_dead(tenant_id, app_id, log_at);
    }

    /// The alerts in the order in which they fired, after a last evaluation.
    pub fn finish(mut self) -> Vec<Fired> {
        if let Some(next) = self.next {
            self.evaluate(next);
        }
        self.fired
    }

    /// Evaluates rules at all times up to a log time.
    fn pass(&mut self, log_at: i64) {
        let mut next = self.next.unwrap_or((log_at.div_euclid(self.every_ms) + 1) * self.every_ms);
        while next <= log_at {
            self.evaluate(next);
            next += self.every_ms;
        }
        self.next = Some(next);
    }

    fn evaluate(&mut self, now: i64) {
        self.memory.advance(now);
        let moment = Moment { now, wall: now, behind_ms: Some(0), catching_up: false };
        let evaluated = evaluate(&self.memory, self.rules, &mut self.board, &moment, |_| true);
        let Ok(changes) = finished(evaluated);
        for change in changes {
            self.note(change.alert);
        }
    }

    fn note(&mut self, alert: Alert) {
        match alert.state {
            State::Firing => self.fired.push(Fired { alert, resolved_at: None }),
            State::Resolved => {
                let is_open =
                    |held: &&mut Fired| held.alert.fingerprint == alert.fingerprint && held.resolved_at.is_none();
                if let Some(open) = self.fired.iter_mut().find(is_open) {
                    open.resolved_at = alert.resolved_at;
                }
            }
            State::Pending => {}
        }
    }
}

/// The result of a future that waits for nothing: facts in memory are always there.
fn finished<T>(future: impl Future<Output = T>) -> T {
    let mut future = std::pin::pin!(future);
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    loop {
        if let std::task::Poll::Ready(done) = future.as_mut().poll(&mut context) {
            return done;
        }
    }
}
