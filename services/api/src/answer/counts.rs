//! Counting legs and calls by groups and buckets: from the roll-up where it can say, from the facts otherwise.
//!
//! Every count is a sum over rows, so what the roll-ups have of whole ten minutes and what the facts have of a range's edges add
//! up. Dimensions that a roll-up does not have come from the facts alone.

use std::collections::{BTreeMap, HashMap};

use futures_util::future::try_join_all;

use super::statement::{
    any_names, bucket_index, facts_in, group_hashes, group_names, group_texts, having_any, having_keys, stats_in,
    with_keys,
};
use crate::ask::{Filter, Range, Role};
use crate::data::{Dimension, How, MEASURES, Measure, Rolled, STAGES, Stage, measure};
use crate::problem::Problem;
use crate::store::{Query, Scope, Store};

/// Width of the roll-up's buckets, in milliseconds.
const ROLLED_MS: i64 = 600_000;

/// Shortest range for which the roll-up is worth asking, in milliseconds.
const LEAST_ROLLED_MS: i64 = 6 * ROLLED_MS;

/// Codes of a stage: above all bins.
const CODES: usize = 4_096;

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

/// A row of sums: group, bucket, sums.
type SumRow = (Key, i64, Vec<i64>);

/// A row of bins: group, bucket, stage, bins and their legs.
type BinRow = (Key, i64, usize, Vec<u16>, Vec<u64>);

impl Counting<'_> {
    /// Counts in a range.
    ///
    /// # Errors
    /// As [`Store::rows`].
    pub(crate) async fn count(&self, range: Range, of: &Ingredients) -> Result<Cells, Problem> {
        let rolled = self.rolled(range, Rolled::Stats);
        let is_rolled =
            |sum: &&&'static Measure| rolled.is_some() && matches!(&sum.how, How::Sum { stats: Some(_), .. });
        let from_stats: Vec<&Measure> = of.sums.iter().filter(is_rolled).copied().collect();
        let from_facts: Vec<&Measure> = of.sums.iter().filter(|sum| !is_rolled(sum)).copied().collect();
        let mut asked = Vec::new();
        if let Some(middle) = rolled.filter(|_| !from_stats.is_empty()) {
            asked.push((self.sums(&from_stats, true, &stats_in(), &[middle])?, from_stats.clone()));
            let edges = edges(range, middle);
            if !edges.is_empty() {
                asked.push((self.sums(&from_stats, false, &facts_in(edges.len()), &edges)?, from_stats));
            }
        }
        if !from_facts.is_empty() {
            asked.push((self.sums(&from_facts, false, &facts_in(1), &[range])?, from_facts));
        }
        let bins = self.bins(&of.stages, range)?;
        let bins = try_join_all(bins.into_iter().map(|query| self.store.rows::<BinRow>(query)));
        let answers = try_join_all(asked.into_iter().map(async |(query, measures)| {
            let rows: Vec<SumRow> = self.store.rows(query).await?;
            Ok::<_, Problem>((rows, measures))
        }));
        let (answers, bins) = tokio::try_join!(answers, bins)?;
        Ok(merge(answers, bins.into_iter().flatten()))
    }

    /// The whole ten minutes of a range, where a roll-up can say what is asked.
    pub(crate) fn rolled(&self, range: Range, by: Rolled) -> Option<Range> {
        let can = self.dimensions.iter().copied().chain(self.filter.dimensions()).all(|one| one.rolled >= by)
            && self.bucket.is_none_or(|bucket| bucket % ROLLED_MS == 0);
        let from = (range.from + ROLLED_MS - 1).div_euclid(ROLLED_MS) * ROLLED_MS;
        let to = range.to.div_euclid(ROLLED_MS) * ROLLED_MS;
        (can && to - from >= LEAST_ROLLED_MS).then_some(Range { from, to })
    }

    fn sums(&self, sums: &[&Measure], is_rolled: bool, within: &str, ranges: &[Range]) -> Result<Query, Problem> {
        let sum = |measure: &&Measure| match &measure.how {
            How::Sum { stats: Some(stats), .. } if is_rolled => format!("toInt64({stats})"),
            How::Sum { facts, .. } => format!("toInt64({facts})"),
            _ => "toInt64(0)".to_owned(),
        };
        let sums = sums.iter().map(sum).collect::<Vec<_>>().join(", ");
        let table = if is_rolled { "@stats" } else { "@facts" };
        let text = format!(
            "SELECT [{}] AS k, {} AS t, [{sums}] AS s FROM {table} {within} {} {} GROUP BY t {} {}",
            any_names(self.dimensions),
            bucket_index(self.bucket, is_rolled),
            self.filter.of_role_and_calls(),
            self.filter.conditions(),
            group_hashes(self.dimensions),
            having_any(self.keys, self.dimensions),
        );
        self.query(&text, ranges)
    }

    /// Legs by bin of each stage; nothing where no stage is asked for.
    fn bins(&self, stages: &[&'static Stage], range: Range) -> Result<Vec<Query>, Problem> {
        if stages.is_empty() {
            return Ok(Vec::new());
        }
        // Latencies of callers are in the facts alone.
        let middle = self.rolled(range, Rolled::Latencies).filter(|_| self.filter.role == Role::Callee);
        let Some(middle) = middle else { return Ok(vec![self.bins_of_facts(stages, &[range])?]) };
        let mut queries = vec![self.bins_rolled(stages, middle)?];
        let edges = edges(range, middle);
        if !edges.is_empty() {
            queries.push(self.bins_of_facts(stages, &edges)?);
        }
        Ok(queries)
    }

    /// A part for each stage: grouping by the small number of a bin alone is much faster than by stage as well.
    fn bins_rolled(&self, stages: &[&'static Stage], middle: Range) -> Result<Query, Problem> {
        let groups: String = self.dimensions.iter().enumerate().map(|(index, _)| format!(", k{index}")).collect();
        let one = |stage: &&'static Stage| {
            format!(
                "SELECT [{}] AS k, t, {} AS stage, groupArray(bin), groupArray(n) FROM \
                 (SELECT {} AS t, bin, sum(legs) AS n {} FROM @latencies {} AND stage = '{}' {} GROUP BY t, bin {groups} {}) \
                 GROUP BY t {groups}",
                group_names(self.dimensions),
                place(stage),
                bucket_index(self.bucket, true),
                group_texts(self.dimensions),
                stats_in(),
                stage.name,
                self.filter.conditions(),
                having_keys(self.keys, self.dimensions.len()),
            )
        };
        self.query(&stages.iter().map(one).collect::<Vec<_>>().join(" UNION ALL "), &[middle])
    }

    /// One scan for all stages: a leg counts under the code of each, its place in the list of stages and its bin.
    fn bins_of_facts(&self, stages: &[&'static Stage], ranges: &[Range]) -> Result<Query, Problem> {
        let groups: String = self.dimensions.iter().enumerate().map(|(index, _)| format!(", k{index}")).collect();
        let code = |stage: &&'static Stage| format!("toUInt16({} + {})", place(stage) * CODES, stage.bin);
        let codes: Vec<String> = stages.iter().map(code).collect();
        let code = match codes.as_slice() {
            [only] => only.clone(),
            several => format!("arrayJoin([{}])", several.join(", ")),
        };
        let text = format!(
            "SELECT [{}] AS k, t, intDiv(code, {CODES}) AS stage, groupArray(code % {CODES}), groupArray(n) FROM \
             (SELECT {} AS t, {code} AS code, count() AS n {} FROM @facts {} {} {} GROUP BY t, code {groups} {}) \
             WHERE code % {CODES} != 0 GROUP BY t, stage {groups}",
            group_names(self.dimensions),
            bucket_index(self.bucket, false),
            group_texts(self.dimensions),
            facts_in(ranges.len()),
            self.filter.of_role(),
            self.filter.conditions(),
            having_keys(self.keys, self.dimensions.len()),
        );
        self.query(&text, ranges)
    }

    /// A statement over ranges.
    pub(super) fn query(&self, text: &str, ranges: &[Range]) -> Result<Query, Problem> {
        let query = Query::new(self.scope, text)?.counting().with_all(&self.filter.values());
        let query = ranges.iter().enumerate().fold(query, |query, (index, range)| {
            query.with_ints([(&format!("from{index}"), range.from), (&format!("to{index}"), range.to)])
        });
        let query = if let Some(bucket) = self.bucket { query.with_ints([("bucket_ms", bucket)]) } else { query };
        Ok(with_keys(query, self.keys, self.dimensions.len()))
    }
}

/// What a range has before and behind its whole ten minutes.
pub(crate) fn edges(range: Range, middle: Range) -> Vec<Range> {
    let edges = [Range { to: middle.from, ..range }, Range { from: middle.to, ..range }];
    edges.into_iter().filter(|edge| edge.from < edge.to).collect()
}

fn merge(answers: Vec<(Vec<SumRow>, Vec<&'static Measure>)>, bins: impl Iterator<Item = BinRow>) -> Cells {
    let mut cells = Cells::new();
    for (rows, measures) in answers {
        for (key, time, sums) in rows {
            let cell = cells.entry((key, time)).or_default();
            for (measure, sum) in measures.iter().zip(sums) {
                *cell.sums.entry(&measure.name).or_default() += sum;
            }
        }
    }
    for (key, time, stage, bins, legs) in bins {
        let Some(stage) = STAGES.get(stage) else { continue };
        let known = cells.entry((key, time)).or_default().bins.entry(stage.name).or_default();
        bins.into_iter().zip(legs).for_each(|(bin, legs)| *known.entry(bin).or_default() += legs);
    }
    cells
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
