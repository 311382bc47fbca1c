//! How long the pages of the dashboards wait for the API, with many legs stored.

mod fill;
mod query;
mod store;

pub use fill::{fill, sizes};
pub use query::{Measured, Names, Question, Range, measure, questions};
pub use store::{Api, Store};

/// What each page asks, for [`questions`].
pub const REQUESTS: &str = include_str!("requests.txt");
