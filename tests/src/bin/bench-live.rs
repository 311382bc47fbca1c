//! A linker at work: from Kafka to a visible row, memory for an open leg, and the restart (`ringtrace_tests::bench::live`).

use std::time::Duration;

use clap::Parser;
use ringtrace_tests::bench::live::{growth, latency, memory, speed};
use ringtrace_tests::bench::pages::{REQUESTS, questions};
use ringtrace_tests::bench::steady::{Moment, steady};

/// Measures real Kafka, linker and ClickHouse on this machine.
#[derive(Debug, Parser)]
struct Args {
    /// Events a second, one rate after the other; none for memory alone
    #[arg(long, value_delimiter = ',', num_args = 0.., default_value = "1000,20000")]
    rates: Vec<f64>,
    /// Seconds at each rate
    #[arg(long, default_value_t = 30)]
    seconds: u64,
    /// Open legs; 0 for none
    #[arg(long, default_value_t = 1_000_000)]
    legs: u32,
    /// Events of the backlog that is caught up with; 0 for none
    #[arg(long, default_value_t = 1_000_000)]
    backlog: usize,
    /// Open legs beside which a backlog is caught up with, one number after the other
    #[arg(long, value_delimiter = ',', num_args = 0..)]
    open: Vec<u32>,
    /// Minutes of steady load, looked at once a minute, with all pages asked; 0 for none
    #[arg(long, default_value_t = 0)]
    minutes: u64,
    /// Events a second of that load
    #[arg(long, default_value_t = 2_000.0)]
    steady_rate: f64,
}

/// Partitions of each topic, and linkers.
const FLEETS: [(i32, usize); 5] = [(1, 1), (2, 1), (6, 1), (12, 1), (6, 2)];

fn main() {
    let args = Args::parse();
    if !args.rates.is_empty() {
        print_latencies(&args.rates, Duration::from_secs(args.seconds));
    }
    if args.backlog > 0 && args.open.is_empty() {
        print_speed(args.backlog);
    }
    if args.legs > 0 {
        let took = memory(args.legs);
        println!(
            "{} open legs: {:.0} bytes each, {} MiB resident; an event is visible {:.1} s after a restart, {:.1} s after a kill",
            args.legs,
            took.bytes_per_leg,
            took.resident >> 20,
            took.restarts_s[0],
            took.restarts_s[1]
        );
    }
    if !args.open.is_empty() {
        println!("{:>10} {:>14} {:>12}", "open legs", "linker CPU s/M", "resident MiB");
        for at in growth(&args.open, args.backlog) {
            println!("{:>10} {:>14.2} {:>12}", at.legs, at.linker, at.resident >> 20);
        }
    }
    if args.minutes > 0 {
        print_steady(args.steady_rate, Duration::from_secs(args.minutes * 60));
    }
}

fn print_latencies(rates: &[f64], length: Duration) {
    println!("milliseconds from the producer's hand-over to the visible row");
    println!(
        "{:>10} {:>7} {:>7} {:>7} {:>7} {:>9} {:>9} {:>9}",
        "events/s", "probes", "p50", "p99", "max", "leg p50", "leg p99", "leg max"
    );
    for rate in rates {
        let took = latency(*rate, length);
        let at =
            |all: &[i64], share: f64| all.get((all.len() as f64 * share) as usize).or(all.last()).copied().unwrap_or(0);
        let [events, legs] = [&took.events, &took.legs].map(|all| [0.5, 0.99, 1.0].map(|share| at(all, share)));
        println!(
            "{:>10.0} {:>7} {:>7} {:>7} {:>7} {:>9} {:>9} {:>9}",
            took.rate,
            took.events.len(),
            events[0],
            events[1],
            events[2],
            legs[0],
            legs[1],
            legs[2]
        );
    }
}

fn print_speed(backlog: usize) {
    println!("{:>10} {:>7} {:>10}", "partitions", "linkers", "events/s");
    let fleets = FLEETS.map(|(partitions, linkers)| {
        let speed = speed(backlog, partitions, linkers);
        println!("{partitions:>10} {linkers:>7} {:>10.0}", speed.events_per_second);
        speed
    });
    for (table, rows, bytes) in fleets.last().iter().flat_map(|speed| &speed.stored) {
        println!("{table}: {rows} rows, {:.1} bytes each after merges", *bytes as f64 / *rows as f64);
    }
}

fn print_steady(events_per_second: f64, length: Duration) {
    println!("{:>6} {:>12} {:>10} {:>10}", "minute", "resident MiB", "open calls", "lag");
    let each = |at: &Moment| {
        println!("{:>6} {:>12} {:>10.0} {:>10.0}", at.minute, at.resident >> 20, at.open_calls, at.lag);
    };
    let came = steady(events_per_second, length, &questions(REQUESTS), each);
    println!("{:.0} events/s; seconds that pages waited meanwhile:", came.rate);
    println!("{:>8} {:>8}  page", "median", "max");
    for (page, seconds) in &came.pages {
        let last = seconds.last().copied().unwrap_or_default();
        println!("{:>8.3} {last:>8.3}  {page}", seconds.get(seconds.len() / 2).copied().unwrap_or_default());
    }
}
