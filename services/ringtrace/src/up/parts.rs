//! The embedded ClickHouse as a child process.

use std::fs::File;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use tokio::process::{Child, Command};

/// Where it listens, if nobody else does.
const USUAL: &str = "127.0.0.1:8123";

/// What it says goes to this file of its data directory.
const LOG: &str = "engine.log";

/// How long it may take to start.
const START: Duration = Duration::from_secs(60);

/// The embedded ClickHouse; ends when its standard input does, so also when this process is killed.
pub struct Engine {
    child: Child,
    log: PathBuf,
}

impl Engine {
    /// Starts it, and waits until it answers; gives its address.
    ///
    /// # Errors
    /// When it can't be started or ends by itself.
    pub async fn start(data: &Path) -> anyhow::Result<(Self, String)> {
        let usual = TcpListener::bind(USUAL).or_else(|_| TcpListener::bind("127.0.0.1:0"))?;
        let listen = usual.local_addr()?.to_string();
        drop(usual);
        std::fs::create_dir_all(data).with_context(|| format!("--data {} can't be made", data.display()))?;
        let log = data.join(LOG);
        let said = File::create(&log).with_context(|| format!("{} can't be written", log.display()))?;
        let child = Command::new(std::env::current_exe()?)
            .args(["clickhouse", "--until-input-ends", "--listen", &listen, "--data"])
            .arg(data)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            // What the engine has to say would tear the screen.
            .stderr(said)
            // A group of its own: Ctrl-C in the terminal must not end it before the linker has written its last rows.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .context("the embedded ClickHouse can't be started")?;
        let mut engine = Engine { child, log };
        let url = format!("http://{listen}");
        engine.answered(&url).await?;
        Ok((engine, url))
    }

    async fn answered(&mut self, url: &str) -> anyhow::Result<()> {
        let client = clickhouse::Client::default().with_url(url);
        let deadline = Instant::now() + START;
        while client.query("SELECT 1").fetch_one::<u8>().await.is_err() {
            if let Some(status) = self.child.try_wait()? {
                let said = std::fs::read_to_string(&self.log).unwrap_or_default();
                bail!(
                    "the embedded ClickHouse ended with {status}: {}",
                    said.trim_end().lines().last().unwrap_or_default()
                );
            }
            if Instant::now() > deadline {
                bail!("the embedded ClickHouse did not answer within {} s", START.as_secs());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    }

    /// Lets it finish its work, and waits for its end.
    ///
    /// # Errors
    /// When it does not end well.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        drop(self.child.stdin.take());
        let status = self.child.wait().await?;
        if !status.success() {
            bail!("the embedded ClickHouse ended with {status}: see {}", self.log.display());
        }
        Ok(())
    }
}
