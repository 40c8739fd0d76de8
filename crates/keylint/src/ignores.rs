//! Findings that are not to be reported, each with the reason why.
//!
//! An ignore stands in `keylint.yaml`, in a comment, or in the metadata of a resource of CloudFormation. It names rules,
//! says why, and may say until when. One that is wrong has no effect and is a finding itself; so is one that nothing is
//! found for any more, or that has expired: see [`Ignores::apply`].

mod comment;
mod metadata;

use std::collections::BTreeSet;
use std::fmt::Write as _;

use keylint_report::visible;
use keylint_rules::{Files, IgnoreEntry};
use keylint_source::{Diagnostic, FileId, Label, Location, Problem, Severity, Sources, Span, Spanned, Unit};
use time::{Date, Month, OffsetDateTime};

use crate::lint::{CONFIGURATION, FAILURES, Linter, is_failure};

/// What is not to be reported, and why.
#[derive(Clone, Debug)]
pub struct Ignore {
    /// Where it is written.
    pub(crate) at: Location,
    /// The rules, by name.
    pub(crate) rules: Vec<Spanned<String>>,
    /// What it is about; where several are given, what all of them are about.
    pub(crate) scope: Scope,
    /// Why.
    pub(crate) reason: Option<String>,
    /// The last day on which it holds.
    pub(crate) expires: Option<Spanned<String>>,
    /// What is wrong with how it is written.
    pub(crate) problem: Option<Problem>,
}

/// Which findings an ignore is about.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scope {
    /// A place of which one of the finding's places is a part, or the resource that is declared there.
    pub(crate) place: Option<Place>,
    /// The files that they are in.
    pub(crate) path: Option<Files>,
    /// The resource that they are about.
    pub(crate) resource: Option<String>,
    /// The `Sid` of the statement that they are about.
    pub(crate) sid: Option<String>,
    /// The index of that statement, from 0.
    pub(crate) statement: Option<u32>,
}

/// A part of a file.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) file: FileId,
    pub(crate) span: Span,
    /// The resource that is declared there, where its policy may stand elsewhere.
    pub(crate) declares: Option<String>,
}

/// The ignores in a file, in their order.
pub(crate) fn in_file(file: FileId, path: &str, text: &str) -> Vec<Ignore> {
    if memchr::memmem::find(text.as_bytes(), b"keylint").is_none() {
        return Vec::new();
    }
    let mut found = comment::ignores(file, path, text);
    found.extend(metadata::ignores(file, path, text));
    found
}

/// The ignores of a run.
pub(crate) struct Ignores<'r> {
    pub(crate) linter: &'r Linter,
    pub(crate) all: Vec<Ignore>,
    /// Whether the run was to check everything, so that what nothing was found for is not needed.
    pub(crate) is_whole: bool,
    /// Whether a file that a pattern covers was checked.
    pub(crate) is_checked: &'r dyn Fn(&Files) -> bool,
    /// Files of modules of which not every file was to be checked.
    pub(crate) partial: BTreeSet<FileId>,
    /// Files that were read, and not to be checked: what is wrong with their ignores is not said.
    pub(crate) unasked: BTreeSet<FileId>,
}

/// The ignores of the configuration.
pub(crate) fn of_configuration(linter: &Linter) -> Vec<Ignore> {
    linter.ignore_entries().iter().map(of_entry).collect()
}

impl Ignores<'_> {
    /// Leaves out what is to be ignored, and adds what is wrong with the ignores. The number is that of the findings
    /// that are left out.
    ///
    /// What keeps keylint from its job cannot be ignored.
    pub(crate) fn apply(&self, found: &mut Vec<Diagnostic>, sources: &Sources) -> usize {
        let today = OffsetDateTime::now_utc().date();
        let states: Vec<State> = self.all.iter().map(|ignore| self.state(ignore, today)).collect();
        let mut used: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); self.all.len()];
        let before = found.len();
        found.retain_mut(|finding| {
            if is_failure(finding) {
                return true;
            }
            let mut is_kept = true;
            for ((ignore, state), used) in self.all.iter().zip(&states).zip(&mut used) {
                let Some(index) = ignore.rules.iter().position(|rule| rule.value == finding.rule) else {
                    continue;
                };
                if !self.covers(ignore, finding, sources) {
                    continue;
                }
                used.insert(index);
                match state {
                    State::Holds => is_kept = false,
                    State::Expired(day) => finding.notes.push(format!("it was ignored until {day}")),
                    State::Wrong(_) => {}
                }
            }
            is_kept
        });
        let ignored = before - found.len();
        let told = |ignore: &Ignore| !self.unasked.contains(&ignore.at.file);
        let all = self.all.iter().zip(states).zip(&used);
        for ((ignore, state), used) in all.filter(|((ignore, _), _)| told(ignore)) {
            let problem = match state {
                State::Wrong(problem) => Some(*problem),
                State::Expired(day) => Some(expired(ignore, &day)),
                State::Holds => self.unused(ignore, used),
            };
            found.extend(problem.filter(|problem| self.linter.is_applied(&problem.rule)));
        }
        self.linter.weigh(found);
        found.sort_by(Diagnostic::order);
        ignored
    }

    /// Whether an ignore holds, and if not, what is wrong with it.
    fn state(&self, ignore: &Ignore, today: Date) -> State {
        let wrong = |rule: &'static str, at: Span, message: String, label: &str, help: String| {
            let at = Location { file: ignore.at.file, span: at };
            let mut problem = Diagnostic::new(rule, Severity::Error, message, at);
            problem.primary = Label::new(at, label);
            problem.help = Some(help);
            State::Wrong(Box::new(problem))
        };
        if let Some(Problem { at, message, label, help }) = ignore.problem.clone() {
            return wrong("invalid-ignore", at, message, &label, help.unwrap_or_default());
        }
        if ignore.rules.is_empty() {
            let help = "name the rules between brackets: `keylint: ignore[RULE] REASON`".to_owned();
            return wrong(
                "invalid-ignore",
                ignore.at.span,
                "it is not said what to ignore".to_owned(),
                "",
                help,
            );
        }
        for rule in &ignore.rules {
            if let Some(hint) = self.linter.hint_for(&rule.value) {
                let message = format!("no rule is named `{}`", rule.value);
                return wrong("invalid-ignore", rule.span, message, "so nothing is ignored", hint);
            }
            if FAILURES.contains(&rule.value.as_str()) {
                let message = format!("`{}` cannot be ignored", rule.value);
                let help = "what keylint cannot read it cannot check".to_owned();
                return wrong("invalid-ignore", rule.span, message, "", help);
            }
        }
        if ignore.reason.as_deref().is_none_or(|reason| reason.trim().is_empty()) {
            let message = "this says no reason, and is not followed".to_owned();
            let help = "say why behind it, for whoever reads it in a year".to_owned();
            return wrong("missing-reason", ignore.at.span, message, "", help);
        }
        let Some(expires) = &ignore.expires else { return State::Holds };
        match date(&expires.value) {
            None => {
                let message = format!("`{}` is no date, so this is not followed", expires.value);
                let help = "write it as `2027-01-31`".to_owned();
                wrong("invalid-ignore", expires.span, message, "", help)
            }
            Some(last) if last < today => State::Expired(expires.value.clone()),
            Some(_) => State::Holds,
        }
    }

    fn covers(&self, ignore: &Ignore, finding: &Diagnostic, sources: &Sources) -> bool {
        let scope = &ignore.scope;
        let is_same = |wanted: &Option<String>, given: Option<&String>| {
            wanted.as_ref().is_none_or(|wanted| Some(wanted) == given)
        };
        let statement = finding.statement.as_ref();
        is_same(&scope.resource, finding.resource.as_ref())
            && is_same(&scope.sid, statement.and_then(|statement| statement.sid.as_ref()))
            && scope.statement.is_none_or(|index| statement.is_some_and(|it| it.index == index))
            && scope.place.as_ref().is_none_or(|place| place.has(finding))
            && scope.path.as_ref().is_none_or(|files| {
                let path = sources.get(finding.primary.at.file).map_or("", keylint_source::SourceFile::path);
                self.linter.covers(files, path)
            })
    }

    /// That nothing was found for an ignore, or for some of its rules. A run that checks a part says nothing of the rest.
    fn unused(&self, ignore: &Ignore, used: &BTreeSet<usize>) -> Option<Diagnostic> {
        let is_known = match (&ignore.scope.place, &ignore.scope.path) {
            (Some(place), _) => !self.partial.contains(&place.file),
            (None, Some(files)) => self.is_whole || (self.is_checked)(files),
            (None, None) => self.is_whole,
        };
        let rules = ignore.rules.iter().enumerate();
        let is_used = |name: &str| {
            used.iter().filter_map(|index| ignore.rules.get(*index)).any(|rule| rule.value == name)
        };
        let unused = rules.filter(|(_, rule)| !is_used(&rule.value) && self.linter.is_applied(&rule.value));
        let unused: Vec<&Spanned<String>> = unused.map(|(_, rule)| rule).collect();
        let first = unused.first().filter(|_| is_known)?;
        let names: Vec<&str> = unused.iter().map(|rule| rule.value.as_str()).collect();
        let at = |span| Location { file: ignore.at.file, span };
        let verb = if names.len() == 1 { "finds" } else { "find" };
        let message = format!(
            "nothing is ignored by this: {} {verb} nothing here",
            keylint_source::quoted_list(&names)
        );
        let mut problem = Diagnostic::new("unused-ignore", Severity::Warning, message, at(first.span));
        problem.help = Some("remove it, so that it hides nothing that is written later".to_owned());
        Some(problem)
    }
}

/// Whether an ignore is followed.
enum State {
    Holds,
    /// It held until this day.
    Expired(String),
    Wrong(Box<Diagnostic>),
}

impl Place {
    /// Whether a finding has a part here: one of its places, or the resource that is declared here.
    fn has(&self, finding: &Diagnostic) -> bool {
        let is_here = |label: &Label| label.at.file == self.file && touches(label.at.span, self.span);
        let is_of_resource = self.declares.is_some() && self.declares == finding.resource;
        is_of_resource || std::iter::once(&finding.primary).chain(&finding.related).any(is_here)
    }
}

/// Whether a place, which may have no bytes, begins or ends within another.
fn touches(place: Span, whole: Span) -> bool {
    place.overlaps(whole) || (whole.start() <= place.start() && place.start() < whole.end())
}

fn expired(ignore: &Ignore, day: &str) -> Diagnostic {
    let span = ignore.expires.as_ref().map_or(ignore.at.span, |expires| expires.span);
    let at = Location { file: ignore.at.file, span };
    let message = format!("this ignore expired: it held until {day}");
    let mut problem = Diagnostic::new("expired-ignore", Severity::Warning, message, at);
    problem.help = Some("mend what it ignored, or write another date, and why".to_owned());
    problem
}

fn of_entry(entry: &IgnoreEntry) -> Ignore {
    let scope = Scope {
        path: entry.path.clone(),
        resource: entry.resource.clone(),
        sid: entry.sid.clone(),
        statement: entry.statement,
        place: None,
    };
    Ignore {
        at: Location { file: CONFIGURATION, span: entry.at },
        rules: entry.rules.clone(),
        scope,
        reason: entry.reason.clone(),
        expires: entry.expires.clone(),
        problem: None,
    }
}

/// A day, written as ISO 8601 has it: `2027-01-31`.
fn date(text: &str) -> Option<Date> {
    let mut parts = text.splitn(3, '-');
    let mut number = |digits: usize| {
        let part = parts.next()?;
        let is_number = part.len() == digits && part.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| part.parse::<u16>().ok())?
    };
    let (year, month, day) = (number(4)?, number(2)?, number(2)?);
    let month = Month::try_from(u8::try_from(month).ok()?).ok()?;
    Date::from_calendar_date(i32::from(year), month, u8::try_from(day).ok()?).ok()
}

/// The ignores, a line each: `path:line:col: RULE: reason (until DATE)`.
pub(crate) fn list(ignores: &[Ignore], sources: &Sources) -> String {
    let today = OffsetDateTime::now_utc().date();
    let mut lines = String::new();
    for ignore in ignores {
        let file = sources.get(ignore.at.file);
        let place = file.map(|file| file.position(ignore.at.span.start(), Unit::CodePoints));
        let (line, column) = place.map_or((1, 1), |place| (place.line, place.column));
        let path = file.map_or("<unknown>", keylint_source::SourceFile::path);
        let rules: Vec<&str> = ignore.rules.iter().map(|rule| rule.value.as_str()).collect();
        let reason = ignore.reason.as_deref().unwrap_or("(no reason)");
        let scope = &ignore.scope;
        let about = [
            scope.path.as_ref().map(|files| format!("in {}", files.written.value)),
            scope.resource.as_ref().map(|resource| format!("of {resource}")),
            scope.sid.as_ref().map(|sid| format!("in the statement `{sid}`")),
            scope.statement.map(|index| format!("in the statement {index}")),
            ignore.expires.as_ref().map(|expires| {
                let is_over = date(&expires.value).is_none_or(|last| last < today);
                format!("until {}{}", expires.value, if is_over { ", so not followed" } else { "" })
            }),
        ];
        let about: Vec<String> = about.into_iter().flatten().collect();
        let about = if about.is_empty() { String::new() } else { format!(" ({})", about.join(", ")) };
        let line = format!("{path}:{line}:{column}: {}{about}: {reason}", rules.join(", "));
        writeln!(lines, "{}", visible(&line)).ok();
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use pretty_assertions::assert_eq;

    #[test]
    fn dates_are_days_that_exist() {
        assert!(date("2027-01-31").is_some() && date("2028-02-29").is_some());
        for wrong in
            ["2027-02-29", "2027-1-31", "2027-13-01", "31.01.2027", "2027-01-31T00:00", "", "20270131"]
        {
            assert_eq!(date(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_place_without_bytes_is_within_what_surrounds_it() {
        let whole = Span::new(2, 5);
        assert!(touches(Span::empty(2), whole) && touches(Span::new(4, 9), whole));
        assert!(!touches(Span::empty(5), whole) && !touches(Span::new(0, 2), whole));
    }
}
