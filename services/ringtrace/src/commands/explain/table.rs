//! Events one below the other, with the time that passed between them.

use super::notes::Note;
use super::text::{duration, utc};

/// Widest column of kinds, in characters: that of the longest kind of the contract.
const MAX_KIND_WIDTH: usize = 24;

/// A table of events in the order of their times, under a line of titles.
pub fn table(notes: &[&Note]) -> String {
    let longest = notes.iter().map(|note| note.kind.chars().count()).max();
    let width = longest.unwrap_or_default().clamp("event".len(), MAX_KIND_WIDTH);
    let line = |at: &str, previous: &str, first: &str, of: &str, kind: &str, fields: &str| {
        let line = format!("  {at:<23}  {previous:>14}  {first:>14}  {of:<7}  {kind:<width$}  {fields}");
        line.trim_end().to_owned() + "\n"
    };
    let mut table = line("time, corrected (UTC)", "since previous", "since first", "of", "event", "");
    let first = notes.first().map(|note| note.at);
    let mut previous = None;
    for note in notes {
        let since = |at: Option<i64>| at.map_or_else(String::new, |at| duration(note.at.saturating_sub(at)));
        let since_first = since(first.filter(|_| previous.is_some()));
        table += &line(&utc(note.at), &since(previous), &since_first, owner(note), &note.kind, &note.fields);
        previous = Some(note.at);
    }
    table
}

/// Whose the event is; `history` changed nothing.
fn owner(note: &Note) -> &'static str {
    match (note.is_history, &note.device_id) {
        (true, _) => "history",
        (false, None) => "call",
        (false, Some(_)) => "leg",
    }
}
