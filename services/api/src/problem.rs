//! Errors as problem documents (RFC 9457): what is wrong, which parameter, and when to try again.

use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// The media type of problem documents (RFC 9457 section 3).
pub(crate) const PROBLEM_TYPE: &str = "application/problem+json";

/// Why a request was not answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    status: u16,
    detail: Box<str>,
    instance: Box<str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parameter: Option<Box<str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    limit: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after_s: Option<u64>,
}

impl Problem {
    fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Problem {
            status: status.as_u16(),
            detail: detail.into().into_boxed_str(),
            instance: Box::default(),
            parameter: None,
            limit: None,
            retry_after_s: None,
        }
    }

    /// 400: a parameter that is not accepted.
    pub(crate) fn parameter(name: &str, detail: impl Into<String>) -> Self {
        Problem { parameter: Some(name.into()), ..Problem::new(StatusCode::BAD_REQUEST, detail) }
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
        Problem { limit: Some(0), ..Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "no request here has a body") }
    }

    /// 422: the question would take more than is allowed.
    pub(crate) fn too_large(detail: impl Into<String>, limit: u64) -> Self {
        Problem { limit: Some(limit), ..Problem::new(StatusCode::UNPROCESSABLE_ENTITY, detail) }
    }

    /// 429: too many requests.
    pub(crate) fn too_many(limit: u64, retry_after_s: u64) -> Self {
        let detail = format!("more than {limit} requests a minute");
        let retry_after_s = Some(retry_after_s);
        Problem { limit: Some(limit), retry_after_s, ..Problem::new(StatusCode::TOO_MANY_REQUESTS, detail) }
    }

    /// 500: a defect of Ringtrace; what it was stands in the log.
    pub(crate) fn internal() -> Self {
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "a defect of Ringtrace: its log says more")
    }

    /// 503: something that is needed is away or busy.
    pub(crate) fn unavailable(detail: impl Into<String>, retry_after_s: u64) -> Self {
        Problem { retry_after_s: Some(retry_after_s), ..Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail) }
    }

    /// 504: the question took longer than is allowed.
    pub(crate) fn too_slow(seconds: u64) -> Self {
        let detail = format!("it took more than {seconds} s: ask for a shorter range, or with more filters");
        Problem { limit: Some(seconds), ..Problem::new(StatusCode::GATEWAY_TIMEOUT, detail) }
    }

    /// Says for which path it is.
    pub(crate) fn at(self, path: &str) -> Self {
        Problem { instance: path.into(), ..self }
    }

    /// The HTTP status.
    pub(crate) fn status(&self) -> u16 {
        self.status
    }

    /// The document.
    pub(crate) fn json(&self) -> Vec<u8> {
        let status = StatusCode::from_u16(self.status).ok();
        let title = status.and_then(|status| status.canonical_reason()).unwrap_or("Error");
        serde_json::to_vec(&Document { r#type: "about:blank", title, problem: self }).unwrap_or_default()
    }
}

/// A problem with what follows from its status.
#[derive(Serialize)]
struct Document<'a> {
    r#type: &'static str,
    title: &'static str,
    #[serde(flatten)]
    problem: &'a Problem,
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, self.json()).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(PROBLEM_TYPE));
        if let Some(seconds) = self.retry_after_s {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}
