//! Real parts for tests and benchmarks: Apache Kafka and the embedded ClickHouse, one of each for the whole process.
//!
//! Every child dies with this process, however it ends (`setpriv --pdeathsig`), and its data is below `target/`.

mod case;
mod clickhouse;
mod disk;
mod hook;
mod http;
mod kafka;
mod process;
mod records;
mod toxiproxy;

use std::path::PathBuf;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

pub use case::Case;
pub use clickhouse::Door;
pub use disk::SmallDisk;
pub use hook::Hook;
pub use http::{Answer, ask, begin, get, request};
pub use kafka::{Kafka, Listener};
pub use process::{Exit, Running, data};
pub use records::{Given, INPUT_TOPICS, Read, SLOT_TOPICS, read, topic_of};
pub use toxiproxy::{Proxy, Toxiproxy};

/// How long anything may take to be ready.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// Where what is running can be reached.
#[derive(Clone, Debug)]
pub struct Stack {
    /// Bootstrap address of Apache Kafka.
    pub brokers: String,
    /// Listener of Kafka that sends its clients to a proxy, for one test.
    pub proxied: Listener,
    /// Address of the embedded ClickHouse.
    pub clickhouse_url: String,
}

/// Starts the stack at the first call.
pub fn stack() -> &'static Stack {
    static STACK: OnceLock<Stack> = OnceLock::new();
    STACK.get_or_init(|| {
        process::remove_old_data();
        let proxied = Listener { port: fixed_port(), advertised: fixed_port() };
        let kafka = Kafka::format("kafka", &[proxied]);
        process::start_for_good("kafka", &kafka.command());
        let door = Door::new("clickhouse");
        process::start_for_good("clickhouse", &door.command());
        kafka.wait();
        door.wait();
        Stack { brokers: kafka.address(), proxied, clickhouse_url: door.url() }
    })
}

/// The stack with a broker that has only the classic group protocol, as those before Kafka 4 do.
pub fn classic_stack() -> Stack {
    static CLASSIC: OnceLock<String> = OnceLock::new();
    let brokers = CLASSIC.get_or_init(|| {
        let kafka = Kafka::format("kafka-classic", &[]);
        kafka.set("group.coordinator.rebalance.protocols=classic");
        process::start_for_good("kafka-classic", &kafka.command());
        kafka.wait();
        kafka.address()
    });
    Stack { brokers: brokers.clone(), ..stack().clone() }
}

/// The release binary, which `make test` builds first.
pub fn binary() -> PathBuf {
    let mut folder = std::env::current_exe().expect("this program has a path");
    folder.pop();
    if folder.ends_with("deps") {
        folder.pop();
    }
    let binary = folder.join("ringtrace");
    assert!(binary.exists(), "{} is missing: `make test` builds it first", binary.display());
    binary
}

/// A port that nobody listens on.
pub fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("the loopback has a free port");
    listener.local_addr().expect("a bound listener has an address").port()
}

/// A port that nobody listens on, outside the range from which the kernel takes ports for outgoing connections: what is
/// started again finds it free.
pub fn fixed_port() -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    loop {
        let port = 20_000 + (std::process::id() * 97 + NEXT.fetch_add(1, Ordering::Relaxed)) % 12_000;
        if std::net::TcpListener::bind(("127.0.0.1", port as u16)).is_ok() {
            return port as u16;
        }
    }
}

/// Polls until a condition holds.
///
/// # Panics
/// When it does not hold in time.
pub fn wait_for(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < deadline, "{what}: not within {} s", PATIENCE.as_secs());
        std::thread::park_timeout(Duration::from_millis(50));
    }
}
