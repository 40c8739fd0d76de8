//! Conditions that are decided at deployment: `Fn::If`, `cond ? a : b`, a `dynamic` block that may be empty.
//!
//! A policy with such conditions is several policies, one for each way in which they can turn out. Each is made and
//! checked on its own: under one way everything is known that the conditions decide, also where one condition is
//! asked in several places. What is found holds if it is found in every way in which its place is there at all.

use keylint_source::Span;

/// Conditions that are decided independently.
const INDEPENDENT: usize = 4;
/// Bits by which further conditions are told apart; see [`Choices::decide`].
const BITS: usize = 6;

/// One way in which conditions turn out, and what is there in it.
#[derive(Debug, Default)]
pub(crate) struct Choices {
    decided: Vec<(String, bool)>,
    /// Further conditions, which `row` decides.
    further: Vec<String>,
    row: usize,
    presence: Presence,
}

/// Which bytes are there in one way.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Presence {
    /// What was looked into, where it matters that something was not: everything, if nothing is said.
    used: Vec<Span>,
    /// The branches that were taken.
    taken: Vec<Span>,
    /// The branches that were not.
    left_out: Vec<Span>,
}

impl Choices {
    /// How a condition turns out in this way. The same name is the same condition.
    ///
    /// Few conditions turn out in all ways together. Further ones are all true, all false, and then as the bits of
    /// their numbers are, and the reverse: any two of them turn out in all four ways.
    pub(crate) fn decide(&mut self, condition: &str) -> bool {
        if let Some((_, outcome)) = self.decided.iter().find(|(name, _)| name == condition) {
            return *outcome;
        }
        if self.decided.len() < INDEPENDENT {
            self.decided.push((condition.to_owned(), true));
            return true;
        }
        let number = self.further.iter().position(|name| name == condition).unwrap_or_else(|| {
            self.further.push(condition.to_owned());
            self.further.len() - 1
        });
        let is_reverse = self.row % 2 == 1;
        let bit = (self.row / 2).checked_sub(1).map_or(0, |bit| number >> bit & 1);
        (bit == 0) != is_reverse
    }

    /// Takes note of a branch that is there in this way.
    pub(crate) fn take(&mut self, place: Span) {
        note(&mut self.presence.taken, place);
    }

    /// Takes note of bytes that are not there in this way: the other branch.
    pub(crate) fn leave_out(&mut self, place: Span) {
        note(&mut self.presence.left_out, place);
    }

    /// Takes note of something that is referred to in this way, and may not be in others.
    pub(crate) fn look_into(&mut self, place: Span) {
        note(&mut self.presence.used, place);
    }

    /// Whether no condition was asked about: then this is the only way.
    pub(crate) fn are_none(&self) -> bool {
        self.decided.is_empty()
    }

    /// What is there in this way.
    pub(crate) fn presence(&mut self) -> Presence {
        std::mem::take(&mut self.presence)
    }

    /// Goes on to the next way; `false` after the last.
    fn advance(&mut self) -> bool {
        self.presence = Presence::default();
        while let Some((_, outcome)) = self.decided.last_mut() {
            if *outcome {
                *outcome = false;
                return true;
            }
            self.decided.pop();
        }
        self.row += 1;
        let bits = (0..BITS).take_while(|bit| self.further.len() > 1 << bit).count();
        !self.further.is_empty() && self.row < 2 + 2 * bits
    }
}

fn note(places: &mut Vec<Span>, place: Span) {
    if !places.contains(&place) {
        places.push(place);
    }
}

impl Presence {
    /// Everything but one branch.
    pub fn without(branch: Span) -> Self {
        Self { left_out: vec![branch], ..Self::default() }
    }

    /// Whether this is something that was referred to.
    pub fn looks_into(&self, place: Span) -> bool {
        self.used.contains(&place)
    }

    /// Whether a place is there: it was looked into, and the innermost branch that has it was taken.
    pub fn has(&self, place: Span) -> bool {
        let innermost = |branches: &[Span]| {
            branches.iter().filter(|branch| branch.contains(place)).map(|branch| branch.len()).min()
        };
        let is_used = self.used.is_empty() || self.used.iter().any(|used| used.contains(place));
        is_used
            && match (innermost(&self.taken), innermost(&self.left_out)) {
                (_, None) => true,
                (None, Some(_)) => false,
                (Some(taken), Some(left_out)) => taken <= left_out,
            }
    }
}

/// Calls `make` for each way in which the conditions that it asks about can turn out.
pub(crate) fn for_each_way(mut make: impl FnMut(&mut Choices)) {
    let mut choices = Choices::default();
    loop {
        make(&mut choices);
        if !choices.advance() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pretty_assertions::assert_eq;

    #[test]
    fn every_way_is_taken_once_and_a_condition_turns_out_the_same_everywhere() {
        let mut ways = Vec::new();
        for_each_way(|choices| {
            let first = choices.decide("a");
            let second = if first { choices.decide("b") } else { choices.decide("c") };
            assert_eq!(choices.decide("a"), first);
            ways.push((first, second));
        });
        assert_eq!(ways, [(true, true), (true, false), (false, true), (false, false)]);
    }

    #[test]
    fn without_conditions_there_is_one_way_and_with_many_there_are_not_too_many() {
        let count = |conditions: usize| {
            let mut ways = 0;
            for_each_way(|choices| {
                for index in 0..conditions {
                    choices.decide(&index.to_string());
                }
                ways += 1;
            });
            ways
        };
        assert_eq!([count(0), count(1), count(4), count(5), count(40)], [1, 2, 16, 32, 224]);
    }

    #[test]
    fn any_two_of_many_conditions_turn_out_in_all_four_ways() {
        for (left, right) in [("3", "4"), ("4", "5"), ("5", "19"), ("0", "12")] {
            let mut outcomes = std::collections::BTreeSet::new();
            for_each_way(|choices| {
                for index in 0..20 {
                    choices.decide(&index.to_string());
                }
                outcomes.insert((choices.decide(left), choices.decide(right)));
            });
            assert_eq!(outcomes.len(), 4, "{left} {right}");
        }
    }

    #[test]
    fn a_place_is_there_if_its_innermost_branch_was_taken() {
        let span = Span::new;
        let presence = Presence {
            used: vec![span(0, 100), span(200, 300)],
            // A loop took one branch in one round and the other in the next.
            taken: vec![span(10, 20), span(20, 30)],
            left_out: vec![span(20, 30), span(10, 20), span(12, 14), span(40, 50)],
        };
        for (place, expected) in [
            (span(5, 6), true),
            (span(11, 12), true),
            (span(12, 13), false),
            (span(40, 41), false),
            (span(150, 151), false),
            (span(200, 201), true),
        ] {
            assert_eq!(presence.has(place), expected, "{place:?}");
        }
        assert!(Presence::default().has(span(1, 2)));
    }
}
