//! Plays a file of events to the rules, by log time.

use std::fs::File;
use std::path::Path;

use anyhow::Context;
use ringtrace_alerter::dead_letters::app_of;
use ringtrace_alerter::memory::Memory;
use ringtrace_alerter::replay::{Fired, Player};
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
        let mut player = Player::new(rules, every_ms, Memory::default());
        let mut bad = self.bad.iter().peekable();
        for record in &self.good {
            while let Some((tenant, app, log_at)) = bad.next_if(|(_, _, log_at)| *log_at < record.log_at) {
                player.take_dead(tenant, app, *log_at);
            }
            // It was valid when it was read.
            if let Ok((event, log_at)) = Event::parse_line(&record.value) {
                player.take(&event, log_at);
            }
        }
        bad.for_each(|(tenant, app, log_at)| player.take_dead(tenant, app, *log_at));
        player.finish()
    }
}

/// Tenant, app and log time of a line that is no valid event, as far as it says.
fn dead(line: &[u8], last: i64) -> (String, String, i64) {
    let (tenant_id, app_id) = app_of(line);
    let value: serde_json::Value = serde_json::from_slice(line).unwrap_or_default();
    (tenant_id, app_id, value["log_at"].as_i64().unwrap_or(last))
}
