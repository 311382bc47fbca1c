//! What a rule finds at a log time: the groups for which it holds, each with its sentence.

use std::collections::BTreeMap;

use super::board::Verdict;
use super::source::{Loss, Source};
use super::text;
use crate::device::{DeviceHistory, DeviceLevel, DeviceRisk, DeviceSettings, fold};
use crate::fact::Dim;
use crate::query::{EXAMPLES, Example, Group, Measure, Query, Span};
use crate::rules::{Against, Condition, Ratio, Rule, Rules, show_length};
use crate::stats::Count;

const DAY_MS: i64 = 86_400_000;

/// How far back devices without strikes are asked what they miss, in milliseconds.
const LOSS_MS: i64 = 6 * 3_600_000;

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
        Condition::NewVersion { new_ms } => of_new_versions(source, rule, new_ms, now).await,
        Condition::WakeBans { at_least } => of_devices(source, rules, rule, at_least, now).await,
        Condition::Expiry { within_days } => of_credentials(source, rule, within_days, now).await,
        Condition::DeadLetters { above } => of_dead_letters(source, rule, above, now).await,
        Condition::Behind { .. } => Ok(Vec::new()),
    }
}

async fn of_ratio<S: Source>(source: &S, rule: &Rule, ratio: &Ratio, now: i64) -> Result<Vec<Verdict>, S::Error> {
    let window = Span::before(now, rule.window_ms);
    let mut spans = vec![window];
    spans.extend(ratio.short_ms.map(|ms| Span::before(now, ms)));
    spans.extend(ratio.against.map(|against| match against {
        Against::Day => Span::before(window.from, DAY_MS),
        Against::Week => Span { from: window.from - 7 * DAY_MS, to: window.to - 7 * DAY_MS },
    }));
    let query = Query { measure: ratio.measure, group_by: rule.group_by.clone(), spans, now };
    let mut holding: Vec<Group> = source.counts(&query).await?;
    holding.retain(|group| holds(rule, ratio, &group.counts));
    holding.sort_by_key(|group| std::cmp::Reverse(group.counts.first().map_or(0, |count| count.bad)));
    holding.truncate(MOST_GROUPS);
    let mut verdicts = Vec::with_capacity(holding.len());
    for group in holding {
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

/// Whether the counts of a group (window, then the short window and the earlier time, where there are) are too bad.
fn holds(rule: &Rule, ratio: &Ratio, counts: &[Count]) -> bool {
    let Some(window) = counts.first().copied() else { return false };
    let is_enough = window.total >= rule.minimum && window.bad >= rule.minimum_bad;
    let short_holds = ratio.short_ms.is_none() || {
        let short = counts.get(1).copied().unwrap_or_default();
        short.bad > 0 && short.rate().is_some_and(|rate| rate > ratio.above)
    };
    let is_worse = ratio.against.is_none() || {
        let before = counts.last().copied().unwrap_or_default();
        before.total >= rule.minimum && window.lower() > before.upper() * ratio.factor
    };
    is_enough && window.lower() > ratio.above && short_holds && is_worse
}

async fn of_new_versions<S: Source>(source: &S, rule: &Rule, new_ms: i64, now: i64) -> Result<Vec<Verdict>, S::Error> {
    let spans = vec![Span::before(now, rule.window_ms)];
    let query = Query { measure: Measure::ConfirmedInStore, group_by: rule.group_by.clone(), spans, now };
    let groups = source.counts(&query).await?;
    let bad: Vec<_> = groups.into_iter().filter(|group| is_bad_enough(group, rule)).collect();
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

fn is_bad_enough(group: &Group, rule: &Rule) -> bool {
    group.counts.first().is_some_and(|count| count.total >= rule.minimum && count.bad >= rule.minimum_bad)
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
    let bad = all.into_iter().filter(|letters| {
        let count = letters.count;
        count.total >= rule.minimum && count.bad >= rule.minimum_bad && count.lower() > above
    });
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
    for (device, risk) in suspects(source, rules, now).await? {
        if risk.suspected_at.is_some_and(|at| window.holds(at)) {
            let (count, examples) = groups.entry((device.tenant_id, device.app_id)).or_default();
            *count += 1;
            let at = risk.suspected_at.unwrap_or_default();
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

/// Devices that are suspected, without those whose carrier or version of iOS loses pushes of devices without strikes too.
async fn suspects<S: Source>(
    source: &S,
    rules: &Rules,
    now: i64,
) -> Result<Vec<(DeviceHistory, DeviceRisk)>, S::Error> {
    let settings = &rules.device;
    let devices = source.devices(Span::before(now, settings.remember_ms)).await?;
    let judged = devices.into_iter().map(|device| {
        let risk = fold(&device.facts, settings, now);
        (device, risk)
    });
    let all: Vec<_> = judged.collect();
    if !all.iter().any(|(_, risk)| risk.level == DeviceLevel::Suspected) {
        return Ok(Vec::new());
    }
    let span = Span::before(now, LOSS_MS);
    let wide = WideLosses::of(&source.losses(span, now).await?, &all, span);
    let mut suspects = all;
    suspects.retain(|(device, risk)| risk.level == DeviceLevel::Suspected && !wide.hit(device, settings));
    Ok(suspects)
}

/// What devices without strikes miss, by tenant, app and carrier, and by tenant, app and version of iOS.
struct WideLosses {
    by_carrier: BTreeMap<(String, String, String), Count>,
    by_os: BTreeMap<(String, String, String), Count>,
}

impl WideLosses {
    /// All that is missed, less what the devices with strikes miss.
    fn of(losses: &[Loss], struck: &[(DeviceHistory, DeviceRisk)], span: Span) -> WideLosses {
        let mut wide = WideLosses { by_carrier: BTreeMap::new(), by_os: BTreeMap::new() };
        for Loss { tenant_id, app_id, carrier, os_major, count } in losses {
            let key = |value: &String| (tenant_id.clone(), app_id.clone(), value.clone());
            for (held, value) in [(&mut wide.by_carrier, carrier), (&mut wide.by_os, os_major)] {
                let sum = held.entry(key(value)).or_default();
                *sum = sum.and(*count);
            }
        }
        for (device, _) in struck {
            let own = device.pushes_in(span);
            for (held, value) in [(&mut wide.by_carrier, &device.carrier), (&mut wide.by_os, &device.os_major)] {
                let key = (device.tenant_id.clone(), device.app_id.clone(), value.clone());
                if let Some(sum) = held.get_mut(&key) {
                    let bad = sum.bad.saturating_sub(own.bad);
                    *sum = Count { bad, total: sum.total.saturating_sub(own.total).max(bad) };
                }
            }
        }
        wide
    }

    /// Whether a device's carrier, or its version of iOS, loses pushes of devices without strikes as well.
    fn hit(&self, device: &DeviceHistory, settings: &DeviceSettings) -> bool {
        let key = |value: &String| (device.tenant_id.clone(), device.app_id.clone(), value.clone());
        let counts = [self.by_carrier.get(&key(&device.carrier)), self.by_os.get(&key(&device.os_major))];
        counts.into_iter().flatten().any(|count| settings.is_wide_loss(*count))
    }
}
