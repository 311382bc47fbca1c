//! Real parts for tests and benchmarks: Apache Kafka and the embedded ClickHouse, one of each for the whole process.
//!
//! Every child dies with this process, however it ends (`setpriv --pdeathsig`), and its data is below `target/`.

mod case;
mod kafka;
mod process;
mod records;

use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

pub use case::Case;
pub use process::{Exit, Running, data};
pub use records::{Given, INPUT_TOPICS, Read, topic_of};

/// How long anything may take to be ready.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// What is running.
pub struct Stack {
    /// Bootstrap address of Apache Kafka.
    pub brokers: String,
    /// Address of the embedded ClickHouse.
    pub clickhouse_url: String,
}

/// Starts the stack at the first call.
pub fn stack() -> &'static Stack {
    static STACK: OnceLock<Stack> = OnceLock::new();
    STACK.get_or_init(|| {
        process::remove_old_data();
        let kafka = kafka::start();
        let port = free_port();
        let clickhouse_url = format!("http://127.0.0.1:{port}");
        let data = process::data("clickhouse");
        let listen = format!("127.0.0.1:{port}");
        process::start_for_good(
            "clickhouse",
            &[
                binary().as_os_str(),
                "clickhouse".as_ref(),
                "--data".as_ref(),
                data.as_os_str(),
                "--listen".as_ref(),
                listen.as_ref(),
            ],
        );
        let brokers = kafka.ready();
        wait_for("ClickHouse", || std::net::TcpStream::connect(&listen).is_ok());
        Stack { brokers, clickhouse_url }
    })
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
