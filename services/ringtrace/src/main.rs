//! The one binary: every service of Ringtrace behind one command line.

mod commands;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

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
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    match cli.command {
        Command::Explain(args) => commands::explain::run(&args),
    }
}
