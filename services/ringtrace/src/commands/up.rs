//! `ringtrace up`: everything in one command, with nothing configured.

use std::path::PathBuf;
use std::process::ExitCode;

use super::service::{self, Settings};
use super::simulate::WorldArgs;
use crate::up;

/// Run a broker, ClickHouse, the linker, the web application and simulated calls, and show what comes of it.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    settings: Settings,
    /// Where ClickHouse keeps its data; a later start goes on with it
    #[arg(long, value_name = "DIR", default_value = "ringtrace-data")]
    data: PathBuf,
    /// Address of /livez, /readyz and /metrics [http.listen]
    #[arg(long, value_name = "ADDR")]
    listen: Option<String>,
    #[command(flatten)]
    world: WorldArgs,
}

/// Runs until SIGTERM or SIGINT.
pub fn run(args: &Args) -> ExitCode {
    service::run_quietly(&args.settings, async |mut config| {
        if let Some(listen) = &args.listen {
            config.http.listen.clone_from(listen);
        }
        up::run(config, &args.data, &args.world).await
    })
}
