//! `ringtrace alert`: the running alerter, and rules and their tests.

mod expect;
mod replay;
mod serve;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::bail;
use ringtrace_alerter::rules::{Rules, SHIPPED, parse_length};

use super::service::{self, EXIT_CONFIG, EXIT_DATA, Settings};
use expect::Expected;
use replay::Replay;
pub use serve::is_of_rules;

/// Judge risk, and tell people before iOS stops waking the app.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Args {
    #[command(flatten)]
    settings: Settings,
    /// Rules file (TOML) over the shipped rules [alert.rules]
    #[arg(long, value_name = "RULES.toml")]
    rules: Option<String>,
    #[command(subcommand)]
    verb: Option<Verb>,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Say what is wrong with a rules file, with line and key
    Check {
        /// The rules file (TOML)
        #[arg(value_name = "RULES.toml")]
        rules: String,
    },
    /// Say which alerts would fire and resolve when on a file of events
    #[command(
        after_help = "Exit status: 0, 1 where something else happens than is expected, 65 where some lines are no valid events \
                      (they count as dead letters), 78 where the rules are not accepted."
    )]
    Test {
        /// The rules file (TOML); - for the shipped rules
        #[arg(value_name = "RULES.toml")]
        rules: String,
        /// Events, one JSON object a line; their log time is `log_at`, else `occurred_at`
        #[arg(value_name = "EVENTS")]
        events: PathBuf,
        /// Compare with what is expected (TOML: [[alert]] with rule, labels, fires_at, resolved_at)
        #[arg(long, value_name = "FILE")]
        expect: Option<PathBuf>,
        /// Log time between evaluations
        #[arg(long, value_name = "LENGTH", default_value = "1m", value_parser = length)]
        every: i64,
    },
    /// Print the shipped rules, with what each key means
    Rules,
}

fn length(text: &str) -> Result<i64, String> {
    let ms = parse_length(text).filter(|ms| *ms > 0);
    ms.ok_or_else(|| "expected a length such as 30s or 5m".to_owned())
}

/// Runs the command.
pub fn run(args: &Args) -> ExitCode {
    let Some(verb) = &args.verb else {
        return service::run(&args.settings, async |config| serve::serve(config, args.rules.as_deref()).await);
    };
    match verb {
        Verb::Rules => {
            print!("{SHIPPED}");
            ExitCode::SUCCESS
        }
        Verb::Check { rules } => match read_rules(rules) {
            Ok(read) => {
                let (rules, receivers) = (read.rules.len(), read.receivers.len());
                println!("ok: {rules} rules, {receivers} receivers, {} mutes", read.mutes.len());
                ExitCode::SUCCESS
            }
            Err(error) => service::refuse(&error, EXIT_CONFIG),
        },
        Verb::Test { rules, events, expect, every } => {
            let read =
                read_rules(rules).and_then(|rules| Ok((rules, expect.as_deref().map(Expected::read).transpose()?)));
            match read {
                Err(error) => service::refuse(&error, EXIT_CONFIG),
                Ok((rules, expected)) => match test(&rules, events, expected, *every) {
                    Ok(0) => ExitCode::SUCCESS,
                    Ok(_) => ExitCode::from(EXIT_DATA),
                    Err(error) => service::refuse(&error, 1),
                },
            }
        }
    }
}

/// Reads a rules file; `-` is what is shipped.
fn read_rules(path: &str) -> anyhow::Result<Rules> {
    Ok(Rules::of_file(if path == "-" { "" } else { path })?)
}

/// Prints what happens, and holds it against what is expected; the number of bad lines.
fn test(rules: &Rules, events: &Path, expected: Option<Expected>, every_ms: i64) -> anyhow::Result<u64> {
    let replay = Replay::read(events)?;
    let bad_lines = replay.bad_lines();
    let alerts = replay.play(rules, every_ms);
    for alert in &alerts {
        println!("{alert}");
    }
    if let Some(expected) = expected {
        let differences = expected.differences(&alerts);
        if !differences.is_empty() {
            bail!("not what is expected:\n{}", differences.join("\n"));
        }
        println!("as expected");
    }
    Ok(bad_lines)
}
