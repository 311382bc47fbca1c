//! Statements that may run where nothing may be modified and the engine's own setting for it can't be used.

use super::lexer::{Kind, Lexer};

/// How statements begin that read, or change the session alone.
const READING: [&str; 11] =
    ["SELECT", "WITH", "FROM", "VALUES", "SHOW", "DESCRIBE", "DESC", "EXPLAIN", "EXISTS", "SET", "USE"];

/// Whether the statement surely only reads. One that `WITH` begins may be an INSERT.
pub(crate) fn may_only_read(text: &[u8]) -> bool {
    let mut tokens = Lexer::new(text).filter(|token| token.kind != Kind::Open).peekable();
    let reads = tokens.peek().is_some_and(|first| READING.iter().any(|word| first.is(text, word)));
    reads && !tokens.any(|token| token.depth == 0 && token.is(text, "INSERT"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_modifies_is_found() {
        for (sql, reads) in [
            ("SELECT 1", true),
            (" -- c\n(SELECT 1) UNION ALL (SELECT 2)", true),
            ("WITH 1 AS x SELECT x, 'INSERT'", true),
            ("WITH 1 AS x INSERT INTO t SELECT x", false),
            ("EXPLAIN SELECT 1", true),
            ("DROP TABLE t", false),
            ("", false),
        ] {
            assert_eq!(may_only_read(sql.as_bytes()), reads, "{sql}");
        }
    }
}
