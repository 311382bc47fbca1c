//! The table of incidents and what was found of them.

use std::collections::BTreeMap;

use ringtrace_alerter::replay::{Fired, time};
use ringtrace_alerter::rules::Severity;

use super::{Found, Score};

/// Prints it.
pub fn print(score: &Score<'_>) {
    println!("{:<52} {:<20} {:<30} {:>8}  also", "incident", "from", "found by", "after");
    for found in &score.found {
        let by = found.by.map_or("NOT FOUND", |fired| fired.alert.rule.as_str());
        let after = found.after_ms().map_or_else(String::new, |ms| format!("{:.0} min", ms as f64 / 60_000.0));
        let from = time(found.incident.started_at);
        println!("{:<52} {from:<20} {by:<30} {after:>8}  {}", about(found), also(&found.also));
    }
    let pages = score.untrue.iter().filter(|fired| fired.alert.severity == Severity::Page).count();
    println!("\nabout no incident: {pages} pages, {} tickets", score.untrue.len() - pages);
    for fired in &score.untrue {
        println!("{fired}");
    }
}

fn about(found: &Found<'_>) -> String {
    let incident = found.incident;
    let parts = [&incident.app_id, &incident.app_version, &incident.country, &incident.carrier];
    let parts: Vec<&str> = parts.into_iter().flatten().map(String::as_str).collect();
    format!("{} {} {:.0} %", incident.name, parts.join(" "), incident.size * 100.0)
}

/// Names of rules, each with how often it fired.
fn also(fired: &[&Fired]) -> String {
    let mut rules: BTreeMap<&str, usize> = BTreeMap::new();
    for one in fired {
        *rules.entry(&one.alert.rule).or_default() += 1;
    }
    let rules =
        rules.into_iter().map(|(rule, count)| if count > 1 { format!("{rule} ×{count}") } else { rule.to_owned() });
    rules.collect::<Vec<_>>().join(", ")
}
