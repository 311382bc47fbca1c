//! `ringtrace serve` over real tables: numbers, lists, access, and what it says when something is wrong.

mod access;
mod calls;
mod lists;
mod live;
mod numbers;
mod risk;
mod trouble;

use std::fmt::Write;

use ringtrace_tests::stack::{Answer, Case, Running, ask, data, free_port, wait_for};
use serde_json::Value;

/// The range in which everything of the simulation is, of whole ten minutes and longer than an hour.
const RANGE: &str = "from=2026-11-01T07:00:00Z&to=2026-11-01T10:00:00Z";

/// A token of each kind: name, roles, tenants.
const TOKENS: [(&str, &str, &str); 4] =
    [("all", "read", "*"), ("globex", "read", "globex"), ("ingest", "ingest", "*"), ("admin", "admin", "*")];

/// A case that is served.
struct Served {
    case: Case,
    server: Running,
    address: String,
}

impl Served {
    /// Ten simulated minutes of two tenants, linked and rolled up, without tokens.
    fn simulated(name: &str) -> Self {
        Served::with(name, &[])
    }

    fn with(name: &str, settings: &[(&str, &str)]) -> Self {
        let mut case = Case::new(name, 3);
        let simulate =
            ["simulate", "--speed", "0", "--start", "2026-11-01T08:00:00Z", "--for", "10m", "--devices", "3000"];
        let exit = case.run(&simulate);
        assert!(exit.status.success(), "{}", exit.output);
        case.catch_up();
        let address = format!("127.0.0.1:{}", free_port());
        case.set("RINGTRACE_SERVE_LISTEN", &address);
        case.set("RINGTRACE_SERVE_REQUESTS_PER_MINUTE", "1000000");
        settings.iter().for_each(|(variable, value)| case.set(variable, value));
        let server = case.start(&["serve"]);
        // Linkers that run beside it have a port of their own.
        case.set("RINGTRACE_HTTP_LISTEN", &format!("127.0.0.1:{}", free_port()));
        let served = Served { case, server, address };
        served.wait();
        served
    }

    /// Waits until it answers and everything is rolled up.
    fn wait(&self) {
        wait_for("the roll-up", || {
            let unrolled = "SELECT (SELECT count() FROM legs) - (SELECT count() FROM leg_facts WHERE role != 'none')";
            self.case.number("SELECT count() FROM leg_facts") > 0 && self.case.number(unrolled) == 0
        });
        wait_for("the server", || ask(&self.address, "/api/v1/definitions", &[]).status != 0);
    }

    fn get(&self, path: &str) -> Answer {
        ask(&self.address, &format!("/api/v1{path}"), &[])
    }

    fn get_as(&self, token: &str, path: &str) -> Answer {
        ask(&self.address, &format!("/api/v1{path}"), &[("Authorization", &format!("Bearer {token}"))])
    }

    /// The JSON of an answer that is 200.
    fn json(&self, path: &str) -> Value {
        let answer = self.get(path);
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        serde_json::from_str(&answer.body).unwrap_or_else(|error| panic!("{path}: {error}: {}", answer.body))
    }
}

/// A file of tokens that are made by the command; gives its path and the tokens by name.
fn tokens(case: &Case, name: &str) -> (String, Vec<(String, String)>) {
    let mut file = String::new();
    let mut made = Vec::new();
    for (token, roles, tenants) in TOKENS {
        let exit = case.run(&["serve", "--make-token", token, "--roles", roles, "--tenants", tenants]);
        assert!(exit.status.success(), "{}", exit.output);
        let text = exit.output.lines().find_map(|line| line.strip_prefix("token (shown this once): ")).unwrap();
        let lines: Vec<&str> = exit.output.lines().filter(|line| !line.contains(text)).collect();
        writeln!(file, "{}", lines.join("\n")).unwrap();
        made.push((token.to_owned(), text.to_owned()));
    }
    let path = data(&format!("{name}-tokens.toml"));
    std::fs::write(&path, file).unwrap();
    (path.display().to_string(), made)
}
