//! `multipart/form-data`: how the `clickhouse` crate and the official clients send a query with its parameters.

use bytes::Bytes;

use crate::Exception;
use crate::exception::Code;

/// One field of a form.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) value: Bytes,
    /// It came as a file.
    pub(super) file: bool,
}

/// Whether the body is a form.
pub(super) fn is_form(content_type: &str) -> bool {
    content_type.trim_start().to_ascii_lowercase().starts_with("multipart/form-data")
}

/// Splits the form into its fields.
///
/// # Errors
///
/// There is no boundary, or a field without a name (36).
pub(super) fn parse(content_type: &str, body: &[u8]) -> Result<Vec<Field>, Exception> {
    let bad = |reason: &str| Exception::new(Code::BadArguments, format!("Cannot read multipart/form-data: {reason}"));
    let boundary = attribute(content_type, "boundary").ok_or_else(|| bad("no boundary"))?;
    // The first delimiter needs no line break before it.
    let body = [b"\r\n", body].concat();
    let delimiter = format!("\r\n--{boundary}");
    let mut fields = Vec::new();
    for part in split(&body, delimiter.as_bytes()).into_iter().skip(1) {
        if part.starts_with(b"--") {
            return Ok(fields);
        }
        let part = part.strip_prefix(b"\r\n").ok_or_else(|| bad("a delimiter without its line break"))?;
        fields.push(field(part).ok_or_else(|| bad("a field without a name"))?);
    }
    Err(bad("it is cut off"))
}

fn field(part: &[u8]) -> Option<Field> {
    let end = find(part, b"\r\n\r\n")?;
    let headers = String::from_utf8_lossy(part.get(..end)?).into_owned();
    let disposition = headers.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-disposition").then_some(value)
    })?;
    Some(Field {
        name: attribute(disposition, "name")?,
        value: Bytes::copy_from_slice(part.get(end + 4..)?),
        file: attribute(disposition, "filename").is_some(),
    })
}

/// `; name="value"` of a header; the value may be without quotes.
fn attribute(header: &str, name: &str) -> Option<String> {
    header.split(';').skip(1).find_map(|pair| {
        let (key, value) = pair.split_once('=')?;
        let value = value.trim().trim_matches('"');
        (key.trim().eq_ignore_ascii_case(name) && !value.is_empty()).then(|| value.to_owned())
    })
}

fn split<'b>(mut body: &'b [u8], delimiter: &[u8]) -> Vec<&'b [u8]> {
    let mut parts = Vec::new();
    while let Some(index) = find(body, delimiter) {
        let (part, rest) = body.split_at(index);
        parts.push(part);
        body = rest.get(delimiter.len()..).unwrap_or_default();
    }
    parts.push(body);
    parts
}

fn find(text: &[u8], needle: &[u8]) -> Option<usize> {
    text.windows(needle.len()).position(|window| window == needle)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TYPE: &str = "multipart/form-data; boundary=XX";

    #[test]
    fn fields_are_read() {
        let body = b"--XX\r\nContent-Disposition: form-data; name=\"query\"\r\n\r\nSELECT\r\n1\r\n\
            --XX\r\ncontent-disposition: form-data; name=\"param_a\"\r\nContent-Type: text/plain\r\n\r\n\r\n--XX--\r\n";
        let fields = parse(TYPE, body).unwrap();
        let values: Vec<_> = fields.iter().map(|field| (field.name.as_str(), &field.value[..])).collect();
        assert_eq!(values, [("query", &b"SELECT\r\n1"[..]), ("param_a", b"")]);
        assert!(is_form(TYPE) && !is_form("application/x-www-form-urlencoded"));
    }

    #[test]
    fn files_are_noticed_and_damage_is_refused() {
        let file = b"--XX\r\nContent-Disposition: form-data; name=\"t\"; filename=\"f\"\r\n\r\n1\r\n--XX--";
        assert!(parse(TYPE, file).unwrap()[0].file);
        assert_eq!(parse(TYPE, b"--XX\r\nno name\r\n\r\n1").unwrap_err().code(), 36);
        assert_eq!(parse(TYPE, b"").unwrap_err().code(), 36);
        assert_eq!(parse("multipart/form-data", b"").unwrap_err().code(), 36);
    }
}
