//! What a rule finds at a log time: the groups for which it holds, each with its sentence.

use std::collections::BTreeMap;

use super::board::Verdict;
use super::devices::devices;
use super::source::{Loss, Source};
use super::text;
use crate::fact::Dim;
use crate::query::{EXAMPLES, Example, Measure, Query, Span};
use crate::rules::{Against, Condition, Ratio, Rule, Rules, show_length};
use crate::stats::Count;

const DAY_MS: i64 = 86_400_000;

/// How far apart the groups of a rule may be examined further: the worst, so that one incident makes no flood.
const MOST_GROUPS: usize = 200;

fn named(dims: &[Dim], values: &[String]) -> Vec<(String, String)> {
    dims.iter().zip(values).map(|(dim, value)| (dim.name().to_owned(), value.clone())).collect()
}

/// The groups for which a rule holds.
pub(super) async fn find<S: Source>(
    source: &S,
    rules: &Rules,
    rule: &Rule,
    now: i64,
) -> Result<Vec<Verdict>, S::Error> {
    match rule.condition {
        Condition::Ratio(ratio) => of_ratio(source, rule, &ratio, now).await,
        Condition::Carriers(ratio) => of_carriers(source, rule, &ratio, now).await,
        Condition::NewVersion { new_ms, above } => of_new_versions(source, rule, (new_ms, above), now).await,
        Condition::WakeBans { at_least } => of_devices(source, rules, rule, at_least, now).await,
        Condition::Expiry { within_days } => of_credentials(source, rule, within_days, now).await,
        Condition::DeadLetters { above } => of_dead_letters(source, rule, above, now).await,
        Condition::Behind { .. } => Ok(Vec::new()),
    }
}

async fn of_ratio<S: Source>(source: &S, rule: &Rule, ratio: &Ratio, now: i64) -> Result<Vec<Verdict>, S::Error> {
    let window = Span::before(now, rule.window_ms);
    let ask = |spans| Query { measure: ratio.measure, group_by: rule.group_by.clone(), spans, now };
    // The shortest span says mostly that there is nothing, and a day is only asked for where it does not.
    let shortest = ratio.short_ms.map_or(window, |ms| Span::before(now, ms));
    let mut groups = source.counts(&ask(vec![shortest])).await?;
    groups.retain(|group| group.counts.first().is_some_and(|count| may_hold(rule, ratio, *count)));
    let mut query = ask(vec![window]);
    query.spans.extend(ratio.short_ms.map(|_| shortest));
    query.spans.extend(earlier(ratio, window));
    if !groups.is_empty() && query.spans.len() > 1 {
        groups = source.counts(&query).await?;
    }
    groups.retain(|group| holds(rule, ratio, &group.counts));
    groups.sort_by_key(|group| std::cmp::Reverse(group.counts.first().map_or(0, |count| count.bad)));
    groups.truncate(MOST_GROUPS);
    let mut verdicts = Vec::with_capacity(groups.len());
    for group in groups {
        let count = group.counts.first().copied().unwrap_or_default();
        let before = group.counts.last().copied().filter(|_| ratio.against.is_some());
        verdicts.push(Verdict {
            summary: text::ratio(ratio, rule.window_ms, count, before),
            examples: source.examples(&query, &group.values).await?,
            group: named(&rule.group_by, &group.values),
        });
    }
    Ok(verdicts)
}

/// What devices of a carrier miss: a push that is missed names no carrier itself, so there are no spans within a question.
async fn of_carriers<S: Source>(source: &S, rule: &Rule, ratio: &Ratio, now: i64) -> Result<Vec<Verdict>, S::Error> {
    let window = Span::before(now, rule.window_ms);
    let mut missed = by_carrier(&source.losses(window, now).await?);
    missed.retain(|_, count| passes(rule, ratio.above, *count));
    if missed.is_empty() {
        return Ok(Vec::new());
    }
    let before = match earlier(ratio, window) {
        Some(span) => Some(by_carrier(&source.losses(span, now).await?)),
        None => None,
    };
    let mut verdicts = Vec::new();
    for (key, count) in missed {
        let before = before.as_ref().map(|before| before.get(&key).copied().unwrap_or_default());
        let counts: Vec<Count> = [count].into_iter().chain(before).collect();
        if holds(rule, ratio, &counts) {
            verdicts.push(Verdict {
                group: named(&rule.group_by, &key),
                summary: text::ratio(ratio, rule.window_ms, count, before),
                examples: source.missed(window, now, &key).await?,
            });
        }
    }
    Ok(verdicts)
}

/// Sums by tenant, app and carrier, of devices whose carrier is known.
fn by_carrier(losses: &[Loss]) -> BTreeMap<[String; 3], Count> {
    let mut sums: BTreeMap<[String; 3], Count> = BTreeMap::new();
    for loss in losses.iter().filter(|loss| !loss.carrier.is_empty()) {
        let sum = sums.entry([&loss.tenant_id, &loss.app_id, &loss.carrier].map(String::clone)).or_default();
        *sum = sum.and(loss.count);
    }
    sums
}

/// The time with which a window is compared.
fn earlier(ratio: &Ratio, window: Span) -> Option<Span> {
    ratio.against.map(|against| match against {
        Against::Day => Span::before(window.from, DAY_MS),
        Against::Week => Span { from: window.from - 7 * DAY_MS, to: window.to - 7 * DAY_MS },
    })
}

/// Whether the rule can hold of a group with such a count in the shortest span.
fn may_hold(rule: &Rule, ratio: &Ratio, shortest: Count) -> bool {
    match ratio.short_ms {
        Some(_) => is_too_bad(ratio, shortest),
        None => passes(rule, ratio.above, shortest),
    }
}

/// Whether the counts of a group (window, then the short window and the earlier time, where there are) are too bad.
fn holds(rule: &Rule, ratio: &Ratio, counts: &[Count]) -> bool {
    let Some(window) = counts.first().copied() else { return false };
    let short_holds = ratio.short_ms.is_none() || is_too_bad(ratio, counts.get(1).copied().unwrap_or_default());
    let is_worse = ratio.against.is_none() || {
        let before = counts.last().copied().unwrap_or_default();
        before.total >= rule.minimum && window.lower() > before.upper() * ratio.factor
    };
    passes(rule, ratio.above, window) && short_holds && is_worse
}

/// Whether a sample is large enough, and its share of bad ones certainly above a limit.
fn passes(rule: &Rule, above: f64, count: Count) -> bool {
    count.total >= rule.minimum && count.bad >= rule.minimum_bad && count.lower() > above
}

fn is_too_bad(ratio: &Ratio, short: Count) -> bool {
    short.bad > 0 && short.rate().is_some_and(|rate| rate > ratio.above)
}

async fn of_new_versions<S: Source>(
    source: &S,
    rule: &Rule,
    (new_ms, above): (i64, f64),
    now: i64,
) -> Result<Vec<Verdict>, S::Error> {
    let spans = vec![Span::before(now, rule.window_ms)];
    let query = Query { measure: Measure::ConfirmedInStore, group_by: rule.group_by.clone(), spans, now };
    let groups = source.counts(&query).await?;
    let bad: Vec<_> = groups
        .into_iter()
        .filter(|group| group.counts.first().is_some_and(|count| passes(rule, above, *count)))
        .collect();
    if bad.is_empty() {
        return Ok(Vec::new());
    }
    let versions = source.versions(now).await?;
    let mut verdicts = Vec::new();
    for group in bad {
        let count = group.counts.first().copied().unwrap_or_default();
        let [tenant, app, version] = group.values.as_slice() else { continue };
        let Some(seen_at) = versions.new_since(tenant, app, version).filter(|at| now - at <= new_ms) else { continue };
        let summary = format!(
            "{} confirmed violation{} in the App Store within {} by version {version}, which was first seen {} h ago: {} \
             reports were required.",
            count.bad,
            if count.bad == 1 { "" } else { "s" },
            show_length(rule.window_ms),
            (now - seen_at) / 3_600_000,
            count.total,
        );
        let examples = source.examples(&query, &group.values).await?;
        verdicts.push(Verdict { group: named(&rule.group_by, &group.values), summary, examples });
    }
    Ok(verdicts)
}

async fn of_credentials<S: Source>(
    source: &S,
    rule: &Rule,
    within_days: i64,
    now: i64,
) -> Result<Vec<Verdict>, S::Error> {
    let credentials = source.credentials(Span::before(now, rule.window_ms)).await?;
    let expiring = credentials.into_iter().filter(|credential| credential.expires_in_days <= within_days);
    let verdicts = expiring.map(|credential| {
        let days = credential.expires_in_days;
        let summary = match days {
            days if days <= 0 => format!("Credential {} has expired.", credential.credential),
            days => format!("Credential {} expires in {days} d.", credential.credential),
        };
        let group = [credential.tenant_id, credential.app_id, credential.credential];
        let names = [Dim::Tenant.name(), Dim::App.name(), "credential"];
        let group = names.iter().zip(group).map(|(name, value)| ((*name).to_owned(), value)).collect();
        Verdict { group, summary, examples: Vec::new() }
    });
    Ok(verdicts.collect())
}

async fn of_dead_letters<S: Source>(source: &S, rule: &Rule, above: f64, now: i64) -> Result<Vec<Verdict>, S::Error> {
    let all = source.dead_letters(Span::before(now, rule.window_ms)).await?;
    let bad = all.into_iter().filter(|letters| passes(rule, above, letters.count));
    let verdicts = bad.map(|letters| {
        let summary = format!(
            "{} of {} records in {} are no valid events: they are in the dead letters, not in what rules count.",
            letters.count.bad,
            letters.count.total,
            show_length(rule.window_ms)
        );
        let group = named(&[Dim::Tenant, Dim::App], &[letters.tenant_id, letters.app_id]);
        Verdict { group, summary, examples: Vec::new() }
    });
    Ok(verdicts.collect())
}

/// Devices whose suspicion began in the window, by tenant and app.
async fn of_devices<S: Source>(
    source: &S,
    rules: &Rules,
    rule: &Rule,
    at_least: u64,
    now: i64,
) -> Result<Vec<Verdict>, S::Error> {
    let window = Span::before(now, rule.window_ms);
    let mut groups: BTreeMap<(String, String), (u64, Vec<Example>)> = BTreeMap::new();
    for (device, risk) in devices(source, &rules.device, now).await? {
        if let Some(at) = risk.suspected_at.filter(|at| window.holds(*at)) {
            let (count, examples) = groups.entry((device.tenant_id, device.app_id)).or_default();
            *count += 1;
            examples.push(Example { call_uuid: risk.call_uuid, device_id: device.device_id, at });
        }
    }
    let groups = groups.into_iter().filter(|(_, (count, _))| *count >= at_least);
    let verdicts = groups.map(|((tenant, app), (count, mut examples))| {
        examples.sort_by_key(|example| std::cmp::Reverse(example.at));
        examples.truncate(EXAMPLES);
        let summary = format!(
            "{count} devices in {} show nothing of accepted pushes any more, though they live and others receive, after \
             violations: iOS has probably stopped waking the app there.",
            show_length(rule.window_ms)
        );
        Verdict { group: named(&[Dim::Tenant, Dim::App], &[tenant, app]), summary, examples }
    });
    Ok(verdicts.collect())
}
