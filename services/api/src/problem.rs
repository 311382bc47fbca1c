//! Errors as problem documents (RFC 9457): what is wrong, which parameter, and when to try again.

use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// The media type of problem documents (RFC 9457 section 3).
pub(crate) const PROBLEM_TYPE: &str = "application/problem+json";

/// Why a request was not answered. Boxed: it is the rare side of most results.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem(Box<Document>);

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Document {
    r#type: &'static str,
    title: &'static str,
    status: u16,
    detail: String,
    instance: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    parameter: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    limit: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after_s: Option<u64>,
}

impl Problem {
    fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Problem(Box::new(Document {
            r#type: "about:blank",
            title: status.canonical_reason().unwrap_or("Error"),
            status: status.as_u16(),
            detail: detail.into(),
            instance: String::new(),
            parameter: None,
            limit: None,
            retry_after_s: None,
        }))
    }

    fn with(mut self, change: impl FnOnce(&mut Document)) -> Self {
        change(&mut self.0);
        self
    }

    /// 400: a parameter that is not accepted.
    pub(crate) fn parameter(name: &str, detail: impl Into<String>) -> Self {
        Problem::new(StatusCode::BAD_REQUEST, detail).with(|document| document.parameter = Some(name.to_owned()))
    }

    /// 400: a request that can't be understood.
    pub(crate) fn bad_request(detail: impl Into<String>) -> Self {
        Problem::new(StatusCode::BAD_REQUEST, detail)
    }

    /// 401: no token, or one that nobody has.
    pub(crate) fn unauthorized(detail: &str) -> Self {
        Problem::new(StatusCode::UNAUTHORIZED, detail)
    }

    /// 403: a token that may not do this.
    pub(crate) fn forbidden(detail: impl Into<String>) -> Self {
        Problem::new(StatusCode::FORBIDDEN, detail)
    }

    /// 404: nothing of that name.
    pub(crate) fn not_found(detail: impl Into<String>) -> Self {
        Problem::new(StatusCode::NOT_FOUND, detail)
    }

    /// 405: the path exists, for GET alone.
    pub(crate) fn method() -> Self {
        Problem::new(StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD are answered here")
    }

    /// 413: a body, where none is taken.
    pub(crate) fn body() -> Self {
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "no request here has a body")
            .with(|document| document.limit = Some(0))
    }

    /// 422: the question would take more than is allowed.
    pub(crate) fn too_large(detail: impl Into<String>, limit: u64) -> Self {
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, detail).with(|document| document.limit = Some(limit))
    }

    /// 429: too many requests.
    pub(crate) fn too_many(limit: u64, retry_after_s: u64) -> Self {
        let detail = format!("more than {limit} requests a minute");
        Problem::new(StatusCode::TOO_MANY_REQUESTS, detail).with(|document| {
            document.limit = Some(limit);
            document.retry_after_s = Some(retry_after_s);
        })
    }

    /// 500: a defect of Ringtrace; what it was stands in the log.
    pub(crate) fn internal() -> Self {
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "a defect of Ringtrace: its log says more")
    }

    /// 503: something that is needed is away or busy.
    pub(crate) fn unavailable(detail: impl Into<String>, retry_after_s: u64) -> Self {
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail)
            .with(|document| document.retry_after_s = Some(retry_after_s))
    }

    /// 504: the question took longer than is allowed.
    pub(crate) fn too_slow(seconds: u64) -> Self {
        let detail = format!("it took more than {seconds} s: ask for a shorter range, or with more filters");
        Problem::new(StatusCode::GATEWAY_TIMEOUT, detail).with(|document| document.limit = Some(seconds))
    }

    /// Says for which path it is.
    pub(crate) fn at(self, path: &str) -> Self {
        self.with(|document| path.clone_into(&mut document.instance))
    }

    /// The HTTP status.
    pub(crate) fn status(&self) -> u16 {
        self.0.status
    }

    /// The document.
    pub(crate) fn json(&self) -> Vec<u8> {
        serde_json::to_vec(&self.0).unwrap_or_default()
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, self.json()).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(PROBLEM_TYPE));
        if let Some(seconds) = self.0.retry_after_s {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}
