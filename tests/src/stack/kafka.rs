//! Apache Kafka in KRaft mode, one node, from the jars that `make` fetched.

use std::ffi::OsString;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::process::data;
use super::{fixed_port, wait_for};

/// Any cluster id: 16 bytes, base64 without padding.
const CLUSTER_ID: &str = "UmluZ3RyYWNlVGVzdHMwMQ";

/// A broker that can be started, again and again.
pub struct Kafka {
    port: u16,
    properties: PathBuf,
}

impl Kafka {
    /// Formats a data directory. `proxied` are ports of proxies: for each there is a listener that sends its clients to it.
    pub fn format(name: &str, proxied: &[Listener]) -> Self {
        let (port, controller) = (fixed_port(), fixed_port());
        let folder = data(name);
        fs::create_dir_all(&folder).expect("target/ can be written");
        let properties = folder.join("server.properties");
        fs::write(&properties, settings(port, controller, proxied, &folder.join("logs")))
            .expect("target/ can be written");
        let jars = jars();
        let formatted = Command::new("java")
            .args(["-cp".as_ref(), jars.as_os_str(), "kafka.tools.StorageTool".as_ref(), "format".as_ref()])
            .args(["-t".as_ref(), CLUSTER_ID.as_ref(), "-c".as_ref(), properties.as_os_str()])
            .output()
            .expect("java runs");
        assert!(formatted.status.success(), "{}", String::from_utf8_lossy(&formatted.stderr));
        Kafka { port, properties }
    }

    /// Adds a setting, before the start.
    pub fn set(&self, setting: &str) {
        let mut properties = fs::File::options().append(true).open(&self.properties).expect("there are properties");
        properties.write_all(format!("{setting}\n").as_bytes()).expect("target/ can be written");
    }

    /// What starts it.
    pub fn command(&self) -> Vec<OsString> {
        let mut command = ["java", "-Xmx768m", "-cp"].map(OsString::from).to_vec();
        command.extend([jars().into_os_string(), "kafka.Kafka".into(), self.properties.clone().into_os_string()]);
        command
    }

    /// Bootstrap address of the listener without a proxy.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Waits until it takes connections.
    pub fn wait(&self) {
        wait_for("Kafka", || std::net::TcpStream::connect(self.address()).is_ok());
    }
}

/// A listener whose clients are sent to a proxy.
#[derive(Clone, Copy, Debug)]
pub struct Listener {
    /// Where the broker listens.
    pub port: u16,
    /// Where the proxy listens.
    pub advertised: u16,
}

fn jars() -> PathBuf {
    let jars = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/kafka/libs");
    assert!(jars.join(".ready").exists(), "Apache Kafka is missing: `make test` fetches it");
    jars.join("*")
}

fn settings(port: u16, controller: u16, proxied: &[Listener], logs: &Path) -> String {
    let each = |line: fn(usize, &Listener) -> String| -> String {
        proxied.iter().enumerate().map(|(nth, listener)| line(nth, listener)).collect()
    };
    let listeners = each(|nth, listener| format!(",PROXIED{nth}://127.0.0.1:{}", listener.port));
    let advertised = each(|nth, listener| format!(",PROXIED{nth}://127.0.0.1:{}", listener.advertised));
    let protocols = each(|nth, _| format!(",PROXIED{nth}:PLAINTEXT"));
    let logs = logs.display();
    format!(
        "process.roles=broker,controller\n\
         node.id=1\n\
         controller.quorum.voters=1@127.0.0.1:{controller}\n\
         listeners=PLAINTEXT://127.0.0.1:{port}{listeners},CONTROLLER://127.0.0.1:{controller}\n\
         advertised.listeners=PLAINTEXT://127.0.0.1:{port}{advertised}\n\
         inter.broker.listener.name=PLAINTEXT\n\
         controller.listener.names=CONTROLLER\n\
         listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT{protocols}\n\
         log.dirs={logs}\n\
         auto.create.topics.enable=false\n\
         offsets.topic.replication.factor=1\n\
         offsets.topic.num.partitions=4\n\
         transaction.state.log.replication.factor=1\n\
         transaction.state.log.min.isr=1\n\
         transaction.state.log.num.partitions=4\n\
         group.initial.rebalance.delay.ms=0\n\
         group.consumer.min.session.timeout.ms=15000\n\
         group.consumer.session.timeout.ms=15000\n\
         group.consumer.min.heartbeat.interval.ms=3000\n\
         group.consumer.heartbeat.interval.ms=3000\n\
         message.max.bytes=20971520\n\
         replica.fetch.max.bytes=20971520\n"
    )
}
