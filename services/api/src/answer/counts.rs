//! Counting legs and calls by groups and buckets: from the roll-up where it can say, from the facts otherwise.
//!
//! Every count is a sum over rows, so what the roll-ups have of whole ten minutes and what the facts have of a range's edges add
//! up. Dimensions that a roll-up does not have come from the facts alone.

use std::collections::{BTreeMap, HashMap};

use futures_util::future::try_join_all;

use super::pieces::{Piece, ROLLED_MS, pieces, sources};
use super::statement::{
    PIECES, facts_in, group_hashes, group_values, having, rolled_in, time_code, with_keys, with_times,
};
use crate::ask::{Compare, Filter, Range, Role};
use crate::data::{Dimension, How, MEASURES, Measure, Rolled, STAGES, Stage, measure};
use crate::problem::Problem;
use crate::store::{Query, Scope, Store};

/// Numbers of a stage: above all bins, since 1.02 to this is longer than time.
const BINS: usize = 2_048;

/// Numbers of all stages.
const CODES: usize = BINS * STAGES.len();

/// A stage's place in the list of stages.
fn place(stage: &Stage) -> usize {
    STAGES.iter().position(|known| known == stage).unwrap_or_default()
}

/// The values of a group's dimensions; empty for unknown.
pub(crate) type Key = Vec<String>;

/// What is counted of one group in one bucket.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cell {
    sums: HashMap<&'static str, i64>,
    /// Of each stage, legs by bin.
    bins: HashMap<&'static str, BTreeMap<u16, u64>>,
}

/// Cells by group and by bucket (0 where there are no buckets).
pub(crate) type Cells = HashMap<(Key, i64), Cell>;

/// What is to be counted.
#[derive(Clone, Copy)]
pub(crate) struct Counting<'a> {
    pub(crate) store: &'a Store,
    pub(crate) scope: &'a Scope,
    pub(crate) filter: &'a Filter,
    pub(crate) dimensions: &'a [&'static Dimension],
    /// Width of buckets, in milliseconds.
    pub(crate) bucket: Option<i64>,
    /// The only groups that are wanted.
    pub(crate) keys: Option<&'a [Key]>,
}

/// What measures are made of.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ingredients {
    sums: Vec<&'static Measure>,
    stages: Vec<&'static Stage>,
}

impl Ingredients {
    /// Of some measures, and the count of legs, by which groups are ordered.
    pub(crate) fn of(measures: &[&'static Measure]) -> Self {
        let mut ingredients = Ingredients::default();
        measures.iter().copied().chain(measure("legs")).for_each(|measure| ingredients.add(measure));
        ingredients
    }

    fn add(&mut self, made: &'static Measure) {
        match &made.how {
            How::Sum { .. } if !self.sums.iter().any(|known| known.name == made.name) => self.sums.push(made),
            How::Sum { .. } | How::Coverage => {}
            How::Total(parts) => parts.iter().filter_map(|part| measure(part)).for_each(|part| self.add(part)),
            How::Ratio { over, under, .. } => {
                over.iter().chain([under]).filter_map(|part| measure(part)).for_each(|part| self.add(part));
            }
            How::Percentile(stage, _) | How::Samples(stage) => {
                if !self.stages.contains(stage) {
                    self.stages.push(stage);
                }
            }
        }
    }

    /// The sums alone.
    pub(crate) fn sums(&self) -> Self {
        Ingredients { sums: self.sums.clone(), stages: Vec::new() }
    }

    /// The stages alone.
    pub(crate) fn stages(&self) -> Self {
        Ingredients { sums: Vec::new(), stages: self.stages.clone() }
    }
}

/// A row of sums: group, time code, sums.
type SumRow = (Key, i64, Vec<i64>);

/// A row of bins: group, time code and stage, bins and their legs.
type BinRow = (Key, i64, Vec<u16>, Vec<u64>);

/// What is counted of a range, and of the earlier one.
#[derive(Debug, Default)]
pub(crate) struct Counted {
    pub(crate) current: Cells,
    /// Nothing where there is nothing to compare with.
    pub(crate) previous: Cells,
}

impl Counting<'_> {
    /// Counts in a range, and in the earlier one to compare it with.
    ///
    /// # Errors
    /// As [`Store::rows`].
    pub(crate) async fn count(&self, range: Range, compare: Compare, of: &Ingredients) -> Result<Counted, Problem> {
        let pieces = pieces(range, compare);
        let sources = sources(&pieces, self.is_rolled(Rolled::Stats));
        let has_stats = |sum: &&&'static Measure| matches!(&sum.how, How::Sum { stats: Some(_), .. });
        let (rolled, others): (Vec<&Measure>, Vec<&Measure>) = of.sums.iter().partition(|sum| has_stats(sum));
        let whole: Vec<Range> = pieces.iter().map(|piece| piece.range).collect();
        let asked = [(&rolled, true, &sources.rolled), (&rolled, false, &sources.facts), (&others, false, &whole)];
        let sums = asked.into_iter().filter(|(measures, _, ranges)| !measures.is_empty() && !ranges.is_empty());
        let sums = sums.map(async |(measures, is_rolled, ranges)| {
            let rows: Vec<SumRow> = self.store.rows(self.sums(measures, is_rolled, ranges, &pieces)?).await?;
            Ok::<_, Problem>((rows, measures.clone()))
        });
        let bins = self.bins(&of.stages, &pieces)?.into_iter().map(|query| self.store.rows::<BinRow>(query));
        let (sums, bins) = tokio::try_join!(try_join_all(sums), try_join_all(bins))?;
        Ok(merge(&pieces, sums, bins.into_iter().flatten()))
    }

    /// Whether a roll-up can say what is asked.
    pub(super) fn is_rolled(&self, by: Rolled) -> bool {
        self.dimensions.iter().copied().chain(self.filter.dimensions()).all(|one| one.rolled >= by)
            && self.bucket.is_none_or(|bucket| bucket % ROLLED_MS == 0)
    }

    fn sums(&self, sums: &[&Measure], is_rolled: bool, ranges: &[Range], pieces: &[Piece]) -> Result<Query, Problem> {
        let sum = |measure: &&Measure| match &measure.how {
            How::Sum { stats: Some(stats), .. } if is_rolled => format!("toInt64({stats})"),
            How::Sum { facts, .. } => format!("toInt64({facts})"),
            _ => "toInt64(0)".to_owned(),
        };
        let sums = sums.iter().map(sum).collect::<Vec<_>>().join(", ");
        let (table, within) =
            if is_rolled { ("@stats", rolled_in(ranges.len())) } else { ("@facts", facts_in(ranges.len())) };
        let text = format!(
            "SELECT [{}] AS k, {} AS t, [{sums}] AS s FROM {table} {within} {} {} GROUP BY t {} {}",
            group_values(self.dimensions),
            time_code(self.bucket, pieces, is_rolled),
            self.filter.of_role_and_calls(),
            self.filter.conditions(),
            group_hashes(self.dimensions),
            having(self.keys, self.dimensions),
        );
        self.query(&text, ranges, pieces)
    }

    /// Legs by bin of each stage; nothing where no stage is asked for.
    fn bins(&self, stages: &[&'static Stage], pieces: &[Piece]) -> Result<Vec<Query>, Problem> {
        // Latencies of callers are in the facts alone.
        let is_rolled = self.is_rolled(Rolled::Latencies) && self.filter.role == Role::Callee;
        let sources = sources(pieces, is_rolled);
        let asked = [(true, &sources.rolled), (false, &sources.facts)];
        let asked = asked.into_iter().filter(|(_, ranges)| !ranges.is_empty() && !stages.is_empty());
        asked.map(|(is_rolled, ranges)| self.bins_in(stages, is_rolled, ranges, pieces)).collect()
    }

    /// One scan for all stages and times: a leg counts under a number of both and its bin, which is fast to group by.
    fn bins_in(
        &self,
        stages: &[&'static Stage],
        is_rolled: bool,
        ranges: &[Range],
        pieces: &[Piece],
    ) -> Result<Query, Problem> {
        let (table, within, role) = match is_rolled {
            true => ("@latencies", rolled_in(ranges.len()), ""),
            false => ("@facts", facts_in(ranges.len()), self.filter.of_role()),
        };
        let list = |one: &dyn Fn(&&'static Stage) -> String| stages.iter().map(one).collect::<Vec<_>>().join(", ");
        let (code, legs, only) = match is_rolled {
            true => {
                let names = list(&|stage| format!("'{}'", stage.name));
                let places = list(&|stage| (place(stage) * BINS).to_string());
                let code = format!("transform(stage, [{names}], [{places}], 0) + bin");
                (code, "sum(legs)", format!("AND stage IN ({names})"))
            }
            false => {
                let codes = list(&|stage| format!("toUInt16({} + {})", place(stage) * BINS, stage.bin));
                (format!("arrayJoin([{codes}])"), "count()", String::new())
            }
        };
        // What fits into 16 bits is counted in an array.
        let width = if self.bucket.is_some() { "toUInt64" } else { "toUInt16" };
        let text = format!(
            "SELECT k, intDiv(code, {BINS}) AS place, groupArray(code % {BINS}), groupArray(n) FROM              (SELECT [{}] AS k, {width}({} * {CODES} + {code}) AS code, {legs} AS n              FROM {table} {within} {role} {} {only} GROUP BY code {} {})              WHERE code % {BINS} != 0 GROUP BY place, k",
            group_values(self.dimensions),
            time_code(self.bucket, pieces, is_rolled),
            self.filter.conditions(),
            group_hashes(self.dimensions),
            having(self.keys, self.dimensions),
        );
        self.query(&text, ranges, pieces)
    }

    /// A statement over ranges, of pieces of time.
    pub(super) fn query(&self, text: &str, ranges: &[Range], pieces: &[Piece]) -> Result<Query, Problem> {
        let query = Query::new(self.scope, text)?.counting().with_all(&self.filter.values());
        let query = ranges.iter().enumerate().fold(query, |query, (index, range)| {
            query.with_ints([(&format!("from{index}"), range.from), (&format!("to{index}"), range.to)])
        });
        Ok(with_keys(with_times(query, self.bucket, pieces), self.keys, self.dimensions.len()))
    }
}

fn merge(
    pieces: &[Piece],
    sums: Vec<(Vec<SumRow>, Vec<&'static Measure>)>,
    bins: impl Iterator<Item = BinRow>,
) -> Counted {
    let mut counted = Counted::default();
    for (rows, measures) in sums {
        for (key, time, sums) in rows {
            let cell =
                Cell { sums: measures.iter().map(|measure| &*measure.name).zip(sums).collect(), bins: HashMap::new() };
            counted.add(pieces, key, time, cell);
        }
    }
    for (key, place, bins, legs) in bins {
        let Some(stage) = STAGES.get((place % STAGES.len() as i64) as usize) else { continue };
        let bins = HashMap::from([(stage.name, bins.into_iter().zip(legs).collect())]);
        counted.add(pieces, key, place / STAGES.len() as i64, Cell { sums: HashMap::new(), bins });
    }
    counted
}

impl Counted {
    /// Adds what else was counted in the same ranges.
    pub(crate) fn add_all(&mut self, other: Counted) {
        for (cells, more) in [(&mut self.current, other.current), (&mut self.previous, other.previous)] {
            more.into_iter().for_each(|(place, cell)| cells.entry(place).or_default().add(cell));
        }
    }

    /// Adds what was counted at a time code.
    fn add(&mut self, pieces: &[Piece], key: Key, time: i64, cell: Cell) {
        let Some(piece) = usize::try_from(time % PIECES).ok().and_then(|piece| pieces.get(piece)) else { return };
        let place = (key, time / PIECES);
        if piece.is_current && piece.is_previous {
            self.previous.entry(place.clone()).or_default().add(cell.clone());
            self.current.entry(place).or_default().add(cell);
        } else {
            let cells = if piece.is_current { &mut self.current } else { &mut self.previous };
            cells.entry(place).or_default().add(cell);
        }
    }
}

impl Cell {
    /// A measure's value; `None` where its denominator is 0 or there is nothing to take a percentile of.
    pub(crate) fn value(&self, made: &Measure) -> Option<f64> {
        match &made.how {
            How::Sum { .. } => Some(self.sum(&made.name) as f64),
            How::Total(parts) => Some(self.total(parts)),
            How::Ratio { over, under, factor } => {
                let under = measure(under).and_then(|under| self.value(under)).filter(|under| *under > 0.0)?;
                Some(self.total(over) * factor / under)
            }
            How::Percentile(stage, share) => percentile(self.bins.get(stage.name)?, *share),
            How::Samples(stage) => Some(self.samples(stage) as f64),
            How::Coverage => None,
        }
    }

    /// Adds what another cell has counted.
    pub(crate) fn add(&mut self, other: Cell) {
        other.sums.into_iter().for_each(|(name, sum)| *self.sums.entry(name).or_default() += sum);
        for (stage, bins) in other.bins {
            let known = self.bins.entry(stage).or_default();
            bins.into_iter().for_each(|(bin, legs)| *known.entry(bin).or_default() += legs);
        }
    }

    /// Legs of a stage by bin.
    pub(crate) fn bins(&self, stage: &Stage) -> impl Iterator<Item = (u16, u64)> {
        self.bins.get(stage.name).into_iter().flatten().map(|(bin, legs)| (*bin, *legs))
    }

    fn samples(&self, stage: &Stage) -> u64 {
        self.bins(stage).map(|(_, legs)| legs).sum()
    }

    /// A sum by its name.
    pub(crate) fn sum(&self, name: &str) -> i64 {
        self.sums.get(name).copied().unwrap_or_default()
    }

    fn total(&self, parts: &[&str]) -> f64 {
        parts.iter().filter_map(|part| measure(part)).filter_map(|part| self.value(part)).sum()
    }
}

/// The value in the middle of a bin of `leg_facts`, in milliseconds.
pub(crate) fn middle_of(bin: u16) -> f64 {
    if bin < 2 { 0.0 } else { (f64::from(bin - 2) * 1.02_f64.ln()).exp() }
}

/// The nearest-rank percentile, in milliseconds.
fn percentile(bins: &BTreeMap<u16, u64>, share: f64) -> Option<f64> {
    let total: u64 = bins.values().sum();
    let rank = ((total as f64 * share).ceil() as u64).max(1);
    let mut seen = 0;
    let bin = bins.iter().find(|(_, legs)| {
        seen += **legs;
        seen >= rank
    });
    bin.map(|(bin, _)| middle_of(*bin).round())
}

/// Measures that may be asked for: all but ingredients.
pub(crate) fn shown() -> impl Iterator<Item = &'static Measure> {
    MEASURES.iter().filter(|measure| !measure.is_hidden)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_of_the_nearest_rank() {
        // 100 ms is bin 2 + round(ln 100 / ln 1.02).
        let bins = BTreeMap::from([(1, 50), (235, 49), (468, 1)]);
        assert_eq!(percentile(&bins, 0.5), Some(0.0));
        let p90 = percentile(&bins, 0.9).unwrap_or_default();
        assert!((p90 - 100.0).abs() <= 1.0, "{p90}");
        let p999 = percentile(&bins, 0.999).unwrap_or_default();
        assert!((p999 / 10_000.0 - 1.0).abs() < 0.02, "{p999}");
        assert_eq!(percentile(&BTreeMap::new(), 0.5), None);
    }

    #[test]
    fn a_rate_without_a_denominator_is_null() {
        let rate = measure("violation_rate").unwrap();
        let mut cell = Cell::default();
        assert_eq!(cell.value(rate), None);
        cell.sums.insert("verdict_unreported", 1);
        cell.sums.insert("verdict_reported", 3);
        assert_eq!(cell.value(rate), Some(0.25));
    }
}
