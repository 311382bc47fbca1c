//! What a piece of work uses: time, CPU and memory, as the kernel counts them.

use std::fs;
use std::time::{Duration, Instant};

use ringtrace_kit::telemetry::init_metrics;

use crate::stack::wait_for;

/// `/proc` counts CPU time in hundredths of a second (`USER_HZ`, the same on every Linux).
const TICKS_PER_SECOND: f64 = 100.0;

/// Below this share of a core, over a second, Kafka and ClickHouse have nothing left to do.
const IDLE: f64 = 0.10;

/// What a piece of work used.
#[derive(Clone, Copy, Debug)]
pub struct Usage {
    /// Events that it was for.
    pub events: u64,
    /// Seconds.
    pub wall: f64,
    /// CPU seconds of this process, or of the one that does the work in its place, all threads.
    pub own: f64,
    /// CPU seconds of Kafka.
    pub kafka: f64,
    /// CPU seconds of ClickHouse until the work was done.
    pub clickhouse: f64,
    /// CPU seconds of ClickHouse until what it was given lay in one part of each partition.
    pub clickhouse_merged: f64,
    /// CPU seconds of everything else on the machine until the work was done.
    pub others: f64,
    /// Most memory of the same process, in MiB, what earlier work left behind included.
    pub peak_mib: f64,
    /// Rows that ClickHouse took; 0 for work that writes none.
    pub rows: i64,
}

/// What the linker's metrics have counted.
#[derive(Clone, Copy, Debug)]
pub struct Counts {
    /// Records that were committed, reroutes among them.
    pub records: u64,
    /// Reroutes.
    pub reroutes: u64,
    /// Times that the linker dropped its state.
    pub restarts: u64,
}

/// Measures this process, Kafka and ClickHouse.
pub struct Meter {
    kafka: u32,
    clickhouse: u32,
    metrics: Box<dyn Fn() -> String>,
}

impl Meter {
    /// Finds the processes of the stack, which must be running.
    ///
    /// # Panics
    /// When they are not, or there is another meter.
    pub fn of_stack() -> Self {
        let metrics = init_metrics().expect("no other recorder of metrics");
        Meter {
            kafka: child("kafka.Kafka"),
            clickhouse: child("ringtrace\0clickhouse"),
            metrics: Box::new(move || metrics.render()),
        }
    }

    /// Measures a piece of work, while nothing else of the stack is busy, and waits until it is quiet again.
    pub fn measure(&self, work: impl FnOnce()) -> Usage {
        self.measure_merged(work, || ())
    }

    /// The same for work that leaves parts in ClickHouse, which `merge` then makes one of each partition.
    pub fn measure_merged(&self, work: impl FnOnce(), merge: impl FnOnce()) -> Usage {
        self.wait_until_idle();
        // 5 sets the peak back to what is held now (proc(5)). Where that is refused, the peak is that of all work so far.
        let _ = fs::write("/proc/self/clear_refs", "5");
        let (before, started) = (self.cpu(), Instant::now());
        work();
        let (wall, after, peak_mib) = (started.elapsed().as_secs_f64(), self.cpu(), peak_mib());
        merge();
        self.wait_until_idle();
        let [own, kafka, clickhouse, all] = std::array::from_fn(|at| after[at] - before[at]);
        Usage {
            events: 0,
            wall,
            own,
            kafka,
            clickhouse,
            clickhouse_merged: self.cpu()[2] - before[2],
            others: (all - own - kafka - clickhouse).max(0.0),
            peak_mib,
            rows: 0,
        }
    }

    /// What the linker's metrics have counted so far.
    pub fn counts(&self) -> Counts {
        let metrics = (self.metrics)();
        let count = |name: &str| {
            let value = metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
            value.map_or(0, |value| value.parse().expect("a counter is a whole number"))
        };
        Counts {
            records: count("ringtrace_records_total"),
            reroutes: count("ringtrace_reroutes_total"),
            restarts: count("ringtrace_link_restarts_total"),
        }
    }

    fn wait_until_idle(&self) {
        let busy = |cpu: [f64; 4]| cpu[1] + cpu[2];
        let (mut since, mut before) = (Instant::now(), busy(self.cpu()));
        wait_for("Kafka and ClickHouse to be idle", || {
            let seconds = since.elapsed();
            if seconds < Duration::from_secs(1) {
                return false;
            }
            let now = busy(self.cpu());
            let share = (now - before) / seconds.as_secs_f64();
            (since, before) = (Instant::now(), now);
            share < IDLE
        });
    }

    /// CPU seconds so far: of this process, Kafka, ClickHouse, and the whole machine.
    fn cpu(&self) -> [f64; 4] {
        [process_cpu(std::process::id()), process_cpu(self.kafka), process_cpu(self.clickhouse), machine_cpu()]
    }
}

/// Fields of `/proc/<pid>/stat` after the name, which may hold anything: the state is the first.
fn stat(pid: u32) -> Option<Vec<u64>> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, fields) = stat.rsplit_once(')')?;
    Some(fields.split_whitespace().map(|field| field.parse().unwrap_or(0)).collect())
}

/// CPU seconds of a process so far.
pub(super) fn process_cpu(pid: u32) -> f64 {
    let stat = stat(pid).expect("the process runs");
    // utime and stime (proc(5)).
    (stat[11] + stat[12]) as f64 / TICKS_PER_SECOND
}

fn machine_cpu() -> f64 {
    let stat = fs::read_to_string("/proc/stat").expect("/proc");
    let line = stat.lines().next().unwrap_or_default();
    let ticks: Vec<u64> = line.split_whitespace().skip(1).map(|ticks| ticks.parse().unwrap_or(0)).collect();
    // user, nice, system, then idle and iowait, then irq, softirq, steal (proc(5)).
    let busy = ticks.iter().take(8).sum::<u64>() - ticks[3] - ticks[4];
    busy as f64 / TICKS_PER_SECOND
}

fn peak_mib() -> f64 {
    let status = fs::read_to_string("/proc/self/status").expect("/proc");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib: f64 = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse().ok()).unwrap_or(0.0);
    kib / 1024.0
}

/// The child of this process whose command line contains `words`.
fn child(words: &str) -> u32 {
    let pids =
        fs::read_dir("/proc").expect("/proc").flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let mut children = pids.filter(|pid| stat(*pid).is_some_and(|stat| stat[1] == u64::from(std::process::id())));
    let is_it = |pid: &u32| {
        let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&line).contains(words)
    };
    children.find(is_it).unwrap_or_else(|| panic!("{words:?} runs"))
}
