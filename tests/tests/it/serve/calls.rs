//! One call is what the linker made of it; every answer is as the OpenAPI document says.

use serde_json::Value;

use super::{RANGE, Served};
use crate::files::json;

#[test]
fn one_call_is_folded_as_the_linker_folds_it() {
    let served = Served::simulated("served-calls");
    let query = "SELECT toString(call_uuid) AS call, tenant_id AS tenant FROM legs GROUP BY verdict, outcome, call, tenant \
                 ORDER BY verdict, outcome, call LIMIT 1 BY verdict, outcome";
    let calls = served.case.rows(query);
    assert!(calls.len() > 15, "{}", calls.len());
    for row in &calls {
        let (call, tenant) = (row["call"].as_str().unwrap(), row["tenant"].as_str().unwrap());
        let history = served.json(&format!("/calls/{call}"));
        let stored = served.json(&format!("/calls?q={call}"))["items"][0].clone();
        assert_eq!(history["call"], stored, "{call}");
        let legs = history["legs"].as_array().unwrap();
        for role in ["callee", "caller"] {
            let listed = served.json(&format!("/legs?{RANGE}&call_uuid={call}&role={role}"));
            for leg in listed["items"].as_array().unwrap() {
                let folded = legs.iter().find(|folded| folded["device_id"] == leg["device_id"]).unwrap();
                for (column, value) in leg.as_object().unwrap() {
                    assert_eq!(&folded[column], value, "{call} {column}");
                }
                assert!(folded["decision"]["line"].as_i64().is_some_and(|line| (1..=14).contains(&line)));
            }
        }
        let events = history["events"].as_array().unwrap();
        let count = format!("SELECT count() FROM events WHERE tenant_id = '{tenant}' AND call_uuid = '{call}'");
        assert_eq!(events.len() as i64, served.case.number(&count), "{call}");
        let times: Vec<i64> = events.iter().map(|event| event["corrected_at"].as_i64().unwrap()).collect();
        assert!(times.windows(2).all(|pair| pair[0] <= pair[1]), "{call}");
        milestones(&history);
    }
    let unknown = served.get("/calls/00000000-0000-4000-8000-000000000000");
    assert_eq!(unknown.status, 404, "{}", unknown.body);
    super::risk::store(&served.case);
    answers_are_as_documented(&served, calls[0]["call"].as_str().unwrap());
}

/// Each time of a row is some event's.
fn milestones(history: &Value) {
    for leg in history["legs"].as_array().unwrap() {
        for column in ["sent_at", "accepted_at", "received_at", "reported_at", "answered_at", "ended_at"] {
            let Some(time) = leg[column].as_i64() else { continue };
            let events = history["events"].as_array().unwrap();
            let marked = events.iter().any(|event| {
                event["milestone"] == column && event["device_id"] == leg["device_id"] && event["corrected_at"] == time
            });
            assert!(marked, "{column} of {}", leg["device_id"]);
        }
    }
}

/// Every endpoint's answer validates against its schema.
fn answers_are_as_documented(served: &Served, call: &str) {
    let document = json("schemas/openapi.json");
    let device =
        served.json(&format!("/devices?{RANGE}&limit=1"))["items"][0]["device_id"].as_str().unwrap().to_owned();
    for (path, operations) in document["paths"].as_object().unwrap() {
        let content = &operations["get"]["responses"]["200"]["content"]["application/json"];
        let Some(reference) = content["schema"]["$ref"].as_str() else { continue };
        let mut schema = document.clone();
        schema["$ref"] = reference.into();
        let validator = jsonschema::options().offline().build(&schema).unwrap();
        let filled = path.replace("{call_uuid}", call).replace("{device_id}", &device).replace("{name}", "carrier");
        let takes =
            |name: &str| operations["get"]["parameters"].as_array().unwrap().iter().any(|one| one["name"] == name);
        let range = if takes("from") { RANGE } else { "" };
        let more = if path == "/series" { "&measures=legs,violation_rate&compare=1d&group_by=app" } else { "" };
        let answer = served.json(&format!("{filled}?{range}{more}"));
        let errors: Vec<String> =
            validator.iter_errors(&answer).map(|error| format!("{}: {error}", error.instance_path())).take(5).collect();
        assert!(errors.is_empty(), "{path}: {errors:#?}");
    }
    assert_eq!(served.json("/openapi.json"), document, "the committed document is the one that is served");
}
