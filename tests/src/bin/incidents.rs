//! A simulated week with known incidents, and what the shipped rules find of them (`ringtrace_tests::incidents`).

use clap::Parser;
use ringtrace_alerter::rules::Rules;
use ringtrace_tests::incidents::{SOUND, WEEK, plan, play, print, score};

/// Simulates a week with incidents, plays it to the shipped rules, and prints what they find, how soon, and what is not true.
#[derive(Debug, Parser)]
struct Args {
    /// Calls a second, on average over a day
    #[arg(long, env = "RINGTRACE_INCIDENTS_CALLS", default_value_t = 1.0)]
    calls_per_second: f64,
    /// Days
    #[arg(long, default_value_t = 7)]
    days: u32,
    /// Of the simulation
    #[arg(long, env = "RINGTRACE_SEED", default_value_t = 1)]
    seed: u64,
    /// Minutes of log time between evaluations
    #[arg(long, default_value_t = 5)]
    every: u32,
    /// Incidents (NAME@TIME, as `ringtrace simulate` takes them) in the place of those of the week
    #[arg(long = "incident", value_name = "NAME@TIME")]
    incidents: Vec<String>,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args = Args::parse();
    let given: Vec<&str> = args.incidents.iter().map(String::as_str).collect();
    let incidents: &[&str] = if given.is_empty() { &WEEK } else { &given };
    let length_ms = i64::from(args.days) * 86_400_000;
    let rules = Rules::parse("")?;
    let played = play(
        SOUND,
        plan(incidents, length_ms, args.calls_per_second, args.seed),
        &rules,
        i64::from(args.every) * 60_000,
    );
    println!("{} days, {} calls, {} events, seed {}\n", args.days, played.calls, played.events, args.seed);
    print(&score(&played.incidents, &played.fired));
    Ok(())
}
