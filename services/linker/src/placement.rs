//! Whether producers put records into the partition of their call: what is misplaced is linked all the same, but read twice.

use std::fmt::Write;

use crate::topics::{Input, Inputs};

/// The topics whose producers choose the partition by the call.
const TOPICS: [Input; 2] = [Input::Push, Input::Call];

/// Records after which what came earlier counts half.
const MEMORY: u64 = 20_000;

/// Fewer records say nothing about a producer.
const MIN_RECORDS: u64 = 200;

/// Share of misplaced records, in thousandths, above which someone should look: a resize leaves a few.
const TOO_MANY: u64 = 10;

/// Records of one topic: how many were read, and how many of them in another partition than that of their call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Placed {
    pub(crate) read: u64,
    pub(crate) misplaced: u64,
}

/// The same for both topics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Placement([Placed; TOPICS.len()]);

impl Placement {
    /// Counts a record; those of other topics say nothing.
    pub(crate) fn note(&mut self, input: Input, is_misplaced: bool) {
        for (_, placed) in TOPICS.iter().zip(&mut self.0).filter(|(topic, _)| **topic == input) {
            placed.read += 1;
            placed.misplaced += u64::from(is_misplaced);
        }
    }

    /// Adds what came later.
    pub(crate) fn add(&mut self, later: &Placement) {
        for (placed, later) in self.0.iter_mut().zip(&later.0) {
            placed.read += later.read;
            placed.misplaced += later.misplaced;
            while placed.read > MEMORY {
                placed.read /= 2;
                placed.misplaced /= 2;
            }
        }
    }

    /// Misplaced records by topic.
    pub(crate) fn misplaced<'i>(&self, inputs: &'i Inputs) -> impl Iterator<Item = (&'i str, u64)> {
        TOPICS.into_iter().zip(self.0).map(|(topic, placed)| (&**inputs.name(topic), placed.misplaced))
    }

    /// What someone should know, with the topics and their shares.
    pub(crate) fn warning(&self, inputs: &Inputs) -> Option<String> {
        let mut text = String::new();
        for (topic, placed) in TOPICS.into_iter().zip(self.0) {
            if placed.read >= MIN_RECORDS && placed.misplaced * 1000 > placed.read * TOO_MANY {
                let share = placed.misplaced as f64 * 100.0 / placed.read as f64;
                // Writing into a string can't fail.
                let _ = write!(text, "{}{} {share:.1} %", if text.is_empty() { "" } else { ", " }, inputs.name(topic));
            }
        }
        let advice = "records in another partition than that of their call_uuid are linked, but read twice: key them by call_uuid in \
            lower case, with the murmur2 partitioner";
        (!text.is_empty()).then(|| format!("{text}: {advice}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inputs() -> Inputs {
        Inputs::new("p", "c", "i", "d")
    }

    fn after(records: u64, misplaced: u64) -> Placement {
        let mut placement = Placement::default();
        (0..records).for_each(|record| placement.note(Input::Call, record < misplaced));
        placement.note(Input::Device, true);
        placement
    }

    #[test]
    fn a_share_of_some_records_is_a_warning_that_names_the_topic() {
        let inputs = inputs();
        assert_eq!(after(199, 199).warning(&inputs), None, "too few to tell");
        assert_eq!(after(1_000, 10).warning(&inputs), None);
        let warning = after(1_000, 250).warning(&inputs).unwrap();
        assert!(warning.starts_with("c 25.0 %: ") && !warning.contains("p "), "{warning}");
    }

    #[test]
    fn a_producer_that_was_mended_is_forgiven() {
        let inputs = inputs();
        let mut placement = after(20_000, 20_000);
        (0..20).for_each(|_| placement.add(&after(20_000, 0)));
        assert_eq!(placement.warning(&inputs), None);
    }
}
