//! The JSON API and the web application over HTTP.
//!
//! A request goes through [`http`] (this host's name, no body, headers) to an endpoint of the table in [`answer`]. [`access`]
//! says who asks, [`ask`] checks what is asked, and [`store`] asks ClickHouse, always within the tenants of whoever asks.
//! [`data`] holds what there is to ask for: dimensions, measures with their formulas, columns.

mod access;
mod answer;
mod ask;
mod data;
mod http;
mod problem;
mod store;

use std::net::SocketAddr;
use std::sync::Arc;

use openssl::ssl::SslAcceptor;
use ringtrace_alerter::rules::{FileError, Rules};
use ringtrace_kit::config::Config;
use ringtrace_kit::drain::Drain;
use tokio::net::TcpListener;

pub use access::{TokensError, make as make_token};
pub use answer::document as openapi;
pub use http::TlsError;

use access::Tokens;
use answer::App;

/// Why the server does not start.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// `serve.tokens` is not accepted.
    #[error(transparent)]
    Tokens(#[from] TokensError),
    /// `serve.tls_certificate` or `serve.tls_key` is not accepted.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// `alert.rules` is not accepted.
    #[error(transparent)]
    Rules(#[from] FileError),
    /// Everyone could read everything.
    #[error(
        "serve.listen = \"{listen}\" is no loopback address, and serve.tokens is empty: whoever reaches it could read everything; \
         `ringtrace serve --make-token NAME` makes a token"
    )]
    Open {
        /// `serve.listen`.
        listen: String,
    },
    /// The address can't be bound.
    #[error("serve.listen = \"{listen}\" can't be bound")]
    Bind {
        /// `serve.listen`.
        listen: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

impl ServeError {
    /// Whether someone has to change a setting.
    pub fn is_setting(&self) -> bool {
        !matches!(self, ServeError::Bind { .. })
    }
}

/// What the settings of a server come to.
pub struct Checked {
    tokens: Tokens,
    tls: Option<SslAcceptor>,
    rules: Rules,
    addresses: Vec<SocketAddr>,
}

impl Checked {
    /// In a few words, for people.
    pub fn describe(&self) -> String {
        let access = if self.tokens.is_empty() { "no tokens, this machine only" } else { "tokens" };
        let tls = if self.tls.is_some() { "TLS" } else { "no TLS" };
        let web = if http::has_web() { "web application built in" } else { "without the web application" };
        format!("{access}, {tls}, {web}")
    }
}

/// Checks the settings of a server, and binds nothing.
///
/// # Errors
/// Tokens, certificates or rules of alerts are not accepted, the address can't be resolved, or it is no loopback address and
/// there are no tokens.
pub async fn check(config: &Config) -> Result<Checked, ServeError> {
    let (serve, listen) = (&config.serve, config.serve.listen.clone());
    let tokens = Tokens::load(&serve.tokens)?;
    let tls = http::acceptor(&serve.tls_certificate, &serve.tls_key)?;
    let rules = Rules::of_file(&config.alert.rules)?;
    let resolved = tokio::net::lookup_host(&listen).await;
    let addresses: Vec<SocketAddr> =
        resolved.map_err(|source| ServeError::Bind { listen: listen.clone(), source })?.collect();
    if tokens.is_empty() && !addresses.iter().all(|address| address.ip().is_loopback()) {
        return Err(ServeError::Open { listen });
    }
    Ok(Checked { tokens, tls, rules, addresses })
}

/// A server that listens, and does not answer yet.
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    tls: Option<SslAcceptor>,
    app: Arc<App>,
    drain: Drain,
}

impl Server {
    /// Checks the configuration, and binds the address.
    ///
    /// # Errors
    /// Tokens, certificates or rules of alerts are not accepted, the address can't be bound, or it is no loopback address and there are no
    /// tokens.
    pub async fn bind(config: &Config, drain: Drain) -> Result<Self, ServeError> {
        let Checked { tokens, tls, rules, addresses } = check(config).await?;
        let listen = config.serve.listen.clone();
        let bind = |source| ServeError::Bind { listen: listen.clone(), source };
        let listener = TcpListener::bind(addresses.as_slice()).await.map_err(bind)?;
        let address = listener.local_addr().map_err(bind)?;
        if !tokens.is_empty() && tls.is_none() && !address.ip().is_loopback() {
            tracing::warn!(%address, "tokens travel in the clear: set serve.tls_certificate and serve.tls_key");
        }
        let app = Arc::new(App::new(config, tokens, rules, tls.is_some(), drain.clone()));
        Ok(Server { listener, address, tls, app, drain })
    }

    /// Its address, for people.
    pub fn url(&self) -> String {
        format!("{}://{}", if self.tls.is_some() { "https" } else { "http" }, self.address)
    }

    /// Whether the web application is in this binary.
    pub fn has_web(&self) -> bool {
        http::has_web()
    }

    /// Answers until the drain starts, and lets running requests finish.
    pub async fn serve(self) {
        let router = http::router(self.app);
        http::serve(self.listener, self.tls, router, self.drain).await;
    }
}
