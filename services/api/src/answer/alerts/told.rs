//! Whom alerts were delivered to, as the alerter wrote it down. Alertmanager is told all the time, and is not among them.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::Stored;
use crate::answer::App;
use crate::problem::Problem;
use crate::store::{Query, Scope, Value as Given};

/// Deliveries by alert, and by when it began to fire.
pub(super) struct Told(HashMap<(String, i64), Vec<Value>>);

/// What was delivered of alerts; all of them are ones that the reader sees.
///
/// # Errors
/// As [`crate::store::Store::rows`].
pub(super) async fn read(app: &App, scope: &Scope, alerts: &[Stored]) -> Result<Told, Problem> {
    if alerts.is_empty() {
        return Ok(Told(HashMap::new()));
    }
    let fingerprints = alerts.iter().map(|alert| alert.fingerprint.clone()).collect();
    let text = "SELECT fingerprint, toUnixTimestamp64Milli(fired_at), receiver, state, toUnixTimestamp64Milli(delivered_at) \
                FROM @alert_deliveries AND fingerprint IN {fingerprints:Array(String)} ORDER BY receiver";
    let query = Query::new(scope, text)?.with("fingerprints", Given::Texts(fingerprints));
    let mut told: HashMap<(String, i64), Vec<Value>> = HashMap::new();
    for (fingerprint, fired_at, receiver, state, at) in
        app.store.rows::<(String, i64, String, String, i64)>(query).await?
    {
        let delivery = json!({"receiver": receiver, "state": state, "at": at});
        told.entry((fingerprint, fired_at)).or_default().push(delivery);
    }
    Ok(Told(told))
}

impl Told {
    /// Deliveries of an alert's episode.
    pub(super) fn of(&self, alert: &Stored) -> Value {
        let told = alert.fired_at.and_then(|at| self.0.get(&(alert.fingerprint.clone(), at)));
        told.cloned().unwrap_or_default().into()
    }
}
