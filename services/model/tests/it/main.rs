//! Behaviour of the model that a user could notice, as one test binary.

mod diagnoses;
mod events;
mod fold;
mod latencies;
mod oracle;
mod outcomes;
mod records;
mod rows;
mod scenarios;
mod stored;
mod table;
mod validation;
mod verdicts;
