//! `ringtrace explain`: judges events from files or standard input with the linker's own fold (contract section 6).

mod fold;
mod notes;
mod story;
mod table;
mod text;

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, bail};
use ringtrace_model::{Rules, Uuid};

use super::service;
use fold::Folded;

/// What to judge, and how to show it.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit status: 0, or 65 where some lines were no valid events, 1 where a file can't be read, 64 for wrong usage."
)]
pub struct Args {
    /// Files of events, one JSON object a line; `-` or none for standard input
    files: Vec<PathBuf>,
    /// Let log time run at least to MS, in milliseconds since 1970, instead of for ever
    #[arg(long, value_name = "MS", allow_negative_numbers = true)]
    until: Option<i64>,
    /// Print calls instead of legs
    #[arg(long, conflicts_with = "timeline")]
    calls: bool,
    /// Print the story of one call for a human
    #[arg(long, value_name = "UUID")]
    timeline: Option<Uuid>,
}

/// Runs the command; the status is 0, 1 where it could not do its work, or 65 where some lines were no valid events.
pub fn run(args: &Args) -> ExitCode {
    match explain(args) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::from(service::EXIT_DATA),
        Err(error) => {
            // A closed standard error leaves only the exit status to say it.
            let _ = writeln!(io::stderr(), "ringtrace explain: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Reads everything, then prints; the number of bad lines.
fn explain(args: &Args) -> anyhow::Result<u64> {
    let mut folded = Folded::new(args.timeline);
    if args.files.is_empty() {
        folded.read_stdin()?;
    }
    for path in &args.files {
        if path.as_os_str() == "-" { folded.read_stdin()? } else { folded.read_file(path)? }
    }
    let bad_lines = folded.bad_lines();
    if let Some(call_uuid) = args.timeline
        && folded.is_empty()
    {
        bail!("call {call_uuid} is not in the input, or only in events that make no call and no leg");
    }
    let now = folded.log_time(args.until);
    let printed = print(args, folded, now);
    match printed {
        // Whoever reads has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(bad_lines),
        printed => printed.context("can't write to standard output").map(|()| bad_lines),
    }
}

fn print(args: &Args, folded: Folded, now: i64) -> io::Result<()> {
    let mut out = io::BufWriter::with_capacity(256 * 1024, io::stdout().lock());
    let rules = Rules::default();
    let (calls, notes) = folded.into_sorted();
    for (i, (key, call)) in calls.into_iter().enumerate() {
        let Some(evaluation) = call.evaluate(&key, &rules, now) else { continue };
        if args.timeline.is_some() {
            let separator = if i > 0 { "\n" } else { "" };
            write!(out, "{separator}{}", story::tell(&evaluation, notes.of(&key), now))?;
        } else if args.calls {
            print_row(&mut out, &evaluation.call)?;
        } else {
            evaluation.legs.iter().try_for_each(|leg| print_row(&mut out, leg))?;
        }
    }
    out.flush()
}

fn print_row(out: &mut impl Write, row: &impl serde::Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *out, row)?;
    out.write_all(b"\n")
}
