//! What a parser found wrong, within bounds.

use keylint_source::{Problem, Span};

use crate::{arena::offset, limits};

/// Collects the problems of one file, up to [`limits::PROBLEMS`].
pub(crate) struct Report<'p> {
    problems: &'p mut Vec<Problem>,
    full_at: usize,
}

impl<'p> Report<'p> {
    /// Adds to what is there already; the bound is for what this report adds.
    pub(crate) fn new(problems: &'p mut Vec<Problem>) -> Self {
        let full_at = problems.len() + limits::PROBLEMS;
        Self { problems, full_at }
    }

    /// Whether nothing more will be taken: time to stop looking.
    pub(crate) fn is_full(&self) -> bool {
        self.problems.len() >= self.full_at
    }

    pub(crate) fn add(&mut self, problem: Problem) {
        if !self.is_full() {
            self.problems.push(problem);
        }
    }

    /// Whether the file is longer than [`limits::FILE_BYTES`], which is a problem. Below that, every offset fits
    /// 32 bits.
    pub(crate) fn is_too_long(&mut self, source: &str) -> bool {
        let too_long = source.len() > limits::FILE_BYTES;
        if too_long {
            let limit = limits::FILE_BYTES >> 20;
            self.add(Problem::new(Span::empty(0), format!("this file is longer than {limit} MiB")));
        }
        too_long
    }
}

/// The bytes `start..end` as a span.
pub(crate) fn span(start: usize, end: usize) -> Span {
    Span::new(offset(start), offset(end))
}

/// Text of the user in backticks: on one line, and shortened when long.
pub(crate) fn quoted(text: &str) -> String {
    const LONGEST: usize = 60;
    let mut shown: String = text.chars().take(LONGEST).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    let visible = |character: char| if character.is_control() { ' ' } else { character };
    format!("`{}`", shown.chars().map(visible).collect::<String>())
}
