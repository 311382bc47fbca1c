//! How long the pages of the dashboards wait for ClickHouse, with many legs stored.

mod fill;
mod query;
mod store;

pub use fill::fill;
pub use query::{Measured, Question, Range, measure, questions};
pub use store::Store;
