//! Reads events line by line into calls: memory grows with calls, not with events.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use anyhow::Context;
use ringtrace_model::{Call, CallKey, Event, MAX_VALUE_BYTES, Reason, Reject, Scope, Uuid};

use super::notes::Notes;
use crate::lines::{Line, Lines};

/// What was read so far.
pub struct Folded {
    /// The only call of interest, where there is one.
    only: Option<Uuid>,
    calls: HashMap<CallKey, Box<Call>, foldhash::fast::RandomState>,
    notes: Notes,
    latest_log_at: i64,
    bad_lines: u64,
}

impl Folded {
    /// Nothing read yet. With `only` other calls are validated, but not kept, and that call's events are noted.
    pub fn new(only: Option<Uuid>) -> Self {
        Folded { only, calls: HashMap::default(), notes: Notes::default(), latest_log_at: i64::MIN, bad_lines: 0 }
    }

    /// Reads a file to its end.
    ///
    /// # Errors
    /// The file can't be opened or read. Lines that are no events are reported on standard error instead.
    pub fn read_file(&mut self, path: &Path) -> anyhow::Result<()> {
        let file = File::open(path).with_context(|| format!("can't open {}", path.display()))?;
        self.read(file, &path.display().to_string()).with_context(|| format!("can't read {}", path.display()))
    }

    /// As [`Folded::read_file`], of standard input.
    pub fn read_stdin(&mut self) -> anyhow::Result<()> {
        self.read(io::stdin().lock(), "<stdin>").context("can't read standard input")
    }

    fn read(&mut self, input: impl Read, name: &str) -> io::Result<()> {
        let mut lines = Lines::new(input);
        while let Some((number, line)) = lines.next()? {
            if let Err(reject) = self.take(&line) {
                self.bad_lines += 1;
                // Reading goes on without standard error; the exit status tells.
                let _ = writeln!(io::stderr(), "{name}:{number}: {reject}");
            }
        }
        Ok(())
    }

    fn take(&mut self, line: &Line<'_>) -> Result<(), Reject> {
        let Line::Whole(line) = line else { return Err(too_large()) };
        match line.trim_ascii() {
            b"" => return Ok(()),
            b"null" => return Err(Reject::TOMBSTONE),
            _ => {}
        }
        let (event, log_at) = Event::parse_line(line)?;
        self.latest_log_at = self.latest_log_at.max(log_at);
        self.apply(&event, log_at);
        Ok(())
    }

    fn apply(&mut self, event: &Event<'_>, log_at: i64) {
        let Some(call_uuid) = event.call_uuid else { return };
        if self.only.is_some_and(|only| only != call_uuid) {
            return;
        }
        let key = CallKey { tenant_id: event.tenant_id.as_ref().into(), call_uuid };
        if self.only.is_some() {
            self.notes.add(&key, event);
        }
        if event.scope() != Scope::History {
            self.calls.entry(key).or_default().apply(event, log_at);
        }
    }

    /// How many lines were no valid events.
    pub fn bad_lines(&self) -> u64 {
        self.bad_lines
    }

    /// Whether no call was found.
    pub fn is_empty(&self) -> bool {
        self.calls.is_empty()
    }

    /// The log time to judge at: for ever, or the larger of `until` and the last log time.
    pub fn log_time(&self, until: Option<i64>) -> i64 {
        until.map_or(i64::MAX, |until| until.max(self.latest_log_at))
    }

    /// The calls by tenant and UUID, and the notes on them.
    pub fn into_sorted(self) -> (Vec<(CallKey, Box<Call>)>, Notes) {
        let mut calls: Vec<(CallKey, Box<Call>)> = self.calls.into_iter().collect();
        calls.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        (calls, self.notes)
    }
}

fn too_large() -> Reject {
    Reject { reason: Reason::TooLarge, detail: format!("value: expected at most {MAX_VALUE_BYTES} bytes").into() }
}
