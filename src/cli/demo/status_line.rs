//! What the person at the terminal sees while the demonstration waits: on a terminal one line that is rewritten,
//! elsewhere a line now and then.

use std::fmt::Display;
use std::io::{self, IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

use crate::cli::say;

/// Between two lines where none can be rewritten.
const EVERY: Duration = Duration::from_secs(5);
/// A longer line would wrap, and then it cannot be rewritten.
const WIDTH: usize = 78;

pub(super) struct StatusLine {
    is_terminal: bool,
    /// What stands in the line now.
    shown: String,
    due: Instant,
}

impl StatusLine {
    pub(super) fn new() -> Self {
        Self { is_terminal: io::stderr().is_terminal(), shown: String::new(), due: Instant::now() + EVERY }
    }

    /// Shows how far things are.
    pub(super) fn show(&mut self, text: &str) {
        if self.is_terminal {
            let text: String = text.chars().take(WIDTH).collect();
            if text != self.shown {
                self.rewrite(text);
            }
        } else if Instant::now() >= self.due {
            self.due = Instant::now() + EVERY;
            say(text);
        }
    }

    /// Says something that stays.
    pub(super) fn say(&mut self, text: impl Display) {
        self.clear();
        say(text);
    }

    /// Gives the line back to whoever writes next.
    pub(super) fn clear(&mut self) {
        if !self.shown.is_empty() {
            self.rewrite(String::new());
        }
    }

    fn rewrite(&mut self, text: String) {
        let mut err = io::stderr().lock();
        // Without escape sequences, which not every terminal knows.
        let rest = " ".repeat(self.shown.chars().count().saturating_sub(text.chars().count()));
        let end = if text.is_empty() { "\r" } else { "" };
        drop(write!(err, "\r{text}{rest}{end}").and_then(|()| err.flush()));
        self.shown = text;
    }
}
