//! The one binary: every service of Ringtrace behind one command line.

mod commands;
mod dead_letters;
mod lines;
mod relink;
mod replay;
mod sending;
mod simulate;
mod up;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Exit status of a command line that can't be understood (`EX_USAGE` of sysexits.h).
const EXIT_USAGE: u8 = 64;

/// Links VoIP pushes to the calls they announce.
#[derive(Debug, Parser)]
#[command(name = "ringtrace", version, about, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Judge events from files or standard input, without Kafka or ClickHouse
    Explain(commands::explain::Args),
    /// Run everything with nothing configured: broker, ClickHouse, linker, web application, simulated calls
    Up(commands::up::Args),
    /// Read events from Kafka, link them to calls, write the results to ClickHouse
    Link(commands::link::Args),
    /// Answer questions over HTTP: the JSON API and the web application
    Serve(commands::serve::Args),
    /// Judge risk, and tell people before iOS stops waking the app
    Alert(commands::alert::Args),
    /// Make or update the tables, and make the topics that are missing; safe to repeat
    Migrate(commands::migrate::Args),
    /// Check the configuration, and reach Kafka and ClickHouse
    Check(commands::migrate::CheckArgs),
    /// Send recorded events to Kafka
    Replay(commands::replay::Args),
    /// Look at records that were not linked, and send them back once they can be
    DeadLetters(commands::dead_letters::Args),
    /// Fold calls again from their stored events, and judge them by the rules that hold
    Relink(commands::relink::Args),
    /// Simulate devices, push services and servers, to Kafka or as JSON lines
    Simulate(commands::simulate::Args),
    /// Serve the embedded ClickHouse over HTTP
    Clickhouse(commands::clickhouse::Args),
}

fn main() -> ExitCode {
    ringtrace_kit::memory::keep();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are such errors too. Nothing is left to do where they can't be printed.
            let _ = error.print();
            return if error.use_stderr() { ExitCode::from(EXIT_USAGE) } else { ExitCode::SUCCESS };
        }
    };
    match cli.command {
        Command::Explain(args) => commands::explain::run(&args),
        Command::Up(args) => commands::up::run(&args),
        Command::Link(args) => commands::link::run(&args),
        Command::Serve(args) => commands::serve::run(&args),
        Command::Alert(args) => commands::alert::run(&args),
        Command::Migrate(args) => commands::migrate::run(&args),
        Command::Check(args) => commands::migrate::check(&args),
        Command::Replay(args) => commands::replay::run(&args),
        Command::DeadLetters(args) => commands::dead_letters::run(&args),
        Command::Relink(args) => commands::relink::run(&args),
        Command::Simulate(args) => commands::simulate::run(&args),
        Command::Clickhouse(args) => commands::clickhouse::run(&args),
    }
}
