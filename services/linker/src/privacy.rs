//! Personal data in attributes is stored only as a keyed hash (contract section 2).

use std::borrow::Cow;

use aho_corasick::AhoCorasick;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Map, Value};
use sha2::Sha256;

use crate::record::hexadecimal;

/// Which fields are personal, and the key of their hashes.
#[derive(Clone)]
pub struct Privacy {
    patterns: Vec<Pattern>,
    /// Finds the text that JSON with a matching field must contain, so that the common case needs no parser. `None` where there
    /// are too many patterns for it.
    texts: Option<AhoCorasick>,
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
        let texts = AhoCorasick::new(patterns.iter().map(Pattern::text)).ok();
        Privacy { patterns, texts, keyed: Hmac::new_from_slice(key).ok() }
    }

    /// The attributes (a JSON object) with the values of personal fields, at any depth, replaced by
    /// `sha256:` and the hexadecimal HMAC-SHA256 of the value.
    pub fn protect<'a>(&self, attributes: &'a str) -> Cow<'a, str> {
        if self.texts.as_ref().is_some_and(|texts| !texts.is_match(attributes)) {
            return Cow::Borrowed(attributes);
        }
        let Ok(mut parsed) = serde_json::from_str::<Map<String, Value>>(attributes) else {
            return Cow::Borrowed("{}");
        };
        if self.protect_object(&mut parsed) { Cow::Owned(Value::Object(parsed).to_string()) } else { attributes.into() }
    }

    fn protect_object(&self, object: &mut Map<String, Value>) -> bool {
        let mut changed = false;
        for (field, value) in object.iter_mut() {
            if !value.is_null() && self.patterns.iter().any(|pattern| pattern.matches(field)) {
                *value = Value::String(self.hash(value));
                changed = true;
            } else {
                changed |= self.protect_value(value);
            }
        }
        changed
    }

    fn protect_value(&self, value: &mut Value) -> bool {
        match value {
            Value::Object(object) => self.protect_object(object),
            Value::Array(values) => values.iter_mut().fold(false, |changed, value| self.protect_value(value) | changed),
            _ => false,
        }
    }

    fn hash(&self, value: &Value) -> String {
        let text = match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let mut out = String::with_capacity(71);
        out.push_str("sha256:");
        if let Some(mut mac) = self.keyed.clone() {
            mac.update(text.as_bytes());
            out.push_str(&hexadecimal(&mac.finalize().into_bytes()));
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::Privacy;

    fn protect(attributes: &str) -> String {
        let patterns = ["token", "*_token", "handle", "phone*", "caller*", "payload"].map(str::to_owned);
        Privacy::new(&patterns, b"key").protect(attributes).into_owned()
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
        ] {
            let out = protect(secret);
            assert!(!out.contains("s3cret") && out.contains("\"sha256:"), "{secret} -> {out}");
        }
    }

    #[test]
    fn equal_values_have_equal_hashes_under_one_key() {
        // HMAC-SHA256 of "s3cret" under "key", by another implementation.
        let hash = "sha256:0574b240beed9f974397fa7ab464d416a1f485e3bb9350ac65d644ad98a06dbd";
        assert_eq!(protect(r#"{"token":"s3cret"}"#), format!(r#"{{"token":"{hash}"}}"#));
        assert_eq!(protect(r#"{"token":"s3cret"}"#), protect(r#"{ "token" : "s3cret" }"#));
    }
}
