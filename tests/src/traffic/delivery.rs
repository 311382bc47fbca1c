//! What happens to records on their way to the log: they are repeated, held up, and put in order of their log time.

use super::record::Record;
use super::rng::Rng;

/// Repeats some records, holds up others, and sorts all by log time.
pub(super) fn deliver(rng: &mut Rng, records: &mut Vec<Record>) {
    let mut repeated = Vec::new();
    for record in records.iter_mut() {
        if rng.in_thousand(4) {
            record.log_at += rng.log_normal(20_000, 1.0);
        }
        if rng.in_thousand(15) {
            let log_at = record.log_at + rng.log_normal(3_000, 1.2);
            repeated.push(Record { log_at, ..record.clone() });
        }
    }
    records.append(&mut repeated);
    // Stable: of records with one log time, the one that was made first stays first.
    records.sort_by_key(|record| record.log_at);
}
