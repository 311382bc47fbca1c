//! Dimensions of a leg or a call: each from the earliest event that carries it, and the time it began.

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

/// How many dimensions there are.
const COUNT: usize = Dimension::ALL.len();

/// The earliest known value of each dimension over a set of events.
///
/// A value comes from the event with the smallest corrected time, `event_id` and contents among those that carry it. Most sets
/// need one or two such events. There are three such sets in an open call, and one or two of them are empty: a null pointer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Dims(Option<Box<Known>>);

/// Of a set that is not empty; all texts lie in one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Known {
    /// The events that values come from, in order, so that equal sets of events are equal states.
    sources: Vec<Moment>,
    /// Of each dimension, one more than the place of its event in `sources`; 0 where nothing is known.
    places: [u8; COUNT],
    /// Where the text of each dimension ends in `texts`.
    ends: [u32; COUNT],
    texts: Box<str>,
    /// Latest corrected time of any event of the set.
    latest: i64,
}

impl Dims {
    /// Takes an event in; true when it changed anything.
    pub(crate) fn offer(&mut self, event: &Event<'_>) -> bool {
        let at = event.corrected_at();
        let Some(known) = &mut self.0 else {
            self.0 = Some(Box::new(Known::of(event)));
            return true;
        };
        let later = at > known.latest;
        known.latest = known.latest.max(at);
        // Most events come after those that gave the values: such a one has no more to say than what nobody said.
        let won = match later || known.sources.last().is_some_and(|last| last.at < at) {
            true => known.misses_any_of(event),
            false => Dimension::ALL.iter().zip(known.values()).any(|(dimension, held)| {
                carried(event, *dimension).is_some() && held.is_none_or(|(held, _)| held.is_after(event, at))
            }),
        };
        if won {
            **known = known.with(event);
        }
        won || later
    }

    /// Latest corrected time of any event of the set.
    pub(crate) fn latest(&self) -> Option<i64> {
        self.0.as_ref().map(|known| known.latest)
    }
}

impl Known {
    /// What one event says.
    fn of(event: &Event<'_>) -> Known {
        let carried: [Option<&str>; COUNT] = std::array::from_fn(|place| carried(event, *Dimension::ALL.get(place)?));
        let mut texts = String::with_capacity(carried.iter().flatten().map(|text| text.len()).sum());
        let ends = carried.map(|text| {
            texts.push_str(text.unwrap_or_default());
            texts.len() as u32
        });
        Known {
            sources: vec![Moment::corrected(event)],
            places: carried.map(|text| u8::from(text.is_some())),
            ends,
            texts: texts.into(),
            latest: event.corrected_at(),
        }
    }

    /// Whether an event says something of a dimension of which nothing is known.
    fn misses_any_of(&self, event: &Event<'_>) -> bool {
        let mut known = Dimension::ALL.iter().zip(self.places);
        known.any(|(dimension, place)| place == 0 && carried(event, *dimension).is_some())
    }

    /// The same with an event that carries some values earlier than they were known.
    fn with(&self, event: &Event<'_>) -> Known {
        let moment = Moment::corrected(event);
        let newest = self.sources.len();
        let mut from = [None; COUNT];
        let mut ends = [0; COUNT];
        let mut texts = String::with_capacity(self.texts.len());
        let held = self.values().zip(&mut from).zip(&mut ends);
        for (dimension, ((held, from), end)) in Dimension::ALL.iter().zip(held) {
            let text = match carried(event, *dimension) {
                Some(text) if held.is_none_or(|(held, _)| moment < *held) => {
                    *from = Some(newest);
                    text
                }
                _ => {
                    *from = self.place(*dimension);
                    held.map_or("", |(_, text)| text)
                }
            };
            texts.push_str(text);
            *end = texts.len() as u32;
        }
        let used = |place: &usize| from.contains(&Some(*place));
        let mut kept: Vec<(usize, &Moment)> =
            self.sources.iter().chain([&moment]).enumerate().filter(|(place, _)| used(place)).collect();
        kept.sort_by(|a, b| a.1.cmp(b.1));
        let place_of =
            |from| kept.iter().position(|(place, _)| Some(*place) == from).map_or(0, |place| place as u8 + 1);
        Known {
            places: from.map(place_of),
            ends,
            texts: texts.into(),
            latest: self.latest,
            sources: kept.into_iter().map(|(_, moment)| moment.clone()).collect(),
        }
    }

    /// Where the event that gave a value is in `sources`.
    fn place(&self, dimension: Dimension) -> Option<usize> {
        usize::from(*self.places.get(dimension as usize)?).checked_sub(1)
    }

    /// Of each dimension the value, and the event that gave it.
    fn values(&self) -> impl Iterator<Item = Option<(&Moment, &str)>> {
        let starts = std::iter::once(0).chain(self.ends);
        self.places.iter().zip(starts.zip(self.ends)).map(|(place, (start, end))| {
            let source = self.sources.get(usize::from(*place).checked_sub(1)?)?;
            Some((source, self.texts.get(start as usize..end as usize)?))
        })
    }
}

/// What an event says of a dimension.
fn carried<'a>(event: &'a Event<'_>, dimension: Dimension) -> Option<&'a str> {
    match dimension {
        Dimension::AppId => Some(&event.app_id),
        Dimension::Platform => event.platform.map(Platform::as_str),
        text => event.dimensions.get(text as usize)?.as_deref(),
    }
}

/// Several sets of events seen as one: of each dimension the earliest value of any, and the event that gave it.
#[derive(Clone, Default)]
pub(crate) struct Merged<'a> {
    values: [Option<(&'a Moment, &'a str)>; COUNT],
    latest: Option<i64>,
}

impl<'a> Merged<'a> {
    pub(crate) fn of(sets: impl Iterator<Item = &'a Dims>) -> Self {
        let mut merged = Merged::default();
        for known in sets.filter_map(|dims| dims.0.as_deref()) {
            merged.add(known.values(), Some(known.latest));
        }
        merged
    }

    /// The same with the events of another.
    pub(crate) fn and(mut self, other: &Merged<'a>) -> Self {
        self.add(other.values.iter().copied(), other.latest);
        self
    }

    fn add(&mut self, values: impl Iterator<Item = Option<(&'a Moment, &'a str)>>, latest: Option<i64>) {
        self.latest = self.latest.max(latest);
        for (held, value) in self.values.iter_mut().zip(values) {
            if let Some((moment, _)) = value
                && held.is_none_or(|(earliest, _)| moment < earliest)
            {
                *held = value;
            }
        }
    }

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

    /// Latest corrected time of any event.
    pub(crate) fn latest(&self) -> Option<i64> {
        self.latest
    }

    fn earliest(&self, dimension: Dimension) -> Option<(&'a Moment, &'a str)> {
        *self.values.get(dimension as usize)?
    }
}
