//! The HTTP side: listening with or without TLS, what guards every request, routes, and the files of the web application.

mod guard;
mod listen;
mod routes;
mod tls;
mod web;

pub(crate) use guard::Peer;
pub(crate) use listen::serve;
pub(crate) use routes::router;
pub use tls::TlsError;
pub(crate) use tls::acceptor;
pub(crate) use web::is_built as has_web;
