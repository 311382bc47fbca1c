//! `ringtrace replay`: recorded events to Kafka.

use std::path::PathBuf;
use std::process::ExitCode;

use ringtrace_kit::drain::Drain;

use super::service::{self, EXIT_DATA, Settings};
use crate::replay::{Plan, Report, Timestamps, replay};
use crate::sending::Pace;

/// Send events from JSON lines to Kafka.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    settings: Settings,
    /// Files of events, one a line, plain or gzip; several are merged by log time
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// How many seconds of the recording to send in a second; 0 sends all at once
    #[arg(long, default_value_t = 1.0, value_parser = speed)]
    speed: f64,
    /// Which times the records carry
    #[arg(long, value_enum, default_value_t = Timestamps::New)]
    timestamps: Timestamps,
}

/// A finite number from 0.
///
/// # Errors
/// Anything else.
pub fn speed(text: &str) -> Result<f64, String> {
    text.parse()
        .ok()
        .filter(|speed: &f64| *speed >= 0.0 && speed.is_finite())
        .ok_or_else(|| "expected a number from 0".to_owned())
}

/// Sends until the files end, or SIGTERM or SIGINT.
pub fn run(args: &Args) -> ExitCode {
    let mut report = Report::default();
    let status = service::run(&args.settings, async |config| {
        let drain = Drain::default();
        drain.on_signals()?;
        let plan = Plan { pace: Pace::of_speed(args.speed), timestamps: args.timestamps };
        let files = args.files.clone();
        report = tokio::task::spawn_blocking(move || replay(&config.kafka, &files, plan, &drain)).await??;
        println!("sent: {} events, not valid and not sent: {} lines", report.sent, report.invalid);
        Ok(())
    });
    if status == ExitCode::SUCCESS && report.invalid > 0 { ExitCode::from(EXIT_DATA) } else { status }
}
