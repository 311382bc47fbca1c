//! A complete statement that is no streamed INSERT.

use super::lexer::{Kind, Lexer, Token};
use crate::Exception;
use crate::exception::Code;

/// What the server has to know about a statement to answer it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Statement {
    /// The format that its own `FORMAT` clause names.
    pub(crate) format: Option<String>,
    /// It begins like a SELECT, so that the engine may be asked to stream it.
    pub(crate) select: bool,
    /// It begins like an INSERT.
    pub(crate) insert: bool,
    /// It is empty, or only blanks and comments.
    pub(crate) empty: bool,
}

impl Statement {
    /// Looks at a statement.
    ///
    /// # Errors
    ///
    /// More than one statement (62); one that would make the engine, which is a client as well, write to a file of its
    /// own (358); an INSERT with data for `input` (48).
    pub(crate) fn parse(text: &[u8]) -> Result<Self, Exception> {
        let tokens: Vec<Token> = Lexer::new(text).collect();
        if let Some(second) = second_statement(&tokens) {
            return Err(multiple(text, second));
        }
        let outside = || tokens.iter().filter(|token| token.depth == 0);
        if outside().zip(outside().skip(1)).any(|(into, file)| into.is(text, "INTO") && file.is(text, "OUTFILE")) {
            return Err(Exception::new(Code::IntoOutfileNotAllowed, "INTO OUTFILE is not allowed"));
        }
        if reads_input(text, &tokens) {
            return Err(Exception::new(Code::NotImplemented, "The table function input is not supported here"));
        }
        let first = tokens.iter().find(|token| token.kind != Kind::Open);
        let select = first.is_some_and(|token| token.is(text, "SELECT") || token.is(text, "WITH"));
        let insert = first.is_some_and(|token| token.is(text, "INSERT"));
        Ok(Self { format: format_clause(text, &tokens), select, insert, empty: first.is_none() })
    }
}

/// `INSERT … SELECT … FROM input(…)`: the engine would run it and ignore the data.
fn reads_input(text: &[u8], tokens: &[Token]) -> bool {
    let insert = tokens.first().is_some_and(|first| first.is(text, "INSERT"));
    insert
        && tokens
            .windows(2)
            .any(|pair| matches!(pair, [input, open] if input.is(text, "input") && open.text(text) == b"("))
}

/// The token behind a semicolon that is not the end.
fn second_statement(tokens: &[Token]) -> Option<&Token> {
    let semicolon = tokens.iter().position(|token| token.kind == Kind::Semicolon)?;
    tokens.get(semicolon..)?.iter().find(|token| token.kind != Kind::Semicolon)
}

fn multiple(text: &[u8], second: &Token) -> Exception {
    let rest = text.get(second.start..).unwrap_or_default();
    let rest = String::from_utf8_lossy(rest.get(..64).unwrap_or(rest)).into_owned();
    let message = format!(
        "Syntax error (Multi-statements are not allowed): failed at position {} (end of query): {rest}",
        second.start
    );
    Exception::new(Code::SyntaxError, message)
}

/// `FORMAT name` counts at the end of the statement, or before its `SETTINGS`: elsewhere `format` is a name.
fn format_clause(text: &[u8], tokens: &[Token]) -> Option<String> {
    let clause = tokens.windows(2).enumerate().rev().find(|(index, pair)| match pair {
        [format, name] => {
            let next = tokens.get(index + 2);
            format.depth == 0
                && format.is(text, "FORMAT")
                && name.kind == Kind::Word
                && next.is_none_or(|next| next.kind == Kind::Semicolon || next.is(text, "SETTINGS"))
        }
        _ => false,
    });
    let name = clause.and_then(|(_, pair)| pair.last())?;
    Some(String::from_utf8_lossy(name.text(text)).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn format(sql: &str) -> Option<String> {
        Statement::parse(sql.as_bytes()).unwrap().format
    }

    #[test]
    fn the_format_clause_is_found() {
        assert_eq!(format("SELECT 1 FORMAT JSON").as_deref(), Some("JSON"));
        assert_eq!(format("select 1 format json ; -- end").as_deref(), Some("json"));
        assert_eq!(format("SELECT 1 FORMAT CSV SETTINGS max_threads = 1").as_deref(), Some("CSV"));
        assert_eq!(format("SELECT format FROM t"), None);
        assert_eq!(format("SELECT 1 AS format, 2 FROM t"), None);
        assert_eq!(format("SELECT 'x FORMAT JSON'"), None);
        assert_eq!(format("SELECT * FROM (SELECT 1 FORMAT JSON)"), None);
    }

    #[test]
    fn selects_are_told_apart() {
        for (sql, select) in [
            ("SELECT 1", true),
            ("/* c */ WITH 1 AS x SELECT x", true),
            ("(SELECT 1) UNION ALL (SELECT 2)", true),
            ("SHOW TABLES", false),
            ("CREATE TABLE t AS SELECT 1", false),
        ] {
            assert_eq!(Statement::parse(sql.as_bytes()).unwrap().select, select, "{sql}");
        }
    }

    #[test]
    fn two_statements_and_files_are_refused() {
        assert_eq!(Statement::parse(b"SELECT 1; SELECT 2").unwrap_err().code(), 62);
        assert_eq!(Statement::parse(b"SELECT ';' ; ; -- x").unwrap().format, None);
        assert_eq!(Statement::parse(b"SELECT 1 INTO OUTFILE '/tmp/x'").unwrap_err().code(), 358);
        assert!(Statement::parse(b" -- nothing").unwrap().empty);
    }
}
