//! Levels that don't flap: up at once, down only after a while of calm.

use super::level::Level;

/// A level as it is shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// The level.
    pub level: Level,
    /// Since when, in milliseconds of log time.
    pub since: i64,
    /// Why.
    pub reason: String,
    /// Since when every judgement was lower; `None` while the level is confirmed.
    pub calm_since: Option<i64>,
    /// The highest of those lower judgements, and why: where the level falls to.
    pub calm_level: Level,
    /// See `calm_level`.
    pub calm_reason: String,
}

/// What is shown after a judgement at log time `now`. A higher level holds at once; a lower one once every judgement for
/// `calm_ms` was lower, and then it is the highest of them.
pub fn hold(held: &Held, judged: (Level, String), now: i64, calm_ms: i64) -> Held {
    let (level, reason) = judged;
    if level > held.level {
        return Held { level, since: now, reason, ..Held::default() };
    }
    if level == held.level {
        return Held { reason, level, since: held.since, ..Held::default() };
    }
    let began = held.calm_since.unwrap_or(now);
    let (calm_level, calm_reason) = match held.calm_since {
        Some(_) if held.calm_level > level => (held.calm_level, held.calm_reason.clone()),
        _ => (level, reason),
    };
    if now - began >= calm_ms {
        return Held { level: calm_level, since: now, reason: calm_reason, ..Held::default() };
    }
    Held { calm_since: Some(began), calm_level, calm_reason, ..held.clone() }
}
