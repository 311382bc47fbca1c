//! ClickHouse's HTTP interface.

mod answer;
mod credentials;
mod multipart;
mod request;
mod response;
mod server;
mod socket;

pub(crate) use answer::{Answer, Gone};
pub use credentials::Password;
pub(crate) use request::{Request, Table};
pub use server::{DRAIN, serve};
