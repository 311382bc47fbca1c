//! Splitting a list at the commas that are outside of brackets and quotes.

use super::lexer::Lexer;

/// The parts of a list such as `UInt64, Map(String, String)`, without blanks around them.
pub(crate) fn top_level_parts(list: &str) -> impl Iterator<Item = &str> {
    let text = list.as_bytes();
    let commas = Lexer::new(text).filter(|token| token.depth == 0 && token.text(text) == b",");
    let mut cuts: Vec<(usize, usize)> = commas.map(|token| (token.start, token.end)).collect();
    cuts.push((list.len(), list.len()));
    let mut start = 0;
    cuts.into_iter().map(move |(end, next)| {
        let part = list.get(start..end).unwrap_or_default();
        start = next;
        part.trim()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_outer_commas_split() {
        let parts: Vec<&str> = top_level_parts("UInt64, Map(String, String),Enum8('a,b' = 1)").collect();
        assert_eq!(parts, ["UInt64", "Map(String, String)", "Enum8('a,b' = 1)"]);
    }
}
