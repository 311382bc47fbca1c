//! Which calls a slot has seen of late, so that a call that is provably new needs no look-up.

use foldhash::fast::FixedState;
use hashbrown::HashSet;

/// How many calls one generation holds before the older one is dropped.
const GENERATION_CALLS: usize = 1 << 20;

/// The hashes of the calls seen since some log time, in two generations.
///
/// A hash that two calls share only costs a look-up.
#[derive(Debug)]
pub(crate) struct RecentCalls {
    young: HashSet<u64, FixedState>,
    old: HashSet<u64, FixedState>,
    /// Log times after which the generations hold every call.
    young_since: i64,
    old_since: i64,
}

impl RecentCalls {
    /// Starts empty: knows every call of events logged after `since`, in milliseconds since the Unix epoch.
    pub(crate) fn since(since: i64) -> Self {
        let empty = || HashSet::with_hasher(FixedState::default());
        RecentCalls { young: empty(), old: empty(), young_since: since, old_since: since }
    }

    /// Notes a call; true when it was known already. `newest` is the newest log time of any event so far: partitions are
    /// not read in order of time, so no older bound holds for what a dropped generation has seen.
    pub(crate) fn note(&mut self, call: u64, newest: i64) -> bool {
        if self.young.len() >= GENERATION_CALLS {
            self.old = std::mem::take(&mut self.young);
            self.old_since = self.young_since;
            self.young_since = newest;
        }
        let known = self.old.contains(&call);
        !self.young.insert(call) || known
    }

    /// Whether a time lies in the span over which every call is known.
    pub(crate) fn covers(&self, at: i64) -> bool {
        at >= self.span_begins()
    }

    /// The first log time of that span: events of calls that are not known here were logged before.
    pub(crate) fn span_begins(&self) -> i64 {
        self.old_since.saturating_add(1)
    }
}

#[cfg(test)]
mod tests {
    use super::{GENERATION_CALLS, RecentCalls};

    #[test]
    fn forgets_a_generation_and_says_so() {
        let mut recent = RecentCalls::since(100);
        assert!(!recent.note(7, 100) && recent.note(7, 101));
        assert!(recent.covers(101) && !recent.covers(100));
        for call in 0..2 * GENERATION_CALLS as u64 + 1 {
            recent.note(1000 + call, 200 + call as i64);
        }
        assert!(!recent.covers(101), "the span has moved on with the generation that was dropped");
        assert!(!recent.note(7, 1 << 40), "a call before the span is not known");
    }
}
