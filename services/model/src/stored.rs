//! An event read back from the history, where it stands in columns.

use std::borrow::Cow;

use uuid::Uuid;

use crate::dims::Dimension;
use crate::event::Event;
use crate::json::{Field, Fields, Scalar};
use crate::reject::Reject;

/// The columns of an `events` row that the fold needs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StoredEvent {
    /// As in [`Event`].
    pub event_id: String,
    /// As in [`Event`].
    pub kind: String,
    /// As in [`Event`], in milliseconds since the Unix epoch.
    pub occurred_at: i64,
    /// As in [`Event`].
    pub app_id: String,
    /// As in [`Event`].
    pub call_uuid: Uuid,
    /// As in [`Event`]; `None` for the server's.
    pub device_id: Option<String>,
    /// As in [`Event`].
    pub tenant_id: String,
    /// As in [`Event`].
    pub platform: Option<String>,
    /// The text dimensions, by [`Dimension`].
    pub dimensions: [Option<String>; Dimension::TEXTS],
    /// As in [`Event`], in milliseconds.
    pub clock_offset_ms: i64,
    /// As in [`Event`], in milliseconds.
    pub mono_ms: Option<i64>,
    /// As in [`Event`].
    pub boot_id: Option<String>,
    /// As in [`Event`]; personal data in it may be hashed.
    pub attributes: String,
    /// The hash of the contents as they arrived, before personal data was hashed.
    pub contents: u64,
}

impl StoredEvent {
    /// The event as it was folded when it arrived.
    ///
    /// # Errors
    /// When the row does not hold a valid event, which only happens to rows that Ringtrace did not write.
    pub fn event(&self) -> Result<Event<'_>, Reject> {
        let mut fields = Fields::empty();
        fields.merge_attributes(&self.attributes)?;
        let call_uuid = self.call_uuid.hyphenated().to_string();
        fields.set(Field::CallUuid, Scalar::Text(Cow::Owned(call_uuid)));
        fields.set(Field::EventId, text(&self.event_id));
        fields.set(Field::Kind, text(&self.kind));
        fields.set(Field::OccurredAt, Scalar::Int(self.occurred_at));
        fields.set(Field::AppId, text(&self.app_id));
        fields.set(Field::TenantId, text(&self.tenant_id));
        fields.set(Field::ClockOffsetMs, Scalar::Int(self.clock_offset_ms));
        fields.set(Field::MonoMs, self.mono_ms.map_or(Scalar::Absent, Scalar::Int));
        fields.set(Field::BootId, optional(self.boot_id.as_deref()));
        fields.set(Field::DeviceId, optional(self.device_id.as_deref()));
        fields.set(Field::Platform, optional(self.platform.as_deref()));
        for (field, value) in Dimension::TEXT_FIELDS.into_iter().zip(&self.dimensions) {
            fields.set(field, optional(value.as_deref()));
        }
        let mut event = Event::from_fields(fields)?;
        event.contents = self.contents;
        Ok(event)
    }
}

fn text(text: &str) -> Scalar<'_> {
    Scalar::Text(Cow::Borrowed(text))
}

fn optional(value: Option<&str>) -> Scalar<'_> {
    value.map_or(Scalar::Absent, text)
}
