//! `/definitions`: what every number and word means.

use ringtrace_model::{Diagnosis, LINES, Outcome, Verdict};
use serde_json::{Value, json};

use super::counts::shown;
use crate::data::{DIMENSIONS, Measure, STAGES};

/// The dictionary.
pub(crate) fn all() -> Value {
    let measure = |measure: &Measure| {
        json!({
            "name": measure.name,
            "label": measure.label,
            "unit": measure.unit.as_str(),
            "formula": measure.formula,
            "source": measure.source,
            "good": measure.good.as_str(),
        })
    };
    let lines = LINES.iter().enumerate().map(|(index, reason)| json!({"line": index + 1, "reason": reason}));
    json!({
        "measures": shown().map(measure).collect::<Vec<_>>(),
        "dimensions": DIMENSIONS.iter().map(|one| json!({"name": one.name, "label": one.label})).collect::<Vec<_>>(),
        "stages": STAGES.iter().map(|one| json!({"name": one.name, "label": one.label})).collect::<Vec<_>>(),
        "diagnoses": Diagnosis::ALL.iter().map(|diagnosis| diagnosis_json(*diagnosis)).collect::<Vec<_>>(),
        "verdicts": Verdict::ALL.iter().map(|one| json!({"name": one, "meaning": one.meaning()})).collect::<Vec<_>>(),
        "outcomes": Outcome::ALL.iter().map(|one| json!({"name": one, "meaning": one.meaning()})).collect::<Vec<_>>(),
        "verdict_lines": lines.collect::<Vec<_>>(),
    })
}

fn diagnosis_json(diagnosis: Diagnosis) -> Value {
    let advice = advice(diagnosis);
    json!({
        "code": diagnosis,
        "cause": advice["cause"],
        "remedy": advice["remedy"],
        "document": advice["document"],
    })
}

/// What to do about a diagnosis.
pub(crate) fn advice(diagnosis: Diagnosis) -> Value {
    let advice = diagnosis.advice();
    json!({
        "diagnosis": diagnosis,
        "cause": advice.cause,
        "remedy": advice.remedy,
        "document": advice.document.map(|document| json!({"title": document.title, "url": document.url})),
    })
}
