//! A place for a linker: killed, suspended, stopped and started again, and whatever it says on the way.

use std::process::ExitStatus;

use ringtrace_tests::stack::{Case, Proxy, Running, fixed_port, get};

/// How many of a log's last lines a failure shows.
const LAST_LINES: usize = 12;

/// See the module's text.
pub struct Seat {
    name: String,
    settings: Vec<(String, String)>,
    http: String,
    running: Option<Running>,
    /// On its way out, in order.
    leaving: Option<Running>,
    was_killed: bool,
    /// It is to start as soon as the one before it has gone.
    is_due: bool,
    pub starts: u32,
    /// Ends that nobody asked for, and stops that did not drain: how, and the last words.
    pub surprises: Vec<String>,
    /// Times that a linker dropped its state, for itself or another to read it again.
    pub restarts: usize,
}

impl Seat {
    pub fn new(nth: usize, kafka: &Proxy, clickhouse: &Proxy) -> Self {
        let http = format!("127.0.0.1:{}", fixed_port());
        let settings = [
            ("RINGTRACE_KAFKA_BROKERS", kafka.address()),
            ("RINGTRACE_CLICKHOUSE_URL", format!("http://{}", clickhouse.address())),
            ("RINGTRACE_HTTP_LISTEN", http.clone()),
        ];
        Seat {
            name: format!("seat-{nth}"),
            settings: settings.map(|(name, value)| (name.to_owned(), value)).into(),
            http,
            running: None,
            leaving: None,
            was_killed: false,
            is_due: false,
            starts: 0,
            surprises: Vec::new(),
            restarts: 0,
        }
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether there is one that is not asked to leave, or one is to come.
    pub fn is_wanted(&self) -> bool {
        self.running.is_some() || self.is_due
    }

    pub fn was_killed(&self) -> bool {
        self.was_killed
    }

    pub fn start(&mut self, case: &Case) {
        self.was_killed = false;
        self.is_due = self.running.is_none();
        self.supervise(case);
    }

    pub fn kill(&mut self) {
        for mut killed in self.running.take().into_iter().chain(self.leaving.take()) {
            killed.signal("KILL");
            self.was_killed = true;
            while killed.ended().is_none() {
                std::thread::yield_now();
            }
            self.read(&killed);
        }
    }

    /// Asks it to stop in order.
    pub fn stop(&mut self) {
        if let Some(running) = self.running.take() {
            running.signal("TERM");
            self.leaving = Some(running);
        }
    }

    pub fn signal(&self, signal: &str) {
        if let Some(running) = &self.running {
            running.signal(signal);
        }
    }

    /// Notes what has ended, and starts what is to run.
    pub fn supervise(&mut self, case: &Case) {
        if let Some(status) = self.running.as_mut().and_then(Running::ended) {
            self.take_surprise(status, true);
            self.is_due = true;
        }
        if let Some(status) = self.leaving.as_mut().and_then(Running::ended) {
            self.take_surprise(status, false);
        }
        if self.is_due && self.leaving.is_none() {
            self.is_due = false;
            self.starts += 1;
            let log = format!("{}-{}", self.name, self.starts);
            self.running = Some(case.start_with(&self.name, &log, &self.settings));
        }
    }

    /// Whether it has left.
    pub fn is_empty(&self) -> bool {
        self.running.is_none() && self.leaving.is_none()
    }

    fn take_surprise(&mut self, status: ExitStatus, is_sudden: bool) {
        let ended = if is_sudden { self.running.take() } else { self.leaving.take() };
        let Some(ended) = ended else { return };
        self.read(&ended);
        if is_sudden || !status.success() {
            self.surprises.push(format!("{}: {status}\n{}", self.name, last_lines(&ended.output())));
        }
    }

    /// No linker panics, or meets what it calls a defect.
    fn read(&mut self, ended: &Running) {
        let output = ended.output();
        let is_fault = output.contains("panicked at") || output.contains("defect of Ringtrace");
        assert!(!is_fault, "{}: {}", self.name, last_lines(&output));
        let drops = ["state is dropped and read again", "what was not committed is read again by whoever is next"];
        self.restarts += drops.iter().map(|drop| output.matches(drop).count()).sum::<usize>();
    }

    pub fn describe(&self) -> String {
        let output = self.running.as_ref().map(Running::output).unwrap_or_default();
        format!("{}\n{}", get(&self.http, "/readyz"), last_lines(&output))
    }
}

fn last_lines(output: &str) -> String {
    let lines: Vec<&str> = output.lines().collect();
    lines[lines.len().saturating_sub(LAST_LINES)..].join("\n")
}
