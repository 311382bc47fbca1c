//! Dead letters: choosing some, and sending them back to the linker.

mod filter;
mod resend;

pub use filter::{Filter, time};
pub use resend::Resender;
pub use ringtrace_linker::letters::{Letter, Position, find, read};
