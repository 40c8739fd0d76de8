//! What a rule found, before it is put into words.

use keylint_policy::Answer;
use keylint_policy::model::{ActionItem, Statement};
use keylint_policy::vocabulary::{Operation, Operations};
use keylint_source::{Diagnostic, FileId, Label, Location, Severity, Span};

use crate::rule::{Place, Rule, Texts};
use crate::text::{Words, first};

/// A finding: where, how sure, and the words for the rule's sentences.
#[derive(Debug)]
pub(crate) struct Finding<'p> {
    pub(crate) severity: Severity,
    /// Yes if it is certain. A maybe is only told to those who select the pedantic group.
    pub(crate) certain: Answer,
    /// The cause.
    pub(crate) primary: Span,
    /// The file of the cause, where it is another than the one that is looked at.
    pub(crate) file: Option<FileId>,
    /// The other place of the story.
    pub(crate) related: Vec<Span>,
    /// Other places of the story, in other files.
    pub(crate) elsewhere: Vec<Location>,
    pub(crate) statement: Option<&'p Statement<'p>>,
    /// The principal and the operations that it is about, so that another rule need not repeat it.
    pub(crate) about: (Option<&'p str>, Operations),
    pub(crate) words: Words,
    /// Which of the rule's questions found it.
    pub(crate) question: Option<usize>,
}

impl<'p> Finding<'p> {
    /// A certain finding at a place.
    pub(crate) fn at(severity: Severity, primary: Span) -> Self {
        Self {
            severity,
            certain: Answer::Yes,
            primary,
            file: None,
            related: Vec::new(),
            elsewhere: Vec::new(),
            statement: None,
            about: (None, Operations::EMPTY),
            words: Words::new(),
            question: None,
        }
    }

    /// The same finding, about a statement.
    pub(crate) fn in_statement(self, statement: &'p Statement<'p>) -> Self {
        Self { statement: Some(statement), ..self }
    }

    /// The same finding, with one more word.
    pub(crate) fn with(mut self, word: &'static str, value: impl Into<String>) -> Self {
        self.words.insert(word, value.into());
        self
    }

    /// The diagnostic that says it.
    pub(crate) fn into_diagnostic(self, rule: &Rule, texts: Option<&Texts>, file: FileId) -> Diagnostic {
        let choose = |of: fn(&Texts) -> &[crate::text::Template]| {
            texts
                .and_then(|texts| first(of(texts), &self.words))
                .or_else(|| first(of(&rule.texts), &self.words))
        };
        let at = |span| Location { file: self.file.unwrap_or(file), span };
        let message = choose(|texts| &texts.message).unwrap_or_else(|| rule.info.summary.clone());
        let severity = if self.certain == Answer::Yes { self.severity } else { Severity::Note };
        let mut diagnostic = Diagnostic::new(rule.info.name.clone(), severity, message, at(self.primary));
        diagnostic.primary.text = choose(|texts| &texts.label).unwrap_or_default();
        let related = choose(|texts| &texts.related).unwrap_or_default();
        let places = self.related.iter().map(|&span| at(span)).chain(self.elsewhere.iter().copied());
        diagnostic.related.extend(places.map(|at| Label::new(at, related.clone())));
        diagnostic.help = choose(|texts| &texts.help);
        let notes =
            texts.map(|texts| &texts.notes).filter(|notes| !notes.is_empty()).unwrap_or(&rule.texts.notes);
        diagnostic.notes.extend(notes.iter().filter_map(|note| note.fill(&self.words)));
        if self.certain != Answer::Yes {
            diagnostic.notes.push("this depends on values that are not known before deployment".to_owned());
        }
        diagnostic.statement = self.statement.map(Statement::id);
        diagnostic
    }
}

/// The bytes of a statement to underline for what is said of some operations. An action is underlined if it covers
/// them all, else the whole list.
pub(crate) fn place(statement: &Statement<'_>, place: Place, operations: &[Operation]) -> Span {
    match place {
        Place::Action => {
            let first = operations.first().filter(|_| !statement.actions.negated);
            let item = first.and_then(|operation| statement.actions.item_for(*operation));
            let covers_all = |item: &&ActionItem<'_>| operations.iter().all(|o| item.operations.contains(*o));
            let item = item
                .filter(covers_all)
                .or_else(|| statement.actions.items.iter().find(|item| first.is_some() && covers_all(item)));
            item.map_or(statement.actions.value, |item| item.text.span())
        }
        Place::Principal => match statement.principals.items.as_slice() {
            [only] if !statement.principals.negated => only.text.span(),
            _ => statement.principals.value,
        },
        Place::Resource => match statement.resources.items.as_slice() {
            [only] => only.span(),
            _ => statement.resources.value,
        },
        Place::Condition => statement.conditions.first().map_or(statement.span, |c| c.key_text.span()),
        Place::Statement => statement.span,
    }
}

/// Operations as a grant names them, all of them.
pub(crate) fn grant_operation_list(operations: &[Operation]) -> String {
    let names: Vec<&str> = operations.iter().map(|operation| operation.name()).collect();
    keylint_source::quoted_list(&names)
}

/// Operations as a person lists them: all of a few, the first of many.
pub(crate) fn operation_list(operations: &[Operation]) -> String {
    const SHOWN: usize = 3;
    let names: Vec<&str> = operations.iter().map(|operation| operation.qualified()).collect();
    match names.split_at_checked(SHOWN) {
        Some((shown, rest)) if rest.len() > 5 => {
            let shown: Vec<String> = shown.iter().map(|name| format!("`{name}`")).collect();
            format!("{}, and {} more operations", shown.join(", "), rest.len())
        }
        _ => keylint_source::quoted_list(&names),
    }
}
