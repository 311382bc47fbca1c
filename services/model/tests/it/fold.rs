//! The fold is a pure function of the set of events.
