//! Where simulated events go.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context;
use ringtrace_kit::config::Kafka;
use ringtrace_kit::drain::Drain;
use ringtrace_simulator::Record;

use crate::sending::{Ready, Sender, Topic};

/// Lines are written once there are so many bytes.
const CHUNK_BYTES: usize = 256 * 1024;

/// How many records may be sent between two looks at how far the linker is.
const LOOK_EVERY: u64 = 1_000;

/// How long to wait until the next look, where the linker is too far behind.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// See the module's text.
pub enum Output {
    /// JSON lines.
    Lines(Lines),
    /// Topics.
    Kafka(Box<Topics>),
}

impl Output {
    /// Sends an event.
    ///
    /// # Errors
    /// When it can't be written at all.
    pub fn send(&mut self, record: &Record<'_>) -> anyhow::Result<()> {
        match self {
            Output::Lines(lines) => lines.send(record),
            Output::Kafka(topics) => topics.send(record),
        }
    }

    /// Waits, or until the drain starts.
    ///
    /// # Errors
    /// When Kafka refused a record.
    pub fn wait(&mut self, wait: Duration, drain: &Drain) -> anyhow::Result<()> {
        match self {
            Output::Lines(lines) => lines.wait(wait, drain),
            Output::Kafka(topics) => topics.wait(wait, drain),
        }
    }

    /// Makes sure that everything is written; gives the number of events.
    ///
    /// # Errors
    /// When it is not.
    pub fn finish(&mut self) -> anyhow::Result<u64> {
        match self {
            Output::Lines(lines) => lines.flush().map(|()| lines.count),
            Output::Kafka(topics) => topics.sender.finish(),
        }
    }
}

/// A file of JSON lines.
pub struct Lines {
    file: Box<dyn Write + Send>,
    buffer: Vec<u8>,
    count: u64,
    /// Whether nobody reads on.
    is_closed: bool,
}

impl Lines {
    /// Writes to a file, or to standard output for `-`.
    ///
    /// # Errors
    /// When the file can't be made.
    pub fn create(path: &Path) -> anyhow::Result<Self> {
        let file: Box<dyn Write + Send> = if path.as_os_str() == "-" {
            Box::new(io::stdout())
        } else {
            Box::new(File::create(path).with_context(|| format!("--out {} can't be written", path.display()))?)
        };
        Ok(Lines { file, buffer: Vec::with_capacity(CHUNK_BYTES * 2), count: 0, is_closed: false })
    }

    fn send(&mut self, record: &Record<'_>) -> anyhow::Result<()> {
        record.write_line(&mut self.buffer);
        self.buffer.push(b'\n');
        self.count += 1;
        if self.buffer.len() >= CHUNK_BYTES { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> anyhow::Result<()> {
        let written = self.file.write_all(&self.buffer).and_then(|()| self.file.flush());
        self.buffer.clear();
        match written {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => self.is_closed = true,
            written => written.context("events can't be written")?,
        }
        Ok(())
    }

    fn wait(&mut self, wait: Duration, drain: &Drain) -> anyhow::Result<()> {
        if !wait.is_zero() {
            // Whoever follows the output sees what there is.
            self.flush()?;
            let until = Instant::now() + wait;
            while !drain.is_started() && Instant::now() < until {
                std::thread::park_timeout(until.saturating_duration_since(Instant::now()).min(LOOK_AGAIN));
            }
        }
        if self.is_closed {
            drain.start();
        }
        Ok(())
    }
}

/// Tells how many records the linker has committed.
pub type Progress = Box<dyn Fn() -> u64 + Send>;

/// The input topics.
pub struct Topics {
    sender: Sender,
    sent: u64,
    bound: Option<Bound>,
}

/// How far ahead of the linker records may be sent.
struct Bound {
    linked: Progress,
    /// In records.
    most: u64,
    /// When to look again, as a number of records sent.
    look_at: u64,
}

impl Topics {
    /// Sends as fast as Kafka takes it.
    ///
    /// # Errors
    /// When librdkafka refuses a setting, or, with times of the world's own, a topic stamps records itself.
    pub fn new(kafka: &Kafka, has_own_times: bool) -> anyhow::Result<Self> {
        let sender = Sender::new(kafka)?;
        if has_own_times {
            sender.refuse_log_append_time()?;
        }
        Ok(Topics { sender, sent: 0, bound: None })
    }

    /// Waits while more than `most` records, and those up to the next look at the progress, are not linked.
    pub fn ahead_by(self, most: u64, linked: Progress) -> Self {
        Topics { bound: Some(Bound { linked, most, look_at: 0 }), ..self }
    }

    fn send(&mut self, record: &Record<'_>) -> anyhow::Result<()> {
        self.sent += 1;
        self.sender.send(&Ready {
            topic: Topic::of(record.kind),
            key: Some(record.key).filter(|key| !key.is_empty()),
            value: record.value,
            timestamp: record.log_at,
        })
    }

    fn wait(&mut self, wait: Duration, drain: &Drain) -> anyhow::Result<()> {
        self.sender.wait(wait, drain)?;
        let Some(bound) = self.bound.as_mut().filter(|bound| self.sent >= bound.look_at) else { return Ok(()) };
        while !drain.is_started() && self.sent.saturating_sub((bound.linked)()) > bound.most {
            self.sender.wait(LOOK_AGAIN, drain)?;
        }
        bound.look_at = self.sent + LOOK_EVERY;
        Ok(())
    }
}
