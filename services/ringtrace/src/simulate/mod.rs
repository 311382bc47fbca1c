//! Playing a simulated world: its events to Kafka or as lines, its truth to a file, a report on how both compare.

mod output;
mod report;

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use anyhow::Context;
use ringtrace_kit::drain::Drain;
use ringtrace_simulator::{Simulator, Truth};

use crate::sending::Pace;
pub use output::{Lines, Output, Progress, Topics};
pub use report::Report;

/// What is done with a simulated world.
pub struct Play {
    /// The world.
    pub simulator: Simulator,
    /// Where events go.
    pub output: Output,
    /// How fast.
    pub pace: Pace,
    /// Up to this log time, in milliseconds since the Unix epoch, events are due at once.
    pub due_from: i64,
    /// Where truths go.
    pub truth: Option<TruthFile>,
    /// What compares them.
    pub report: Option<Report>,
}

impl Play {
    /// Plays until the world's plan ends or the drain starts; gives the number of events.
    ///
    /// # Errors
    /// When events or truths can't be written.
    pub fn run(&mut self, drain: &Drain) -> anyhow::Result<u64> {
        let pace = self.pace.started(self.due_from);
        while let Some(second) = self.simulator.next_second() {
            // A quiet second takes its time too.
            self.output.wait(pace.due_in(second.from), drain)?;
            for record in second.records() {
                self.output.wait(pace.due_in(record.log_at), drain)?;
                if drain.is_started() {
                    break;
                }
                self.output.send(&record)?;
                if let Some(report) = &mut self.report {
                    report.take(&record)?;
                }
            }
            learn(&mut self.truth, &mut self.report, second.truths)?;
            if drain.is_started() {
                break;
            }
        }
        self.output.finish()
    }

    /// Writes the truths that are left; gives the report.
    ///
    /// # Errors
    /// When truths can't be written.
    pub fn finish(mut self) -> anyhow::Result<Option<Report>> {
        learn(&mut self.truth, &mut self.report, &self.simulator.finish())?;
        self.truth.as_mut().map_or(Ok(()), TruthFile::flush)?;
        Ok(self.report)
    }
}

fn learn(file: &mut Option<TruthFile>, report: &mut Option<Report>, truths: &[Truth]) -> anyhow::Result<()> {
    for truth in truths {
        if let Some(file) = file {
            file.write(truth)?;
        }
        if let Some(report) = report {
            report.learn(truth);
        }
    }
    Ok(())
}

/// A file with a truth in each line.
pub struct TruthFile(BufWriter<File>);

impl TruthFile {
    /// Makes the file, or empties it.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn create(path: &Path) -> anyhow::Result<Self> {
        let file = File::create(path).with_context(|| format!("--truth {} can't be written", path.display()))?;
        Ok(TruthFile(BufWriter::new(file)))
    }

    fn write(&mut self, truth: &Truth) -> anyhow::Result<()> {
        serde_json::to_writer(&mut self.0, truth)?;
        Ok(self.0.write_all(b"\n")?)
    }

    fn flush(&mut self) -> anyhow::Result<()> {
        self.0.flush().or_else(ignore_broken_pipe).context("truth can't be written")
    }
}

/// Whoever reads has seen enough.
fn ignore_broken_pipe(error: io::Error) -> io::Result<()> {
    if error.kind() == io::ErrorKind::BrokenPipe { Ok(()) } else { Err(error) }
}
