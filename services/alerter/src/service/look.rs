//! One look: evaluates what is due at the present log clock, and at the moments that were missed before it.

use clickhouse::error::Error;
use metrics::{counter, histogram};
use ringtrace_kit::clock;

use super::devices::renew_devices;
use super::term::Term;
use super::{measures, risk};
use crate::deliver::Notice;
use crate::judge::{Alert, Change, Moment, State, evaluate};
use crate::rules::{Condition, Rule};

/// Log time between evaluations while catching up, in milliseconds.
const STEP_MS: i64 = 300_000;

/// How far back catching up goes, in milliseconds. What is older only shows in long windows.
const FURTHEST_MS: i64 = 86_400_000;

/// Rules with longer windows than this, in milliseconds, are evaluated once in a minute.
const LONG_MS: i64 = 3_600_000;
const MINUTE_MS: i64 = 60_000;

impl Term<'_> {
    /// See the module's text. Nothing is written or delivered once `leads` is false.
    ///
    /// # Errors
    /// As ClickHouse says; the next look does it again.
    pub(super) async fn look(&mut self, leads: impl Fn() -> bool) -> Result<(), Error> {
        let started = tokio::time::Instant::now();
        let log_clock = self.store.log_clock().await?;
        let wall = clock::wall_ms();
        let looked_until = self.remembered.looked_until;
        // A log clock never goes back: a slot that was just made may begin earlier.
        let now = log_clock.map(|clock| looked_until.map_or(clock, |until| clock.max(until)).min(wall));
        self.clock.send_replace(now);
        let behind_ms = log_clock.map(|clock| wall - clock);
        let before = self.remembered.board.alerts.clone();
        let is_slow_due = wall - self.slow_at >= MINUTE_MS;
        let mut board = self.remembered.board.clone();
        let mut changes = board.retire(&self.rules.rules, now.unwrap_or(wall));
        if !self.is_frozen(behind_ms) {
            for missed in missed(looked_until, now) {
                let moment = Moment { now: missed, wall, behind_ms, catching_up: true };
                changes.extend(evaluate(self.store, self.rules, &mut board, &moment, |_| true).await?);
            }
        }
        let moment = Moment { now: now.unwrap_or(wall), wall, behind_ms, catching_up: false };
        let is_due = |rule: &Rule| now.is_some() && (is_slow_due || !is_slow(rule));
        changes.extend(evaluate(self.store, self.rules, &mut board, &moment, is_due).await?);
        if !leads() {
            return Ok(());
        }
        self.remembered.board = board;
        self.write(&before, &changes, wall).await?;
        self.publish();
        if let Some(now) = now.filter(|_| !self.is_frozen(behind_ms)) {
            self.remembered.looked_until = Some(now);
            if is_slow_due {
                self.slow_at = wall;
                self.store.write_clock(now, "", wall).await?;
            }
            if wall - self.risk_at >= MINUTE_MS {
                risk::renew(self, now, wall).await?;
                self.renew_devices(now, wall).await?;
                self.risk_at = wall;
            }
        }
        counter!("ringtrace_alert_evaluations_total").increment(1);
        histogram!("ringtrace_alert_evaluation_seconds").record(started.elapsed().as_secs_f64());
        measures::show(self, behind_ms);
        Ok(())
    }

    async fn renew_devices(&mut self, now: i64, wall: i64) -> Result<(), Error> {
        // Taken out: whose telemetry is missing is asked meanwhile.
        let mut held = std::mem::take(&mut self.remembered.devices);
        let lacks_telemetry = |tenant: &str, app: &str| self.lacks_telemetry(tenant, app);
        let at = (now, wall);
        let renewed = renew_devices(self.store, &self.rules.device, &mut held, lacks_telemetry, at).await;
        self.remembered.devices = held;
        renewed
    }

    fn is_frozen(&self, behind_ms: Option<i64>) -> bool {
        let limits = self.rules.rules.iter().filter_map(|rule| match rule.condition {
            Condition::Behind { ms } => Some(ms),
            _ => None,
        });
        limits.min().zip(behind_ms).is_some_and(|(limit, behind)| behind > limit)
    }

    /// Writes down what is other than before, and what is owed to receivers; then it may be delivered.
    async fn write(
        &mut self,
        before: &std::collections::BTreeMap<String, Alert>,
        changes: &[Change],
        wall: i64,
    ) -> Result<(), Error> {
        let alerts = &self.remembered.board.alerts;
        let changed = alerts.values().filter(|alert| before.get(&alert.fingerprint) != Some(alert));
        let changed: Vec<Alert> = changed.cloned().collect();
        let gone = before.values().filter(|alert| !alerts.contains_key(&alert.fingerprint)).cloned();
        let gone: Vec<Alert> = gone.collect();
        self.store.write_alerts(&changed, &gone, changes, wall).await?;
        // What nobody is told is owed to nobody.
        let fired = changes.iter().map(|change| &change.alert).filter(|alert| alert.state == State::Firing);
        let told = fired.filter(|alert| Notice::of(alert, self.rules, wall).is_some());
        let owed = told.flat_map(|alert| {
            let receivers = self.rules.receivers.iter().filter(|to| to.has_account() && to.is_for(alert.severity));
            let fired_at = alert.fired_at.unwrap_or(alert.since);
            receivers.map(move |receiver| (receiver.name.as_str(), alert.fingerprint.as_str(), fired_at, None))
        });
        self.store.write_told(&owed.collect::<Vec<_>>(), wall).await?;
        for change in changes {
            let Alert { rule, fingerprint, state, summary, .. } = &change.alert;
            tracing::info!(rule, fingerprint, state = state.as_str(), summary, "alert");
        }
        Ok(())
    }
}

/// The moments between two looks that are further apart than a step.
fn missed(looked_until: Option<i64>, now: Option<i64>) -> Vec<i64> {
    let (Some(until), Some(now)) = (looked_until, now) else { return Vec::new() };
    let first = until.max(now - FURTHEST_MS);
    (1..).map(|step| first + step * STEP_MS).take_while(|at| *at < now).collect()
}

fn is_slow(rule: &Rule) -> bool {
    let compares = matches!(rule.condition, Condition::Ratio(ratio) if ratio.against.is_some());
    let asks_much = matches!(
        rule.condition,
        Condition::Carriers(_) | Condition::WakeBans { .. } | Condition::Expiry { .. } | Condition::DeadLetters { .. }
    );
    rule.window_ms > LONG_MS || compares || asks_much
}

#[cfg(test)]
mod tests {
    use super::{FURTHEST_MS, STEP_MS, missed};

    #[test]
    fn moments_that_were_missed_are_looked_at() {
        assert_eq!(missed(None, Some(5)), [0; 0]);
        assert_eq!(missed(Some(0), Some(STEP_MS)), [0; 0]);
        assert_eq!(missed(Some(0), Some(2 * STEP_MS + 1)), [STEP_MS, 2 * STEP_MS]);
        assert_eq!(missed(Some(0), Some(10 * FURTHEST_MS)).len() as i64, FURTHEST_MS / STEP_MS - 1);
    }
}
