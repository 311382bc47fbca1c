//! `ringtrace clickhouse`: the ClickHouse engine behind its own HTTP interface, with nothing installed.

use std::net::{SocketAddr, TcpListener, ToSocketAddrs as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use ringtrace_clickhouse::{Access, Confined, Engine, Password, become_user, confine, find_library, serve};
use ringtrace_kit::drain::Drain;

use super::service;

const PASSWORD_VARIABLE: &str = "RINGTRACE_CLICKHOUSE_SERVER_PASSWORD";

/// Serve ClickHouse over HTTP from a data directory.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Where the data is kept; made when it is not there
    #[arg(long, value_name = "DIR", default_value = "ringtrace-data")]
    data: PathBuf,
    /// Address to listen on; one that other machines reach needs a password
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8123")]
    listen: String,
    /// File whose first line is the password of the user `default`; also RINGTRACE_CLICKHOUSE_SERVER_PASSWORD
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// Let statements read and write files, run commands and open connections, with the rights of this process
    #[arg(long)]
    allow_external: bool,
    /// Become this user once the address is bound; only root may
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// Stop when standard input ends, so that it ends with the process that started it
    #[arg(long, hide = true)]
    until_input_ends: bool,
}

/// What is known and checked before anything starts.
struct Start {
    library: PathBuf,
    addresses: Vec<SocketAddr>,
    password: Option<Password>,
}

/// Serves until SIGTERM or SIGINT.
pub fn run(args: &Args) -> ExitCode {
    match check(args) {
        Ok(start) => service::finish(bind(args, &start).and_then(|listener| {
            if let Some(user) = &args.user {
                become_user(user, &args.data)?;
            }
            let access = confined(args, &start.library)?;
            // Its threads are the first: they have that user and are confined as well.
            let runtime = service::runtime()?;
            let served = runtime.block_on(engine(args, start, listener, access));
            // The thread of a statement that can't be cancelled must not keep the process.
            runtime.shutdown_background();
            served
        })),
        Err(error) => service::refuse(&error, service::EXIT_CONFIG),
    }
}

fn check(args: &Args) -> anyhow::Result<Start> {
    let password = password(args.password_file.as_deref())?;
    let listen = &args.listen;
    let addresses =
        listen.to_socket_addrs().with_context(|| format!("--listen {listen} is not an address, as 127.0.0.1:8123"))?;
    let addresses: Vec<SocketAddr> = addresses.collect();
    if password.is_none() && !addresses.iter().all(|address| address.ip().is_loopback()) {
        bail!("--listen {listen} can be reached by other machines, so it needs --password-file or {PASSWORD_VARIABLE}");
    }
    Ok(Start { library: find_library()?, addresses, password })
}

fn password(file: Option<&Path>) -> anyhow::Result<Option<Password>> {
    let Some(file) = file else {
        return Ok(Password::new(&std::env::var(PASSWORD_VARIABLE).unwrap_or_default()));
    };
    let text =
        std::fs::read_to_string(file).with_context(|| format!("--password-file {} can't be read", file.display()))?;
    match Password::new(text.lines().next().unwrap_or_default()) {
        None => bail!("--password-file {} has no password in its first line", file.display()),
        password => Ok(password),
    }
}

/// Confines the process unless it is allowed outside. No thread may have started before.
fn confined(args: &Args, library: &Path) -> anyhow::Result<Access> {
    if args.allow_external {
        return Ok(Access::Outside);
    }
    if confine(library, &args.data)? != Confined::Fully {
        eprintln!("ringtrace: this kernel is too old to confine the engine fully (Linux 6.7 does); rights alone do it");
    }
    Ok(Access::Inside)
}

fn bind(args: &Args, start: &Start) -> anyhow::Result<TcpListener> {
    let listener = TcpListener::bind(start.addresses.as_slice())
        .with_context(|| format!("--listen {} can't be bound, name another port", args.listen))?;
    // As tokio wants it.
    listener.set_nonblocking(true)?;
    Ok(listener)
}

async fn engine(args: &Args, start: Start, listener: TcpListener, access: Access) -> anyhow::Result<()> {
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
    let engine = Engine::open(&start.library, &args.data, access)?;
    println!("ClickHouse on http://{}, data in {}", listener.local_addr()?, args.data.display());
    let listener = tokio::net::TcpListener::from_std(listener)?;
    serve(engine, listener, start.password, async move { drain.started().await }).await?;
    Ok(())
}
