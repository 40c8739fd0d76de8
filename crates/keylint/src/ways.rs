//! What holds of a policy that conditions turn into several.

use keylint_source::{Diagnostic, Span};

/// What is found in a policy, given what is found in each way in which its conditions can turn out, with the places
/// that are not there in that way.
///
/// A finding holds if it is found in every way in which its place is there: then it does not matter how the
/// conditions turn out, once what it points at is deployed. What is found in some of those ways alone depends on
/// something that nobody knows.
pub(crate) fn in_all(mut ways: Vec<(Vec<Diagnostic>, &[Span])>) -> Vec<Diagnostic> {
    if ways.len() == 1 {
        return ways.pop().map(|(found, _)| without_repetitions(found)).unwrap_or_default();
    }
    let mut all: Vec<Diagnostic> = Vec::new();
    let same = |left: &Diagnostic, right: &Diagnostic| {
        left.rule == right.rule && left.primary.at == right.primary.at
    };
    for (index, (found, _)) in ways.iter().enumerate() {
        for diagnostic in found {
            let earlier = ways.iter().take(index);
            if earlier.flat_map(|(found, _)| found).any(|known| same(known, diagnostic)) {
                continue;
            }
            let at = diagnostic.primary.at.span;
            let holds = ways.iter().all(|(found, left_out)| {
                let is_there =
                    !left_out.iter().any(|gone| gone.start() <= at.start() && at.end() <= gone.end());
                !is_there || found.iter().any(|known| same(known, diagnostic))
            });
            if holds {
                all.push(diagnostic.clone());
            }
        }
    }
    without_repetitions(all)
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
    use keylint_source::{FileId, Location, Severity};
    use pretty_assertions::assert_eq;

    fn found(start: u32) -> Diagnostic {
        let at = Location { file: FileId(0), span: Span::new(start, start + 1) };
        Diagnostic::new("rule", Severity::Error, "", at)
    }

    #[test]
    fn a_finding_holds_where_its_place_is_there() {
        let branch = [Span::new(10, 20)];
        // At 1 in every way; at 2 in one of two; at 15 wherever the branch is taken.
        let ways = vec![(vec![found(1), found(2), found(15)], &[][..]), (vec![found(1)], &branch[..])];
        assert_eq!(in_all(ways), [found(1), found(15)]);
    }

    #[test]
    fn without_conditions_everything_holds_once() {
        assert_eq!(in_all(vec![(vec![found(1), found(1), found(2)], &[])]), [found(1), found(2)]);
        assert_eq!(in_all(Vec::new()), []);
    }
}
