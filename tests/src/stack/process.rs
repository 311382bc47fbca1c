//! Child processes that end with this one.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::OnceLock;
use std::sync::mpsc::{Sender, channel};

use super::wait_for;

/// How a child ended.
pub struct Exit {
    /// Its status.
    pub status: ExitStatus,
    /// What it printed, both streams.
    pub output: String,
    /// The most memory that it held, in KiB.
    pub peak_memory_kib: u64,
}

/// A child that a test ends itself.
pub struct Running {
    child: Child,
    log: PathBuf,
}

impl Running {
    /// Starts a command; it is killed when this value is dropped.
    pub fn start(name: &str, command: &[&OsStr], environment: &[(String, String)]) -> Self {
        let log = data(name).with_extension("log");
        // An earlier one of the name has ended, and its output was read.
        let _ = fs::remove_file(&log);
        Running { child: spawn(command, &log, environment), log }
    }

    /// Waits for the end.
    pub fn wait(mut self) -> Exit {
        let mut status = None;
        let mut peak_memory_kib = 0;
        wait_for("the end of a child", || {
            peak_memory_kib = self.peak_memory_kib().max(peak_memory_kib);
            status = self.child.try_wait().expect("a child can be waited for");
            status.is_some()
        });
        Exit { status: status.expect("it has ended"), output: self.output(), peak_memory_kib }
    }

    /// Sends a signal by name: `TERM`, `KILL`, `STOP`.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").arg(format!("-{name}")).arg(self.child.id().to_string()).status();
        assert!(sent.expect("kill runs").success(), "the child is there to be signalled");
    }

    /// How it has ended; `None` while it runs.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("a child can be waited for")
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The most memory that it has held so far, in KiB; 0 once it has ended.
    pub fn peak_memory_kib(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        line.and_then(|line| line.trim().strip_suffix(" kB")?.parse().ok()).unwrap_or(0)
    }

    /// What it has printed so far, both streams.
    pub fn output(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Starts a child that lives as long as this process.
pub fn start_for_good(name: &str, command: &[OsString]) {
    // The kernel ends a child with the *thread* that started it, and threads of tests end early.
    type Order = (Vec<OsString>, PathBuf);
    static STARTER: OnceLock<Sender<Order>> = OnceLock::new();
    let starter = STARTER.get_or_init(|| {
        let (orders, to_start) = channel::<Order>();
        std::thread::spawn(move || {
            let mut children = Vec::new();
            for (command, log) in to_start {
                let command: Vec<&OsStr> = command.iter().map(AsRef::as_ref).collect();
                children.push(spawn(&command, &log, &[]));
            }
        });
        orders
    });
    starter.send((command.to_vec(), data(name).with_extension("log"))).expect("the starter lives");
}

fn spawn(command: &[&OsStr], log: &Path, environment: &[(String, String)]) -> Child {
    let log = File::options().create(true).append(true).open(log).expect("the log can be written");
    let errors = log.try_clone().expect("a file can be shared");
    Command::new("setpriv")
        .args(["--pdeathsig", "KILL", "--"])
        .args(command)
        .envs(environment.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .stdout(log)
        .stderr(errors)
        .spawn()
        .unwrap_or_else(|error| panic!("setpriv (util-linux) can't start {command:?}: {error}"))
}

/// A path below `target/` for the data of one part of this process.
pub fn data(name: &str) -> PathBuf {
    let folder = root().join(std::process::id().to_string());
    fs::create_dir_all(&folder).expect("target/ can be written");
    folder.join(name)
}

/// Removes what processes that are gone have left.
pub fn remove_old_data() {
    let Ok(entries) = fs::read_dir(root()) else { return };
    for entry in entries.flatten() {
        let pid = entry.file_name();
        if !Path::new("/proc").join(&pid).exists() {
            // Another process may be removing it as well.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/test-data")
}
