//! Where simulated events go.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context;
use ringtrace_kit::config::Kafka;
use ringtrace_kit::drain::Drain;
use ringtrace_simulator::Record;

use crate::sending::{Lag, Ready, Sender, Topic};

/// Lines are written once there are so many bytes.
const CHUNK_BYTES: usize = 256 * 1024;

/// How many records may be sent between two looks at how far the linker is.
const LOOK_EVERY: u64 = 2_000;

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

/// The input topics.
pub struct Topics {
    sender: Sender,
    /// The linker's lag, and how far it may be behind, in records.
    bound: Option<(Lag, i64)>,
    /// Records since the last look.
    unseen: u64,
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
        Ok(Topics { sender, bound: None, unseen: 0 })
    }

    /// Never sends much more than the linker, which may be `records` behind, has committed.
    ///
    /// # Errors
    /// When librdkafka refuses a setting.
    pub fn behind(self, kafka: &Kafka, records: i64) -> anyhow::Result<Self> {
        Ok(Topics { bound: Some((Lag::new(kafka)?, records)), ..self })
    }

    fn send(&mut self, record: &Record<'_>) -> anyhow::Result<()> {
        self.unseen += 1;
        self.sender.send(&Ready {
            topic: Topic::of(record.kind),
            key: Some(record.key).filter(|key| !key.is_empty()),
            value: record.value,
            timestamp: record.log_at,
        })
    }

    fn wait(&mut self, wait: Duration, drain: &Drain) -> anyhow::Result<()> {
        self.sender.wait(wait, drain)?;
        let Some((lag, most)) = self.bound.as_ref().filter(|_| self.unseen >= LOOK_EVERY) else { return Ok(()) };
        self.sender.flush()?;
        while !drain.is_started() && lag.records()? > *most {
            self.sender.wait(LOOK_AGAIN, drain)?;
        }
        self.unseen = 0;
        Ok(())
    }
}
