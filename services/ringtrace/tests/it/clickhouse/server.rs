//! A `ringtrace clickhouse` that ends with its test.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

/// A running server.
pub struct Server {
    pub url: String,
    child: Child,
    /// Its end ends the server, also when this process is killed.
    _input: ChildStdin,
}

/// The command, with a port that the system chooses.
pub fn command(data: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ringtrace"));
    command.args(["clickhouse", "--listen", "127.0.0.1:0", "--data"]).arg(data).args(args);
    command.env_remove("RINGTRACE_CLICKHOUSE_SERVER_PASSWORD").stdin(Stdio::null());
    command
}

/// Runs the command to its end: exit status and what it said.
pub fn ended(command: &mut Command) -> (i32, String) {
    let Output { status, stderr, .. } = command.output().unwrap();
    (status.code().expect("it ended by itself"), String::from_utf8(stderr).unwrap())
}

impl Server {
    /// Starts it and waits until it listens.
    pub fn start(data: &Path, args: &[&str]) -> Self {
        Self::start_command(command(data, args).arg("--until-input-ends"))
    }

    pub fn start_command(command: &mut Command) -> Self {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url = line.split([' ', ',']).find(|word| word.starts_with("http://"));
        let url = url.unwrap_or_else(|| panic!("the server did not start: {line}")).to_owned();
        let input = child.stdin.take().unwrap();
        Self { url, child, _input: input }
    }

    /// Kills it as nothing else can: no destructor runs.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Whether it still runs.
    pub fn runs(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// The file system as the process sees it.
    pub fn root(&self) -> PathBuf {
        format!("/proc/{}/root", self.child.id()).into()
    }

    /// A line of what the kernel says about the process.
    pub fn status(&self, name: &str) -> String {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).unwrap().trim().to_owned()
    }

    /// Resident memory in MiB.
    pub fn memory_mib(&self) -> u64 {
        self.status("VmRSS").trim_end_matches(" kB").parse::<u64>().unwrap() / 1024
    }

    /// Status and text of an answer.
    pub async fn answer(&self, sql: &str) -> (u16, String) {
        let response = http().post(&self.url).body(sql.to_owned()).send().await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap().trim_end().to_owned())
    }

    /// The text of a successful answer.
    pub async fn ask(&self, sql: &str) -> String {
        let (status, text) = self.answer(sql).await;
        assert_eq!(status, 200, "{sql}: {text}");
        text
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn http() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().build().unwrap()
}

/// An empty folder that is removed with this value.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("clickhouse-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl std::ops::Deref for Folder {
    type Target = Path;
    fn deref(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Whether the long form of a test is asked for.
pub fn long() -> bool {
    std::env::var_os("RINGTRACE_LONG").is_some_and(|value| value == "1")
}

/// Pseudorandom numbers (xorshift64*).
pub struct Random(u64);

impl Random {
    /// From `RINGTRACE_SEED`, or from one that changes with each run; printed, so that a failure can be repeated.
    pub fn seeded() -> Self {
        let given = std::env::var("RINGTRACE_SEED").ok().and_then(|seed| seed.parse().ok());
        let seed = given.unwrap_or_else(|| u64::from(std::process::id()).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        println!("RINGTRACE_SEED={seed}");
        Self(seed.max(1))
    }

    /// A number below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        usize::try_from(self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33).unwrap() % end
    }
}
