//! `ringtrace dead-letters`: what was not linked, why, and once more.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, bail};
use chrono::{DateTime, SecondsFormat};
use ringtrace_kit::config::Config;

use super::service::{self, EXIT_DATA, Settings};
use crate::dead_letters::{Filter, Letter, Position, Resender, find, read};

/// Look at dead letters, and send them back once they can be linked.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// A line a letter: where it is, when it died, why, and where it came from
    List(List),
    /// One letter whole, its value as it came: that may be personal data
    Show(Show),
    /// Link letters as if they had been right at first; what was linked already stays as it is
    Replay(Replay),
}

#[derive(Debug, clap::Args)]
struct List {
    #[command(flatten)]
    settings: Settings,
    #[command(flatten)]
    filter: Filter,
    /// Only the newest so many
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// JSON lines
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
struct Show {
    #[command(flatten)]
    settings: Settings,
    /// Which, as `list` shows it
    #[arg(value_name = "PARTITION/OFFSET")]
    position: Position,
}

#[derive(Debug, clap::Args)]
struct Replay {
    #[command(flatten)]
    settings: Settings,
    /// Which, as `list` shows them; or choose with --reason, --since, --until, --topic or --all
    #[arg(value_name = "PARTITION/OFFSET")]
    positions: Vec<Position>,
    #[command(flatten)]
    filter: Filter,
    /// All of them
    #[arg(long)]
    all: bool,
    /// A file with the corrected value of the one letter that is named
    #[arg(long, value_name = "FILE")]
    value: Option<PathBuf>,
    /// Say what would be sent, and send nothing
    #[arg(long)]
    dry_run: bool,
}

/// Runs one of the three.
pub fn run(args: &Args) -> ExitCode {
    match &args.command {
        Command::List(args) => service::run_quietly(&args.settings, async |config| blocking(|| list(args, &config))),
        Command::Show(args) => service::run_quietly(&args.settings, async |config| blocking(|| show(args, &config))),
        Command::Replay(args) => {
            let mut unfit = 0;
            let status = service::run_quietly(&args.settings, async |config| {
                unfit = blocking(|| replay(args, &config))?;
                Ok(())
            });
            if status == ExitCode::SUCCESS && unfit > 0 { ExitCode::from(EXIT_DATA) } else { status }
        }
    }
}

/// Reading blocks, and nothing else is to be done.
fn blocking<T>(work: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<T> {
    tokio::task::block_in_place(work)
}

fn list(args: &List, config: &Config) -> anyhow::Result<()> {
    let mut letters = chosen(config, &args.filter)?;
    let skipped = args.limit.map_or(0, |limit| letters.len().saturating_sub(limit));
    letters.drain(..skipped);
    let mut out = io::stdout().lock();
    for letter in &letters {
        if args.json {
            serde_json::to_writer(&mut out, letter)?;
            writeln!(out)?;
        } else {
            let Letter { position, reason, source, detail, bytes, .. } = letter;
            writeln!(
                out,
                "{:<10} {}  {reason:<13}  {source}  {bytes} bytes  {detail}",
                position.to_string(),
                rfc3339(letter.dead_at)
            )?;
        }
    }
    if !args.json {
        writeln!(
            out,
            "{} dead letters{}",
            letters.len(),
            if skipped > 0 { format!(", {skipped} older ones not shown") } else { String::new() }
        )?;
    }
    Ok(())
}

/// Letters that the filter takes, the newest last.
fn chosen(config: &Config, filter: &Filter) -> anyhow::Result<Vec<Letter>> {
    let mut letters = Vec::new();
    read(&config.kafka, |letter| {
        if filter.takes(&letter) {
            letters.push(letter);
        }
    })?;
    letters.sort_by_key(|letter| (letter.dead_at, letter.position));
    Ok(letters)
}

fn show(args: &Show, config: &Config) -> anyhow::Result<()> {
    let letter = find(&config.kafka, args.position)?;
    let mut out = io::stdout().lock();
    for (name, value) in [
        ("position", letter.position.to_string()),
        ("died", rfc3339(letter.dead_at)),
        ("reason", letter.reason.clone()),
        ("detail", letter.detail.clone()),
        ("source", letter.source.clone()),
        ("log time", rfc3339(letter.log_at)),
        ("key", letter.key.clone().unwrap_or_else(|| "none".to_owned())),
        (
            "value",
            letter.cut.as_ref().map_or(format!("{} bytes", letter.bytes), |sha| {
                format!("cut, of {} bytes, SHA-256 {sha}", letter.bytes)
            }),
        ),
    ] {
        writeln!(out, "{name:<9} {value}")?;
    }
    out.write_all(letter.value().unwrap_or(b"(tombstone)"))?;
    writeln!(out)?;
    Ok(())
}

/// Gives how many were not sent.
fn replay(args: &Replay, config: &Config) -> anyhow::Result<usize> {
    if args.positions.is_empty() && args.filter.is_empty() && !args.all {
        bail!("name letters as partition/offset, or choose with --reason, --since, --until, --topic or --all");
    }
    let corrected = args.value.as_ref().map(|file| {
        let [_] = args.positions.as_slice() else { bail!("--value corrects one letter: name it as partition/offset") };
        std::fs::read(file).with_context(|| format!("--value {} can't be read", file.display()))
    });
    let corrected = corrected.transpose()?;
    let letters = if args.positions.is_empty() {
        chosen(config, &args.filter)?
    } else {
        args.positions.iter().map(|position| find(&config.kafka, *position)).collect::<Result<_, _>>()?
    };
    let resender = Resender::new(&config.kafka)?;
    let (mut sent, mut unfit) = (0, 0);
    for letter in &letters {
        match resender.check(letter, corrected.as_deref()) {
            Ok(_) if args.dry_run => sent += 1,
            Ok(partition) => {
                resender.send(letter, corrected.as_deref(), partition)?;
                sent += 1;
            }
            Err(why) => {
                unfit += 1;
                eprintln!("{}: {why}", letter.position);
            }
        }
    }
    resender.finish()?;
    println!("{}: {sent}, not sent: {unfit}", if args.dry_run { "would be sent" } else { "sent" });
    Ok(unfit)
}

fn rfc3339(ms: i64) -> String {
    let time = DateTime::from_timestamp_millis(ms);
    time.map_or_else(|| format!("{ms} ms"), |time| time.to_rfc3339_opts(SecondsFormat::Millis, true))
}
