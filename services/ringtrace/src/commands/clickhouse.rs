//! `ringtrace clickhouse`: the ClickHouse engine behind its own HTTP interface, with nothing installed.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use ringtrace_clickhouse::{Engine, find_library, serve};
use ringtrace_kit::drain::Drain;
use tokio::net::TcpListener;

use super::service;

/// Serve ClickHouse over HTTP from a data directory.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Where the data is kept; made when it is not there
    #[arg(long, value_name = "DIR", default_value = "ringtrace-data")]
    data: PathBuf,
    /// Address to listen on
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8123")]
    listen: String,
    /// Stop when standard input ends, so that it ends with the process that started it
    #[arg(long, hide = true)]
    until_input_ends: bool,
}

/// Serves until SIGTERM or SIGINT.
pub fn run(args: &Args) -> ExitCode {
    service::finish(service::runtime().and_then(|runtime| runtime.block_on(engine(args))))
}

async fn engine(args: &Args) -> anyhow::Result<()> {
    let drain = Drain::default();
    drain.on_signals()?;
    if args.until_input_ends {
        let drain = drain.clone();
        std::thread::spawn(move || {
            // An error ends the input as well.
            let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
            drain.start();
        });
    }
    let listener =
        TcpListener::bind(&args.listen).await.with_context(|| format!("--listen {} can't be bound", args.listen))?;
    let engine = Engine::open(&find_library()?, &args.data)?;
    println!("ClickHouse on http://{}, data in {}", listener.local_addr()?, args.data.display());
    serve(engine, listener, async move { drain.started().await }).await?;
    Ok(())
}
