//! How long it takes from a confirmed violation in Kafka to the page at a webhook (`ringtrace_tests::bench::alerts`).

use std::time::Duration;

use clap::Parser;
use ringtrace_tests::bench::alerts::Line;

/// Measures real Kafka, linker, ClickHouse and alerter, at their default settings.
#[derive(Debug, Parser)]
struct Args {
    /// Apps; each pages once by each rule
    #[arg(long, env = "RINGTRACE_BENCH_APPS", default_value_t = 40, value_parser = clap::value_parser!(u32).range(1..1_000))]
    apps: u32,
}

fn main() {
    let args = Args::parse();
    let took = Line::start().measure(args.apps);
    println!("seconds from the acknowledgement of the deciding event to the page at a webhook");
    println!("{:<32} {:>5} {:>7} {:>7} {:>7} {:>7}", "rule", "n", "p50", "p90", "p99", "max");
    for (rule, mut times) in took {
        times.sort_unstable();
        let at = |share: f64| {
            times.get((times.len() as f64 * share) as usize).or(times.last()).map_or(0.0, Duration::as_secs_f64)
        };
        let (n, p50, p90, p99, most) = (times.len(), at(0.5), at(0.9), at(0.99), at(1.0));
        println!("{rule:<32} {n:>5} {p50:>7.2} {p90:>7.2} {p99:>7.2} {most:>7.2}");
    }
}
