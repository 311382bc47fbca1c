//! Behaviour of the model that a user could notice, as one test binary.

mod events;
mod fold;
mod oracle;
mod scenarios;
mod table;
