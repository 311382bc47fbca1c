//! `ringtrace relink`: history is folded and judged again, after a change of settings or rules.

use std::process::ExitCode;

use chrono::NaiveDate;
use ringtrace_kit::clickhouse;
use ringtrace_kit::config::Config;
use ringtrace_kit::drain::Drain;
use ringtrace_kit::rules::agreed;
use ringtrace_model::Uuid;

use super::service::{self, Settings};
use super::simulate::length;
use crate::dead_letters::time;
use crate::relink::{Limits, Preview, Selection, relink};

/// Fold calls again from their stored events, and judge them by the rules that `migrate` has stored.
///
/// The linkers that own the calls do it, beside their work: at least one has to run. Calls are chosen by their events: those
/// with any event that was logged in the given time. Interrupting it loses nothing, and repeating it changes nothing more.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    settings: Settings,
    /// Calls with events logged at this time or later: RFC 3339, a day such as 2026-11-01 (UTC), or milliseconds since the
    /// Unix epoch
    #[arg(long, value_name = "TIME", value_parser = moment, required_unless_present = "call")]
    from: Option<i64>,
    /// Calls with events logged before this time [default: until now]
    #[arg(long, value_name = "TIME", value_parser = moment)]
    to: Option<i64>,
    /// Only calls of this tenant
    #[arg(long, value_name = "TENANT")]
    tenant: Option<String>,
    /// Only calls with events of this app in that time
    #[arg(long, value_name = "APP_ID")]
    app: Option<String>,
    /// Only this call
    #[arg(long, value_name = "UUID")]
    call: Option<Uuid>,
    /// Say what would change with the settings at hand, by verdict, and change nothing; the settings need not be stored
    #[arg(long)]
    dry_run: bool,
    /// How many calls of each slot are asked for at once: more is faster, and holds up other calls for longer
    #[arg(long, value_name = "N", default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    calls_at_once: u32,
    /// How long to wait for linkers that do not go on
    #[arg(long, value_name = "LENGTH", default_value = "5m", value_parser = length)]
    wait: i64,
}

/// Asks for it, and waits until it is done; or says what would come of it.
pub fn run(args: &Args) -> ExitCode {
    service::run_quietly(&args.settings, async |config| match args.dry_run {
        true => preview(args, &config).await,
        false => ask(args, &config).await,
    })
}

impl Args {
    fn selection(&self) -> Selection {
        Selection { from: self.from, to: self.to, tenant: self.tenant.clone(), app: self.app.clone(), call: self.call }
    }
}

async fn preview(args: &Args, config: &Config) -> anyhow::Result<()> {
    print!("{}", Preview::of(config, &args.selection()).await?);
    Ok(())
}

async fn ask(args: &Args, config: &Config) -> anyhow::Result<()> {
    let drain = Drain::default();
    drain.on_signals()?;
    let rules = agreed(&clickhouse::client(&config.clickhouse), &config.rules).await?;
    let limits = Limits { calls_at_once: args.calls_at_once as usize, wait_ms: args.wait.unsigned_abs() };
    let calls = relink(config, &args.selection(), rules, limits, &drain).await?;
    println!("linked again by rules {rules}: {calls} calls");
    Ok(())
}

/// Milliseconds since the Unix epoch.
fn moment(text: &str) -> Result<i64, String> {
    let midnight = |day: NaiveDate| day.and_hms_opt(0, 0, 0).map(|time| time.and_utc().timestamp_millis());
    match text.parse().ok().and_then(midnight) {
        Some(at) => Ok(at),
        None => time(text).map_err(|expected| format!("{expected}, or a day such as 2026-11-01")),
    }
}

#[cfg(test)]
mod tests {
    use super::moment;

    #[test]
    fn days_begin_at_midnight_in_utc() {
        assert_eq!(moment("2026-11-01"), Ok(1_793_491_200_000));
        assert_eq!(moment("2026-11-01T08:00:00Z"), Ok(1_793_520_000_000));
        assert_eq!(moment("1793520000000"), Ok(1_793_520_000_000));
        assert!(moment("yesterday").unwrap_err().contains("a day such as"));
    }
}
