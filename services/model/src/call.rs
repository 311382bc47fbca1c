//! The fold state of a call: its own events and its legs.

use compact_str::CompactString;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::bounded::Smallest;
use crate::dims::{Dims, Merged};
use crate::event::Event;
use crate::kind::{Kind, Known, Scope};
use crate::leg::{Applied, Ended, Leg};
use crate::mark::{First, Happened};

/// How many devices of a call take part, those with the bytewise smallest ids (contract section 4).
pub const MAX_LEGS_PER_CALL: usize = 10_000;

/// What names a call.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct CallKey {
    /// The tenant.
    pub tenant_id: CompactString,
    /// The UUID that the push carries and CallKit should be given.
    pub call_uuid: Uuid,
}

/// Everything that is known of a call: a pure fold over its events.
///
/// The same set of events gives an equal state in any order and with any duplicates. Its size is bounded by
/// [`MAX_LEGS_PER_CALL`] and [`crate::MAX_PUSHES_PER_LEG`], whatever arrives.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Call {
    own: Dims,
    pub(crate) initiated: Happened<()>,
    pub(crate) connected: Happened<()>,
    pub(crate) cancelled: Happened<()>,
    pub(crate) busy: Happened<()>,
    pub(crate) ended: Happened<Ended>,
    pub(crate) legs: Smallest<Leg>,
    pub(crate) limit_exceeded: bool,
}

impl Call {
    /// Takes an event of this call in; `log_at` is its log time in milliseconds since the Unix epoch.
    ///
    /// True when it changed anything; false for duplicates and for what is history only.
    pub fn apply(&mut self, event: &Event<'_>, log_at: i64) -> bool {
        match event.scope() {
            Scope::History => false,
            Scope::Call => self.apply_own(event, log_at),
            Scope::Leg => self.apply_leg(event, log_at),
        }
    }

    fn apply_own(&mut self, event: &Event<'_>, log_at: i64) -> bool {
        let plain = |slot: &mut Happened<()>| First::offer_to(slot, event, log_at, || ());
        let changed = match event.kind {
            Kind::Known(Known::CallInitiated) => plain(&mut self.initiated),
            Kind::Known(Known::CallConnected) => plain(&mut self.connected),
            Kind::Known(Known::CallCancelled) => plain(&mut self.cancelled),
            Kind::Known(Known::CallBusy) => plain(&mut self.busy),
            Kind::Known(Known::CallEnded) => First::offer_to(&mut self.ended, event, log_at, || Ended::of(event)),
            _ => return false,
        };
        self.own.offer(event) | changed
    }

    fn apply_leg(&mut self, event: &Event<'_>, log_at: i64) -> bool {
        let Some(device_id) = event.device_id.as_deref() else { return false };
        let admitted = self.legs.admit(device_id, MAX_LEGS_PER_CALL);
        let evicted = admitted.evicted;
        let exceeded = admitted.exceeded;
        let applied = admitted.entry.map_or_else(Applied::default, |leg| leg.apply(event, log_at));
        let newly_exceeded = (exceeded || applied.exceeded) && !self.limit_exceeded;
        self.limit_exceeded |= exceeded || applied.exceeded;
        applied.changed || evicted || newly_exceeded
    }

    /// Whether nothing was folded in yet: such a call has no row.
    pub fn is_empty(&self) -> bool {
        self.legs.is_empty() && self.own.latest().is_none()
    }

    /// How many devices take part, the caller's included.
    pub fn devices(&self) -> usize {
        self.legs.len()
    }

    /// The ids of the devices that take part, in order.
    pub fn device_ids(&self) -> impl Iterator<Item = &str> {
        self.legs.keys()
    }

    /// Dimensions over the call's own events, without those of its legs.
    pub(crate) fn dims(&self) -> Merged<'_> {
        Merged::of(std::iter::once(&self.own))
    }
}
