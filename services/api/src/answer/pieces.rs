//! The time that is counted, cut so that nothing is read twice: a range and the same so much earlier may overlap.

use crate::ask::{Compare, Range};

/// Width of the roll-ups' buckets, in milliseconds.
pub(super) const ROLLED_MS: i64 = 600_000;

/// Shortest piece for which a roll-up is worth asking, in milliseconds.
const LEAST_ROLLED_MS: i64 = 6 * ROLLED_MS;

/// A piece of time, and whose it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) range: Range,
    /// Of the range itself.
    pub(super) is_current: bool,
    /// Of the earlier one.
    pub(super) is_previous: bool,
}

/// A range, and the earlier one to compare it with, in pieces in order of time: at most three, and none in two of them.
pub(super) fn pieces(range: Range, compare: Compare) -> Vec<Piece> {
    let Some(earlier) = compare.map(|ms| range.earlier(ms)) else {
        return vec![Piece { range, is_current: true, is_previous: false }];
    };
    let mut cuts = [earlier.from, earlier.to, range.from, range.to];
    cuts.sort_unstable();
    let piece = |cut: &[i64]| {
        let &[from, to] = cut else { return None };
        let is_in = |whole: Range| whole.from <= from && to <= whole.to;
        let piece = Piece { range: Range { from, to }, is_current: is_in(range), is_previous: is_in(earlier) };
        (from < to && (piece.is_current || piece.is_previous)).then_some(piece)
    };
    cuts.windows(2).filter_map(piece).collect()
}

/// Where pieces of time are read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Sources {
    /// Whole ten minutes, which roll-ups have.
    pub(super) rolled: Vec<Range>,
    /// All else.
    pub(super) facts: Vec<Range>,
}

/// Reads long pieces from roll-ups, but for their ends, where these `can` say what is asked.
pub(super) fn sources(pieces: &[Piece], can: bool) -> Sources {
    let mut sources = Sources::default();
    for range in pieces.iter().map(|piece| piece.range) {
        let from = (range.from + ROLLED_MS - 1).div_euclid(ROLLED_MS) * ROLLED_MS;
        let to = range.to.div_euclid(ROLLED_MS) * ROLLED_MS;
        if can && to - from >= LEAST_ROLLED_MS {
            sources.rolled.push(Range { from, to });
            let ends = [Range { to: from, ..range }, Range { from: to, ..range }];
            sources.facts.extend(ends.into_iter().filter(|end| end.from < end.to));
        } else {
            sources.facts.push(range);
        }
    }
    sources
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000;

    fn range(from: i64, to: i64) -> Range {
        Range { from, to }
    }

    #[test]
    fn a_range_alone_is_one_piece() {
        let piece = Piece { range: range(5, 9), is_current: true, is_previous: false };
        assert_eq!(pieces(range(5, 9), None), [piece]);
    }

    #[test]
    fn an_earlier_range_apart_leaves_out_what_is_between() {
        let expected = [
            Piece { range: range(0, 10), is_current: false, is_previous: true },
            Piece { range: range(100, 110), is_current: true, is_previous: false },
        ];
        assert_eq!(pieces(range(100, 110), Some(100)), expected);
        assert_eq!(pieces(range(10, 20), Some(10)).len(), 2);
    }

    #[test]
    fn what_two_ranges_share_is_read_once() {
        let expected = [
            Piece { range: range(0, 30), is_current: false, is_previous: true },
            Piece { range: range(30, 100), is_current: true, is_previous: true },
            Piece { range: range(100, 130), is_current: true, is_previous: false },
        ];
        assert_eq!(pieces(range(30, 130), Some(30)), expected);
    }

    #[test]
    fn roll_ups_are_read_for_whole_ten_minutes_only() {
        let all = pieces(range(1, 2 * HOUR + 1), None);
        let expected = Sources {
            rolled: vec![range(ROLLED_MS, 2 * HOUR)],
            facts: vec![range(1, ROLLED_MS), range(2 * HOUR, 2 * HOUR + 1)],
        };
        assert_eq!(sources(&all, true), expected);
        assert_eq!(sources(&all, false), Sources { rolled: Vec::new(), facts: vec![range(1, 2 * HOUR + 1)] });
        let short = pieces(range(0, HOUR - 1), None);
        assert!(sources(&short, true).rolled.is_empty());
    }
}
