//! `/legs/export` and `/calls/export`: lists as files, a page after the other, so that memory is bounded and a client that
//! leaves ends it.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::stream;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::list::{Item, List, Of};
use super::{App, calls as of_calls, legs as of_legs};
use crate::ask::{Ask, Cursor, Filter, Range};
use crate::data::Column;
use crate::problem::Problem;
use crate::store::Scope;

/// Rows that are in memory at once.
const PAGE: usize = 2_000;

/// Answers with legs.
pub(crate) async fn legs(app: Arc<App>, ask: Ask) -> Result<Response, Problem> {
    export(app, ask, Of::Legs).await
}

/// Answers with calls.
pub(crate) async fn calls(app: Arc<App>, ask: Ask) -> Result<Response, Problem> {
    export(app, ask, Of::Calls).await
}

async fn export(app: Arc<App>, ask: Ask, of: Of) -> Result<Response, Problem> {
    let (scope, filter, range) = (ask.scope()?, ask.filter(), ask.range()?);
    let format = if ask.get("format") == Some("ndjson") { Format::Ndjson } else { Format::Csv };
    let until = Instant::now() + Duration::from_secs(app.limits.export_seconds);
    let left = app.limits.rows_per_export;
    let mut running = Running { app, ask, scope, filter, range, of, format, left, until, after: None, at: At::Begin };
    // The first page is asked for before the head goes out, so that what is wrong from the start is a problem document.
    let first = running.next().await?;
    let rest = stream::unfold(running, |mut running| async {
        if matches!(running.at, At::End) {
            return None;
        }
        let piece = running.next().await.unwrap_or_else(|problem| running.broken(&problem));
        Some((Ok::<_, std::io::Error>(piece), running))
    });
    let body = Body::from_stream(futures_util::StreamExt::chain(stream::iter([Ok(first)]), rest));
    let name = if of == Of::Legs { "legs" } else { "calls" };
    let (media, ending) = match format {
        Format::Csv => ("text/csv; charset=utf-8", "csv"),
        Format::Ndjson => ("application/x-ndjson", "ndjson"),
    };
    let attachment = format!("attachment; filename=\"{name}.{ending}\"");
    Ok(([(CONTENT_TYPE, media.to_owned()), (CONTENT_DISPOSITION, attachment)], body).into_response())
}

#[derive(Clone, Copy)]
enum Format {
    Csv,
    Ndjson,
}

enum At {
    Begin,
    Middle,
    End,
}

/// An export that goes on when the client takes more.
struct Running {
    app: Arc<App>,
    ask: Ask,
    scope: Scope,
    filter: Filter,
    range: Range,
    of: Of,
    format: Format,
    /// Rows that it still may have.
    left: u64,
    until: Instant,
    after: Option<Cursor>,
    at: At,
}

impl Running {
    async fn next(&mut self) -> Result<Bytes, Problem> {
        if Instant::now() > self.until {
            return Err(Problem::too_slow(self.app.limits.export_seconds));
        }
        let size = PAGE.min(usize::try_from(self.left).unwrap_or(PAGE));
        let after = self.after.take();
        let page = self.list().page(after, size).await?;
        self.left -= (page.items.len() as u64).min(self.left);
        let mut text = String::new();
        if let (At::Begin, Format::Csv) = (&self.at, self.format) {
            let names: Vec<&str> = self.of.columns().iter().map(|column| column.name).collect();
            text += &names.join(",");
            text += "\r\n";
        }
        page.items.iter().for_each(|item| self.format.write(self.of.columns(), item, &mut text));
        self.at = if page.next.is_some() { At::Middle } else { At::End };
        if page.next.is_some() && self.left == 0 {
            self.at = At::End;
            text += &self.format.trailer(&json!({"truncated": true, "limit": self.app.limits.rows_per_export}));
        }
        self.after = page.next;
        Ok(text.into())
    }

    fn list(&self) -> List<'_> {
        match self.of {
            Of::Legs => of_legs::list(&self.app, &self.ask, &self.scope, &self.filter, self.range),
            Of::Calls => of_calls::list(&self.app, &self.ask, &self.scope, &self.filter, self.range),
        }
    }

    /// The last line of a file that is not whole.
    fn broken(&mut self, problem: &Problem) -> Bytes {
        self.at = At::End;
        let problem: Value = serde_json::from_slice(&problem.json()).unwrap_or_default();
        self.format.trailer(&json!({"error": problem})).into()
    }
}

impl Format {
    fn write(self, columns: &[Column], item: &Item, text: &mut String) {
        match self {
            Format::Ndjson => {
                *text += &serde_json::to_string(item).unwrap_or_default();
                text.push('\n');
            }
            Format::Csv => {
                let fields = columns.iter().map(|column| field(item.get(column.name)));
                *text += &fields.collect::<Vec<_>>().join(",");
                *text += "\r\n";
            }
        }
    }

    /// A last line about the file itself.
    fn trailer(self, about: &Value) -> String {
        match self {
            Format::Ndjson => format!("{about}\n"),
            Format::Csv => format!("{}\r\n", quoted(&format!("# {about}"))),
        }
    }
}

/// A value as a field of CSV (RFC 4180). A list is separated by spaces.
fn field(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => quoted(text),
        Some(Value::Array(items)) => quoted(&items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" ")),
        Some(other) => other.to_string(),
    }
}

/// Text quoted where it must be. What a spreadsheet would run as a formula gets an apostrophe before it (OWASP, CSV injection).
fn quoted(text: &str) -> String {
    let is_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let text = if is_formula { format!("'{text}") } else { text.to_owned() };
    if text.contains(['"', ',', '\r', '\n']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_of_csv_are_quoted_and_run_nothing() {
        assert_eq!(field(Some(&json!("a,\"b\""))), "\"a,\"\"b\"\"\"");
        assert_eq!(field(Some(&json!("=1+1"))), "'=1+1");
        assert_eq!(field(Some(&json!(["x", "y"]))), "x y");
        assert_eq!(field(Some(&json!(-5))), "-5");
        assert_eq!(field(None), "");
    }
}
