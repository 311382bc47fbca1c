//! The function `file`, which reads any file whatever the engine's rights say.
//!
//! Where the kernel confines the process (see `confine`) it reads nothing outside the data directory. This is the clear
//! sentence before that, and what there is on an older kernel.

use super::lexer::{Kind, Lexer, Token};
use crate::Exception;
use crate::exception::Code;

const FUNCTION: &[u8] = b"file";

/// Checks a statement.
///
/// # Errors
///
/// It names the function: `file(…)`, or `file` where a function may be given by its name, as in `arrayMap(file, …)`. A
/// column of that name passes as `table.file`, and where a bracket or a comma does not follow.
pub(crate) fn check(text: &[u8]) -> Result<(), Exception> {
    let tokens: Vec<Token> = Lexer::new(text).collect();
    let named = tokens.iter().enumerate().any(|(index, token)| {
        let text_at = |index: usize| tokens.get(index).map(|token| token.text(text)).unwrap_or_default();
        let before = index.checked_sub(1).map(text_at).unwrap_or_default();
        let earlier = index.checked_sub(2).map(text_at).unwrap_or_default();
        let after = text_at(index + 1);
        let applied = before.eq_ignore_ascii_case(b"APPLY") || before == b"(" && earlier.eq_ignore_ascii_case(b"APPLY");
        let mapped = before == b"(" && after == b"," && earlier.to_ascii_lowercase().starts_with(b"array");
        names_it(token, text) && before != b"." && (after == b"(" || applied || mapped)
    });
    if named {
        let message = "The function file may not be used: the server was started without --allow-external";
        return Err(Exception::new(Code::AccessDenied, message));
    }
    Ok(())
}

/// A name in quotes may be written with escapes, which nobody does who means well.
fn names_it(token: &Token, text: &[u8]) -> bool {
    let name = token.text(text);
    match (token.kind, name) {
        (Kind::Word, _) => name == FUNCTION,
        (Kind::Quoted, [b'`' | b'"', inner @ .., _]) => inner == FUNCTION || inner.contains(&b'\\'),
        (Kind::Quoted, [0xe2, 0x80, 0x9c, inner @ .., _, _, _]) => inner == FUNCTION,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_function_is_refused_however_it_is_named() {
        for sql in [
            "SELECT file('/etc/passwd')",
            "SELECT `file` /* c */ ('/etc/passwd')",
            "SELECT \"\\x66ile\"('/etc/passwd')",
            "SELECT \u{201c}file\u{201d}('/etc/passwd')",
            "SELECT $x$'$x$, file('/etc/passwd') -- '",
            "SELECT arrayMap(file, ['/etc/passwd'])",
            "SELECT * APPLY(file) FROM t",
            "SELECT * APPLY file FROM t",
        ] {
            assert_eq!(check(sql.as_bytes()).map_err(|error| error.code()), Err(497), "{sql}");
        }
    }

    #[test]
    fn columns_and_texts_pass() {
        for sql in ["SELECT file, line FROM t", "SELECT upper(file) FROM t", "SELECT 'file(x)'", "SELECT profile(1)"] {
            assert_eq!(check(sql.as_bytes()), Ok(()), "{sql}");
        }
    }
}
