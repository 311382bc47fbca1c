//! Toxiproxy: a TCP proxy that cuts, slows and spoils connections when it is told to.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::process::Running;
use super::{fixed_port, get, request, wait_for};

/// A server of proxies.
pub struct Toxiproxy {
    control: String,
    _running: Running,
}

/// One proxied address.
#[derive(Clone, Debug)]
pub struct Proxy {
    control: String,
    name: String,
    port: u16,
}

impl Toxiproxy {
    /// Starts a server without proxies.
    pub fn start(name: &str) -> Self {
        let port = fixed_port().to_string();
        let control = format!("127.0.0.1:{port}");
        let program = program();
        let words = ["-host", "127.0.0.1", "-port", &port].map(std::ffi::OsStr::new);
        let running = Running::start(name, &[&[program.as_os_str()][..], &words].concat(), &[]);
        wait_for("toxiproxy", || get(&control, "/version").starts_with("HTTP/1.1 200"));
        Toxiproxy { control, _running: running }
    }

    /// A proxy before `upstream`, on `port`.
    pub fn proxy(&self, name: &str, port: u16, upstream: &str) -> Proxy {
        let proxy = Proxy { control: self.control.clone(), name: name.to_owned(), port };
        let body = json!({ "name": name, "listen": proxy.address(), "upstream": upstream, "enabled": true });
        proxy.tell("POST", "/proxies", &body, "201");
        proxy
    }
}

impl Proxy {
    /// Where it listens.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Closes all connections, and takes no new ones until it is mended.
    pub fn cut(&self) {
        self.tell("POST", &format!("/proxies/{}", self.name), &json!({ "enabled": false }), "200");
    }

    /// Spoils what flows to the server (`upstream`) or back from it, on present connections and new ones, until it is
    /// mended. Kinds and attributes are toxiproxy's own: <https://github.com/Shopify/toxiproxy#toxics>.
    pub fn spoil(&self, kind: &str, is_upstream: bool, attributes: &Value) {
        let stream = if is_upstream { "upstream" } else { "downstream" };
        let body = json!({ "name": "fault", "type": kind, "stream": stream, "attributes": attributes });
        self.tell("POST", &format!("/proxies/{}/toxics", self.name), &body, "200");
    }

    /// Ends every fault.
    pub fn mend(&self) {
        self.tell("POST", &format!("/proxies/{}", self.name), &json!({ "enabled": true }), "200");
        let path = format!("/proxies/{}/toxics/fault", self.name);
        let answer = request(&self.control, "DELETE", &path, "");
        // 404: it was cut, not spoiled.
        let status = answer.split(' ').nth(1).unwrap_or_default();
        assert!(matches!(status, "204" | "404"), "toxiproxy: {answer}");
    }

    fn tell(&self, method: &str, path: &str, body: &Value, status: &str) {
        let answer = request(&self.control, method, path, &body.to_string());
        assert_eq!(answer.split(' ').nth(1), Some(status), "toxiproxy: {method} {path} {body}: {answer}");
    }
}

fn program() -> PathBuf {
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/toxiproxy/server");
    assert!(program.exists(), "toxiproxy is missing: `make test` builds it");
    program
}
