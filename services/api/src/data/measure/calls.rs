//! Counts of calls.

use ringtrace_model::Outcome;

use super::{Good, How, Measure, OUTCOMES, count, hidden};

/// What calls may come to: what legs may, but for what became of them elsewhere.
fn call_outcomes() -> impl Iterator<Item = &'static Outcome> {
    Outcome::ALL.iter().filter(|outcome| !matches!(outcome, Outcome::AnsweredElsewhere | Outcome::DeclinedElsewhere))
}

/// Counts of calls, each by the row that stands for it, and what rates are made of.
pub(super) fn counts() -> Vec<Measure> {
    let of = |outcome: &Outcome| {
        let name = outcome.as_str();
        let facts = format!("countIf(call_outcome = '{name}')");
        let label = format!("Calls {}", name.replace('_', " "));
        let formula = format!("calls with the outcome {name}");
        let stats = format!("sum(calls_{name})");
        let measure = count(&format!("call_outcome_{name}"), &label, &formula, Good::None, &facts, Some(&stats));
        Measure { source: OUTCOMES, ..measure }
    };
    let calls = [
        count("calls", "Calls", "calls, each once", Good::None, "sum(leads_call)", Some("sum(calls)")),
        count(
            "calls_initiated",
            "Calls initiated",
            "calls with a call.initiated",
            Good::None,
            "sum(call_initiated)",
            Some("sum(calls_initiated)"),
        ),
        count(
            "calls_reached",
            "Calls reached",
            "calls with at least one push accepted or received, or a live socket",
            Good::Up,
            "sum(call_reached)",
            Some("sum(calls_reached)"),
        ),
        count(
            "calls_rung",
            "Calls rung",
            "calls with at least one leg that was reported",
            Good::Up,
            "sum(call_rung)",
            Some("sum(calls_rung)"),
        ),
    ];
    let answered = count("calls_answered", "Calls answered", "calls answered", Good::Up, "", None);
    let answered = Measure { how: How::Total(vec!["call_outcome_answered"]), ..answered };
    let among = |name: &str, condition: &str| {
        hidden(name, format!("countIf({condition} AND call_outcome = 'answered')"), Some(format!("sum({name})")))
    };
    let effective =
        "countIf(call_reached AND call_outcome IN ('answered', 'declined', 'unanswered', 'busy', 'filtered'))";
    let parts = [
        among("answered_initiated", "call_initiated"),
        among("answered_reached", "call_reached"),
        among("answered_rung", "call_rung"),
        hidden("effective_reached", effective.to_owned(), Some("sum(effective_reached)".to_owned())),
    ];
    calls.into_iter().chain([answered]).chain(call_outcomes().map(of)).chain(parts).collect()
}
