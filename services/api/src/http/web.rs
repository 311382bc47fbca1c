//! The files of the web application, as `make web` has built them; any other path is one of its pages.

use axum::body::Body;
use axum::http::header::{ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

use crate::problem::Problem;

/// A file, as it is and compressed.
struct File {
    path: &'static str,
    etag: &'static str,
    plain: &'static [u8],
    gzip: &'static [u8],
}

include!(concat!(env!("OUT_DIR"), "/web_files.rs"));

/// What is served in the place of the application where the binary was built without it.
const NOT_BUILT: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Ringtrace</title>\
    <h1>Ringtrace</h1><p>This binary was built without the web application: run <code>make web</code>, then build again.</p>\
    <p>The API is here: <a href=\"/api/v1/openapi.json\">/api/v1/openapi.json</a></p></html>\n";

/// Names of built files hold a hash of their contents: they never change.
const FOR_EVER: &str = "public, max-age=31536000, immutable";

/// The rest is asked for again each time, and answered with 304 where it is the same.
const ASK_AGAIN: &str = "no-cache";

/// Whether the binary has the application.
pub(crate) fn is_built() -> bool {
    !FILES.is_empty()
}

/// Answers a path outside the API.
pub(crate) fn answer(path: &str, headers: &HeaderMap) -> Response {
    let name = path.trim_start_matches('/');
    let named = FILES.iter().find(|file| file.path == name && file.path != "index.html");
    if let Some(file) = named {
        let cache = if name.starts_with("assets/") { FOR_EVER } else { ASK_AGAIN };
        return send(file, cache, headers);
    }
    let is_page = !name.starts_with("assets/") && !name.rsplit('/').next().unwrap_or_default().contains('.');
    match FILES.iter().find(|file| file.path == "index.html") {
        // Ids of devices may hold a dot.
        Some(index) if is_page || name.starts_with("devices/") => send(index, ASK_AGAIN, headers),
        None if is_page => {
            let kind = [(CONTENT_TYPE, "text/html; charset=utf-8"), (CACHE_CONTROL, "no-store")];
            (StatusCode::OK, kind, NOT_BUILT).into_response()
        }
        _ => Problem::not_found("there is no such file").at(path).into_response(),
    }
}

fn send(file: &File, cache: &'static str, headers: &HeaderMap) -> Response {
    let held = headers.get(IF_NONE_MATCH).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let is_held = held.split(',').any(|tag| tag.trim().trim_start_matches("W/") == file.etag);
    let mut response = if is_held {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let accepted = headers.get(ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let takes_gzip =
            accepted.split(',').any(|name| matches!(name.split(';').next().map(str::trim), Some("gzip" | "*")))
                && file.gzip.len() < file.plain.len();
        let mut response = Response::new(Body::from(if takes_gzip { file.gzip } else { file.plain }));
        if takes_gzip {
            response.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        response
    };
    let own = response.headers_mut();
    own.insert(CONTENT_TYPE, HeaderValue::from_static(kind_of(file.path)));
    own.insert(CACHE_CONTROL, HeaderValue::from_static(cache));
    own.insert(ETAG, HeaderValue::from_static(file.etag));
    own.insert(VARY, HeaderValue::from_static("accept-encoding"));
    response
}

/// The media type of a file, by its ending.
fn kind_of(path: &str) -> &'static str {
    match path.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}
