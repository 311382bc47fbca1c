//! The lines of a file, one at a time, with a bounded buffer.

use std::io::{self, BufRead, BufReader, Read};

use ringtrace_model::MAX_VALUE_BYTES;

/// Room for one value and its line end.
const MAX_LINE_BYTES: usize = MAX_VALUE_BYTES + "\r\n".len();

/// A line of the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line<'a> {
    /// Its bytes, without the line end.
    Whole(&'a [u8]),
    /// It is longer than any value may be; its bytes were not kept.
    TooLong,
}

/// Reads lines, never holding more than one of the largest allowed size.
pub struct Lines<R> {
    input: BufReader<R>,
    line: Vec<u8>,
    number: u64,
}

impl<R: Read> Lines<R> {
    /// Reads from `input`.
    pub fn new(input: R) -> Self {
        Lines {
            input: BufReader::with_capacity(256 * 1024, input),
            line: Vec::with_capacity(MAX_LINE_BYTES),
            number: 0,
        }
    }

    /// The next line and its number, counted from 1; `None` at the end.
    ///
    /// # Errors
    /// Whatever reading the input fails with.
    pub fn next(&mut self) -> io::Result<Option<(u64, Line<'_>)>> {
        self.line.clear();
        let read = self.input.by_ref().take(MAX_LINE_BYTES as u64).read_until(b'\n', &mut self.line)?;
        if read == 0 {
            return Ok(None);
        }
        self.number += 1;
        let line = match self.line.strip_suffix(b"\n") {
            Some(line) => Line::Whole(line.strip_suffix(b"\r").unwrap_or(line)),
            None if read < MAX_LINE_BYTES => Line::Whole(&self.line),
            None => {
                self.input.skip_until(b'\n')?;
                Line::TooLong
            }
        };
        Ok(Some((self.number, line)))
    }
}

#[cfg(test)]
mod tests {
    use super::{Line, Lines, MAX_LINE_BYTES};

    #[track_caller]
    fn check(input: &[u8], expect: &[Line<'_>]) {
        let mut lines = Lines::new(input);
        for (number, line) in (1..).zip(expect) {
            assert_eq!(lines.next().unwrap(), Some((number, *line)));
        }
        assert_eq!(lines.next().unwrap(), None);
    }

    #[test]
    fn lines_end_with_a_line_feed_or_the_input() {
        check(b"", &[]);
        check(b"\n", &[Line::Whole(b"")]);
        check(b"a\n\nb", &[Line::Whole(b"a"), Line::Whole(b""), Line::Whole(b"b")]);
        check(b"a\r\nb\r\r\nc\r", &[Line::Whole(b"a"), Line::Whole(b"b\r"), Line::Whole(b"c\r")]);
    }

    #[test]
    fn lines_beyond_the_limit_are_left_out() {
        let long = vec![b'x'; MAX_LINE_BYTES * 9];
        let text = |bytes: usize| [long.get(..bytes).unwrap(), b"\nb\n"].concat();
        let fits = MAX_LINE_BYTES - 1;
        check(&text(fits), &[Line::Whole(long.get(..fits).unwrap()), Line::Whole(b"b")]);
        check(&text(fits + 1), &[Line::TooLong, Line::Whole(b"b")]);
        check(&text(MAX_LINE_BYTES * 9), &[Line::TooLong, Line::Whole(b"b")]);
        check(&long, &[Line::TooLong]);
    }
}
