//! Statements that write the definition of a table or database to a file.

use super::lexer::{Lexer, Token};

const WRITING: [&str; 8] = ["CREATE", "ALTER", "RENAME", "EXCHANGE", "ATTACH", "REPLACE", "UNDROP", "DETACH"];

/// Whether the statement writes a definition. What makes room (`DROP`, `TRUNCATE`, `ALTER … DROP PARTITION`) does not,
/// and neither does what lives in memory.
pub(crate) fn writes_definition(text: &[u8]) -> bool {
    let tokens: Vec<Token> = Lexer::new(text).filter(|token| token.depth == 0).collect();
    let follows = |first: &str, second: &str| {
        tokens.iter().zip(tokens.iter().skip(1)).any(|(one, other)| one.is(text, first) && other.is(text, second))
    };
    let writes = tokens.first().is_some_and(|first| WRITING.iter().any(|word| first.is(text, word)));
    writes && !follows("DROP", "PARTITION") && !follows("CREATE", "TEMPORARY")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_makes_room_writes_no_definition() {
        for (sql, writes) in [
            ("CREATE TABLE t (a UInt8) ENGINE = Log", true),
            ("alter table t add column b UInt8", true),
            ("ALTER TABLE t DROP PARTITION 1", false),
            ("CREATE TEMPORARY TABLE t (a UInt8)", false),
            ("DROP TABLE t", false),
            ("TRUNCATE TABLE t", false),
            ("SELECT 'CREATE'", false),
            ("", false),
        ] {
            assert_eq!(writes_definition(sql.as_bytes()), writes, "{sql}");
        }
    }
}
