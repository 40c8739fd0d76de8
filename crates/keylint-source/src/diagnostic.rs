use std::borrow::Cow;
use std::fmt;

use crate::{Location, Span};

/// How bad it is. Ordered: a note is less than a warning, a warning less than an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing.
    Note,
    /// More is allowed than is needed.
    Warning,
    /// AWS rejects it, it cannot work, or it is open to the world.
    Error,
}

impl Severity {
    /// The lower-case word that rule files, the command line and every output format use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }

    /// Reads the word that [`Severity::as_str`] writes.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Note, Self::Warning, Self::Error].into_iter().find(|severity| severity.as_str() == word)
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

/// A place, and a few words that make sense beside it. The text may be empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// The place.
    pub at: Location,
    /// What is to be seen there.
    pub text: String,
}

impl Label {
    /// A label with its words.
    pub fn new(at: Location, text: impl Into<String>) -> Self {
        Self { at, text: text.into() }
    }
}

/// The statement of a policy that a diagnostic is about, in terms that outlive reformatting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatementId {
    /// The statement's index in the policy, from 0.
    pub index: u32,
    /// The statement's `Sid`, if it has one.
    pub sid: Option<String>,
}

/// Everything that keylint can say: a finding of a rule, or something that kept it from doing its work.
///
/// Style: the message says what is wrong, starts with a lower-case letter, has no full stop, stands alone and puts
/// the user's own text in backticks; a label makes sense beside its place; `help` says what to do; notes give
/// facts, and say what was assumed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// The name of the rule. What hinders keylint itself has rules too (`invalid-syntax`, `unreadable-file`, …).
    pub rule: Cow<'static, str>,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong, in one line.
    pub message: String,
    /// The cause.
    pub primary: Label,
    /// Other places that the reader needs to see, in reading order.
    pub related: Vec<Label>,
    /// Facts and assumptions.
    pub notes: Vec<String>,
    /// What to do about it.
    pub help: Option<String>,
    /// The resource whose policy it is about, by its name in a template or a module.
    pub resource: Option<String>,
    /// The statement it is about, where it is about one.
    pub statement: Option<StatementId>,
}

impl Diagnostic {
    /// A diagnostic with a message and a place, and nothing else yet.
    pub fn new(
        rule: impl Into<Cow<'static, str>>,
        severity: Severity,
        message: impl Into<String>,
        at: Location,
    ) -> Self {
        Self {
            rule: rule.into(),
            severity,
            message: message.into(),
            primary: Label::new(at, ""),
            related: Vec::new(),
            notes: Vec::new(),
            help: None,
            resource: None,
            statement: None,
        }
    }

    /// Moves every place.
    pub fn move_to(&mut self, place: impl Fn(Location) -> Location) {
        for label in std::iter::once(&mut self.primary).chain(&mut self.related) {
            label.at = place(label.at);
        }
    }

    /// Changes every sentence.
    pub fn reword(&mut self, words: impl Fn(&str) -> Cow<'_, str>) {
        let labels = std::iter::once(&mut self.primary).chain(&mut self.related).map(|label| &mut label.text);
        let sentences = std::iter::once(&mut self.message).chain(labels);
        for sentence in sentences.chain(&mut self.notes).chain(&mut self.help) {
            if let Cow::Owned(changed) = words(sentence) {
                *sentence = changed;
            }
        }
    }

    /// Whether both say the same thing at the same place.
    pub fn repeats(&self, other: &Self) -> bool {
        self.primary.at == other.primary.at && self.rule == other.rule && self.message == other.message
    }

    /// The order in which diagnostics are reported: by file, place, rule and message. It is total, so that output
    /// does not depend on the order of arrival.
    pub fn order(&self, other: &Self) -> std::cmp::Ordering {
        let key = |diagnostic: &Self| (diagnostic.primary.at.file, diagnostic.primary.at.span);
        key(self)
            .cmp(&key(other))
            .then_with(|| self.rule.cmp(&other.rule))
            .then_with(|| self.message.cmp(&other.message))
    }
}

/// What a parser, the extractor or lowering found wrong, before it is known which rule says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where.
    pub at: Span,
    /// What is wrong, in the style of [`Diagnostic::message`].
    pub message: String,
    /// Words beside the place; may be empty.
    pub label: String,
    /// What to do about it.
    pub help: Option<String>,
}

impl Problem {
    /// A problem with its place and message.
    pub fn new(at: Span, message: impl Into<String>) -> Self {
        Self { at, message: message.into(), label: String::new(), help: None }
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Adds words beside the place.
    #[must_use]
    pub fn with_label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }
}

/// What a rule says of itself, for `keylint rules`, `keylint explain` and the formats that list rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleInfo {
    /// The rule's name: the bad thing, in the field's own words.
    pub name: String,
    /// The bad thing in one line.
    pub summary: String,
    /// How bad it is. Where the cases of one rule differ, the worst.
    pub severity: Severity,
    /// The group it belongs to (`correctness`, `security`, …).
    pub group: String,
    /// What happens in production.
    pub why: String,
    /// What to do.
    pub help: String,
    /// The pages it rests on.
    pub references: Vec<String>,
}
