//! The OpenAPI document (3.1), made of the table of endpoints, their parameters and the schemas of their answers.

use serde_json::{Map, Value, json};

use super::schemas::schemas;
use super::{BASE, ENDPOINTS, Endpoint};
use crate::ask::Param;
use crate::problem::PROBLEM_TYPE;

/// Statuses of problem documents, and when each comes.
const PROBLEMS: [(&str, &str); 9] = [
    ("400", "A parameter is unknown or not accepted; `parameter` names it."),
    ("401", "A token is needed, or nobody has this one."),
    ("403", "The token may not do this, or does not see this tenant."),
    ("404", "There is nothing of this name."),
    ("422", "The question would take too much; `limit` says how much is allowed."),
    ("429", "Too many requests; `Retry-After` says when to ask again."),
    ("500", "A defect of Ringtrace."),
    ("503", "ClickHouse or Kafka is away or busy; `Retry-After` says when to ask again."),
    ("504", "It took too long."),
];

/// The document.
pub fn document() -> Value {
    let paths: Map<String, Value> =
        ENDPOINTS.iter().map(|endpoint| (endpoint.path.to_owned(), json!({"get": operation(endpoint)}))).collect();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Ringtrace",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": "VoIP pushes and the calls they announce.",
            "description": "Times in answers are whole milliseconds since 1970 (UTC), rates numbers from 0 to 1 or null \
                where the denominator is 0. /definitions says what each measure is made of.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": BASE}],
        "security": [{}, {"token": []}],
        "paths": paths,
        "components": {
            "schemas": schemas(),
            "responses": PROBLEMS.iter().map(|(status, about)| (format!("Problem{status}"), problem(about))).collect::<Map<_, _>>(),
            "securitySchemes": {"token": {
                "type": "http",
                "scheme": "bearer",
                "description": "Where tokens are configured (serve.tokens), each request needs one with the role read.",
            }},
        },
    })
}

fn operation(endpoint: &Endpoint) -> Value {
    let schema = json!({"$ref": format!("#/components/schemas/{}", endpoint.schema)});
    let content = |media: &&'static str| {
        // Files and streams are not described as a whole: the schema is of one row.
        let value = if *media == "application/json" {
            json!({"schema": schema})
        } else {
            json!({"schema": {"type": "string"}})
        };
        ((*media).to_owned(), value)
    };
    let mut responses: Map<String, Value> = PROBLEMS
        .iter()
        .map(|(status, _)| ((*status).to_owned(), json!({"$ref": format!("#/components/responses/Problem{status}")})))
        .collect();
    let content: Map<String, Value> = endpoint.media.iter().map(content).collect();
    responses.insert("200".to_owned(), json!({"description": endpoint.about, "content": content}));
    let parameters =
        path_parameter(endpoint).into_iter().chain(endpoint.params.iter().copied().flatten().map(parameter));
    json!({
        "operationId": endpoint.name,
        "summary": endpoint.about,
        "parameters": parameters.collect::<Vec<_>>(),
        "responses": responses,
    })
}

fn path_parameter(endpoint: &Endpoint) -> Option<Value> {
    let (_, rest) = endpoint.path.split_once('{')?;
    let (name, _) = rest.split_once('}')?;
    let schema =
        if name == "call_uuid" { json!({"type": "string", "format": "uuid"}) } else { json!({"type": "string"}) };
    Some(json!({"name": name, "in": "path", "required": true, "schema": schema}))
}

fn parameter(param: &Param) -> Value {
    let one = param.kind.schema();
    let schema = if param.repeats { json!({"type": "array", "items": one}) } else { one };
    json!({
        "name": param.name,
        "in": "query",
        "description": param.about,
        "required": false,
        "style": "form",
        "explode": true,
        "schema": schema,
    })
}

fn problem(about: &str) -> Value {
    json!({
        "description": about,
        "content": {PROBLEM_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    })
}

#[cfg(test)]
mod tests {
    use super::document;

    #[test]
    fn the_committed_document_is_the_one_that_is_served() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../schemas/openapi.json");
        let made = serde_json::to_string_pretty(&document()).unwrap() + "\n";
        if std::env::var_os("RINGTRACE_WRITE").is_some() {
            std::fs::write(path, &made).unwrap();
        }
        let committed = std::fs::read_to_string(path).unwrap_or_default();
        assert!(committed == made, "run the tests with RINGTRACE_WRITE=1 to write schemas/openapi.json again");
    }
}
