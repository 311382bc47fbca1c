//! The simulated ClickHouse: rows by key and version, as the tables of `schemas/clickhouse` hold them.

use std::collections::BTreeMap;

use compact_str::CompactString;
use hashbrown::HashMap;
use ringtrace_model::{CallKey, DAY_MS, Dimension, Evidence, StoredEvent, Uuid, Verdict};

use super::rows::{Cell, Row};
use crate::slot::{History, PastEvent};
use crate::state::Published;
use crate::tables::{CALLS, EVENTS, EVENTS_FIRST_SEEN, LEGS};

/// Tenant, call or device, id and contents of an event.
pub(super) type EventKey = (CompactString, Uuid, CompactString, CompactString, u64);

/// Call and device; the call's own row has no device.
pub(super) type ImageKey = (CallKey, CompactString);

/// Places of columns that all of the simulation needs.
const LOG_AT_FROM_END: usize = 3;

/// An image of a leg or of a call.
#[derive(Clone, Debug)]
pub(super) struct Image {
    pub(super) first_seen: i64,
    pub(super) version: u64,
    deleted: bool,
    pub(super) row: Row,
}

/// A kind of table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Table {
    Events,
    DeviceEvents,
    Legs,
    Calls,
}

impl Table {
    pub(super) fn named(name: &str) -> Self {
        match name {
            "events_rows" => Table::Events,
            "device_events_rows" => Table::DeviceEvents,
            name if name == LEGS.name => Table::Legs,
            name if name == CALLS.name => Table::Calls,
            other => panic!("unknown table {other}"),
        }
    }
}

/// See the module's text.
#[derive(Default)]
pub(super) struct Store {
    pub(super) events: BTreeMap<EventKey, Vec<Row>>,
    pub(super) device_events: BTreeMap<EventKey, Vec<Row>>,
    pub(super) legs: BTreeMap<ImageKey, Vec<Image>>,
    pub(super) calls: BTreeMap<ImageKey, Vec<Image>>,
    /// When each event came for the first time, by key and log time.
    pub(super) order: HashMap<(EventKey, i64), usize>,
    /// Highest sequence of the `slots` table.
    pub(super) slots_sequence: u64,
    /// Writes whose client has given them up, and that the server takes later, or never.
    pub(super) late: Vec<(Table, Vec<Row>)>,
}

/// The log time of a row of events.
pub(super) fn log_at_of(table: Table, row: &Row) -> i64 {
    let from_end = if table == Table::Events { LOG_AT_FROM_END } else { LOG_AT_FROM_END - 1 };
    row[row.len() - from_end].number()
}

/// The source of a row of events.
pub(super) fn source_of(table: Table, row: &Row) -> &str {
    let from_end = if table == Table::Events { LOG_AT_FROM_END } else { LOG_AT_FROM_END - 1 };
    row[row.len() - from_end + 1].text()
}

/// The key of a row of events.
pub(super) fn event_key(table: Table, row: &Row) -> EventKey {
    match table {
        Table::Events => {
            let id = row[2].text().into();
            (row[0].text().into(), row[1].uuid(), CompactString::default(), id, row[3].number() as u64)
        }
        _ => (row[0].text().into(), Uuid::nil(), row[1].text().into(), row[2].text().into(), row[3].number() as u64),
    }
}

/// The key of a row of `legs` or `calls`.
pub(super) fn image_key(table: Table, row: &Row) -> ImageKey {
    let key = CallKey { tenant_id: row[0].text().into(), call_uuid: row[1].uuid() };
    (key, if table == Table::Legs { row[2].text().into() } else { CompactString::default() })
}

/// The version of a row of `legs` or `calls`.
pub(super) fn version_of(row: &Row) -> u64 {
    row[row.len() - 2].number() as u64
}

impl Store {
    /// Takes rows in.
    pub(super) fn insert(&mut self, table: Table, rows: &[Row]) {
        for row in rows {
            match table {
                Table::Events => {
                    let (key, next) = (event_key(table, row), self.order.len());
                    self.order.entry((key.clone(), log_at_of(table, row))).or_insert(next);
                    self.events.entry(key).or_default().push(row.clone());
                }
                Table::DeviceEvents => self.device_events.entry(event_key(table, row)).or_default().push(row.clone()),
                Table::Legs => self.legs.entry(image_key(table, row)).or_default().push(image(row)),
                Table::Calls => self.calls.entry(image_key(table, row)).or_default().push(image(row)),
            }
        }
    }

    /// Does what merges in the background do: of duplicates in one partition the winner stays.
    pub(super) fn merge(&mut self) {
        for (table, rows) in [(Table::Events, &mut self.events), (Table::DeviceEvents, &mut self.device_events)] {
            for rows in rows.values_mut() {
                let mut by_day = BTreeMap::new();
                for row in rows.drain(..) {
                    let day = log_at_of(table, &row).div_euclid(DAY_MS);
                    let held = by_day.entry(day).or_insert_with(|| row.clone());
                    if log_at_of(table, &row) <= log_at_of(table, held) {
                        *held = row;
                    }
                }
                rows.extend(by_day.into_values());
            }
        }
        for images in self.legs.values_mut().chain(self.calls.values_mut()) {
            *images = winners(images);
        }
    }

    /// The row of each key of `events` or `device_events`, as the view shows it.
    pub(super) fn final_events(&self, table: Table) -> impl Iterator<Item = (&EventKey, &Row)> {
        let rows = if table == Table::Events { &self.events } else { &self.device_events };
        rows.iter().filter_map(move |(key, rows)| {
            // The last of equals wins.
            let first = rows.iter().rev().min_by_key(|row| log_at_of(table, row))?;
            Some((key, first))
        })
    }

    /// The rows of `legs` or `calls`, as the view shows them: one for each key and slice.
    pub(super) fn final_images(&self, table: Table) -> Vec<(&ImageKey, Image)> {
        let images = if table == Table::Legs { &self.legs } else { &self.calls };
        let all = images.iter().flat_map(|(key, images)| winners(images).into_iter().map(move |image| (key, image)));
        all.filter(|(_, image)| !image.deleted).collect()
    }

    /// Highest sequence, and newest log time of any event.
    pub(super) fn stored(&self) -> (u64, i64) {
        let images = self.legs.values().chain(self.calls.values()).flatten();
        let sequence = images.map(|image| image.version).max().unwrap_or(0).max(self.slots_sequence);
        let newest = self.events.values().flatten().map(|row| log_at_of(Table::Events, row)).max();
        (sequence, newest.unwrap_or(i64::MIN))
    }

    /// Rows of `events` of a call.
    pub(super) fn events_of(&self, call: &CallKey) -> impl Iterator<Item = &Row> {
        let from = (call.tenant_id.clone(), call.call_uuid, CompactString::default(), CompactString::default(), 0);
        let of_call = |key: &EventKey| key.0 == call.tenant_id && key.1 == call.call_uuid;
        self.events.range(from..).take_while(move |(key, _)| of_call(key)).flat_map(|(_, rows)| rows)
    }

    /// What a look-up of events finds; the verdicts are asked for afterwards.
    pub(super) fn histories(&self, keys: &[CallKey]) -> HashMap<CallKey, History> {
        let mut histories = HashMap::<CallKey, History>::new();
        for key in keys {
            for row in self.events_of(key) {
                histories.entry(key.clone()).or_default().events.push(past_of(row));
            }
        }
        histories
    }

    /// Adds the published verdicts of calls, and the slices of their rows, to their histories.
    pub(super) fn add_verdicts(&self, keys: &[CallKey], histories: &mut HashMap<CallKey, History>) {
        for ((key, device), image) in self.final_images(Table::Legs) {
            if !keys.contains(key) {
                continue;
            }
            let verdict = Verdict::parse(image.row[18].text()).unwrap();
            let evidence = image.row[19].optional_text().and_then(Evidence::parse);
            let published = Published { device_id: device.clone(), verdict, evidence };
            histories.entry(key.clone()).or_default().published.push(published);
        }
        for ((key, _), image) in self.final_images(Table::Calls) {
            if keys.contains(key) {
                histories.entry(key.clone()).or_default().first_seen = Some(image.first_seen as u32);
            }
        }
    }

    /// Every call with events that count.
    pub(super) fn known_calls(&self) -> Vec<CallKey> {
        let counts = |rows: &[Row]| rows.iter().any(|row| row[EVENTS_FIRST_SEEN].number() != 0);
        let known = self.events.iter().filter(|(_, rows)| counts(rows));
        let mut keys: Vec<CallKey> =
            known.map(|(key, _)| CallKey { tenant_id: key.0.clone(), call_uuid: key.1 }).collect();
        keys.dedup();
        keys
    }

    /// Those of the calls of which there are events that were logged before they were taken for new.
    pub(super) fn known_before(&self, calls: &[(CallKey, i64)]) -> Vec<CallKey> {
        let first = |key: &CallKey| {
            let of_call = self.events_of(key).filter(|row| row[EVENTS_FIRST_SEEN].number() != 0);
            of_call.map(|row| log_at_of(Table::Events, row)).min()
        };
        let known = calls.iter().filter(|(key, at)| first(key).is_some_and(|first| first < *at));
        known.map(|(key, _)| key.clone()).collect()
    }
}

fn image(row: &Row) -> Image {
    let first_seen = row[row.len() - 3].number();
    Image { first_seen, version: version_of(row), deleted: row[row.len() - 1] == Cell::Number(1), row: row.clone() }
}

/// The winner of each slice: the highest version, of equals the last.
fn winners(images: &[Image]) -> Vec<Image> {
    let mut by_slice = BTreeMap::<i64, &Image>::new();
    for image in images {
        let held = by_slice.entry(image.first_seen).or_insert(image);
        if image.version >= held.version {
            *held = image;
        }
    }
    by_slice.into_values().cloned().collect()
}

fn past_of(row: &Row) -> PastEvent {
    debug_assert_eq!(row.len(), EVENTS.columns.len());
    let text = |column: usize| row[column].optional_text().map(str::to_owned);
    let dimensions: [Option<String>; Dimension::TEXTS] = std::array::from_fn(|dimension| text(9 + dimension));
    let event = StoredEvent {
        event_id: row[2].text().to_owned(),
        kind: row[4].text().to_owned(),
        occurred_at: row[5].number(),
        app_id: row[6].text().to_owned(),
        call_uuid: row[1].uuid(),
        device_id: text(7),
        tenant_id: row[0].text().to_owned(),
        platform: text(8),
        dimensions,
        clock_offset_ms: row[17].number(),
        mono_ms: row[18].optional_number(),
        boot_id: text(19),
        attributes: row[20].text().to_owned(),
        contents: row[3].number() as u64,
    };
    let first_seen = row[EVENTS_FIRST_SEEN].number() as u32;
    PastEvent { event, log_at: log_at_of(Table::Events, row), first_seen }
}
