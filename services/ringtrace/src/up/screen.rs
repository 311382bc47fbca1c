//! Text that refreshes in a terminal, and follows on elsewhere.

use std::io::{IsTerminal, Write, stdout};
use std::time::{Duration, Instant};

use crossterm::cursor::MoveTo;
use crossterm::queue;
use crossterm::terminal::{Clear, ClearType};

/// How often text is written where it does not replace the last one.
const PERIOD: Duration = Duration::from_secs(10);

/// See the module's text.
pub struct Screen {
    is_terminal: bool,
    is_first: bool,
    last: Option<Instant>,
}

impl Screen {
    /// Writes to standard output.
    pub fn new() -> Self {
        Screen { is_terminal: stdout().is_terminal(), is_first: true, last: None }
    }

    /// Shows a text in place of the last one.
    ///
    /// # Errors
    /// When standard output is gone.
    pub fn show(&mut self, text: &str) -> std::io::Result<()> {
        let mut out = stdout().lock();
        if self.is_terminal {
            if std::mem::take(&mut self.is_first) {
                queue!(out, Clear(ClearType::All))?;
            }
            queue!(out, MoveTo(0, 0))?;
            for line in text.lines() {
                write!(out, "{line}")?;
                queue!(out, Clear(ClearType::UntilNewLine))?;
                write!(out, "\r\n")?;
            }
            queue!(out, Clear(ClearType::FromCursorDown))?;
        } else if self.last.is_none_or(|last| last.elapsed() >= PERIOD) {
            self.last = Some(Instant::now());
            writeln!(out, "\n{text}")?;
        }
        out.flush()
    }
}
