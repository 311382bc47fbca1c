//! What the commands that talk to Kafka and ClickHouse have in common: settings, telemetry, exit statuses.

use std::path::PathBuf;
use std::process::ExitCode;

use ringtrace_api::ServeError;
use ringtrace_kit::config::{Config, ConfigError, Override, load};
use ringtrace_kit::rules::RulesError;
use ringtrace_kit::telemetry;
use ringtrace_linker::{LinkError, LoadError};
use tokio::runtime::Runtime;

/// Exit status of a configuration that is not accepted (`EX_CONFIG` of sysexits.h).
pub const EXIT_CONFIG: u8 = 78;

/// Exit status when some input was no valid events (`EX_DATAERR` of sysexits.h).
pub const EXIT_DATA: u8 = 65;

/// Settings that every such command takes.
#[derive(Debug, clap::Args)]
pub struct Settings {
    /// Configuration file (TOML); the environment (RINGTRACE_<SECTION>_<KEY>) and flags override it
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Kafka's bootstrap brokers, host:port separated by commas [kafka.brokers]
    #[arg(long, value_name = "BROKERS")]
    brokers: Option<String>,
    /// ClickHouse's HTTP interface [clickhouse.url]
    #[arg(long, value_name = "URL")]
    clickhouse_url: Option<String>,
}

impl Settings {
    /// The configuration, all layers together.
    ///
    /// # Errors
    /// The setting that is not accepted.
    pub fn load(&self) -> Result<Config, ConfigError> {
        let flag = |flag, key, value: &Option<String>| value.clone().map(|value| Override { flag, key, value });
        let overrides = [
            flag("--brokers", "kafka.brokers", &self.brokers),
            flag("--clickhouse-url", "clickhouse.url", &self.clickhouse_url),
        ];
        load(self.config.as_deref(), std::env::vars(), &overrides.into_iter().flatten().collect::<Vec<_>>())
    }
}

/// Loads the configuration, starts logging and a runtime, and runs a command in it.
pub fn run(settings: &Settings, command: impl AsyncFnOnce(Config) -> anyhow::Result<()>) -> ExitCode {
    match settings.load() {
        Ok(config) => run_with(config, command),
        Err(error) => refuse(&error.into(), EXIT_CONFIG),
    }
}

/// The same, logging warnings only unless `log.level` is configured: the command shows a screen of its own.
pub fn run_quietly(settings: &Settings, command: impl AsyncFnOnce(Config) -> anyhow::Result<()>) -> ExitCode {
    match settings.load() {
        Ok(mut config) => {
            if !config.is_configured("log.level") {
                "warn".clone_into(&mut config.log.level);
            }
            run_with(config, command)
        }
        Err(error) => refuse(&error.into(), EXIT_CONFIG),
    }
}

fn run_with(config: Config, command: impl AsyncFnOnce(Config) -> anyhow::Result<()>) -> ExitCode {
    if let Err(error) = telemetry::init_logs(&config.log) {
        let problem = anyhow::anyhow!("log.level = \"{}\" is not accepted: {error}", config.log.level);
        return refuse(&problem, EXIT_CONFIG);
    }
    finish(runtime().and_then(|runtime| runtime.block_on(command(config))))
}

/// A runtime for everything that waits beside the threads that work.
///
/// # Errors
/// When the operating system gives no threads.
pub fn runtime() -> anyhow::Result<Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?)
}

/// The exit status of a command, its error said once with the whole chain of causes.
pub fn finish(result: anyhow::Result<()>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => refuse(&error, status_of(&error)),
    }
}

/// A setting that is not the stored one, or that the server does not take, is a configuration that is not accepted.
fn status_of(error: &anyhow::Error) -> u8 {
    let of_linker = error.downcast_ref::<LinkError>().and_then(|error| match error {
        LinkError::Load(LoadError::Rules(error)) => Some(error),
        _ => None,
    });
    let rules = error.downcast_ref::<RulesError>().or(of_linker);
    let serve = error.downcast_ref::<ServeError>();
    let is_setting = rules.is_some_and(RulesError::is_setting)
        || serve.is_some_and(ServeError::is_setting)
        || super::alert::is_of_rules(error);
    if is_setting { EXIT_CONFIG } else { 1 }
}

/// Says an error once, with the whole chain of causes.
pub fn refuse(error: &anyhow::Error, status: u8) -> ExitCode {
    eprintln!("ringtrace: {error:#}");
    ExitCode::from(status)
}
