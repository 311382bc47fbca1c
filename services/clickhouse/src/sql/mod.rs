//! What has to be known about a statement before the engine gets it: where an INSERT's data begins, which format the
//! result has, and whether it is one statement.
//!
//! This is a lexer and a few rules, no parser: the engine parses, checks and refuses.

mod definition;
mod insert;
mod inside;
mod lexer;
mod parts;
mod reads;
mod statement;

pub(crate) use definition::writes_definition;
pub(crate) use insert::{Head, InsertHead};
pub(crate) use inside::check as check_inside;
pub(crate) use parts::top_level_parts;
pub(crate) use reads::may_only_read;
pub(crate) use statement::Statement;
