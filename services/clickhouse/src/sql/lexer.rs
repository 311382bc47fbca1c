//! Splits SQL into words, strings and brackets, so that keywords in strings and comments don't count.

/// What a token is, as far as anyone here asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A keyword, a name or a number.
    Word,
    /// A string, or a name in quotes.
    Quoted,
    Open,
    Close,
    Semicolon,
    Other,
}

/// A piece of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    pub(crate) start: usize,
    pub(crate) end: usize,
    /// Brackets around it.
    pub(crate) depth: u32,
}

impl Token {
    pub(crate) fn is(&self, text: &[u8], keyword: &str) -> bool {
        self.kind == Kind::Word && self.text(text).eq_ignore_ascii_case(keyword.as_bytes())
    }

    pub(crate) fn text<'t>(&self, text: &'t [u8]) -> &'t [u8] {
        text.get(self.start..self.end).unwrap_or_default()
    }
}

/// The tokens of a text. It ends at the end of the text or at a string or comment that does not end.
pub(crate) struct Lexer<'t> {
    text: &'t [u8],
    position: usize,
    depth: u32,
}

impl<'t> Lexer<'t> {
    pub(crate) fn new(text: &'t [u8]) -> Self {
        Self { text, position: 0, depth: 0 }
    }

    fn at(&self, offset: usize) -> Option<u8> {
        self.text.get(self.position + offset).copied()
    }

    /// Skips blanks and comments; false when a comment does not end.
    fn skip_blanks(&mut self) -> bool {
        loop {
            match (self.at(0), self.at(1)) {
                (Some(byte), _) if byte.is_ascii_whitespace() => self.position += 1,
                (Some(b'-'), Some(b'-')) => self.skip_line(),
                (Some(b'#'), Some(b' ' | b'!')) => self.skip_line(),
                (Some(b'/'), Some(b'/')) => self.skip_line(),
                (Some(b'/'), Some(b'*')) => match self.comment_end() {
                    Some(end) => self.position = end,
                    None => return false,
                },
                _ => return true,
            }
        }
    }

    /// The position behind a comment; comments nest.
    fn comment_end(&self) -> Option<usize> {
        let (mut position, mut open) = (self.position + 2, 1_u32);
        while open > 0 {
            position += match self.text.get(position..position + 2)? {
                b"/*" => {
                    open += 1;
                    2
                }
                b"*/" => {
                    open -= 1;
                    2
                }
                _ => 1,
            };
        }
        Some(position)
    }

    fn skip_line(&mut self) {
        self.position = self.search(b"\n", 0).unwrap_or(self.text.len());
    }

    fn search(&self, needle: &[u8], offset: usize) -> Option<usize> {
        let start = self.position + offset;
        let rest = self.text.get(start..)?;
        rest.windows(needle.len()).position(|window| window == needle).map(|found| start + found)
    }

    /// The position behind the closing quote; a backslash or a doubled quote does not close.
    fn quoted_end(&self, quote: u8) -> Option<usize> {
        let mut position = self.position + 1;
        loop {
            match *self.text.get(position)? {
                b'\\' => position += 2,
                byte if byte != quote => position += 1,
                _ if self.text.get(position + 1) == Some(&quote) => position += 2,
                _ => return Some(position + 1),
            }
        }
    }

    /// The position behind `$tag$ … $tag$`, or behind ‘…’ and “…”, when the text here is one of them.
    fn special_end(&self) -> Option<usize> {
        let rest = self.text.get(self.position..)?;
        let close = match rest {
            [b'$', name @ ..] => rest.get(..name.iter().position(|byte| *byte == b'$')? + 2)?,
            [0xe2, 0x80, 0x98, ..] => "\u{2019}".as_bytes(),
            [0xe2, 0x80, 0x9c, ..] => "\u{201d}".as_bytes(),
            _ => return None,
        };
        let open = close.len();
        Some(self.search(close, open)? + open)
    }

    fn word_end(&self) -> usize {
        let rest = self.text.get(self.position..).unwrap_or_default();
        let length = rest.iter().take_while(|byte| is_word(**byte)).count();
        self.position + length
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$'
}

impl Iterator for Lexer<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        if !self.skip_blanks() {
            return None;
        }
        let (start, depth) = (self.position, self.depth);
        let (kind, end) = match self.at(0)? {
            quote @ (b'\'' | b'"' | b'`') => (Kind::Quoted, self.quoted_end(quote)?),
            b'$' | 0xe2 if self.special_end().is_some() => (Kind::Quoted, self.special_end()?),
            b'(' | b'[' | b'{' => (Kind::Open, start + 1),
            b')' | b']' | b'}' => (Kind::Close, start + 1),
            b';' => (Kind::Semicolon, start + 1),
            byte if is_word(byte) => (Kind::Word, self.word_end()),
            _ => (Kind::Other, start + 1),
        };
        match kind {
            Kind::Open => self.depth += 1,
            Kind::Close => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
        self.position = end;
        Some(Token { kind, start, end, depth })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(sql: &str) -> Vec<String> {
        let text = sql.as_bytes();
        let tokens = Lexer::new(text).filter(|token| token.kind == Kind::Word && token.depth == 0);
        tokens.map(|token| String::from_utf8_lossy(token.text(text)).into_owned()).collect()
    }

    #[test]
    fn strings_comments_and_brackets_hide_words() {
        let sql = "SELECT 'a '' FORMAT \\' x', `b` /* c */ -- d\n FROM (SELECT e) # f\nLIMIT 1";
        assert_eq!(words(sql), ["SELECT", "FROM", "LIMIT", "1"]);
    }

    #[test]
    fn what_clickhouse_takes_for_strings_and_comments_is_taken_so() {
        for sql in [
            "/* /* */ b */ a",
            "a // '\n",
            "$x$'$x$ a $$ b $$",
            "\u{2018}'\u{2019} a \u{2018}'\u{2019}",
            "\u{201c}\"\u{201d} a",
            "\u{a0}a\u{a0}",
        ] {
            assert_eq!(words(sql), ["a"], "{sql}");
        }
    }

    #[test]
    fn what_does_not_end_ends_the_tokens() {
        assert_eq!(words("SELECT a, 'b FORMAT"), ["SELECT", "a"]);
        assert_eq!(words("SELECT a /* FORMAT"), ["SELECT", "a"]);
        assert_eq!(words("SELECT 'a\\"), ["SELECT"]);
    }
}
