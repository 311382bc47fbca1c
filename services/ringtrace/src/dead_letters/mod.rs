//! Dead letters: reading them from their topic, choosing some, and sending them back to the linker.

mod filter;
mod letter;
mod reader;
mod resend;

pub use filter::{Filter, time};
pub use letter::{Letter, Position};
pub use reader::{find, read};
pub use resend::Resender;
