//! One request to a receiver, and what its answer means.

use std::time::Duration;

use reqwest::header::RETRY_AFTER;
use reqwest::{Client, StatusCode};

/// How long a receiver may take to answer.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// Most of an answer that is looked at, in bytes.
const MOST_BYTES: usize = 64 * 1024;

/// Why a receiver was not told. Addresses are not named: they may be secrets.
#[derive(Debug, thiserror::Error)]
pub enum DeliveryError {
    /// Its address or key can't be read.
    #[error("the receiver's address or key can't be read from its file")]
    Secret(#[source] std::io::Error),
    /// It can't be reached, or not in time.
    #[error("the receiver does not answer")]
    Unreachable(#[source] reqwest::Error),
    /// It refuses.
    #[error("the receiver answered with status {status}")]
    Refused {
        /// HTTP status.
        status: u16,
        /// Whether trying again soon makes sense.
        is_passing: bool,
        /// How long it asks to wait.
        retry_after: Option<Duration>,
    },
    /// Its answer is not that of such a receiver.
    #[error("the receiver's answer is not what such a receiver answers")]
    Rubbish,
}

impl DeliveryError {
    /// What it asks to wait at least.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            DeliveryError::Refused { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// Whether someone has to change something before it can work.
    pub fn is_lasting(&self) -> bool {
        matches!(self, DeliveryError::Refused { is_passing: false, .. } | DeliveryError::Secret(_))
    }

    /// A bounded word for metrics.
    pub fn kind(&self) -> &'static str {
        match self {
            DeliveryError::Secret(_) => "secret",
            DeliveryError::Unreachable(_) => "unreachable",
            DeliveryError::Refused { .. } => "refused",
            DeliveryError::Rubbish => "rubbish",
        }
    }
}

/// A request as it goes out.
pub(super) struct Outgoing {
    pub(super) url: String,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: String,
}

/// Posts JSON; the answer's body when it is one of success.
///
/// # Errors
/// It can't be reached, or refuses.
pub(super) async fn post(client: &Client, outgoing: Outgoing) -> Result<String, DeliveryError> {
    let mut request = client.post(&outgoing.url).header("content-type", "application/json").timeout(PATIENCE);
    for (name, value) in outgoing.headers {
        request = request.header(name, value);
    }
    let unreachable = |error: reqwest::Error| DeliveryError::Unreachable(error.without_url());
    let mut response = request.body(outgoing.body).send().await.map_err(unreachable)?;
    let status = response.status();
    if !status.is_success() {
        let passes = [StatusCode::REQUEST_TIMEOUT, StatusCode::TOO_EARLY, StatusCode::TOO_MANY_REQUESTS];
        let is_passing = status.is_server_error() || passes.contains(&status);
        let wait = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse().ok());
        let retry_after = wait.map(|seconds: u64| Duration::from_secs(seconds.min(3_600)));
        return Err(DeliveryError::Refused { status: status.as_u16(), is_passing, retry_after });
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
        body.extend_from_slice(&chunk);
        if body.len() > MOST_BYTES {
            return Err(DeliveryError::Rubbish);
        }
    }
    String::from_utf8(body).map_err(|_| DeliveryError::Rubbish)
}
