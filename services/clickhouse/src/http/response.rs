//! The status line and headers of a response.

use axum::http::{HeaderValue, StatusCode, header, response::Builder};

use crate::Exception;
use crate::body::Compression;
use crate::engine::About;
use crate::ffi::Counts;

const DISPLAY_NAME: &str = "ringtrace";
const PLAIN: &str = "text/plain; charset=UTF-8";

/// What is known when a response begins.
pub(crate) struct Head {
    pub(crate) query_id: String,
    pub(crate) kind: Kind,
}

/// A response is a result or an exception.
pub(crate) enum Kind {
    Result {
        format: String,
        compression: Compression,
        /// What the engine has counted so far; elapsed time in nanoseconds.
        counts: Counts,
        elapsed_ns: u128,
        /// The client wants to hear of the progress: once, since what comes before the first rows is not known here.
        progress: bool,
        /// Marks an exception that comes in mid-stream.
        tag: String,
    },
    Exception(Exception),
}

impl Head {
    /// The response with all its headers, without a body.
    pub(super) fn builder(&self, about: &About) -> Builder {
        let builder = Builder::new()
            .header("X-ClickHouse-Server-Display-Name", DISPLAY_NAME)
            .header("X-ClickHouse-Query-Id", value(&self.query_id))
            .header("X-ClickHouse-Timezone", value(&about.timezone));
        match &self.kind {
            Kind::Exception(exception) => builder
                .status(StatusCode::from_u16(exception.http_status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR))
                .header(header::CONTENT_TYPE, PLAIN)
                .header("X-ClickHouse-Exception-Code", exception.code()),
            Kind::Result { format, compression, counts, elapsed_ns, progress, tag } => {
                let content_type = about.content_types.get(&format.to_ascii_lowercase());
                let builder = builder
                    .status(StatusCode::OK)
                    .header(header::CONTENT_TYPE, value(content_type.map_or(PLAIN, String::as_str)))
                    .header("X-ClickHouse-Format", value(format))
                    .header("X-ClickHouse-Summary", summary(counts, *elapsed_ns))
                    .header("X-ClickHouse-Exception-Tag", value(tag));
                let builder = match progress {
                    true => builder.header("X-ClickHouse-Progress", summary(counts, *elapsed_ns)),
                    false => builder,
                };
                match compression.content_encoding() {
                    Some(encoding) => builder.header(header::CONTENT_ENCODING, encoding),
                    None => builder,
                }
            }
        }
    }
}

fn value(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static("?"))
}

/// ClickHouse writes the numbers as strings.
fn summary(counts: &Counts, elapsed_ns: u128) -> String {
    let Counts { result_rows, result_bytes, read_rows, read_bytes, written_rows, written_bytes } = counts;
    format!(
        "{{\"read_rows\":\"{read_rows}\",\"read_bytes\":\"{read_bytes}\",\"written_rows\":\"{written_rows}\",\
         \"written_bytes\":\"{written_bytes}\",\"total_rows_to_read\":\"0\",\"result_rows\":\"{result_rows}\",\
         \"result_bytes\":\"{result_bytes}\",\"elapsed_ns\":\"{elapsed_ns}\"}}"
    )
}

/// The body of an exception, as ClickHouse writes it.
pub(crate) fn exception_text(exception: &Exception, version: &str) -> String {
    let text = exception.text();
    if text.contains("(version ") { format!("{text}\n") } else { format!("{text} (version {version})\n") }
}
