//! CPU seconds per million events of the linker, beside consumers that do less (`ringtrace_tests::bench`).

use std::io::{self, Write};

use clap::Parser;
use ringtrace_kit::config::load;
use ringtrace_kit::telemetry::init_logs;
use ringtrace_tests::bench::{Input, Meter, Shape, Subject, fill, print};
use ringtrace_tests::stack::Case;

/// Measures the linker on real Kafka and the embedded ClickHouse.
#[derive(Debug, Parser)]
struct Args {
    /// Events to read
    #[arg(long, env = "RINGTRACE_BENCH_EVENTS", default_value_t = 1_000_000, value_parser = clap::value_parser!(u32).range(1..))]
    events: u32,
    /// Partitions of each topic
    #[arg(long, default_value_t = 6)]
    partitions: i32,
    /// Calls that begin in a second of log time: the more, the more are open at a time; the world's own by default
    #[arg(long)]
    calls_per_second: Option<f64>,
    /// Apps for each one of the world
    #[arg(long, default_value_t = 1)]
    apps: u64,
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
    let case = Case::new("bench", args.partitions);
    let meter = Meter::of_stack();
    let usual = Shape::of(args.events as usize);
    let calls_per_second = args.calls_per_second.unwrap_or(usual.calls_per_second);
    let input = fill(&case, Shape { calls_per_second, apps: args.apps, ..usual });
    describe(&input, args.partitions)?;
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

fn describe(input: &Input, partitions: i32) -> io::Result<()> {
    let mean = |bytes: u64| bytes as f64 / input.events as f64;
    let cores = std::thread::available_parallelism()?;
    writeln!(
        io::stdout(),
        "{} events, {:.0} bytes of JSON and a key of {:.0} on average, {} legs, {:.2} h of log time, {partitions} partitions, \
         no compression; {cores} cores",
        input.events,
        mean(input.value_bytes),
        mean(input.key_bytes),
        input.legs.len(),
        input.span_ms as f64 / 3.6e6,
    )
}
