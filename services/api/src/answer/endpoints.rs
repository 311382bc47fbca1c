//! The table of endpoints. Routes, checks of parameters and the OpenAPI document are made of it.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use ringtrace_model::{Outcome, Reason};
use serde_json::Value;

use super::{
    App, alerts, call, calls, definitions, devices, dimensions, distribution, export, legs, letters, live, openapi,
    pipeline, reasons, risk, series, status, summary,
};
use crate::ask::{Ask, COMMON, Kind, Param, SPAN, end_reasons, filter, param, words};
use crate::problem::Problem;

/// Where the API begins.
pub(crate) const BASE: &str = "/api/v1";

/// An answer on its way.
type Answering = Pin<Box<dyn Future<Output = Result<Response, Problem>> + Send>>;

/// An endpoint.
pub(crate) struct Endpoint {
    /// Unique, for metrics and as `operationId`.
    pub(crate) name: &'static str,
    /// Behind [`BASE`].
    pub(crate) path: &'static str,
    pub(crate) about: &'static str,
    pub(crate) params: &'static [&'static [Param]],
    /// Name of the answer's schema.
    pub(crate) schema: &'static str,
    /// Media types of the answer.
    pub(crate) media: &'static [&'static str],
    pub(crate) answer: fn(Arc<App>, Ask) -> Answering,
}

const JSON: &[&str] = &["application/json"];
const GROUPED: &[Param] = &[
    param("group_by", Kind::Dimensions, "Up to two dimensions, separated by a comma."),
    param(
        "limit",
        Kind::Int(1, 1_000),
        "How many groups, the largest first; default 50, of a series 12 and at most 100.",
    ),
    param("compare", Kind::Compare, "Also the same range so much earlier: none (default), or a duration such as 7d."),
];
const MEASURED: &[Param] =
    &[param("measures", Kind::Measures, "Which measures; of a summary all but telemetry_coverage by default.")];
const BUCKETED: &[Param] = &[param("bucket", Kind::Bucket, "Width of a bucket; default auto, for 30 to 180 of them.")];
const STAGED: &[Param] = &[param(
    "stage",
    Kind::Words(|| crate::data::STAGES.iter().map(|stage| stage.name).collect()),
    "Which latency; default sent_to_received.",
)];
const REASONS: &[Param] = &[param(
    "kind",
    Kind::Words(reasons::kinds),
    "Only reasons of this kind; the lists of others are empty. All by default.",
)];
const PAGED: &[Param] = &[
    param("limit", Kind::Int(1, 500), "How many; default 50."),
    param("cursor", Kind::Cursor, "Where to go on: next_cursor of the page before."),
];
const LEGS: &[Param] = &[
    param("device", Kind::Text, "Only legs on this device."),
    param("call_uuid", Kind::Uuid, "Only legs of this call."),
    param("slower_than", Kind::StageMs, "Only legs whose stage took longer."),
    param("faster_than", Kind::StageMs, "Only legs whose stage took at most this."),
    param("rejected_with", Kind::Text, "Only legs whose push was refused for this reason."),
    param("end_reason", Kind::WordsOrNothing(end_reasons), "Only legs that ended so."),
    param("stage_reached", Kind::Words(legs::steps), "Only legs that came this far."),
    param("stage_missing", Kind::Words(legs::steps), "Only legs that did not come this far."),
    param("changed_since", Kind::Time, "Only legs that changed at this log time or later."),
];
const CALLS: &[Param] = &[
    param("q", Kind::Text, "A call's UUID, a device or an app."),
    param("call_outcome", Kind::Words(|| words(Outcome::ALL, Outcome::as_str)), "Only calls with this outcome."),
];
const EXPORTED: &[Param] = &[param("format", Kind::Words(|| vec!["csv", "ndjson"]), "Default csv.")];
const OF_TENANT: &[Param] = &[param("tenant", Kind::Text, "Whose; default any that the token sees.")];
const PICKED: &[Param] = &[
    param("q", Kind::Text, "Only values that begin with this, in any case."),
    param("limit", Kind::Int(1, 1_000), "How many, the largest first; default 50."),
];
const DEVICES: &[Param] = &[param("q", Kind::Text, "Only devices whose id begins with this.")];
const LETTERS: &[Param] = &[
    param("reason", Kind::Words(|| words(Reason::ALL, |reason| reason.as_str())), "Only letters with this reason."),
    param("limit", Kind::Int(1, 500), "How many, the newest first; default 50."),
];

const RISKS: &[Param] = &[
    param("from", Kind::Time, "Start of the range of the trends; default now-24h."),
    param("to", Kind::Time, "End of the range, not included; default now."),
    filter("tenant", Kind::Text, "Only this tenant."),
    filter("app", Kind::Text, "Only this app."),
    filter("app_version", Kind::Text, "Only this version of the app."),
    filter("os_major", Kind::Text, "Only this major version of iOS."),
    filter("level", Kind::Words(risk::app_levels), "Only this level."),
    param("limit", Kind::Int(1, 1_000), "How many, the worst first; default 200."),
];
const DEVICE_RISKS: &[Param] = &[
    filter("tenant", Kind::Text, "Only this tenant."),
    filter("app", Kind::Text, "Only this app."),
    filter("level", Kind::Words(risk::device_levels), "Only this level; default all but ok."),
    param("q", Kind::Text, "Only devices whose id begins with this."),
];
const ALERTS: &[Param] = &[
    filter("tenant", Kind::Text, "Only this tenant."),
    filter("app", Kind::Text, "Only this app."),
    filter("rule", Kind::Text, "Only alerts of this rule."),
    filter("severity", Kind::Words(alerts::severities), "Only this severity."),
    param("fingerprint", Kind::Text, "Only this alert."),
];
const EPISODES: &[Param] = &[
    param("from", Kind::Time, "Start of the range in which they fired, by log time; default now-24h."),
    param("to", Kind::Time, "End of the range, not included; default now."),
    param("state", Kind::Words(|| vec!["firing", "resolved"]), "Only those that still fire, or that are resolved."),
];

macro_rules! json {
    ($answer:path) => {
        |app, ask| Box::pin(async move { Ok(as_json(&$answer(app, ask).await?)) })
    };
}

macro_rules! raw {
    ($answer:path) => {
        |app, ask| Box::pin($answer(app, ask))
    };
}

/// All endpoints.
pub(crate) static ENDPOINTS: [Endpoint; 22] = [
    Endpoint {
        name: "status",
        path: "/status",
        about: "The server, how fresh its results are, and what this token may.",
        params: &[],
        schema: "Status",
        media: JSON,
        answer: json!(status::answer),
    },
    Endpoint {
        name: "definitions",
        path: "/definitions",
        about: "What every measure, dimension, verdict, outcome and diagnosis means.",
        params: &[],
        schema: "Definitions",
        media: JSON,
        answer: |_, _| Box::pin(async { Ok(as_json(&definitions::all())) }),
    },
    Endpoint {
        name: "summary",
        path: "/summary",
        about: "Measures of a range, by groups.",
        params: &[COMMON, GROUPED, MEASURED],
        schema: "Summary",
        media: JSON,
        answer: json!(summary::answer),
    },
    Endpoint {
        name: "series",
        path: "/series",
        about: "Measures over time, by groups. Buckets without legs are there.",
        params: &[COMMON, GROUPED, MEASURED, BUCKETED],
        schema: "Series",
        media: JSON,
        answer: json!(series::answer),
    },
    Endpoint {
        name: "distribution",
        path: "/distribution",
        about: "How a latency is distributed, in all and over time.",
        params: &[COMMON, STAGED, BUCKETED],
        schema: "Distribution",
        media: JSON,
        answer: json!(distribution::answer),
    },
    Endpoint {
        name: "reasons",
        path: "/reasons",
        about: "Why pushes were refused, what is wrong with legs, and how calls ended.",
        params: &[COMMON, REASONS],
        schema: "Reasons",
        media: JSON,
        answer: json!(reasons::answer),
    },
    Endpoint {
        name: "dimension_values",
        path: "/dimensions/{name}",
        about: "The values of a dimension, for choosing filters.",
        params: &[COMMON, PICKED],
        schema: "DimensionValues",
        media: JSON,
        answer: json!(dimensions::answer),
    },
    Endpoint {
        name: "legs",
        path: "/legs",
        about: "Legs, the newest first.",
        params: &[COMMON, LEGS, PAGED],
        schema: "Legs",
        media: JSON,
        answer: json!(legs::answer),
    },
    Endpoint {
        name: "legs_export",
        path: "/legs/export",
        about: "Legs as a file, the newest first, streamed.",
        params: &[COMMON, LEGS, EXPORTED],
        schema: "Leg",
        media: &["text/csv", "application/x-ndjson"],
        answer: raw!(export::legs),
    },
    Endpoint {
        name: "calls",
        path: "/calls",
        about: "Calls, the newest first; one matches when one of its legs does.",
        params: &[COMMON, CALLS, PAGED],
        schema: "Calls",
        media: JSON,
        answer: json!(calls::answer),
    },
    Endpoint {
        name: "calls_export",
        path: "/calls/export",
        about: "Calls as a file, the newest first, streamed.",
        params: &[COMMON, CALLS, EXPORTED],
        schema: "Call",
        media: &["text/csv", "application/x-ndjson"],
        answer: raw!(export::calls),
    },
    Endpoint {
        name: "call",
        path: "/calls/{call_uuid}",
        about: "One call with its whole history, folded anew from its events as `ringtrace explain` does.",
        params: &[OF_TENANT],
        schema: "CallHistory",
        media: JSON,
        answer: json!(call::answer),
    },
    Endpoint {
        name: "devices",
        path: "/devices",
        about: "Devices, those with most violations first.",
        params: &[COMMON, DEVICES, PAGED],
        schema: "Devices",
        media: JSON,
        answer: json!(devices::list),
    },
    Endpoint {
        name: "device",
        path: "/devices/{device_id}",
        about: "One device: tokens, permissions, strikes, and whether iOS probably stopped waking it.",
        params: &[OF_TENANT],
        schema: "Device",
        media: JSON,
        answer: json!(devices::one),
    },
    Endpoint {
        name: "risk_apps",
        path: "/risk/apps",
        about: "How close iOS is to waking an app no more, by version and major version of iOS: level, reason, trend.",
        params: &[RISKS],
        schema: "AppRisks",
        media: JSON,
        answer: json!(risk::apps),
    },
    Endpoint {
        name: "risk_devices",
        path: "/risk/devices",
        about: "Devices with strikes, the worst first: those where iOS is suspected to wake the app no more, then the others.",
        params: &[DEVICE_RISKS, PAGED],
        schema: "DeviceRisks",
        media: JSON,
        answer: json!(risk::devices),
    },
    Endpoint {
        name: "alerts",
        path: "/alerts",
        about: "Alerts that fire, and those that will if what they are about goes on.",
        params: &[ALERTS],
        schema: "Alerts",
        media: JSON,
        answer: json!(alerts::current),
    },
    Endpoint {
        name: "alerts_history",
        path: "/alerts/history",
        about: "Each time that an alert fired, the newest first: when it was resolved, and who was told.",
        params: &[EPISODES, ALERTS, PAGED],
        schema: "Episodes",
        media: JSON,
        answer: json!(alerts::history),
    },
    Endpoint {
        name: "live",
        path: "/live",
        about: "Legs as they change, as server-sent events: hello, leg, skipped. Last-Event-ID goes on where it was.",
        params: &[COMMON],
        schema: "Leg",
        media: &["text/event-stream"],
        answer: raw!(live::answer),
    },
    Endpoint {
        name: "pipeline",
        path: "/pipeline",
        about: "How the linker does: slots, throughput, late events, dead letters, tables.",
        params: &[SPAN, BUCKETED],
        schema: "Pipeline",
        media: JSON,
        answer: json!(pipeline::answer),
    },
    Endpoint {
        name: "dead_letters",
        path: "/dead-letters",
        about: "Records that were not linked, and why; never their values. For tokens that see all tenants.",
        params: &[LETTERS],
        schema: "DeadLetters",
        media: JSON,
        answer: json!(letters::answer),
    },
    Endpoint {
        name: "openapi",
        path: "/openapi.json",
        about: "This document.",
        params: &[],
        schema: "OpenApi",
        media: JSON,
        answer: |_, _| Box::pin(async { Ok(as_json(&openapi::document())) }),
    },
];

fn as_json(value: &Value) -> Response {
    ([(CONTENT_TYPE, "application/json")], value.to_string()).into_response()
}
