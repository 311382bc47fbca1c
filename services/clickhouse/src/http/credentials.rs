//! Who may ask: user and password, where one is set.
//!
//! ClickHouse's order: the headers `X-ClickHouse-User` and `X-ClickHouse-Key`, basic authentication, the URL parameters
//! `user` and `password`.

use axum::http::{HeaderMap, header};

use crate::Exception;
use crate::exception::Code;

/// The only user of the engine.
const USER: &str = "default";

/// The password that every request has to bring. Its text is not printed.
#[derive(Clone)]
pub struct Password(String);

impl Password {
    /// A password; `None` for an empty one.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        (!text.is_empty()).then(|| Self(text.to_owned()))
    }

    /// Checks a request.
    ///
    /// # Errors
    ///
    /// No credentials, another user or another password (516), without telling which.
    pub(super) fn check(&self, url_query: &str, headers: &HeaderMap) -> Result<(), Exception> {
        let (user, password) = given(url_query, headers);
        let user = if user.is_empty() { USER.to_owned() } else { user };
        if user == USER && same(self.0.as_bytes(), password.as_bytes()) {
            return Ok(());
        }
        let message = format!(
            "{}: Authentication failed: password is incorrect, or there is no user with such name",
            user.escape_default()
        );
        Err(Exception::new(Code::AuthenticationFailed, message))
    }
}

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Password")
    }
}

fn given(url_query: &str, headers: &HeaderMap) -> (String, String) {
    let text = |name: &str| headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    let (user, key) = (text("X-ClickHouse-User"), text("X-ClickHouse-Key"));
    if user.is_some() || key.is_some() {
        return (user.unwrap_or_default(), key.unwrap_or_default());
    }
    if let Some(given) = text(header::AUTHORIZATION.as_str()).and_then(|value| basic(&value)) {
        return given;
    }
    let parameter = |wanted: &str| {
        let mut pairs = form_urlencoded::parse(url_query.as_bytes());
        pairs.find(|(name, _)| name == wanted).map(|(_, value)| value.into_owned()).unwrap_or_default()
    };
    (parameter("user"), parameter("password"))
}

fn basic(value: &str) -> Option<(String, String)> {
    let (scheme, encoded) = value.split_once(' ')?;
    let decoded = scheme.eq_ignore_ascii_case("basic").then(|| base64(encoded.trim()))??;
    let text = String::from_utf8(decoded).ok()?;
    text.split_once(':').map(|(user, password)| (user.to_owned(), password.to_owned()))
}

/// Standard base64, with or without padding.
fn base64(text: &str) -> Option<Vec<u8>> {
    let (mut bits, mut count, mut out) = (0_u32, 0, Vec::new());
    for byte in text.trim_end_matches('=').bytes() {
        let six = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(six);
        count += 6;
        if count >= 8 {
            count -= 8;
            out.push((bits >> count & 0xff) as u8);
        }
    }
    Some(out)
}

/// Compares without telling by its time where the first difference is.
fn same(expected: &[u8], given: &[u8]) -> bool {
    let differences = expected.iter().zip(given).fold(0, |all, (a, b)| all | (a ^ b));
    expected.len() == given.len() && differences == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(url: &str, headers: &[(&'static str, &'static str)]) -> Option<u16> {
        let headers = headers.iter().map(|(name, value)| {
            (header::HeaderName::from_bytes(name.as_bytes()).unwrap(), header::HeaderValue::from_static(value))
        });
        let password = Password::new("s3cret:ä").unwrap();
        password.check(url, &headers.collect()).err().map(|exception| exception.code())
    }

    #[test]
    fn each_way_to_bring_the_password_is_read() {
        assert_eq!(code("user=default&password=s3cret%3A%C3%A4", &[]), None);
        assert_eq!(code("password=s3cret%3A%C3%A4", &[]), None);
        assert_eq!(code("", &[("authorization", "Basic ZGVmYXVsdDpzM2NyZXQ6w6Q=")]), None);
    }

    #[test]
    fn everything_else_is_refused() {
        for (url, headers) in [
            ("", vec![]),
            ("password=wrong", vec![]),
            ("user=admin&password=s3cret%3A%C3%A4", vec![]),
            ("password=s3cret%3A%C3%A4", vec![("x-clickhouse-user", "default")]),
            ("", vec![("authorization", "Basic !!!")]),
            ("", vec![("authorization", "Basic")]),
            ("", vec![("authorization", "Bearer ZGVmYXVsdDpzM2NyZXQ6w6Q=")]),
        ] {
            assert_eq!(code(url, &headers), Some(516), "{url} {headers:?}");
        }
    }

    #[test]
    fn the_password_is_not_printed() {
        assert_eq!(format!("{:?}", Password::new("s3cret")), "Some(Password)");
        assert!(Password::new("").is_none());
    }
}
