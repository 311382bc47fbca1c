//! An event that is read back from the history folds as it did when it arrived.

use proptest::prelude::*;
use ringtrace_model::{Dimension, Event, Platform, StoredEvent};

use crate::events::random;
use crate::fold::{Record, events, fold, key, read};
use crate::records::record;

/// The columns of an event, as a writer fills them.
fn columns(event: &Event<'_>) -> StoredEvent {
    StoredEvent {
        event_id: event.event_id.clone().into_owned(),
        kind: event.kind.as_str().to_owned(),
        occurred_at: event.occurred_at,
        app_id: event.app_id.clone().into_owned(),
        call_uuid: event.call_uuid.unwrap_or_default(),
        device_id: event.device_id.as_deref().map(str::to_owned),
        tenant_id: event.tenant_id.clone().into_owned(),
        platform: event.platform.map(|platform| Platform::as_str(platform).to_owned()),
        dimensions: event.dimensions.each_ref().map(|text| text.as_deref().map(str::to_owned)),
        clock_offset_ms: event.clock_offset_ms,
        mono_ms: event.mono_ms,
        boot_id: event.boot_id.as_deref().map(str::to_owned),
        attributes: event.attributes.clone(),
        contents: event.contents,
    }
}

proptest! {
    #![proptest_config(random(5_000))]

    #[test]
    fn every_valid_event_comes_back_as_it_was((_, text, log_at) in record()) {
        if let Ok(event) = Event::parse(text.as_bytes(), log_at)
            && event.call_uuid.is_some()
        {
            let stored = columns(&event);
            prop_assert_eq!(stored.event().unwrap(), event, "{}", text);
        }
    }

    #[test]
    fn a_call_folds_from_its_history_to_the_same_state(records in events(24)) {
        let history: Vec<(StoredEvent, i64)> = records.iter().map(|record| (columns(&read(record)), record.1)).collect();
        let mut again = ringtrace_model::Call::default();
        for (stored, log_at) in &history {
            again.apply(&stored.event().unwrap(), *log_at);
        }
        let first = fold(ringtrace_model::Call::default(), &records);
        prop_assert_eq!(&again, &first, "{}", key().call_uuid);
    }
}

fn stored() -> StoredEvent {
    let record: Record =
        (crate::events::ios("push.sent", 0, serde_json::json!({"caller_name": "Ann"})).to_string(), crate::events::T0);
    columns(&read(&record))
}

#[test]
fn contents_stay_those_that_arrived() {
    let original = stored();
    let mut hashed = original.clone();
    hashed.attributes = original.attributes.replace("Ann", "hmac:0123");
    assert_ne!(hashed.attributes, original.attributes);
    assert_eq!(hashed.event().unwrap().contents, original.contents);
}

#[test]
fn a_row_of_another_writer_is_refused() {
    type Damage = fn(&mut StoredEvent);
    let cases: [(&str, Damage); 5] = [
        ("value", |row| row.attributes = "[]".into()),
        ("event_id", |row| row.event_id.clear()),
        ("platform", |row| row.platform = Some("IOS".into())),
        ("channel", |row| row.attributes = "{}".into()),
        ("device_id", |row| row.device_id = None),
    ];
    for (field, damage) in cases {
        let mut row = stored();
        damage(&mut row);
        assert_eq!(row.event().unwrap_err().detail.split(':').next(), Some(field));
    }
    let mut row = stored();
    row.dimensions[Dimension::Country as usize] = Some(String::new());
    assert_eq!(row.event().unwrap().dimensions[Dimension::Country as usize], None);
}
