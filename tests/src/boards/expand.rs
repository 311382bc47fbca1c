//! What Grafana and its ClickHouse data source make of a panel's query before it is sent.
//!
//! First the page resolves `$__conditionalAll` and variables (`CHDatasource.applyTemplateVariables`), then the server the
//! macros of time (`pkg/macros` of grafana/clickhouse-datasource). Only what the boards use is here, and everything else that
//! begins with `$` is an error.

use std::collections::BTreeMap;

/// What a viewer has chosen.
#[derive(Clone, Debug)]
pub struct View {
    /// Start of the range, seconds since the Unix epoch.
    pub from_s: i64,
    /// Its end.
    pub to_s: i64,
    /// Time from one point of a line to the next, in seconds.
    pub interval_s: i64,
    /// Values of variables.
    pub variables: BTreeMap<String, Chosen>,
}

/// What a variable with several values is at.
#[derive(Clone, Debug)]
pub enum Chosen {
    /// All, which is these.
    All(Vec<String>),
    /// Some.
    Some(Vec<String>),
}

impl Chosen {
    fn values(&self) -> &[String] {
        match self {
            Chosen::All(values) | Chosen::Some(values) => values,
        }
    }
}

impl View {
    /// The SQL that ClickHouse gets.
    ///
    /// # Errors
    /// What is not understood: a macro, a variable, or a format.
    pub fn sql(&self, raw: &str) -> Result<String, String> {
        let sql = self.conditions(raw)?;
        let sql = self.named(&sql)?;
        let sql = self.times(&sql)?;
        match sql.find('$') {
            Some(at) => Err(format!("not understood: {}", sql.get(at..).unwrap_or_default())),
            None => Ok(sql),
        }
    }

    /// PromQL with Grafana's intervals in place.
    pub fn promql(&self, raw: &str) -> String {
        raw.replace("$__rate_interval", "1m").replace("$__range", &format!("{}s", self.to_s - self.from_s))
    }

    /// `$__conditionalAll(condition, $variable)`: true where the variable is at All, from the last to the first.
    fn conditions(&self, raw: &str) -> Result<String, String> {
        let mut sql = raw.to_owned();
        while let Some(at) = sql.rfind("$__conditionalAll(") {
            let call = Call::at(&sql, at)?;
            let [condition, variable] = call.arguments()?;
            let name = variable.trim().trim_start_matches('$');
            let chosen = self.variables.get(name).ok_or_else(|| format!("no variable {name}"))?;
            let condition = if matches!(chosen, Chosen::All(_)) { "1=1" } else { condition };
            sql = call.replaced(condition);
        }
        Ok(sql)
    }

    /// `${variable:singlequote}`: every value in single quotes, those within escaped.
    fn named(&self, sql: &str) -> Result<String, String> {
        let mut done = String::new();
        let mut rest = sql;
        while let Some((before, after)) = rest.split_once("${") {
            let (reference, after) = after.split_once('}').ok_or("a variable without an end")?;
            let name = reference.strip_suffix(":singlequote").ok_or_else(|| format!("the format of {reference}"))?;
            let chosen = self.variables.get(name).ok_or_else(|| format!("no variable {name}"))?;
            let quoted = chosen.values().iter().map(|value| format!("'{}'", value.replace('\'', "\\'")));
            done.push_str(before);
            done.push_str(&quoted.collect::<Vec<_>>().join(","));
            rest = after;
        }
        Ok(done + rest)
    }

    fn times(&self, sql: &str) -> Result<String, String> {
        let (from, to) = (format!("toDateTime({})", self.from_s), format!("toDateTime({})", self.to_s));
        let interval = self.interval_s.max(1);
        let mut sql = sql.replace("$__fromTime", &from).replace("$__toTime", &to);
        sql = sql.replace("$__interval_s", &interval.to_string());
        while let Some(at) = sql.find("$__timeFilter(") {
            let call = Call::at(&sql, at)?;
            let [column] = call.arguments()?;
            sql = call.replaced(&format!("{column} >= {from} AND {column} <= {to}"));
        }
        while let Some(at) = sql.find("$__timeInterval(") {
            let call = Call::at(&sql, at)?;
            let [column] = call.arguments()?;
            sql = call.replaced(&format!("toStartOfInterval(toDateTime({column}), INTERVAL {interval} second)"));
        }
        Ok(sql)
    }
}

/// A macro with arguments, in its text.
struct Call<'a> {
    before: &'a str,
    inside: &'a str,
    after: &'a str,
}

impl<'a> Call<'a> {
    /// The one that starts at a byte of a text; its parentheses may hold others.
    fn at(sql: &'a str, at: usize) -> Result<Self, String> {
        let (before, call) = sql.split_at_checked(at).ok_or("a macro at no character")?;
        let (_, inside) = call.split_once('(').ok_or("a macro without arguments")?;
        let mut depth = 1;
        for (place, character) in inside.char_indices() {
            depth += match character {
                '(' => 1,
                ')' => -1,
                _ => 0,
            };
            if depth == 0 {
                let (inside, after) = inside.split_at(place);
                return Ok(Call { before, inside, after: after.strip_prefix(')').unwrap_or_default() });
            }
        }
        Err(format!("a macro without an end: {call}"))
    }

    /// Its arguments: commas within parentheses part none.
    fn arguments<const N: usize>(&self) -> Result<[&'a str; N], String> {
        let mut depth = 0;
        let mut all = Vec::new();
        let mut start = 0;
        for (place, character) in self.inside.char_indices() {
            match character {
                '(' => depth += 1,
                ')' => depth -= 1,
                ',' if depth == 0 => {
                    all.extend(self.inside.get(start..place));
                    start = place + 1;
                }
                _ => {}
            }
        }
        all.extend(self.inside.get(start..));
        let found = all.len();
        all.try_into().map_err(|_| format!("{found} arguments, not {N}: {}", self.inside))
    }

    fn replaced(&self, by: &str) -> String {
        [self.before, by, self.after].concat()
    }
}
