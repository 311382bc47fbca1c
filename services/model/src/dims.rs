//! Dimensions of a leg or a call: each from the earliest event that carries it, and the time it began.

use compact_str::CompactString;
use serde::{Deserialize, Serialize};

use crate::event::Event;
use crate::json::Field;
use crate::mark::Moment;
use crate::words::{Platform, words};

words! {
    /// What events are grouped by, beside tenant and call.
    pub Dimension {
        OsVersion = "os_version",
        AppVersion = "app_version",
        SdkVersion = "sdk_version",
        DeviceModel = "device_model",
        Country = "country",
        Carrier = "carrier",
        Network = "network",
        BuildChannel = "build_channel",
        AppId = "app_id",
        Platform = "platform",
    }
}

impl Dimension {
    /// How many dimensions are free text that may be absent: the first ones of [`Dimension::ALL`].
    pub const TEXTS: usize = Dimension::BuildChannel as usize + 1;

    pub(crate) const TEXT_FIELDS: [Field; Self::TEXTS] = [
        Field::OsVersion,
        Field::AppVersion,
        Field::SdkVersion,
        Field::DeviceModel,
        Field::Country,
        Field::Carrier,
        Field::Network,
        Field::BuildChannel,
    ];
}

/// The earliest known value of each dimension over a set of events.
///
/// A value comes from the event with the smallest corrected time, `event_id` and contents among those that carry it.
/// Most sets need one or two such events, so these are kept apart from the values.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Dims {
    sources: Vec<Moment>,
    values: Vec<Value>,
    latest: Option<i64>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Value {
    dimension: Dimension,
    source: u8,
    text: CompactString,
}

impl Dims {
    /// Takes an event in; true when it changed anything.
    pub(crate) fn offer(&mut self, event: &Event<'_>) -> bool {
        let moment = Moment::corrected(event);
        let later = self.latest.is_none_or(|latest| moment.at > latest);
        if later {
            self.latest = Some(moment.at);
        }
        let source = self.sources.len() as u8;
        let mut won = false;
        for (dimension, text) in carried(event) {
            won |= self.offer_value(dimension, text, &moment, source);
        }
        if won {
            self.sources.push(moment);
            self.drop_unused_sources();
        }
        won || later
    }

    fn offer_value(&mut self, dimension: Dimension, text: &str, moment: &Moment, source: u8) -> bool {
        match self.values.iter_mut().find(|value| value.dimension == dimension) {
            Some(value) if self.sources.get(usize::from(value.source)).is_some_and(|held| held <= moment) => false,
            Some(value) => {
                value.text = text.into();
                value.source = source;
                true
            }
            None => {
                self.values.push(Value { dimension, source, text: text.into() });
                self.values.sort_unstable_by_key(|value| value.dimension);
                true
            }
        }
    }

    /// Keeps only the sources that a value names, in a fixed order, so that equal sets of events are equal states.
    fn drop_unused_sources(&mut self) {
        let old = std::mem::take(&mut self.sources);
        let used = |index: usize| self.values.iter().any(|value| usize::from(value.source) == index);
        let mut kept: Vec<(usize, Moment)> = old.into_iter().enumerate().filter(|(index, _)| used(*index)).collect();
        kept.sort_by(|a, b| a.1.cmp(&b.1));
        for value in &mut self.values {
            let place = kept.iter().position(|(index, _)| *index == usize::from(value.source));
            value.source = place.unwrap_or_default() as u8;
        }
        self.sources = kept.into_iter().map(|(_, moment)| moment).collect();
    }

    /// Latest corrected time of any event of the set.
    pub(crate) fn latest(&self) -> Option<i64> {
        self.latest
    }

    fn get(&self, dimension: Dimension) -> Option<(&Moment, &str)> {
        let value = self.values.iter().find(|value| value.dimension == dimension)?;
        Some((self.sources.get(usize::from(value.source))?, &value.text))
    }
}

/// The dimensions that an event carries.
fn carried<'a>(event: &'a Event<'_>) -> impl Iterator<Item = (Dimension, &'a str)> {
    let texts = Dimension::ALL.iter().zip(&event.dimensions).filter_map(|(d, text)| Some((*d, text.as_deref()?)));
    let platform = event.platform.map(|platform| (Dimension::Platform, platform.as_str()));
    texts.chain([(Dimension::AppId, &*event.app_id)]).chain(platform)
}

/// Several sets of events seen as one.
#[derive(Clone)]
pub(crate) struct Merged<'a>(pub(crate) Vec<&'a Dims>);

impl<'a> Merged<'a> {
    pub(crate) fn text(&self, dimension: Dimension) -> Option<&'a str> {
        self.earliest(dimension).map(|(_, text)| text)
    }

    pub(crate) fn platform(&self) -> Option<Platform> {
        self.text(Dimension::Platform).and_then(Platform::parse)
    }

    /// Corrected time of the earliest event: every event carries an `app_id`.
    pub(crate) fn started_at(&self) -> Option<i64> {
        self.earliest(Dimension::AppId).map(|(moment, _)| moment.at)
    }

    pub(crate) fn latest(&self) -> Option<i64> {
        self.0.iter().filter_map(|dims| dims.latest()).max()
    }

    fn earliest(&self, dimension: Dimension) -> Option<(&'a Moment, &'a str)> {
        self.0.iter().filter_map(|dims| dims.get(dimension)).min_by(|a, b| a.0.cmp(b.0))
    }
}
