//! What others ask of a slot's owner, through the internal topic: nobody writes rows beside it.
//!
//! A request is no event. It is marked by its last header, has done its work in the transaction that carries its offset, and
//! may be repeated.

use rdkafka::message::{Header, OwnedHeaders};
use ringtrace_model::{CallKey, Uuid};
use serde::{Deserialize, Serialize};

use crate::record::{Outgoing, REQUEST_HEADER};

/// Most calls that one request names.
pub const MOST_CALLS: usize = 1_000;

/// Value of the request's header: the calls are folded from their history and judged again.
pub const RELINK: &str = "relink";

/// A request to fold the history of calls again and to judge them by the rules that hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// Number of the stored rules: an owner that judges by older ones must not serve it.
    pub rules: u64,
    /// Calls of the slot; none to ask only for an owner with these rules.
    pub calls: Vec<Requested>,
}

/// A call that is named.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Requested {
    /// The tenant.
    pub tenant_id: String,
    /// The call.
    pub call_uuid: Uuid,
}

impl Requested {
    pub(crate) fn key(&self) -> CallKey {
        CallKey { tenant_id: self.tenant_id.as_str().into(), call_uuid: self.call_uuid }
    }
}

impl Request {
    /// The value of its record.
    pub fn encode(&self) -> Vec<u8> {
        // Writing plain data into a vector can't fail; an empty value would be refused on the way back.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// The headers of its record.
    pub fn headers() -> OwnedHeaders {
        OwnedHeaders::new().insert(Header { key: REQUEST_HEADER, value: Some(RELINK) })
    }

    /// Reads a record.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn decode(kind: &[u8], value: Option<&[u8]>) -> Result<Self, String> {
        if kind != RELINK.as_bytes() {
            return Err(format!("{REQUEST_HEADER}: is no request that this version knows"));
        }
        let request: Self = serde_json::from_slice(value.unwrap_or_default())
            .map_err(|error| format!("{REQUEST_HEADER}: can't be read: {error}"))?;
        if request.calls.len() > MOST_CALLS {
            return Err(format!("{REQUEST_HEADER}: names more than {MOST_CALLS} calls"));
        }
        Ok(request)
    }

    /// Its record, for another partition of the internal topic.
    pub(crate) fn outgoing(&self, partition: i32, timestamp: i64) -> Outgoing {
        Outgoing {
            partition: Some(partition),
            key: None,
            value: Some(self.encode()),
            headers: Self::headers(),
            timestamp,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_read_as_they_are_written() {
        let call = Requested { tenant_id: "acme".to_owned(), call_uuid: Uuid::from_u128(7) };
        let request = Request { rules: 3, calls: vec![call.clone()] };
        assert_eq!(Request::decode(b"relink", Some(&request.encode())), Ok(request));
        let refused = |kind: &[u8], value| Request::decode(kind, value).unwrap_err();
        assert!(refused(b"forget", Some(b"{}")).contains("no request that this version knows"));
        assert!(refused(b"relink", None).contains("can't be read"));
        let many = Request { rules: 3, calls: vec![call; MOST_CALLS + 1] };
        assert!(refused(b"relink", Some(&many.encode())).contains("more than 1000 calls"));
    }
}
