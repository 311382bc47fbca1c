//! `/reasons`: why pushes were refused, what is wrong with legs, and how calls ended.

use std::collections::HashMap;
use std::sync::Arc;

use futures_util::future::try_join_all;
use serde_json::{Value, json};

use super::App;
use super::counts::{Counting, Ingredients};
use super::pieces::{pieces, sources};
use super::statement::{facts_in, rolled_in};
use crate::ask::{Ask, Range};
use crate::data::{Measure, Rolled, measure};
use crate::problem::Problem;

/// Most reasons of one kind: they are an open list.
const MOST: usize = 100;

/// A kind of reason: the column of `leg_stats` that counts it, and the values of a row of `leg_facts`.
type Kind = (&'static str, &'static str);

const REJECTIONS: Kind = ("rejections", "[toString(push_reject_reason)]");
const DIAGNOSES: Kind = ("diagnoses", "arrayMap(code -> toString(code), diagnoses)");
const ENDS: Kind = ("end_reasons", "[toString(end_reason)]");

/// The names of the kinds.
pub(super) fn kinds() -> Vec<&'static str> {
    [REJECTIONS, DIAGNOSES, ENDS].map(|(name, _)| name).to_vec()
}

/// Answers.
pub(crate) async fn answer(app: Arc<App>, ask: Ask) -> Result<Value, Problem> {
    let (scope, range, filter) = (ask.scope()?, ask.range()?, ask.filter());
    let counting =
        Counting { store: &app.store, scope: &scope, filter: &filter, dimensions: &[], bucket: None, keys: None };
    let legs: Vec<&Measure> = measure("legs").into_iter().collect();
    let legs = Ingredients::of(&legs);
    let wanted = ask.get("kind");
    let reasons = async |kind: Kind| match wanted.is_none_or(|name| name == kind.0) {
        true => counting.reasons(range, kind).await,
        false => Ok(Vec::new()),
    };
    let (counted, rejections, diagnoses, ends) =
        tokio::try_join!(counting.count(range, None, &legs), reasons(REJECTIONS), reasons(DIAGNOSES), reasons(ENDS))?;
    let total: i64 = counted.current.values().map(|cell| cell.sum("legs")).sum();
    let share = |legs: i64| if total == 0 { 0.0 } else { legs as f64 / total as f64 };
    let shown = |name: &'static str, rows: Vec<(String, i64)>| {
        let one = |(value, legs): &(String, i64)| json!({name: value, "legs": legs, "share": share(*legs)});
        rows.iter().map(one).collect::<Vec<_>>()
    };
    Ok(json!({
        "legs": total,
        "rejections": shown("reason", rejections),
        "diagnoses": shown("code", diagnoses),
        "end_reasons": shown("reason", ends),
    }))
}

impl Counting<'_> {
    /// Legs by reason, the most frequent first.
    async fn reasons(&self, range: Range, (column, values): Kind) -> Result<Vec<(String, i64)>, Problem> {
        let (role, conditions) = (self.filter.of_role(), self.filter.conditions());
        let pieces = pieces(range, None);
        let sources = sources(&pieces, self.is_rolled(Rolled::Stats));
        let of_stats = format!(
            "SELECT toString(pair.1) AS v, toInt64(sum(pair.2)) FROM \
             (SELECT arrayJoin(arrayZip(mapKeys({column}), mapValues({column}))) AS pair \
             FROM @stats {} {role} {conditions} ) GROUP BY v",
            rolled_in(sources.rolled.len())
        );
        let of_facts = format!(
            "SELECT v, toInt64(count()) FROM \
             (SELECT arrayJoin({values}) AS v FROM @facts {} {role} {conditions} ) WHERE v != '' GROUP BY v",
            facts_in(sources.facts.len())
        );
        let asked = [(of_stats, sources.rolled), (of_facts, sources.facts)];
        let asked = asked.into_iter().filter(|(_, ranges)| !ranges.is_empty());
        let rows = asked
            .map(async |(text, ranges)| self.store.rows::<(String, i64)>(self.query(&text, &ranges, &pieces)?).await);
        let mut legs = HashMap::<String, i64>::new();
        for rows in try_join_all(rows).await? {
            rows.into_iter().for_each(|(value, count)| *legs.entry(value).or_default() += count);
        }
        let mut legs: Vec<(String, i64)> = legs.into_iter().collect();
        legs.sort_by(|(one, few), (other, more)| more.cmp(few).then_with(|| one.cmp(other)));
        legs.truncate(MOST);
        Ok(legs)
    }
}
