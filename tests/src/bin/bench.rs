//! CPU seconds per million events of the linker, beside consumers that do less (`ringtrace_tests::bench`).

use std::io::{self, Write};

use clap::Parser;
use ringtrace_kit::config::load;
use ringtrace_kit::telemetry::init_logs;
use ringtrace_tests::bench::{Input, Meter, Subject, fill, print};
use ringtrace_tests::stack::Case;

/// Partitions of each topic, as `ringtrace migrate` makes them by default.
const PARTITIONS: i32 = 6;

/// Measures the linker on real Kafka and the embedded ClickHouse.
#[derive(Debug, Parser)]
struct Args {
    /// Events to read
    #[arg(long, env = "RINGTRACE_BENCH_EVENTS", default_value_t = 1_000_000, value_parser = clap::value_parser!(u32).range(1..))]
    events: u32,
    /// How often everything is measured
    #[arg(long, env = "RINGTRACE_BENCH_ROUNDS", default_value_t = 3)]
    rounds: usize,
    /// Measure this alone, for a profiler
    #[arg(long)]
    only: Option<Subject>,
    /// Measure what people would use instead as well (`make bench-peers`)
    #[arg(long)]
    peers: bool,
}

fn main() -> io::Result<()> {
    ringtrace_kit::memory::keep();
    let args = Args::parse();
    let logs = [("RINGTRACE_LOG_LEVEL".to_owned(), "warn".to_owned())];
    let config = load(None, logs.into_iter(), &[]).map_err(io::Error::other)?;
    init_logs(&config.log).map_err(io::Error::other)?;
    let case = Case::new("bench", PARTITIONS);
    let meter = Meter::of_stack();
    let input = fill(&case, args.events as usize);
    describe(&input)?;
    let is_wanted = |subject: &Subject| match args.only {
        Some(only) => only == *subject,
        None => args.peers || !subject.is_peer(),
    };
    let subjects = || Subject::ALL.into_iter().filter(is_wanted);
    let measure = |round| subjects().map(|subject| (subject, subject.measure(round, &case, &input, &meter))).collect();
    let rounds: Vec<Vec<_>> = (1..=args.rounds).map(measure).collect();
    print(&rounds);
    Ok(())
}

fn describe(input: &Input) -> io::Result<()> {
    let mean = |bytes: u64| bytes as f64 / input.events as f64;
    let cores = std::thread::available_parallelism()?;
    writeln!(
        io::stdout(),
        "{} events, {:.0} bytes of JSON and a key of {:.0} on average, {} legs, {:.1} h of log time, {PARTITIONS} partitions, \
         no compression; {cores} cores",
        input.events,
        mean(input.value_bytes),
        mean(input.key_bytes),
        input.legs.len(),
        input.span_ms as f64 / 3.6e6,
    )
}
