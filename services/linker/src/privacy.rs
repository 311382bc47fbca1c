//! Personal data in attributes is stored only as a keyed hash (contract section 2).

use std::borrow::Cow;

use data_encoding::HEXLOWER;
use hmac::{Hmac, KeyInit, Mac};
use ringtrace_model::{Event, attribute_names};
use serde_json::Value;
use sha2::Sha256;

/// What a hash takes beside what it replaces, in bytes.
const HASH_BYTES: usize = 80;

/// Which fields are personal, and the key of their hashes.
#[derive(Clone)]
pub struct Privacy {
    patterns: Vec<Pattern>,
    /// A field that the contract gives to some kind is personal. It is usually none of them, so that only other fields are looked
    /// at.
    names_attributes: bool,
    /// With the key in it already. A key of any length is taken.
    keyed: Option<Hmac<Sha256>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Pattern {
    Exact(String),
    Prefix(String),
    Suffix(String),
}

impl Pattern {
    fn new(text: &str) -> Self {
        match (text.strip_prefix('*'), text.strip_suffix('*')) {
            (Some(suffix), _) => Pattern::Suffix(suffix.to_owned()),
            (None, Some(prefix)) => Pattern::Prefix(prefix.to_owned()),
            (None, None) => Pattern::Exact(text.to_owned()),
        }
    }

    fn matches(&self, field: &str) -> bool {
        match self {
            Pattern::Exact(name) => field == name,
            Pattern::Prefix(prefix) => field.starts_with(prefix.as_str()),
            Pattern::Suffix(suffix) => field.ends_with(suffix.as_str()),
        }
    }
}

impl Privacy {
    /// `patterns` name fields, `*` standing for any text at one end: `token`, `*_token`, `phone*`.
    pub fn new(patterns: &[String], key: &[u8]) -> Self {
        let patterns: Vec<Pattern> = patterns.iter().map(|text| Pattern::new(text)).collect();
        let names_attributes = attribute_names().any(|name| patterns.iter().any(|pattern| pattern.matches(name)));
        Privacy { patterns, names_attributes, keyed: Hmac::new_from_slice(key).ok() }
    }

    /// The attributes of an event with the values of personal fields, at any depth, replaced by `sha256:` and the hexadecimal HMAC-SHA256 of
    /// the value.
    pub fn protect<'e>(&self, event: &'e Event<'_>) -> Cow<'e, str> {
        let protected = match (self.names_attributes, event.free.is_empty()) {
            (true, _) => self.protect_nested(&event.attributes),
            (false, true) => return Cow::Borrowed(&event.attributes),
            (false, false) => self.protect_free(event),
        };
        protected.map_or(Cow::Borrowed("{}"), Cow::Owned)
    }

    /// The attributes of an event of which only what the contract does not name may be personal; `None` where they are no JSON.
    fn protect_free(&self, event: &Event<'_>) -> Option<String> {
        let mut out = String::with_capacity(event.attributes.len() + HASH_BYTES);
        let mut end = 0;
        for (name, place) in &event.free {
            let value = event.attributes.get(place.clone())?;
            out.push_str(event.attributes.get(end..place.start)?);
            match value.as_bytes().first()? {
                _ if self.is_personal(name) => {
                    out.push('"');
                    self.write_hash(&said(value)?, &mut out);
                    out.push('"');
                }
                b'{' | b'[' => out.push_str(&self.protect_nested(value)?),
                _ => out.push_str(value),
            }
            end = place.end;
        }
        out.push_str(event.attributes.get(end..)?);
        Some(out)
    }

    /// An object or an array with what is personal in it hashed; `None` where it is no JSON.
    fn protect_nested(&self, json: &str) -> Option<String> {
        let mut value = serde_json::from_str(json).ok()?;
        self.protect_within(&mut value);
        Some(value.to_string())
    }

    fn protect_within(&self, value: &mut Value) {
        match value {
            Value::Object(fields) => {
                for (name, value) in fields {
                    match value {
                        Value::Null => {}
                        _ if self.is_personal(name) => {
                            let text = value.as_str().map_or_else(|| Cow::Owned(value.to_string()), Cow::Borrowed);
                            let mut hash = String::new();
                            self.write_hash(&text, &mut hash);
                            *value = hash.into();
                        }
                        _ => self.protect_within(value),
                    }
                }
            }
            Value::Array(values) => values.iter_mut().for_each(|value| self.protect_within(value)),
            _ => {}
        }
    }

    fn is_personal(&self, name: &str) -> bool {
        self.patterns.iter().any(|pattern| pattern.matches(name))
    }

    fn write_hash(&self, text: &str, out: &mut String) {
        out.push_str("sha256:");
        if let Some(mut mac) = self.keyed.clone() {
            mac.update(text.as_bytes());
            HEXLOWER.encode_append(&mac.finalize().into_bytes(), out);
        }
    }
}

/// Of JSON that is a string what it says, of any other the JSON.
fn said(json: &str) -> Option<Cow<'_, str>> {
    match json.strip_prefix('"').and_then(|text| text.strip_suffix('"')) {
        Some(text) if !text.contains('\\') => Some(Cow::Borrowed(text)),
        Some(_) => serde_json::from_str(json).ok().map(Cow::Owned),
        None => Some(Cow::Borrowed(json)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use ringtrace_model::Event;

    use super::Privacy;

    fn protect(attributes: &str) -> String {
        protect_event(&privacy(), attributes)
    }

    fn privacy() -> Privacy {
        let patterns = ["token", "*_token", "handle", "phone*", "caller*", "payload"].map(str::to_owned);
        Privacy::new(&patterns, b"key")
    }

    fn protect_event(privacy: &Privacy, attributes: &str) -> String {
        let fields = attributes.strip_prefix('{').unwrap();
        let value =
            format!(r#"{{"event_id":"e","kind":"sdk.heartbeat","occurred_at":1,"app_id":"a","device_id":"d",{fields}"#);
        privacy.protect(&Event::parse(value.as_bytes(), 1).unwrap()).into_owned()
    }

    #[test]
    fn fields_that_the_contract_names_are_personal_where_they_hold_personal_ones_or_are_said_to_be() {
        let plain = r#"{"push_id":"p","reason":"token"}"#;
        assert_eq!(protect(plain), plain);
        for secret in [r#"{"reason":{"token":"s3cret"}}"#, r#"{"token":"s3cret","reason":"r"}"#] {
            let out = protect(secret);
            assert!(!out.contains("s3cret") && out.contains(r#""token":"sha256:"#), "{secret} -> {out}");
        }
        let named = Privacy::new(&["push_*".to_owned()], b"key");
        let out = protect_event(&named, plain);
        assert!(out.starts_with(r#"{"push_id":"sha256:"#) && out.ends_with(r#","reason":"token"}"#), "{out}");
    }

    #[test]
    fn personal_fields_are_hashed_at_any_depth_and_nothing_else() {
        let plain = r#"{"channel":"apns_voip","reason":"BadDeviceToken","tokens":3}"#;
        assert_eq!(protect(plain), plain);
        for secret in [
            r#"{"token":"s3cret"}"#,
            r#"{"voip_token":"s3cret"}"#,
            r#"{"handle":"s3cret"}"#,
            r#"{"phone_number":"s3cret"}"#,
            r#"{"caller":{"name":"s3cret"}}"#,
            r#"{"payload":["s3cret"]}"#,
            r#"{"a":[{"b":{"token":"s3cret"}}]}"#,
            r#"{"a":[1,"\"token\":",null,[],{}],"to\"ken":{"phone":{"b":[true,"s3cret"]}}}"#,
            r#"{"a":"z","phone":"\"s3cret","push_id":"p","token":{"s3cret":1},"voip_token":null,"z":[]}"#,
        ] {
            let out = protect(secret);
            assert!(!out.contains("s3cret") && out.contains(":\"sha256:"), "{secret} -> {out}");
            let (before, after): (Value, Value) =
                (serde_json::from_str(secret).unwrap(), serde_json::from_str(&out).unwrap());
            let there = |value: &Value| {
                let fields = value.as_object().unwrap().iter();
                fields.filter(|(_, value)| !value.is_null()).map(|(name, _)| name.clone()).collect::<Vec<_>>()
            };
            assert_eq!(there(&before), there(&after), "{secret} -> {out}");
        }
    }

    #[test]
    fn what_is_not_personal_stays_as_it_is() {
        let odd = r#"{"a":[1,"\"token\":",null,-0.5,1e+30,[],{"token":null}],"t":{"\u0001\"token":"é"},"z":"token"}"#;
        assert_eq!(protect(odd), odd);
    }

    #[test]
    fn equal_values_have_equal_hashes_under_one_key() {
        // HMAC-SHA256 of "s3cret" under "key", by another implementation.
        let hash = "sha256:0574b240beed9f974397fa7ab464d416a1f485e3bb9350ac65d644ad98a06dbd";
        assert_eq!(protect(r#"{"token":"s3cret"}"#), format!(r#"{{"token":"{hash}"}}"#));
        assert_eq!(protect(r#"{"token":"s\u0033cret"}"#), format!(r#"{{"token":"{hash}"}}"#));
        assert_eq!(protect(r#"{"a":{"token":"s3cret"}}"#), format!(r#"{{"a":{{"token":"{hash}"}}}}"#));
        let within = |json: &str| protect(&format!(r#"{{"a":{{"token":{json}}}}}"#));
        for odd in [r#""\"\\é\n""#, "[1,2.50,{}]", "17", "true"] {
            assert_eq!(within(odd), format!(r#"{{"a":{}}}"#, protect(&format!(r#"{{"token":{odd}}}"#))), "{odd}");
        }
    }
}
