//! What was asked: the query string, checked against the parameters that the endpoint declares.

mod cursor;
mod filter;
mod param;
mod range;

pub(crate) use cursor::Cursor;
pub(crate) use filter::{Filter, Role};
pub(crate) use param::{COMMON, Kind, Param, SPAN, end_reasons, filter, param, stage_ms, words};
pub(crate) use range::{Compare, Range, duration_ms, time_ms};

use crate::access::Reader;
use crate::problem::Problem;
use crate::store::Scope;

/// Most characters of a query string.
const MOST_QUERY: usize = 16 * 1024;

/// Most values of one parameter.
const MOST_VALUES: usize = 100;

/// A request as an endpoint sees it.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    /// Who asks.
    pub(crate) reader: Reader,
    /// What stands in the path in the place of `{name}`.
    pub(crate) segment: String,
    /// Wall time of the request, in milliseconds since the Unix epoch.
    pub(crate) now: i64,
    /// Header `Last-Event-ID`, of a client that follows again.
    pub(crate) last_event_id: Option<String>,
    pairs: Vec<(String, String)>,
}

impl Ask {
    /// Reads a query string.
    ///
    /// # Errors
    /// A parameter that the endpoint does not have, that may not be repeated, or a value that is not accepted.
    pub(crate) fn new(reader: Reader, query: &str, params: &[&[Param]], now: i64) -> Result<Self, Problem> {
        if query.len() > MOST_QUERY {
            return Err(Problem::bad_request(format!("a query string has at most {MOST_QUERY} characters")));
        }
        let pairs: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let known = || params.iter().copied().flatten();
        for (name, value) in &pairs {
            let Some(param) = known().find(|param| param.name == name) else {
                let names: Vec<&str> = known().map(|param| param.name).collect();
                let what = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
                return Err(Problem::parameter(name, format!("no such parameter here; there are: {what}")));
            };
            let count = pairs.iter().filter(|(other, _)| other == name).count();
            if count > 1 && !param.repeats {
                return Err(Problem::parameter(name, "it may be given once only"));
            }
            if count > MOST_VALUES {
                return Err(Problem::parameter(name, format!("it may be given {MOST_VALUES} times at most")));
            }
            param
                .kind
                .check(value, now)
                .map_err(|expected| Problem::parameter(name, format!("expected {expected}")))?;
        }
        Ok(Ask { reader, segment: String::new(), now, last_event_id: None, pairs })
    }

    /// The value of a parameter.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.pairs.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
    }

    /// All values of a parameter.
    pub(crate) fn all(&self, name: &str) -> Vec<String> {
        self.pairs.iter().filter(|(given, _)| given == name).map(|(_, value)| value.clone()).collect()
    }

    /// A whole number, which was checked.
    pub(crate) fn int(&self, name: &str, default: i64) -> i64 {
        self.get(name).and_then(|value| value.parse().ok()).unwrap_or(default)
    }

    /// The tenants that the reader may see, of those asked for.
    ///
    /// # Errors
    /// A tenant is asked for that may not be seen.
    pub(crate) fn scope(&self) -> Result<Scope, Problem> {
        Scope::of(self.reader.tenants(), &self.all("tenant"))
    }

    /// `from` and `to`.
    ///
    /// # Errors
    /// They are the wrong way round, or too far apart.
    pub(crate) fn range(&self) -> Result<Range, Problem> {
        Range::of(self.get("from"), self.get("to"), self.now)
    }

    /// The filters on legs.
    pub(crate) fn filter(&self) -> Filter {
        Filter::of(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(query: &str) -> Result<Ask, Problem> {
        Ask::new(Reader::anyone(), query, &[COMMON], 1_795_600_000_000)
    }

    #[test]
    fn what_is_wrong_names_its_parameter() {
        for (query, name, part) in [
            ("verdct=pending", "verdct", "there are: from, to"),
            ("from=yesterday", "from", "expected"),
            ("from=now&from=now", "from", "once"),
            ("verdict=late", "verdict", "reported_late"),
            ("role=boss", "role", "callee"),
        ] {
            let problem = String::from_utf8(ask(query).unwrap_err().json()).unwrap();
            assert!(problem.contains(&format!("\"parameter\":\"{name}\"")) && problem.contains(part), "{problem}");
        }
    }

    #[test]
    fn filters_repeat_and_may_be_empty() {
        let ask = ask("app=a&app=b&carrier=").unwrap();
        assert_eq!(ask.all("app"), ["a", "b"]);
        assert_eq!(ask.all("carrier"), [""]);
    }
}
