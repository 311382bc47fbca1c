//! The judgement at a log time: what holds, what is held back, which alerts fire and resolve.

mod board;
mod devices;
mod evaluate;
mod finding;
mod source;
mod text;

pub use board::{Alert, Board, Change, State, fingerprint};
pub use devices::devices;
pub use evaluate::{Moment, evaluate, holds_back};
pub use source::{Credential, DeadLetters, Loss, Source, Versions};
