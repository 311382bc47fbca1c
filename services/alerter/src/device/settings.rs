//! Thresholds of device risk, `[device]` of the rules file.

use crate::rules::Section;
use crate::stats::Count;

/// See the module's text.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DeviceSettings {
    /// Strikes of `watch`.
    pub watch: u64,
    /// Strikes of `at_risk`.
    pub at_risk: u64,
    /// Strikes of `critical`.
    pub critical: u64,
    /// How long a strike counts, in milliseconds.
    pub remember_ms: i64,
    /// Strikes before silence is suspicious.
    pub suspect_after: u64,
    /// Silent pushes to a living device before it is suspected.
    pub silent: u64,
    /// Share of pushes that devices without strikes on the same carrier, or the same major version of iOS, miss, from which on
    /// the loss is theirs as well.
    pub wide_loss: f64,
}

impl DeviceSettings {
    pub(crate) fn read(mut section: Section<'_, '_, '_>) -> Self {
        let mut count = |key, default| section.int(key, default, (1, 1_000)) as u64;
        let (watch, at_risk, critical) = (count("watch", 1), count("at_risk", 2), count("critical", 3));
        let (suspect_after, silent) = (count("suspect_after", 1), count("silent", 3));
        let settings = DeviceSettings {
            watch,
            at_risk,
            critical,
            remember_ms: section.length("remember", 7 * 86_400_000),
            suspect_after,
            silent,
            wide_loss: section.number("wide_loss", 0.3, 1.0),
        };
        if !(watch <= at_risk && at_risk <= critical) {
            section.refuse(section.at, "watch", "must not be above at_risk, nor at_risk above critical");
        }
        section.finish();
        settings
    }

    /// Whether devices without strikes miss so many pushes that a silent one says nothing about iOS.
    pub fn is_wide_loss(&self, without_strikes: Count) -> bool {
        without_strikes.lower() > self.wide_loss
    }
}
