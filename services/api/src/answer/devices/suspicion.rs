//! Whether iOS has probably stopped waking an app on a device: pushes without a report, and silence since.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::answer::list::Item;
use crate::problem::Problem;
use crate::store::{Query, Scope, Store, Value as Given};

/// Pushes in a row without a receipt that make silence more than bad luck.
const SILENT_PUSHES: usize = 2;

/// A push without a report.
#[derive(Deserialize)]
pub(super) struct Strike {
    at: i64,
    call_uuid: String,
    app_id: String,
    verdict: String,
    evidence: String,
}

impl Strike {
    pub(super) fn json(&self) -> Value {
        let Strike { at, call_uuid, app_id, verdict, evidence } = self;
        json!({"at": at, "call_uuid": call_uuid, "app_id": app_id, "verdict": verdict, "evidence": evidence})
    }
}

/// The strikes of a device since a time, the newest first.
pub(super) async fn strikes(store: &Store, scope: &Scope, device: &str, since: i64) -> Result<Vec<Strike>, Problem> {
    let text = "SELECT toUnixTimestamp64Milli(ifNull(received_at, started_at)), toString(call_uuid), app_id, verdict, evidence \
                FROM @violations AND bucket >= toDateTime(intDiv({since:Int64}, 600000) * 600) \
                AND device_id = {device:String} ORDER BY started_at DESC LIMIT 100";
    let query = Query::new(scope, text)?.with("device", Given::Text(device.to_owned()));
    store.rows(query.with_ints([("since", since)])).await
}

/// Judges by the strikes and by the legs since the last one, the newest first.
pub(super) fn judge(strikes: &[Strike], legs: &[Item]) -> Value {
    let Some(last) = strikes.first() else {
        return json!({"level": "none", "why": "no push without a report in the last 7 days"});
    };
    let text = |leg: &Item, name: &str| leg.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let since = legs.iter().filter(|leg| leg.get("started_at").and_then(Value::as_i64).is_some_and(|at| at > last.at));
    let pushed: Vec<&Item> = since.filter(|leg| leg.get("accepted_at").is_some_and(|at| !at.is_null())).collect();
    let silent = pushed.iter().take_while(|leg| text(leg, "verdict") == "no_receipt").count();
    let count = strikes.len();
    if silent >= SILENT_PUSHES && silent == pushed.len() {
        let why = format!(
            "{count} pushes without a report in the last 7 days, and none of the {silent} accepted since was received: iOS has \
             probably stopped waking the app"
        );
        return json!({"level": "suspected", "why": why});
    }
    let why =
        format!("{count} pushes without a report in the last 7 days; pushes since are received, or too few to tell");
    json!({"level": "watch", "why": why})
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strike() -> Strike {
        let text = || "x".to_owned();
        Strike { at: 100, call_uuid: text(), app_id: text(), verdict: text(), evidence: text() }
    }

    fn leg(started_at: i64, verdict: &str) -> Item {
        let leg = json!({"started_at": started_at, "accepted_at": started_at, "verdict": verdict});
        leg.as_object().cloned().unwrap()
    }

    #[test]
    fn silence_after_a_strike_is_suspicious() {
        let level = |strikes: &[Strike], legs: &[Item]| judge(strikes, legs)["level"].clone();
        assert_eq!(level(&[], &[leg(200, "no_receipt"), leg(150, "no_receipt")]), "none");
        assert_eq!(level(&[strike()], &[leg(200, "no_receipt")]), "watch");
        assert_eq!(
            level(&[strike()], &[leg(200, "no_receipt"), leg(150, "no_receipt"), leg(90, "reported")]),
            "suspected"
        );
        assert_eq!(level(&[strike()], &[leg(200, "no_receipt"), leg(150, "reported")]), "watch");
    }
}
