//! What faults befall: a broker, a ClickHouse on a small disk, linkers, and a proxy on each of their connections.

use std::ffi::{OsStr, OsString};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use ringtrace_tests::stack::{
    Case, Door, Kafka, Listener, Proxy, Running, SmallDisk, Stack, Toxiproxy, data, fixed_port, get, wait_for,
};
use serde_json::json;

use super::plan::{Fault, Kind, SEATS, Wire};
use super::seat::Seat;
use super::{RULES, SLOTS};

/// Room for the data of ClickHouse, in MiB, for minutes and for hours. The more there is, the longer it takes to fill.
const DISK_MIB: [u32; 2] = [256, 2_048];

/// Largest file that ClickHouse can write while its disk is full, where nothing can be mounted.
const SMALL_FILE: &str = "4096";

/// See the module's text.
pub struct Rig {
    pub case: Case,
    pub seats: Vec<Seat>,
    pub broker_starts: u32,
    pub clickhouse_starts: u32,
    kafka: Kafka,
    broker: Option<Running>,
    door: Door,
    clickhouse: Option<Running>,
    disk: Option<SmallDisk>,
    kafka_wires: Vec<Proxy>,
    clickhouse_wires: Vec<Proxy>,
    _toxiproxy: Toxiproxy,
}

impl Rig {
    /// Starts everything but the linkers.
    pub fn start(is_long: bool) -> Self {
        let listeners: Vec<Listener> =
            (0..SEATS).map(|_| Listener { port: fixed_port(), advertised: fixed_port() }).collect();
        let kafka = Kafka::format("chaos-kafka", &listeners);
        let broker = start("chaos-broker", &kafka.command());
        let disk = SmallDisk::mount("chaos-disk", DISK_MIB[usize::from(is_long)]);
        let folder = disk.as_ref().map_or_else(|| data("chaos-clickhouse"), |disk| disk.folder().join("data"));
        let door = Door::at(folder);
        let clickhouse = start("chaos-clickhouse-door", &clickhouse_command(disk.as_ref(), &door));
        let toxiproxy = Toxiproxy::start("chaos-toxiproxy");
        let kafka_wires = listeners.iter().enumerate().map(|(nth, listener)| {
            let upstream = format!("127.0.0.1:{}", listener.port);
            toxiproxy.proxy(&format!("kafka-{nth}"), listener.advertised, &upstream)
        });
        let clickhouse_wires =
            (0..SEATS).map(|nth| toxiproxy.proxy(&format!("clickhouse-{nth}"), fixed_port(), &door.listen()));
        let (kafka_wires, clickhouse_wires): (Vec<_>, Vec<_>) = (kafka_wires.collect(), clickhouse_wires.collect());
        kafka.wait();
        door.wait();
        let stack = Stack { brokers: kafka.address(), proxied: listeners[0], clickhouse_url: door.url() };
        let mut case = Case::stamped(stack, "chaos", SLOTS);
        for (variable, value) in SETTINGS {
            case.set(variable, value);
        }
        case.set_rules(&RULES);
        let seat = |nth: usize| Seat::new(nth, &kafka_wires[nth], &clickhouse_wires[nth]);
        Rig {
            seats: (0..SEATS).map(seat).collect(),
            case,
            broker_starts: 1,
            clickhouse_starts: 1,
            kafka,
            broker: Some(broker),
            door,
            clickhouse: Some(clickhouse),
            disk,
            kafka_wires,
            clickhouse_wires,
            _toxiproxy: toxiproxy,
        }
    }

    /// How the disk is filled.
    pub fn disk(&self) -> &'static str {
        if self.disk.is_some() { "a small one" } else { "full by a limit on the size of files" }
    }

    /// Starts again what has ended by itself.
    pub fn supervise(&mut self) {
        for seat in &mut self.seats {
            seat.supervise(&self.case);
        }
        if self.clickhouse.as_mut().is_some_and(|clickhouse| clickhouse.ended().is_some()) {
            self.start_clickhouse();
        }
        if let Some(status) = self.broker.as_mut().and_then(Running::ended) {
            panic!("the broker has ended by itself: {status}");
        }
    }

    /// Supervises until a moment.
    pub fn until(&mut self, moment: Instant) {
        while Instant::now() < moment {
            self.supervise();
            std::thread::park_timeout((moment - Instant::now()).min(Duration::from_millis(20)));
        }
    }

    pub fn begin(&mut self, fault: &Fault) {
        match fault.kind {
            Kind::Kill => self.seats[fault.seat].kill(),
            Kind::KillAll => self.seats.iter_mut().for_each(Seat::kill),
            Kind::Suspend => self.seats[fault.seat].signal("STOP"),
            Kind::Stop => self.seats[fault.seat].stop(),
            Kind::Third if self.seats[SEATS - 1].is_wanted() => self.seats[SEATS - 1].stop(),
            Kind::Third => self.seats[SEATS - 1].start(&self.case),
            Kind::BrokerStop | Kind::BrokerKill => self.stop_broker(fault.kind == Kind::BrokerStop),
            Kind::ClickHouseKill => self.clickhouse = None,
            Kind::ClickHouseSuspend => self.signal_clickhouse("STOP"),
            Kind::Cut(wire) => self.wires(wire, fault).iter().for_each(Proxy::cut),
            Kind::Slow(wire) => {
                self.spoil(wire, fault, "latency", false, &json!({ "latency": 1_000, "jitter": 800 }));
            }
            Kind::Narrow(wire) => self.spoil(wire, fault, "bandwidth", fault.is_upstream, &json!({ "rate": 20 })),
            Kind::HalfClosed(wire) => self.spoil(wire, fault, "timeout", fault.is_upstream, &json!({ "timeout": 0 })),
            Kind::BrokenOff(wire) => {
                self.spoil(wire, fault, "limit_data", fault.is_upstream, &json!({ "bytes": 30_000 }));
            }
            Kind::DiskFull => self.fill_disk(),
        }
    }

    pub fn end(&mut self, fault: &Fault) {
        match fault.kind {
            Kind::Kill | Kind::Stop => self.seats[fault.seat].start(&self.case),
            Kind::KillAll => {
                for seat in self.seats.iter_mut().filter(|seat| seat.was_killed()) {
                    seat.start(&self.case);
                }
            }
            Kind::Suspend => self.seats[fault.seat].signal("CONT"),
            Kind::Third => {}
            Kind::BrokerStop | Kind::BrokerKill => {
                self.broker = Some(start("chaos-broker", &self.kafka.command()));
                self.broker_starts += 1;
            }
            Kind::ClickHouseKill => self.start_clickhouse(),
            Kind::ClickHouseSuspend => self.signal_clickhouse("CONT"),
            Kind::Cut(wire)
            | Kind::Slow(wire)
            | Kind::Narrow(wire)
            | Kind::HalfClosed(wire)
            | Kind::BrokenOff(wire) => {
                self.wires(wire, fault).iter().for_each(Proxy::mend);
            }
            Kind::DiskFull => self.clear_disk(),
        }
    }

    /// What the linkers say of themselves, for a failure's message.
    pub fn describe(&self) -> String {
        let each = self.seats.iter().map(|seat| format!("{}: {}", seat.name(), seat.describe()));
        each.collect::<Vec<_>>().join("\n")
    }

    fn wires(&self, wire: Wire, fault: &Fault) -> &[Proxy] {
        let wires = match wire {
            Wire::Kafka => &self.kafka_wires,
            Wire::ClickHouse => &self.clickhouse_wires,
        };
        if fault.befalls_all { wires } else { &wires[fault.seat..=fault.seat] }
    }

    fn spoil(&self, wire: Wire, fault: &Fault, kind: &str, is_upstream: bool, attributes: &serde_json::Value) {
        self.wires(wire, fault).iter().for_each(|proxy| proxy.spoil(kind, is_upstream, attributes));
    }

    fn stop_broker(&mut self, is_orderly: bool) {
        let Some(broker) = self.broker.take() else { return };
        if is_orderly {
            broker.signal("TERM");
            drop(broker.wait());
        }
    }

    fn start_clickhouse(&mut self) {
        self.clickhouse = Some(start("chaos-clickhouse-door", &clickhouse_command(self.disk.as_ref(), &self.door)));
        self.clickhouse_starts += 1;
    }

    fn signal_clickhouse(&self, signal: &str) {
        if let Some(clickhouse) = &self.clickhouse {
            clickhouse.signal(signal);
        }
    }

    fn fill_disk(&self) {
        match &self.disk {
            Some(disk) => disk.fill(),
            None => self.limit_files(SMALL_FILE),
        }
    }

    fn clear_disk(&self) {
        match &self.disk {
            Some(disk) => disk.clear(),
            None => self.limit_files("unlimited"),
        }
    }

    fn limit_files(&self, limit: &str) {
        let Some(clickhouse) = &self.clickhouse else { return };
        let (pid, limit) = (clickhouse.id().to_string(), format!("--fsize={limit}:unlimited"));
        let set = std::process::Command::new("prlimit").args(["--pid", &pid, &limit]).status();
        assert!(set.expect("prlimit runs").success(), "a limit can be set");
    }

    /// Waits until the broker and ClickHouse answer.
    pub fn wait_for_servers(&mut self) {
        self.kafka.wait();
        wait_for("ClickHouse", || {
            self.supervise();
            TcpStream::connect(self.door.listen()).is_ok()
                && get(&self.door.listen(), "/ping").starts_with("HTTP/1.1 200")
        });
    }
}

/// Small caches, so that calls leave memory and come back; short flushes, so that every fault is in the middle of some.
const SETTINGS: [(&str, &str); 3] = [
    ("RINGTRACE_LINK_FLUSH_INTERVAL_MS", "200"),
    ("RINGTRACE_LINK_CALLS_IN_MEMORY", "200"),
    ("RINGTRACE_LINK_SETTLED_MS", "5000"),
];

fn start(name: &str, command: &[OsString]) -> Running {
    let command: Vec<&OsStr> = command.iter().map(AsRef::as_ref).collect();
    Running::start(name, &command, &[])
}

/// On the small disk; else with a file-size limit that is an error and no signal.
fn clickhouse_command(disk: Option<&SmallDisk>, door: &Door) -> Vec<OsString> {
    let without = || ["env", "--ignore-signal=XFSZ"].map(OsString::from).to_vec();
    let mut command = disk.map_or_else(without, SmallDisk::inside);
    command.extend(door.command());
    command
}
