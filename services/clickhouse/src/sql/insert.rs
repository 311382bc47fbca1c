//! Where the statement of an INSERT ends and its data begins.

use super::lexer::{Kind, Lexer, Token};

/// What the beginning of a query text turned out to be.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Head {
    /// An INSERT with data: only its statement has been looked at.
    Insert(InsertHead),
    /// Any other statement, to be read to its end.
    Other,
    /// An INSERT whose end is not in the text yet.
    Incomplete,
}

/// The statement of an INSERT with data.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct InsertHead {
    /// The statement without `FORMAT` or `VALUES` ends here.
    pub(crate) statement: usize,
    /// The data's format.
    pub(crate) format: String,
    /// The data begins here.
    pub(crate) data: usize,
    /// It names a file of the engine's own (`FROM INFILE`).
    pub(crate) infile: bool,
}

impl Head {
    /// Looks at the text; `complete` says that no more follows.
    pub(crate) fn parse(text: &[u8], complete: bool) -> Self {
        let mut tokens = Lexer::new(text);
        let Some(first) = tokens.next() else {
            return if complete { Self::Other } else { Self::Incomplete };
        };
        if !first.is(text, "INSERT") {
            // A word that ends with the text may go on.
            return if complete || first.end < text.len() { Self::Other } else { Self::Incomplete };
        }
        let mut infile = false;
        let mut tokens = behind_table(text, tokens).peekable();
        while let Some(token) = tokens.next() {
            let next = tokens.peek();
            if token.depth > 0 {
                if token.is(text, "SELECT") && token.depth == 1 && opens(text, &token) {
                    return Self::Other;
                }
            } else if token.is(text, "VALUES") && (complete || token.end < text.len()) {
                return Self::Insert(InsertHead::new(token.start, "Values", token.end, infile));
            } else if token.is(text, "FORMAT") && next.is_some_and(|name| name.kind == Kind::Word) {
                return next.map_or(Self::Incomplete, |name| format(text, &token, name, complete, infile));
            } else if ["SELECT", "WITH", "WATCH"].iter().any(|keyword| token.is(text, keyword)) {
                return Self::Other;
            }
            infile |= token.is(text, "INFILE");
        }
        if complete {
            Self::Insert(InsertHead::new(text.len(), "Values", text.len(), infile))
        } else {
            Self::Incomplete
        }
    }
}

impl InsertHead {
    fn new(statement: usize, format: &str, data: usize, infile: bool) -> Self {
        Self { statement, format: format.to_owned(), data, infile }
    }
}

/// The tokens behind `INTO [TABLE | FUNCTION] name[.name]`, so that a table may be called `values`.
fn behind_table<'t>(text: &'t [u8], mut tokens: Lexer<'t>) -> impl Iterator<Item = Token> + 't {
    let mut name = tokens.next();
    while name.is_some_and(|token| ["INTO", "TABLE", "FUNCTION"].iter().any(|keyword| token.is(text, keyword))) {
        name = tokens.next();
    }
    let mut tokens = tokens.peekable();
    while tokens.next_if(|token| token.text(text) == b".").is_some() {
        tokens.next();
    }
    tokens
}

/// Whether the word is the first one behind an opening bracket: `(SELECT …)`, not a column of that name in a list.
fn opens(text: &[u8], token: &Token) -> bool {
    let before = text.get(..token.start).unwrap_or_default().trim_ascii_end();
    let after = text.get(token.end..).unwrap_or_default().trim_ascii_start();
    before.ends_with(b"(") && !after.starts_with(b",") && !after.starts_with(b")")
}

/// ClickHouse's rule: a semicolon behind the name is skipped, then blanks, then one line break.
fn format(text: &[u8], keyword: &Token, name: &Token, complete: bool, infile: bool) -> Head {
    let mut data = name.end;
    if text.get(data) == Some(&b';') {
        data += 1;
    }
    while matches!(text.get(data), Some(b' ' | b'\t' | b'\x0c')) {
        data += 1;
    }
    if text.get(data) == Some(&b'\r') {
        data += 1;
    }
    match text.get(data) {
        Some(b'\n') => data += 1,
        None if !complete => return Head::Incomplete,
        _ => {}
    }
    Head::Insert(InsertHead::new(keyword.start, &String::from_utf8_lossy(name.text(text)), data, infile))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &[u8]) -> (String, String, Vec<u8>) {
        match Head::parse(text, true) {
            Head::Insert(head) => {
                let statement = String::from_utf8_lossy(&text[..head.statement]).trim().to_owned();
                (statement, head.format, text[head.data..].to_vec())
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_data_begins_behind_the_format() {
        let statement = || "INSERT INTO t (a, b)".to_owned();
        let expected = (statement(), "RowBinary".to_owned(), b"\0\n\xff".to_vec());
        assert_eq!(split(b"INSERT INTO t (a, b) FORMAT RowBinary\n\0\n\xff"), expected);
        assert_eq!(split(b"INSERT INTO t (a, b) FORMAT RowBinary; \r\n\0\n\xff"), expected);
        assert_eq!(split(b"INSERT INTO t (a, b) FORMAT CSV 1,2"), (statement(), "CSV".into(), b"1,2".to_vec()));
        assert_eq!(split(b"INSERT INTO t (a, b) VALUES (1, 2)"), (statement(), "Values".into(), b" (1, 2)".to_vec()));
        assert_eq!(split(b"INSERT INTO t (a, b)"), (statement(), "Values".into(), Vec::new()));
    }

    #[test]
    fn names_like_keywords_are_names() {
        let (statement, format, _) =
            split(b"insert into values (format, select, `values`) settings a = 1 format Native\n");
        assert_eq!(
            (statement.as_str(), format.as_str()),
            ("insert into values (format, select, `values`) settings a = 1", "Native")
        );
        let (statement, ..) = split(b"INSERT INTO TABLE `db`.format FORMAT CSV\n");
        assert_eq!(statement, "INSERT INTO TABLE `db`.format");
        let (statement, ..) = split(b"INSERT INTO FUNCTION null('a Int8') VALUES (1)");
        assert_eq!(statement, "INSERT INTO FUNCTION null('a Int8')");
    }

    #[test]
    fn inserts_without_data_are_other_statements() {
        for sql in
            ["INSERT INTO t SELECT 1", "INSERT INTO t (a) WITH 1 AS x SELECT x", "INSERT INTO t (SELECT 1)", "SELECT 1"]
        {
            assert_eq!(Head::parse(sql.as_bytes(), true), Head::Other, "{sql}");
        }
    }

    #[test]
    fn an_unfinished_head_waits_for_more() {
        for sql in [
            "INS",
            "INSERT INTO t",
            "INSERT INTO t FORMAT",
            "INSERT INTO t FORMAT Row",
            "INSERT INTO t VALUES",
            " /* x",
        ] {
            assert_eq!(Head::parse(sql.as_bytes(), false), Head::Incomplete, "{sql}");
        }
        assert_eq!(Head::parse(b"SELECT 1", false), Head::Other);
    }

    #[test]
    fn a_file_of_the_engine_is_noticed() {
        let Head::Insert(head) = Head::parse(b"INSERT INTO t FROM INFILE '/etc/passwd' FORMAT CSV", true) else {
            panic!()
        };
        assert!(head.infile);
    }
}
