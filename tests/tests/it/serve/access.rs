//! Who may ask what: every endpoint of the OpenAPI document, with each token, about both tenants.

use ringtrace_tests::stack::{Answer, Case, ask, free_port};
use serde_json::Value;

use super::{RANGE, Served, risk, tokens};
use crate::files::json;

/// Two calls, one of each tenant, and their devices.
struct Known {
    own: (String, String),
    other: (String, String),
}

impl Known {
    fn of(case: &Case) -> Self {
        let one = |condition: &str| {
            let query = format!(
                "SELECT toString(call_uuid) AS call, device_id AS device FROM legs WHERE role = 'callee' AND {condition} \
                 ORDER BY call LIMIT 1"
            );
            let row = &case.rows(&query)[0];
            (row["call"].as_str().unwrap().to_owned(), row["device"].as_str().unwrap().to_owned())
        };
        Known { own: one("tenant_id = 'globex'"), other: one("tenant_id != 'globex'") }
    }
}

/// The paths of all endpoints, about a call and a device, with a range where one is taken.
fn paths(call: &str, device: &str) -> Vec<(String, Vec<String>)> {
    let document = json("schemas/openapi.json");
    let paths = document["paths"].as_object().unwrap().iter();
    let path = |(path, operations): (&String, &Value)| {
        let parameters = operations["get"]["parameters"].as_array().unwrap();
        let names: Vec<String> = parameters
            .iter()
            .filter(|parameter| parameter["in"] == "query")
            .map(|parameter| parameter["name"].as_str().unwrap().to_owned())
            .collect();
        let path = path.replace("{call_uuid}", call).replace("{device_id}", device).replace("{name}", "tenant");
        let mut path =
            if names.iter().any(|name| name == "from") { format!("{path}?{RANGE}") } else { format!("{path}?") };
        if path.starts_with("/series") {
            path += "&measures=legs&group_by=tenant";
        }
        if path.starts_with("/summary") {
            path += "&group_by=tenant";
        }
        (path, names)
    };
    paths.map(path).collect()
}

#[test]
fn a_reader_sees_no_row_of_another_tenant_through_any_endpoint() {
    let case = Case::new("served-tokens", 1);
    let (file, tokens) = tokens(&case, "served-access");
    let served = Served::with("served-access", &[("RINGTRACE_SERVE_TOKENS", &file)]);
    let token = |name: &str| tokens.iter().find(|(other, _)| other == name).map(|(_, token)| token.as_str()).unwrap();
    risk::store(&served.case);
    let known = Known::of(&served.case);
    let (own, other) = (paths(&known.own.0, &known.own.1), paths(&known.other.0, &known.other.1));
    assert!(own.len() >= 22, "{}", own.len());
    let is_live = |path: &str| path.starts_with("/live");

    for (path, names) in own.iter().chain(&other).filter(|(path, _)| !is_live(path)) {
        for status_of in [served.get(path), served.get_as("rt_wrong", path), served.get_as("", path)] {
            refused(path, &status_of, 401);
            assert!(status_of.head.to_lowercase().contains("www-authenticate: bearer"), "{}", status_of.head);
        }
        refused(path, &served.get_as(token("ingest"), path), 403);
        for reader in ["all", "admin"] {
            let answer = served.get_as(token(reader), path);
            assert_eq!(answer.status, 200, "{reader} {path}: {}", answer.body);
        }
        sees_globex_alone(path, &served.get_as(token("globex"), path), &known);
        if names.iter().any(|name| name == "tenant") {
            refused(path, &served.get_as(token("globex"), &format!("{path}&tenant=default")), 403);
        }
    }
    // The tail: what it begins with is what has changed, of its tenant alone.
    for (path, _) in own.iter().filter(|(path, _)| is_live(path)) {
        for status_of in [served.get(path), served.get_as("rt_wrong", path)] {
            refused(path, &status_of, 401);
        }
        refused(path, &served.get_as(token("ingest"), path), 403);
        refused(path, &served.get_as(token("globex"), &format!("{path}&tenant=default")), 403);
    }
    // Both have risk and alerts; one about the pipeline, which nobody owns, is for those who see everything.
    for path in ["/risk/apps", "/risk/devices", "/alerts", "/alerts/history?from=2026-11-01T05:00:00Z"] {
        let (all, own) = (served.get_as(token("all"), path).body, served.get_as(token("globex"), path).body);
        assert!(all.contains("com.acme.talk") && all.contains("com.globex.care"), "{path}: {all}");
        assert!(own.contains("com.globex.care") && !own.contains("com.acme.talk"), "{path}: {own}");
        assert_eq!(all.contains("The pipeline is behind."), path.starts_with("/alerts"), "{path}: {all}");
        assert!(!own.contains("The pipeline is behind."), "{path}: {own}");
    }
    let status: Value = serde_json::from_str(&served.get_as(token("globex"), "/status").body).unwrap();
    assert_eq!((&status["auth"], &status["tenants"]), (&"token".into(), &serde_json::json!(["globex"])));
    // The other tenant's call and device are not there for it, whatever it knows of them.
    for path in [format!("/calls/{}", known.other.0), format!("/devices/{}", known.other.1)] {
        refused(&path, &served.get_as(token("globex"), &path), 404);
    }
    let other = format!("/legs?{RANGE}&device={}", known.other.1);
    assert!(served.get_as(token("globex"), &other).body.contains("\"items\":[]"));
    let q = served.get_as(token("globex"), &format!("/calls?q={}", known.other.0));
    assert!(q.body.contains("\"items\":[]"), "{}", q.body);
    assert!(!served.server.output().contains("rt_"), "tokens are in no log");
}

fn refused(path: &str, answer: &Answer, status: u16) {
    assert_eq!(answer.status, status, "{path}: {}", answer.body);
    assert!(answer.head.contains("application/problem+json"), "{path}: {}", answer.head);
    let problem: Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!(problem["status"], status, "{path}");
}

/// Nothing in the answer is of the other tenant.
fn sees_globex_alone(path: &str, answer: &Answer, known: &Known) {
    // Of both the one that is asked for may be named in an error's text.
    if matches!(answer.status, 403 | 404) {
        return;
    }
    assert_eq!(answer.status, 200, "{path}: {}", answer.body);
    assert!(!answer.body.contains("com.acme.talk") && !answer.body.contains("\"default\""), "{path}: {}", answer.body);
    assert!(!answer.body.contains(&known.other.0) && !answer.body.contains(&known.other.1), "{path}");
}

#[test]
fn other_addresses_need_tokens_and_other_names_are_not_answered() {
    let mut case = Case::new("served-open", 1);
    let port = free_port();
    case.set("RINGTRACE_SERVE_LISTEN", &format!("0.0.0.0:{port}"));
    let exit = case.run(&["serve"]);
    assert_eq!(exit.status.code(), Some(78), "{}", exit.output);
    assert!(exit.output.contains("serve.tokens") && exit.output.contains("--make-token"), "{}", exit.output);
    let exit = case.run(&["check"]);
    assert_eq!(exit.status.code(), Some(78), "{}", exit.output);
    for (variable, value, part) in [
        ("RINGTRACE_SERVE_TOKENS", "/nowhere/tokens.toml", "/nowhere/tokens.toml"),
        ("RINGTRACE_SERVE_TLS_KEY", "/nowhere/key.pem", "needed together"),
    ] {
        let mut case = Case::new(if part.starts_with('/') { "served-file" } else { "served-tls" }, 1);
        case.set(variable, value);
        let exit = case.run(&["serve"]);
        assert_eq!(exit.status.code(), Some(78), "{}", exit.output);
        assert!(exit.output.contains(part), "{}", exit.output);
    }
    let address = format!("127.0.0.1:{port}");
    case.set("RINGTRACE_SERVE_LISTEN", &address);
    case.set("RINGTRACE_SERVE_REQUESTS_PER_MINUTE", "60");
    let server = case.start(&["serve"]);
    ringtrace_tests::stack::wait_for("the server", || ask(&address, "/", &[]).status == 200);
    let rebound = ask(&address, "/api/v1/status", &[("Host", "evil.example:8080")]);
    refused("/api/v1/status", &rebound, 403);
    let own = ask(&address, "/api/v1/status", &[("Host", "localhost")]);
    assert_eq!(own.status, 200, "{}", own.body);
    for header in ["content-security-policy: default-src 'none'; script-src 'self'", "x-content-type-options: nosniff"]
    {
        assert!(own.head.contains(header), "{}", own.head);
    }
    let body = ask(&address, "/api/v1/status", &[("Content-Length", "5")]);
    refused("/api/v1/status", &body, 413);
    let limited = (0..80).map(|_| ask(&address, "/api/v1/definitions", &[])).find(|answer| answer.status == 429);
    let limited = limited.expect("more than 60 a minute are refused");
    assert!(limited.head.to_lowercase().contains("retry-after: "), "{}", limited.head);
    server.signal("TERM");
    let exit = server.wait();
    assert!(exit.status.success(), "{}", exit.output);
}
