//! Sending recorded events to Kafka, with times of their own or new ones.

mod shift;

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use ringtrace_kit::clock::wall_ms;
use ringtrace_kit::config::Kafka;
use ringtrace_kit::drain::Drain;
use ringtrace_model::{Event, Reason, Reject};

use crate::lines::{Line, Lines};
use crate::sending::{Pace, Sender};
use shift::Shift;

/// First bytes of a gzip file.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// Which times the records and their events carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Timestamps {
    /// Those in the files
    Own,
    /// Moved, all by as much, so that the first event happens now
    New,
}

/// How to send.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Seconds of the recording per second.
    pub pace: Pace,
    /// Which times to send.
    pub timestamps: Timestamps,
}

/// What came of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Events that Kafka acknowledged.
    pub sent: u64,
    /// Lines that are no valid events, and were not sent.
    pub invalid: u64,
}

fn open_file(path: &Path) -> io::Result<File> {
    File::open(path)
        .map_err(|error| io::Error::new(error.kind(), format!("{} can't be opened: {error}", path.display())))
}

fn unpacked(mut input: impl BufRead + 'static) -> io::Result<Box<dyn Read>> {
    let is_gzip = input.fill_buf()?.starts_with(&GZIP);
    Ok(if is_gzip { Box::new(MultiGzDecoder::new(input)) } else { Box::new(input) })
}

/// Sends the recordings, merged by log time when there are several, until they end or the drain starts.
///
/// # Errors
/// When a file can't be read, or Kafka does not take a record.
pub fn replay(kafka: &Kafka, files: &[PathBuf], plan: Plan, drain: &Drain) -> anyhow::Result<Report> {
    let sender = Sender::new(kafka)?;
    if plan.timestamps == Timestamps::Own {
        sender.refuse_log_append_time()?;
    }
    let mut readers = files.iter().map(|file| Recording::new(file)).collect::<io::Result<Vec<_>>>()?;
    let mut report = Report::default();
    let mut clock = None;
    while let Some((line, log_at)) = next_of(&mut readers, &mut report)? {
        let (shift, pace) = clock.get_or_insert_with(|| {
            let by = if plan.timestamps == Timestamps::New { wall_ms() - log_at } else { 0 };
            (Shift { by_ms: by }, plan.pace.started(log_at))
        });
        sender.wait(pace.due_in(log_at), drain)?;
        if drain.is_started() {
            break;
        }
        sender.send(&shift.apply(&line, log_at)?.ready())?;
    }
    report.sent = sender.finish()?;
    Ok(report)
}

/// The next valid event of one recording.
struct Recording {
    name: String,
    lines: Lines<Box<dyn Read>>,
    next: Option<(Vec<u8>, i64)>,
}

impl Recording {
    fn new(file: &Path) -> io::Result<Self> {
        let lines = Lines::new(unpacked(BufReader::new(open_file(file)?))?);
        Ok(Recording { name: file.display().to_string(), lines, next: None })
    }

    /// Makes sure that `next` holds the next event, if there is one.
    fn peek(&mut self, report: &mut Report) -> io::Result<Option<i64>> {
        while self.next.is_none() {
            let Some((number, line)) = self.lines.next()? else { return Ok(None) };
            let bytes: &[u8] = match line {
                Line::Whole(bytes) => bytes,
                Line::TooLong => &[],
            };
            if line != Line::TooLong && bytes.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            let parsed = match line {
                Line::Whole(bytes) => Event::parse_line(bytes).map(|(_, log_at)| log_at),
                Line::TooLong => Err(Reject { reason: Reason::TooLarge, detail: "line".into() }),
            };
            match parsed {
                Ok(log_at) => self.next = Some((bytes.to_vec(), log_at)),
                Err(reject) => {
                    report.invalid += 1;
                    eprintln!("{}:{number}: {reject}", self.name);
                }
            }
        }
        Ok(self.next.as_ref().map(|(_, log_at)| *log_at))
    }
}

/// The earliest of the next events of all recordings.
fn next_of(readers: &mut [Recording], report: &mut Report) -> io::Result<Option<(Vec<u8>, i64)>> {
    let mut first: Option<(usize, i64)> = None;
    for (index, reader) in readers.iter_mut().enumerate() {
        if let Some(log_at) = reader.peek(report)?
            && first.is_none_or(|(_, earliest)| log_at < earliest)
        {
            first = Some((index, log_at));
        }
    }
    Ok(first.and_then(|(index, _)| readers.get_mut(index)).and_then(|reader| reader.next.take()))
}
