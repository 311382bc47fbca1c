//! What a request asks for: its URL parameters and headers.
//!
//! As in ClickHouse every URL parameter that is not listed here is a setting. Settings are passed to the engine with
//! one `SET` statement in the request's own session, so that the engine itself accepts or refuses names and values
//! (115 for an unknown name). A GET may not change anything: it runs with `readonly = 2`, as in ClickHouse.
//!
//! Credentials (`user`, `password`, basic authentication, `X-ClickHouse-User`, `X-ClickHouse-Key`) are checked before, where
//! a password is set, and ignored where none is: the engine has one user.

use axum::http::{HeaderMap, Method, header};
use bytes::Bytes;

use super::multipart;
use crate::Exception;
use crate::body::{Compression, Encoding};
use crate::sessions::Asked;

/// Parameters of the interface itself that need nothing here; all others that are not read below are settings.
const IGNORED: [&str; 5] = ["user", "password", "quota_key", "stacktrace", "buffer_size"];
/// ClickHouse's default for `http_zlib_compression_level`.
const LEVEL: u32 = 3;

/// The parameters of a request.
#[derive(Debug)]
pub(crate) struct Request {
    /// The query, or its beginning: the body follows.
    pub(crate) query: Option<String>,
    pub(crate) query_id: String,
    /// A random number by which the request's statement is found (see `watch`).
    pub(crate) mark: u64,
    pub(crate) session: Asked,
    /// Data that came with the request.
    pub(crate) tables: Vec<Table>,
    /// `send_progress_in_http_headers`.
    pub(crate) progress: bool,
    pub(crate) database: String,
    pub(crate) default_format: String,
    pub(crate) settings: Vec<(String, String)>,
    /// The version of Native results; the engine writes version 0.
    pub(crate) protocol_version: u64,
    /// The method is one that may not modify anything.
    pub(crate) read_only: bool,
    /// Values for `{name:Type}`, in ClickHouse's escaped form.
    pub(crate) parameters: Vec<(String, String)>,
    pub(crate) roles: Vec<String>,
    /// The whole result is made before the answer begins, so that the status tells of every error.
    pub(crate) wait_end: bool,
    /// Encodings of the request's body.
    pub(crate) encoding: Encoding,
    pub(crate) blocks: bool,
    /// Encoding of the response's body.
    pub(crate) compression: Compression,
}

/// A table that came with a request, as ClickHouse's external data.
#[derive(Debug, Default)]
pub(crate) struct Table {
    pub(crate) name: String,
    pub(crate) data: Bytes,
    /// Names and types of its columns.
    pub(crate) structure: String,
    /// Types alone: the names are `_1`, `_2`, …
    pub(crate) types: String,
    pub(crate) format: String,
}

impl Request {
    /// Reads method, URL and headers.
    ///
    /// # Errors
    ///
    /// An unknown `Content-Encoding` (89).
    pub(crate) fn read(method: &Method, url_query: &str, headers: &HeaderMap) -> Result<Self, Exception> {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let mut request = Self {
            query: None,
            query_id: uuid::Uuid::new_v4().to_string(),
            mark: uuid::Uuid::new_v4().as_u64_pair().0,
            session: Asked::default(),
            tables: Vec::new(),
            progress: false,
            database: String::new(),
            default_format: String::new(),
            settings: Vec::new(),
            protocol_version: 0,
            read_only: *method == Method::GET || *method == Method::HEAD,
            parameters: Vec::new(),
            roles: Vec::new(),
            wait_end: false,
            encoding: Encoding::parse(text(header::CONTENT_ENCODING.as_str()).unwrap_or_default())?,
            blocks: false,
            compression: Compression::accepted(text(header::ACCEPT_ENCODING.as_str()).unwrap_or_default(), LEVEL),
        };
        for (name, value) in form_urlencoded::parse(url_query.as_bytes()) {
            request.parameter(&name, value.into_owned());
        }
        for (header, field) in
            [("X-ClickHouse-Database", &mut request.database), ("X-ClickHouse-Format", &mut request.default_format)]
        {
            if let Some(value) = text(header).filter(|value| !value.is_empty()) {
                value.clone_into(field);
            }
        }
        if request.read_only {
            request.limit();
        }
        Ok(request)
    }

    /// Takes the fields of a form in the body, which count like URL parameters.
    ///
    /// # Errors
    ///
    /// The form is damaged (36).
    pub(crate) fn form(&mut self, content_type: &str, body: &[u8]) -> Result<(), Exception> {
        for field in multipart::parse(content_type, body)? {
            if field.file {
                self.tables.push(Table { name: field.name, data: field.value, ..Table::default() });
            } else {
                self.parameter(&field.name, String::from_utf8_lossy(&field.value).into_owned());
            }
        }
        for table in &mut self.tables {
            for (part, value) in
                [("structure", &mut table.structure), ("types", &mut table.types), ("format", &mut table.format)]
            {
                let name = format!("{}_{part}", table.name);
                if let Some(index) = self.settings.iter().position(|(setting, _)| *setting == name) {
                    *value = self.settings.remove(index).1;
                }
            }
        }
        Ok(())
    }

    /// Whether it may modify nothing: by its method, or by the setting.
    pub(crate) fn reads_only(&self) -> bool {
        let limits = |(name, value): &(String, String)| name == "readonly" && value != "0";
        self.read_only || self.settings.iter().any(limits)
    }

    fn parameter(&mut self, name: &str, value: String) {
        match name {
            "query" => self.query = Some(value),
            "query_id" => self.query_id(value),
            "database" => self.database = value,
            "default_format" => self.default_format = value,
            "role" => self.roles.push(value),
            "session_id" => self.session.id = value,
            "session_timeout" => self.session.timeout = value,
            "session_check" => self.session.must_exist = is_on(&value),
            "close_session" => self.session.closes = is_on(&value),
            "send_progress_in_http_headers" => self.progress = is_on(&value),
            "client_protocol_version" => self.protocol_version = value.parse().unwrap_or(0),
            "compress" if is_on(&value) => self.compression = Compression::Blocks,
            "decompress" => self.blocks = is_on(&value),
            "enable_http_compression" if !is_on(&value) && self.compression != Compression::Blocks => {
                self.compression = Compression::None;
            }
            "http_zlib_compression_level" => self.level(&value),
            "wait_end_of_query" | "http_wait_end_of_query" => self.wait_end |= is_on(&value),
            "compress" | "enable_http_compression" => {}
            name if IGNORED.contains(&name) => {}
            name => match name.strip_prefix("param_") {
                Some(parameter) => self.parameters.push((parameter.to_owned(), value)),
                None => self.settings.push((name.to_owned(), value)),
            },
        }
    }

    /// The identifier comes back in a header, so only visible ASCII is taken.
    fn query_id(&mut self, value: String) {
        if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_graphic()) {
            self.query_id = value;
        }
    }

    fn level(&mut self, value: &str) {
        use Compression::{Deflate, Gzip, Zstd};
        if let (Gzip(level) | Deflate(level) | Zstd(level), Ok(asked)) = (&mut self.compression, value.parse::<u32>()) {
            *level = asked.clamp(1, 9);
        }
    }

    /// The last `SET` of the session takes its right to modify.
    fn limit(&mut self) {
        let limited = |(name, value): &(String, String)| name == "readonly" && matches!(value.as_str(), "1" | "2");
        if !self.settings.iter().any(limited) {
            self.settings.retain(|(name, _)| name != "readonly");
            self.settings.push(("readonly".to_owned(), "2".to_owned()));
        }
    }
}

fn is_on(value: &str) -> bool {
    matches!(value, "1" | "true")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(method: &Method, url: &str, headers: &[(&'static str, &'static str)]) -> Request {
        let headers = headers.iter().map(|(name, value)| {
            (header::HeaderName::from_bytes(name.as_bytes()).unwrap(), header::HeaderValue::from_static(value))
        });
        Request::read(method, url, &headers.collect()).unwrap()
    }

    #[test]
    fn parameters_find_their_places() {
        let url =
            "async_insert=0&database=d&query=INSERT+INTO+t%20FORMAT+Native&param_x=1&decompress=1&user=u&query_id=q";
        let request = read(&Method::POST, url, &[]);
        assert_eq!(request.query.as_deref(), Some("INSERT INTO t FORMAT Native"));
        assert_eq!((request.database.as_str(), request.query_id.as_str(), request.blocks), ("d", "q", true));
        assert_eq!(request.settings, [("async_insert".to_owned(), "0".to_owned())]);
        assert_eq!(request.parameters, [("x".to_owned(), "1".to_owned())]);
    }

    #[test]
    fn a_get_is_read_only_and_cannot_say_otherwise() {
        let only = |value: &str| [("readonly".to_owned(), value.to_owned())];
        assert_eq!(read(&Method::GET, "readonly=0", &[]).settings, only("2"));
        assert_eq!(read(&Method::GET, "readonly=1", &[]).settings, only("1"));
        assert_eq!(read(&Method::POST, "", &[]).settings, []);
    }

    #[test]
    fn headers_win_over_parameters() {
        let headers = [("x-clickhouse-database", "h"), ("x-clickhouse-format", "CSV"), ("accept-encoding", "gzip")];
        let request = read(&Method::GET, "database=u&default_format=JSON&http_zlib_compression_level=9", &headers);
        assert_eq!((request.database.as_str(), request.default_format.as_str()), ("h", "CSV"));
        assert_eq!(request.compression, Compression::Gzip(9));
        let off = read(&Method::GET, "enable_http_compression=0", &headers);
        assert_eq!(off.compression, Compression::None);
    }
}
