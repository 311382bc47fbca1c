//! `ringtrace simulate`: a world of calls, to Kafka or as JSON lines.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use ringtrace_kit::clock;
use ringtrace_kit::config::Kafka;
use ringtrace_kit::drain::Drain;
use ringtrace_model::parse_rfc3339;
use ringtrace_simulator::{IncidentSpec, Plan, Simulator, WORLD, World, parse_length};

use super::replay::speed;
use super::service::{self, EXIT_CONFIG, Settings, finish, refuse};
use crate::EXIT_USAGE;
use crate::sending::Pace;
use crate::simulate::{Lines, Output, Play, Report, Topics, TruthFile};

/// How long a simulation that writes lines lasts, unless it is told.
const USUAL_LENGTH_MS: i64 = 3_600_000;

/// Simulate devices, push services and servers: their events, and what really happened.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    settings: Settings,
    #[command(flatten)]
    world: WorldArgs,
    /// Write events as JSON lines to a file, or to standard output for -, instead of to Kafka
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Write what really happened to each leg, call, device and incident as JSON lines
    #[arg(long, value_name = "FILE")]
    truth: Option<PathBuf>,
    /// At the end say on standard error how what can be linked compares with the truth
    #[arg(long)]
    report: bool,
    /// When the simulation starts, RFC 3339 [default: 2026-11-01T08:00:00Z in a file; in Kafka now, or such that it ends now]
    #[arg(long, value_name = "TIME", value_parser = time)]
    start: Option<i64>,
    /// How long it lasts, such as 2h30m [default: 1h in a file, without end in Kafka]
    #[arg(long = "for", value_name = "LENGTH", value_parser = length)]
    length: Option<i64>,
    /// The same in days
    #[arg(long, value_name = "N", conflicts_with = "length", value_parser = clap::value_parser!(u16).range(1..))]
    days: Option<u16>,
    /// Seconds of the simulation in a second; 0 is as fast as it goes [default: 0 in a file, 1 in Kafka]
    #[arg(long, value_parser = speed)]
    speed: Option<f64>,
    /// Print the parameters of the world with their defaults, and exit
    #[arg(long)]
    print_world: bool,
}

/// Which world, and how much of it.
#[derive(Debug, clap::Args)]
pub struct WorldArgs {
    /// Parameters that differ from the defaults (TOML; see --print-world of simulate)
    #[arg(long, value_name = "FILE")]
    world: Option<PathBuf>,
    /// The same seed gives the same events
    #[arg(long)]
    seed: Option<u64>,
    /// Calls that start in a second, on average over a day
    #[arg(long, value_name = "N", value_parser = rate)]
    calls_per_second: Option<f64>,
    /// Number of devices [default: 20000 for each call a second, from 400 to 200000]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=5_000_000))]
    devices: Option<u32>,
    /// Something that goes wrong: NAME@TIME, the time as 2h30m after the start or RFC 3339, then maybe ,size=0.2,for=1h
    #[arg(long, value_name = "NAME@TIME", value_parser = IncidentSpec::parse)]
    incident: Vec<IncidentSpec>,
}

impl WorldArgs {
    /// The world as it is at a start.
    ///
    /// # Errors
    /// What is wrong with it, and the exit status that says so.
    pub fn build(&self, plan: &Plan) -> Result<Simulator, (anyhow::Error, u8)> {
        let text = match &self.world {
            Some(path) => std::fs::read_to_string(path).with_context(|| format!("--world {}", path.display())),
            None => Ok(String::new()),
        };
        let text = text.map_err(|error| (error, EXIT_CONFIG))?;
        let world = World::with(&text).map_err(|error| {
            let name = self.world.as_ref().map(|path| path.display().to_string()).unwrap_or_default();
            (anyhow::Error::new(error).context(format!("--world {name}")), EXIT_CONFIG)
        })?;
        let plan = Plan {
            seed: self.seed.unwrap_or(plan.seed),
            calls_per_second: self.calls_per_second.unwrap_or(plan.calls_per_second),
            devices: self.devices.map(|devices| devices as usize).or(plan.devices),
            incidents: self.incident.clone(),
            ..plan.clone()
        };
        Simulator::new(world, plan).map_err(|error| (anyhow::Error::new(error).context("--incident"), EXIT_USAGE))
    }
}

fn time(text: &str) -> Result<i64, String> {
    parse_rfc3339(text).filter(|at| *at >= 0).ok_or_else(|| "expected a time such as 2026-11-01T08:00:00Z".to_owned())
}

/// Milliseconds of a length such as `2h30m`.
///
/// # Errors
/// It is none, or not above 0.
pub fn length(text: &str) -> Result<i64, String> {
    parse_length(text).filter(|length| *length > 0).ok_or_else(|| "expected a length such as 2h30m".to_owned())
}

fn rate(text: &str) -> Result<f64, String> {
    let rate = text.parse().ok().filter(|rate: &f64| *rate > 0.0 && *rate <= 100_000.0);
    rate.ok_or_else(|| "expected a number above 0, up to 100000".to_owned())
}

/// Plays until the end of the plan, or SIGTERM or SIGINT.
pub fn run(args: &Args) -> ExitCode {
    if args.print_world {
        print!("{WORLD}");
        return ExitCode::SUCCESS;
    }
    let simulator = match args.world.build(&args.plan()) {
        Ok(simulator) => simulator,
        Err((error, status)) => return refuse(&error, status),
    };
    match &args.out {
        Some(path) => {
            let made = Lines::create(path);
            finish(
                service::runtime()
                    .and_then(|runtime| runtime.block_on(args.play(simulator, || Ok(Output::Lines(made?))))),
            )
        }
        None => service::run(&args.settings, async |config| {
            let has_own_times = args.has_own_times();
            let kafka: Kafka = config.kafka;
            args.play(simulator, move || Ok(Output::Kafka(Box::new(Topics::new(&kafka, has_own_times)?)))).await
        }),
    }
}

impl Args {
    fn speed(&self) -> f64 {
        self.speed.unwrap_or(if self.out.is_some() { 0.0 } else { 1.0 })
    }

    /// Whether records carry other times than the time at which they are sent.
    fn has_own_times(&self) -> bool {
        self.speed() != 1.0 || self.start.is_some()
    }

    fn plan(&self) -> Plan {
        let days = self.days.map(|days| i64::from(days) * 86_400_000);
        let usual = self.out.is_some().then_some(USUAL_LENGTH_MS);
        let length_ms = self.length.or(days).or(usual);
        let start = match (&self.out, length_ms) {
            (Some(_), _) => Plan::START,
            (None, Some(length)) if self.speed() == 0.0 => clock::wall_ms() - length,
            (None, _) => clock::wall_ms(),
        };
        Plan { start: self.start.unwrap_or(start), length_ms, ..Plan::default() }
    }

    async fn play(
        &self,
        simulator: Simulator,
        output: impl FnOnce() -> anyhow::Result<Output> + Send + 'static,
    ) -> anyhow::Result<()> {
        let drain = Drain::default();
        drain.on_signals()?;
        let truth = self.truth.as_deref().map(TruthFile::create).transpose()?;
        let report = self.report.then(Report::default);
        let (pace, due_from) = (Pace::of_speed(self.speed()), simulator.now());
        let (says_count, wants_report) = (self.out.is_none(), self.report);
        let played = tokio::task::spawn_blocking(move || {
            let mut play = Play { simulator, output: output()?, pace, due_from, truth, report };
            let sent = play.run(&drain)?;
            if says_count {
                println!("sent: {sent} events");
            }
            anyhow::Ok(play.finish()?.filter(|_| wants_report).map(|report| report.compare().to_string()))
        });
        if let Some(text) = played.await?? {
            eprint!("{text}");
        }
        Ok(())
    }
}
