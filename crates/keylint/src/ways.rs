//! What holds of a policy that conditions turn into several.

use keylint_extract::Presence;
use keylint_source::Diagnostic;

/// What is found in a policy, given what is found in each way in which its conditions can turn out, and what is there
/// in that way.
///
/// A finding holds if it is found in every way in which its place is there: then it does not matter how the
/// conditions turn out, once what it points at is deployed. What is found in some of those ways alone depends on
/// something that nobody knows. Where the ways differ in how bad it is, the least of it is certain.
pub(crate) fn in_all(mut ways: Vec<(Vec<Diagnostic>, &Presence)>) -> Vec<Diagnostic> {
    if ways.len() == 1 {
        return ways.pop().map(|(found, _)| without_repetitions(found)).unwrap_or_default();
    }
    let mut all: Vec<Diagnostic> = Vec::new();
    for (index, (found, _)) in ways.iter().enumerate() {
        for diagnostic in found {
            let earlier = ways.iter().take(index).flat_map(|(found, _)| found);
            if earlier.into_iter().any(|known| same(known, diagnostic)) {
                continue;
            }
            let at = diagnostic.primary.at.span;
            let holds = |(found, presence): &(Vec<Diagnostic>, &Presence)| {
                !presence.has(at) || found.iter().any(|known| same(known, diagnostic))
            };
            if ways.iter().all(holds) {
                all.push(least(diagnostic, &ways));
            }
        }
    }
    without_repetitions(all)
}

/// Whether both are the same finding, perhaps in other words.
fn same(left: &Diagnostic, right: &Diagnostic) -> bool {
    left.rule == right.rule && left.primary.at == right.primary.at
}

/// What is certain of a finding: of the ways to put it, one of the mildest, and the places that all have.
fn least(found: &Diagnostic, ways: &[(Vec<Diagnostic>, &Presence)]) -> Diagnostic {
    let versions = || {
        let of_way = |(all, _): &&(Vec<Diagnostic>, &Presence)| all.iter().any(|other| same(other, found));
        ways.iter().filter(of_way)
    };
    let all = || versions().flat_map(|(all, _)| all).filter(|other| same(other, found));
    // Several findings of a rule at one place are told apart by what they say.
    let has_message = |(all, _): &(Vec<Diagnostic>, &Presence)| all.iter().any(|other| other.repeats(found));
    let mut certain = found.clone();
    if versions().all(has_message) {
        let repeated = || all().filter(|other| other.repeats(found));
        certain.severity = repeated().map(|other| other.severity).min().unwrap_or(certain.severity);
        certain.related.retain(|label| repeated().all(|other| other.related.contains(label)));
        return certain;
    }
    if let Some(mildest) = all().min_by_key(|other| other.severity) {
        certain = mildest.clone();
    }
    certain.related.retain(|label| all().all(|other| other.related.contains(label)));
    certain
        .notes
        .push("conditions decide about the details: this is how it is in one of their outcomes".to_owned());
    certain
}

/// Bytes that are several statements, such as those of a `dynamic` block, are told of once.
fn without_repetitions(found: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let mut kept: Vec<Diagnostic> = Vec::with_capacity(found.len());
    for diagnostic in found {
        if !kept.iter().any(|known| known.repeats(&diagnostic)) {
            kept.push(diagnostic);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use keylint_source::{FileId, Label, Location, Severity, Span};
    use pretty_assertions::assert_eq;

    fn at(start: u32) -> Location {
        Location { file: FileId(0), span: Span::new(start, start + 1) }
    }

    fn found(start: u32) -> Diagnostic {
        Diagnostic::new("rule", Severity::Error, "", at(start))
    }

    #[test]
    fn a_finding_holds_where_its_place_is_there() {
        let (all, without) = (Presence::default(), Presence::without(Span::new(10, 20)));
        // At 1 in every way; at 2 in one of two; at 15 wherever the branch is taken.
        let ways = vec![(vec![found(1), found(2), found(15)], &all), (vec![found(1)], &without)];
        assert_eq!(in_all(ways), [found(1), found(15)]);
    }

    #[test]
    fn without_conditions_everything_holds_once() {
        let all = Presence::default();
        assert_eq!(in_all(vec![(vec![found(1), found(1), found(2)], &all)]), [found(1), found(2)]);
        assert_eq!(in_all(Vec::new()), []);
    }

    #[test]
    fn the_least_of_what_is_found_is_certain() {
        let all = Presence::default();
        let mut mild = found(1);
        mild.severity = Severity::Warning;
        let mut harsh = found(1);
        harsh.related.push(Label::new(at(5), ""));
        assert_eq!(in_all(vec![(vec![harsh.clone()], &all), (vec![mild.clone()], &all)]), [mild.clone()]);
        harsh.message = "other words".to_owned();
        let [certain] = in_all(vec![(vec![harsh], &all), (vec![mild], &all)]).try_into().unwrap();
        assert_eq!(
            (certain.severity, certain.message.as_str(), certain.notes.len()),
            (Severity::Warning, "", 1)
        );
    }
}
