//! Plays a file of events to the rules, by log time.

use std::fmt::{self, Display};
use std::fs::File;
use std::path::Path;

use anyhow::Context;
use chrono::{DateTime, SecondsFormat};
use ringtrace_alerter::dead_letters::app_of;
use ringtrace_alerter::judge::{Alert, Board, Moment, State, evaluate};
use ringtrace_alerter::memory::Memory;
use ringtrace_alerter::rules::Rules;
use ringtrace_model::Event;

use crate::lines::{Line, Lines};

/// A line of the file.
struct Record {
    log_at: i64,
    value: Vec<u8>,
}

/// The lines of a file, by log time.
pub struct Replay {
    good: Vec<Record>,
    /// Lines that are no valid events: tenant, app and log time, as far as they say.
    bad: Vec<(String, String, i64)>,
}

/// An alert that fired, from its beginning to its end.
pub struct Fired {
    /// As it was when it fired.
    pub alert: Alert,
    /// When it was resolved, in milliseconds since the Unix epoch; `None` where it fires at the end of the file.
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

impl Replay {
    /// Reads a file to its end; what is wrong with a line goes to standard error.
    ///
    /// # Errors
    /// The file can't be read.
    pub fn read(path: &Path) -> anyhow::Result<Replay> {
        let name = path.display();
        let file = File::open(path).with_context(|| format!("can't open {name}"))?;
        let mut lines = Lines::new(file);
        let mut replay = Replay { good: Vec::new(), bad: Vec::new() };
        let mut last = 0;
        while let Some((number, line)) = lines.next().with_context(|| format!("can't read {name}"))? {
            let Line::Whole(line) = line else {
                replay.bad.push((String::new(), String::new(), last));
                eprintln!("{name}:{number}: too long");
                continue;
            };
            if line.trim_ascii().is_empty() {
                continue;
            }
            match Event::parse_line(line) {
                Ok((_, log_at)) => {
                    last = log_at;
                    replay.good.push(Record { log_at, value: line.to_vec() });
                }
                Err(reject) => {
                    eprintln!("{name}:{number}: {reject}");
                    replay.bad.push(dead(line, last));
                }
            }
        }
        replay.good.sort_by_key(|record| record.log_at);
        replay.bad.sort_by_key(|(_, _, log_at)| *log_at);
        Ok(replay)
    }

    /// How many lines were no valid events.
    pub fn bad_lines(&self) -> u64 {
        self.bad.len() as u64
    }

    /// Plays the file to the rules, evaluating them every so often, in milliseconds; the alerts in the order in which they fired.
    pub fn play(&self, rules: &Rules, every_ms: i64) -> Vec<Fired> {
        let (Some(first), Some(last)) = (self.good.first(), self.good.last()) else { return Vec::new() };
        let (mut memory, mut board) = (Memory::default(), Board::default());
        let (mut good, mut bad) = (self.good.iter().peekable(), self.bad.iter().peekable());
        let mut fired: Vec<Fired> = Vec::new();
        let end = last.log_at.div_euclid(every_ms).saturating_add(1) * every_ms;
        let mut now = first.log_at.div_euclid(every_ms) * every_ms;
        while now < end {
            now += every_ms;
            while let Some(record) = good.next_if(|record| record.log_at < now) {
                // It was valid when it was read.
                if let Ok((event, log_at)) = Event::parse_line(&record.value) {
                    memory.take(&event, log_at);
                }
            }
            while let Some((tenant, app, log_at)) = bad.next_if(|(_, _, log_at)| *log_at < now) {
                memory.take_dead(tenant, app, *log_at);
            }
            memory.advance(now);
            let moment = Moment { now, wall: now, behind_ms: Some(0), catching_up: false };
            let evaluated = evaluate(&memory, rules, &mut board, &moment, |_| true);
            let Ok(changes) = finished(evaluated);
            for change in changes {
                note(&mut fired, change.alert);
            }
        }
        fired
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

fn note(fired: &mut Vec<Fired>, alert: Alert) {
    match alert.state {
        State::Firing => fired.push(Fired { alert, resolved_at: None }),
        State::Resolved => {
            let open =
                fired.iter_mut().find(|held| held.alert.fingerprint == alert.fingerprint && held.resolved_at.is_none());
            if let Some(open) = open {
                open.resolved_at = alert.resolved_at;
            }
        }
        State::Pending => {}
    }
}

/// Tenant, app and log time of a line that is no valid event, as far as it says.
fn dead(line: &[u8], last: i64) -> (String, String, i64) {
    let (tenant_id, app_id) = app_of(line);
    let value: serde_json::Value = serde_json::from_slice(line).unwrap_or_default();
    (tenant_id, app_id, value["log_at"].as_i64().unwrap_or(last))
}
