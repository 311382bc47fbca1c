//! Personal data in attributes is stored only as a keyed hash (contract section 2).

use std::borrow::Cow;

use aho_corasick::{AhoCorasick, MatchKind};
use hmac::{Hmac, KeyInit, Mac};
use ringtrace_model::{Event, attribute_names};
use serde_json::Value;
use sha2::Sha256;
use sonic_rs::{JsonValueTrait, LazyValue, to_array_iter, to_object_iter};

use crate::record::hexadecimal;

/// What a hash takes beside what it replaces, in bytes.
const HASH_BYTES: usize = 80;

/// Which fields are personal, and the key of their hashes.
#[derive(Clone)]
pub struct Privacy {
    patterns: Vec<Pattern>,
    /// Finds the text that JSON with a matching field must contain, so that the common case needs no parser. `None` where there
    /// are too many patterns for it.
    texts: Option<AhoCorasick>,
    /// A field that the contract gives to some kind is personal. It is usually none of them, so that events without others need no
    /// search.
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

    /// Text that JSON with a matching field contains: the name, or its part, as a string with the quotes that it has there.
    fn text(&self) -> String {
        let (Pattern::Exact(text) | Pattern::Prefix(text) | Pattern::Suffix(text)) = self;
        let quoted = Value::from(text.as_str()).to_string();
        let part = match self {
            Pattern::Exact(_) => Some(quoted.as_str()),
            Pattern::Prefix(_) => quoted.strip_suffix('"'),
            Pattern::Suffix(_) => quoted.strip_prefix('"'),
        };
        part.unwrap_or_default().to_owned()
    }
}

impl Privacy {
    /// `patterns` name fields, `*` standing for any text at one end: `token`, `*_token`, `phone*`.
    pub fn new(patterns: &[String], key: &[u8]) -> Self {
        let patterns: Vec<Pattern> = patterns.iter().map(|text| Pattern::new(text)).collect();
        // Leftmost first: any match will do, and this kind searches with vector instructions.
        let mut builder = AhoCorasick::builder();
        let texts = builder.match_kind(MatchKind::LeftmostFirst).build(patterns.iter().map(Pattern::text)).ok();
        let names_attributes = attribute_names().any(|name| patterns.iter().any(|pattern| pattern.matches(name)));
        Privacy { patterns, texts, names_attributes, keyed: Hmac::new_from_slice(key).ok() }
    }

    /// The attributes of an event with the values of personal fields, at any depth, replaced by `sha256:` and the hexadecimal HMAC-SHA256 of
    /// the value.
    pub fn protect<'e>(&self, event: &'e Event<'_>) -> Cow<'e, str> {
        if event.has_free_fields || self.names_attributes {
            self.protect_text(&event.attributes)
        } else {
            Cow::Borrowed(&event.attributes)
        }
    }

    /// `attributes` is a JSON object as the model writes it: sorted, without spaces, not nested deep.
    fn protect_text<'a>(&self, attributes: &'a str) -> Cow<'a, str> {
        if self.texts.as_ref().is_some_and(|texts| !texts.is_match(attributes)) {
            return Cow::Borrowed(attributes);
        }
        let mut out = String::with_capacity(attributes.len() + HASH_BYTES);
        match self.protect_value(attributes, &mut out) {
            Ok(()) => Cow::Owned(out),
            Err(_) => Cow::Borrowed("{}"),
        }
    }

    /// Writes a value with what is personal in it hashed.
    fn protect_value(&self, value: &str, out: &mut String) -> Result<(), Unreadable> {
        match value.as_bytes().first() {
            Some(b'{') => {
                let fields = to_object_iter(value).map(|field| {
                    let (name, value) = field.map_err(|_| Unreadable)?;
                    Ok((Some(name), value))
                });
                self.protect_all(fields, ['{', '}'], out)
            }
            Some(b'[') => {
                let values = to_array_iter(value).map(|value| Ok((None, value.map_err(|_| Unreadable)?)));
                self.protect_all(values, ['[', ']'], out)
            }
            _ => {
                out.push_str(value);
                Ok(())
            }
        }
    }

    /// Writes what an object or an array holds, with the brackets around it.
    fn protect_all<'v>(
        &self,
        values: impl Iterator<Item = Result<(Option<Cow<'v, str>>, LazyValue<'v>), Unreadable>>,
        [open, close]: [char; 2],
        out: &mut String,
    ) -> Result<(), Unreadable> {
        out.push(open);
        for (nth, value) in values.enumerate() {
            let (name, value) = value?;
            if nth > 0 {
                out.push(',');
            }
            if let Some(name) = &name {
                match name {
                    // Without escapes, so it is written as it was.
                    Cow::Borrowed(name) => {
                        out.push('"');
                        out.push_str(name);
                        out.push('"');
                    }
                    Cow::Owned(name) => out.push_str(&Value::from(name.as_str()).to_string()),
                }
                out.push(':');
            }
            let is_personal = name.is_some_and(|name| self.patterns.iter().any(|pattern| pattern.matches(&name)));
            match is_personal && !value.is_null() {
                true => self.write_hash(&value, out),
                false => self.protect_value(value.as_raw_str(), out)?,
            }
        }
        out.push(close);
        Ok(())
    }

    /// Of a string what it says, of anything else its JSON.
    fn write_hash(&self, value: &LazyValue<'_>, out: &mut String) {
        out.push_str("\"sha256:");
        if let Some(mut mac) = self.keyed.clone() {
            mac.update(value.as_str().unwrap_or_else(|| value.as_raw_str()).as_bytes());
            out.push_str(&hexadecimal(&mac.finalize().into_bytes()));
        }
        out.push('"');
    }
}

/// Attributes that are no JSON.
struct Unreadable;

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use ringtrace_model::Event;

    use super::Privacy;

    fn protect(attributes: &str) -> String {
        privacy().protect_text(attributes).into_owned()
    }

    fn privacy() -> Privacy {
        let patterns = ["token", "*_token", "handle", "phone*", "caller*", "payload"].map(str::to_owned);
        Privacy::new(&patterns, b"key")
    }

    fn protect_event(privacy: &Privacy, attributes: &str) -> String {
        let value = format!(
            r#"{{"event_id":"e","kind":"sdk.heartbeat","occurred_at":1,"app_id":"a","device_id":"d",{attributes}}}"#
        );
        privacy.protect(&Event::parse(value.as_bytes(), 1).unwrap()).into_owned()
    }

    #[test]
    fn fields_that_the_contract_names_are_personal_where_they_hold_personal_ones_or_are_said_to_be() {
        let plain = r#""reason":"token","push_id":"p""#;
        assert_eq!(protect_event(&privacy(), plain), r#"{"push_id":"p","reason":"token"}"#);
        for secret in [r#""reason":{"token":"s3cret"}"#, r#""token":"s3cret""#] {
            let out = protect_event(&privacy(), secret);
            assert!(!out.contains("s3cret") && out.contains("\"sha256:"), "{secret} -> {out}");
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
        ] {
            let out = protect(secret);
            assert!(!out.contains("s3cret") && out.contains("\"sha256:"), "{secret} -> {out}");
            let (before, after): (Value, Value) =
                (serde_json::from_str(secret).unwrap(), serde_json::from_str(&out).unwrap());
            let names = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
            assert_eq!(names(&before), names(&after), "{secret} -> {out}");
        }
    }

    #[test]
    fn what_is_not_personal_stays_as_it_is() {
        let odd = r#"{"a":[1,"\"token\":",null,-0.5,1e30,[],{}],"t":{"\u0001\"token":"é"},"token":null}"#;
        assert_eq!(protect(odd), odd);
    }

    #[test]
    fn equal_values_have_equal_hashes_under_one_key() {
        // HMAC-SHA256 of "s3cret" under "key", by another implementation.
        let hash = "sha256:0574b240beed9f974397fa7ab464d416a1f485e3bb9350ac65d644ad98a06dbd";
        assert_eq!(protect(r#"{"token":"s3cret"}"#), format!(r#"{{"token":"{hash}"}}"#));
        assert_eq!(protect(r#"{"token":"s3cret"}"#), protect(r#"{ "token" : "s3cret" }"#));
    }
}
