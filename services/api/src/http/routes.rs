//! Routes: the endpoints of the API by their table, everything else the web application.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{RawPathParams, Request, State};
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use ringtrace_kit::clock::wall_ms;

use super::guard::{Peer, guard};
use super::web;
use crate::access::{Reader, Role};
use crate::answer::{App, BASE, ENDPOINTS, Endpoint};
use crate::ask::Ask;
use crate::problem::Problem;

/// Time that a request has beside its questions to ClickHouse.
const BESIDE: Duration = Duration::from_secs(10);

/// Which endpoint has answered, for metrics.
#[derive(Clone, Copy, Debug)]
pub(super) struct Named(pub(super) &'static str);

/// All routes.
pub(crate) fn router(app: Arc<App>) -> Router {
    let router = ENDPOINTS.iter().fold(Router::new(), |router, endpoint| {
        let answer = move |State(app): State<Arc<App>>, params: RawPathParams, request: Request| {
            enter(app, endpoint, segment(&params), request)
        };
        router.route(&format!("{BASE}{}", endpoint.path), any(answer))
    });
    router
        .route(BASE, any(nothing))
        .route(&format!("{BASE}/{{*rest}}"), any(nothing))
        .fallback(page)
        .layer(from_fn_with_state(Arc::clone(&app), guard))
        .with_state(app)
}

fn segment(params: &RawPathParams) -> String {
    params.iter().next().map(|(_, value)| value.to_owned()).unwrap_or_default()
}

async fn nothing(request: Request) -> Response {
    let detail = format!("there is no such endpoint: {BASE}/openapi.json lists them");
    Problem::not_found(detail).at(request.uri().path()).into_response()
}

async fn page(request: Request) -> Response {
    if !is_reading(request.method()) {
        return Problem::method().at(request.uri().path()).into_response();
    }
    let mut response = web::answer(request.uri().path(), request.headers());
    response.extensions_mut().insert(Named("web"));
    response
}

fn is_reading(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD)
}

async fn enter(app: Arc<App>, endpoint: &'static Endpoint, segment: String, request: Request) -> Response {
    let (request, _) = request.into_parts();
    let path = request.uri.path().to_owned();
    let answered = answer(app, endpoint, segment, &request).await;
    let mut response = answered.unwrap_or_else(|problem| problem.at(&path).into_response());
    response.extensions_mut().insert(Named(endpoint.name));
    response
}

async fn answer(
    app: Arc<App>,
    endpoint: &'static Endpoint,
    segment: String,
    request: &Parts,
) -> Result<Response, Problem> {
    if !is_reading(&request.method) {
        return Err(Problem::method());
    }
    let peer = request.extensions.get::<Peer>().map(|peer| peer.0.ip().to_string()).unwrap_or_default();
    let reader = who(&app, &request.headers, &peer)?;
    if !reader.may(Role::Read) {
        return Err(Problem::forbidden("this token may not read: it has not the role read"));
    }
    let query = request.uri.query().unwrap_or_default();
    let mut ask = Ask::new(reader, query, endpoint.params, wall_ms())?;
    let last = request.headers.get("last-event-id").and_then(|id| id.to_str().ok());
    ask.segment = segment;
    ask.last_event_id = last.map(str::to_owned);
    let patience = Duration::from_secs(app.limits.query_seconds) + BESIDE;
    let answer = (endpoint.answer)(Arc::clone(&app), ask);
    tokio::time::timeout(patience, answer).await.unwrap_or_else(|_| Err(Problem::too_slow(patience.as_secs())))
}

/// Who asks, and whether they have not asked too often.
fn who(app: &App, headers: &HeaderMap, peer: &str) -> Result<Reader, Problem> {
    let found = if app.tokens.is_empty() { Ok(Reader::anyone()) } else { bearer(app, headers) };
    let asker = match &found {
        Ok(reader) => reader.name().map(|name| format!("token {name}")),
        Err(_) => None,
    };
    let asker = asker.unwrap_or_else(|| format!("address {peer}"));
    app.pace.take(&asker, Instant::now()).map_err(|seconds| {
        metrics::counter!("ringtrace_http_refused_total", "reason" => "pace").increment(1);
        Problem::too_many(app.pace.per_minute().into(), seconds)
    })?;
    found.inspect_err(|_| metrics::counter!("ringtrace_http_refused_total", "reason" => "token").increment(1))
}

/// The bearer token of a request (RFC 6750 section 2.1; never in the URL).
fn bearer(app: &App, headers: &HeaderMap) -> Result<Reader, Problem> {
    let Some(value) = headers.get(AUTHORIZATION) else {
        return Err(Problem::unauthorized("a token is needed: Authorization: Bearer TOKEN"));
    };
    let token = value.to_str().ok().and_then(|value| value.split_once(' '));
    let token = token.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")).map(|(_, token)| token.trim());
    token.and_then(|token| app.tokens.reader(token)).ok_or_else(|| Problem::unauthorized("nobody has this token"))
}
