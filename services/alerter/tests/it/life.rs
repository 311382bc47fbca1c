//! The life of alerts by log time: for how long, how late, and what freezes or holds them back.

use std::convert::Infallible;
use std::sync::Mutex;

use ringtrace_alerter::device::DeviceHistory;
use ringtrace_alerter::judge::{
    Board, Change, Credential, DeadLetters, Loss, Moment, Source, State, Versions, evaluate,
};
use ringtrace_alerter::query::{Example, Group, Measure, Query, Span};
use ringtrace_alerter::rules::Rules;
use ringtrace_alerter::stats::Count;

const MINUTE_MS: i64 = 60_000;

const RULES: &str = r#"
    shipped_rules = false
    [[rule]]
    name = "behind"
    kind = "pipeline_behind"
    keep = "1m"
    [[rule]]
    name = "coverage"
    kind = "telemetry_coverage"
    keep = "5m"
    [[rule]]
    name = "letters"
    kind = "dead_letters"
    keep = "0s"
    [[rule]]
    name = "credentials"
    kind = "credential_errors"
    for = "2m"
    keep = "3m"
    [[rule]]
    name = "missing"
    kind = "missing_receipts"
    keep = "0s"
"#;

/// Facts of one app, as tests set them.
#[derive(Default)]
struct Facts {
    credentials: bool,
    missing: bool,
    untold: bool,
    dead: bool,
}

#[derive(Default)]
struct Kept(Mutex<Facts>);

struct Scene {
    facts: Kept,
    rules: Rules,
    board: Board,
}

impl Source for Kept {
    type Error = Infallible;

    async fn counts(&self, query: &Query) -> Result<Vec<Group>, Infallible> {
        let facts = self.0.lock().unwrap();
        let is_bad = match query.measure {
            Measure::CredentialErrors => facts.credentials,
            Measure::Missing => facts.missing,
            Measure::Untold => facts.untold,
            _ => false,
        };
        let count = Count { bad: if is_bad { 90 } else { 0 }, total: 100 };
        Ok(vec![Group { values: vec!["t".to_owned(), "app".to_owned()], counts: vec![count; query.spans.len()] }])
    }

    async fn examples(&self, _: &Query, _: &[String]) -> Result<Vec<Example>, Infallible> {
        Ok(vec![Example { call_uuid: "call".to_owned(), device_id: String::new(), at: 1 }])
    }

    async fn versions(&self, _: i64) -> Result<Versions, Infallible> {
        Ok(Versions::default())
    }

    async fn devices(&self, _: Span) -> Result<Vec<DeviceHistory>, Infallible> {
        Ok(Vec::new())
    }

    async fn losses(&self, _: Span, _: i64) -> Result<Vec<Loss>, Infallible> {
        Ok(Vec::new())
    }

    async fn missed(&self, _: Span, _: i64, _: &[String; 3]) -> Result<Vec<Example>, Infallible> {
        Ok(Vec::new())
    }

    async fn credentials(&self, _: Span) -> Result<Vec<Credential>, Infallible> {
        Ok(Vec::new())
    }

    async fn dead_letters(&self, _: Span) -> Result<Vec<DeadLetters>, Infallible> {
        let count = Count { bad: if self.0.lock().unwrap().dead { 50 } else { 0 }, total: 100 };
        Ok(vec![DeadLetters { tenant_id: "t".to_owned(), app_id: "app".to_owned(), count }])
    }
}

impl Scene {
    fn new() -> Scene {
        Scene { facts: Kept::default(), rules: Rules::parse(RULES).unwrap(), board: Board::default() }
    }

    fn set(&self, change: impl FnOnce(&mut Facts)) {
        change(&mut self.facts.0.lock().unwrap());
    }

    /// Evaluates at a minute; gives rules and states that changed.
    fn at(&mut self, minute: i64) -> Vec<(String, State)> {
        self.look(minute, minute, false).into_iter().map(|change| (change.alert.rule, change.alert.state)).collect()
    }

    fn look(&mut self, minute: i64, wall_minute: i64, catching_up: bool) -> Vec<Change> {
        let (now, wall) = (minute * MINUTE_MS, wall_minute * MINUTE_MS);
        let behind_ms = Some(if catching_up { 0 } else { wall - now });
        let moment = Moment { now, wall, behind_ms, catching_up };
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(evaluate(&self.facts, &self.rules, &mut self.board, &moment, |_| true)).unwrap()
    }
}

fn changes(expected: &[(&str, State)]) -> Vec<(String, State)> {
    expected.iter().map(|(rule, state)| ((*rule).to_owned(), *state)).collect()
}

#[test]
fn an_alert_fires_once_it_has_held_for_long_enough_and_is_resolved_once_it_has_rested() {
    let mut scene = Scene::new();
    assert_eq!(scene.at(0), []);
    scene.set(|facts| facts.credentials = true);
    assert_eq!((scene.at(1), scene.at(2)), (vec![], vec![]));
    assert_eq!(scene.board.in_state(State::Pending).count(), 1);
    assert_eq!(scene.at(3), changes(&[("credentials", State::Firing)]));
    let alert = scene.board.in_state(State::Firing).next().unwrap();
    assert_eq!((alert.since, alert.fired_at), (MINUTE_MS, Some(3 * MINUTE_MS)));
    assert!(alert.summary.starts_with("90 of 100 pushed legs in 1 h were refused for the app's credential: 90 %"));
    assert_eq!(alert.examples.len(), 1);
    assert_eq!(scene.at(4), [], "it fires once");
    scene.set(|facts| facts.credentials = false);
    assert_eq!((scene.at(5), scene.at(7)), (vec![], vec![]));
    scene.set(|facts| facts.credentials = true);
    assert_eq!(scene.at(8), [], "it held again before it was resolved");
    scene.set(|facts| facts.credentials = false);
    assert_eq!((scene.at(9), scene.at(11)), (vec![], vec![]));
    assert_eq!(scene.at(12), changes(&[("credentials", State::Resolved)]));
}

#[test]
fn what_holds_for_too_short_a_time_never_fires() {
    let mut scene = Scene::new();
    scene.set(|facts| facts.credentials = true);
    scene.at(1);
    scene.set(|facts| facts.credentials = false);
    assert_eq!(scene.at(2), []);
    scene.set(|facts| facts.credentials = true);
    assert_eq!((scene.at(3), scene.at(4)), (vec![], vec![]), "the time begins anew");
    assert_eq!(scene.at(5), changes(&[("credentials", State::Firing)]));
}

#[test]
fn a_pipeline_that_is_late_fires_and_freezes_the_others() {
    let mut scene = Scene::new();
    scene.set(|facts| facts.missing = true);
    assert_eq!(scene.at(10), changes(&[("missing", State::Firing)]));
    scene.set(|facts| (facts.missing, facts.credentials) = (false, true));
    let late = scene.look(11, 20, false);
    assert_eq!(late.len(), 1);
    assert_eq!(late[0].alert.rule, "behind");
    assert!(late[0].alert.summary.contains("9 min behind"), "{}", late[0].alert.summary);
    assert_eq!(scene.look(11, 40, false), [], "neither fires nor resolves");
    // It has caught up; what ended meanwhile is resolved, and so is the pipeline once it has kept up.
    assert_eq!(scene.at(41), changes(&[("missing", State::Resolved)]));
    assert_eq!(scene.at(42), changes(&[("behind", State::Resolved)]));
}

#[test]
fn what_catching_up_finds_says_so_and_is_told_once() {
    let mut scene = Scene::new();
    scene.set(|facts| facts.missing = true);
    let found = scene.look(10, 100, true);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].alert.found_late_ms, 90 * MINUTE_MS);
    assert_eq!(found[0].alert.fired_at, Some(10 * MINUTE_MS));
    scene.set(|facts| facts.missing = false);
    assert_eq!(scene.look(15, 100, true), [], "it stays until the clock has arrived");
    scene.set(|facts| facts.missing = true);
    assert_eq!(scene.look(20, 100, true), [], "it is the same alert");
    scene.set(|facts| facts.missing = false);
    assert_eq!(scene.at(100), changes(&[("missing", State::Resolved)]));
}

#[test]
fn missing_telemetry_holds_back_the_rules_that_would_lie() {
    let mut scene = Scene::new();
    scene.set(|facts| (facts.untold, facts.missing, facts.credentials) = (true, true, true));
    assert_eq!(scene.at(0), changes(&[("coverage", State::Firing)]));
    assert_eq!(scene.at(2), changes(&[("credentials", State::Firing)]), "servers' words need no telemetry");
    scene.set(|facts| facts.untold = false);
    assert_eq!((scene.at(3), scene.at(7)), (vec![], vec![]), "held back until coverage is resolved");
    assert_eq!(scene.at(8), changes(&[("coverage", State::Resolved), ("missing", State::Firing)]));
}

#[test]
fn dead_letters_of_an_app_hold_back_its_rules() {
    let mut scene = Scene::new();
    scene.set(|facts| facts.missing = true);
    scene.at(0);
    scene.set(|facts| (facts.missing, facts.dead) = (false, true));
    assert_eq!(scene.at(1), changes(&[("letters", State::Firing)]), "what fires is not resolved");
    scene.set(|facts| facts.dead = false);
    assert_eq!(scene.at(2), changes(&[("letters", State::Resolved), ("missing", State::Resolved)]));
}

#[test]
fn an_alert_of_a_rule_that_was_taken_out_is_resolved() {
    let mut scene = Scene::new();
    scene.set(|facts| facts.missing = true);
    scene.at(0);
    let retired = scene.board.retire(&[], 1);
    assert_eq!(retired.len(), 1);
    assert_eq!(retired[0].alert.state, State::Resolved);
}
