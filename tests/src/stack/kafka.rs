//! Apache Kafka in KRaft mode, one node, from the jars that `make` fetched.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::process::{data, start_for_good};
use super::{free_port, wait_for};

/// Any cluster id: 16 bytes, base64 without padding.
const CLUSTER_ID: &str = "UmluZ3RyYWNlVGVzdHMwMQ";

/// A broker on its way.
pub struct Starting {
    port: u16,
}

/// Formats a data directory and starts the broker.
pub fn start() -> Starting {
    let (port, controller) = (free_port(), free_port());
    let folder = data("kafka");
    fs::create_dir_all(&folder).expect("target/ can be written");
    let properties = folder.join("server.properties");
    let logs = folder.join("logs");
    fs::write(&properties, settings(port, controller, &logs)).expect("target/ can be written");
    let jars = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/kafka/libs");
    assert!(jars.join(".ready").exists(), "Apache Kafka is missing: `make test` fetches it");
    let jars = jars.join("*");
    let formatted = Command::new("java")
        .args(["-cp".as_ref(), jars.as_os_str(), "kafka.tools.StorageTool".as_ref(), "format".as_ref()])
        .args(["-t".as_ref(), CLUSTER_ID.as_ref(), "-c".as_ref(), properties.as_os_str()])
        .output()
        .expect("java runs");
    assert!(formatted.status.success(), "{}", String::from_utf8_lossy(&formatted.stderr));
    let heap = "-Xmx768m";
    let java = ["java".as_ref(), heap.as_ref(), "-cp".as_ref(), jars.as_os_str()];
    start_for_good("kafka", &[&java[..], &["kafka.Kafka".as_ref(), properties.as_os_str()]].concat());
    Starting { port }
}

impl Starting {
    /// Waits until it takes connections; gives its address.
    pub fn ready(self) -> String {
        let address = format!("127.0.0.1:{}", self.port);
        wait_for("Kafka", || std::net::TcpStream::connect(&address).is_ok());
        address
    }
}

fn settings(port: u16, controller: u16, logs: &Path) -> String {
    let logs = logs.display();
    format!(
        "process.roles=broker,controller\n\
         node.id=1\n\
         controller.quorum.voters=1@127.0.0.1:{controller}\n\
         listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}\n\
         advertised.listeners=PLAINTEXT://127.0.0.1:{port}\n\
         controller.listener.names=CONTROLLER\n\
         listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT\n\
         log.dirs={logs}\n\
         auto.create.topics.enable=false\n\
         offsets.topic.replication.factor=1\n\
         offsets.topic.num.partitions=4\n\
         transaction.state.log.replication.factor=1\n\
         transaction.state.log.min.isr=1\n\
         transaction.state.log.num.partitions=4\n\
         group.initial.rebalance.delay.ms=0\n\
         message.max.bytes=20971520\n\
         replica.fetch.max.bytes=20971520\n"
    )
}
