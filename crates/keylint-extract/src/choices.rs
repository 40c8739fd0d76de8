//! Conditions that are decided at deployment: `Fn::If`, `cond ? a : b`, a `dynamic` block that may be empty.
//!
//! A policy with such conditions is several policies, one for each way in which they can turn out. Each is made and
//! checked on its own: under one way everything is known that the conditions decide, also where one condition is
//! asked in several places. What is found holds if it is found in every way in which its place is there at all.

use keylint_source::Span;

/// Conditions that are decided independently. Further ones all turn out as the last of these: 16 ways are enough.
const INDEPENDENT: usize = 4;

/// One way in which conditions turn out, and what it leaves out.
#[derive(Debug, Default)]
pub(crate) struct Choices {
    decided: Vec<(String, bool)>,
    left_out: Vec<Span>,
}

impl Choices {
    /// How a condition turns out in this way. The same name is the same condition.
    pub(crate) fn decide(&mut self, condition: &str) -> bool {
        if let Some((_, outcome)) = self.decided.iter().find(|(name, _)| name == condition) {
            return *outcome;
        }
        match self.decided.get(INDEPENDENT - 1) {
            Some((_, outcome)) => *outcome,
            None => {
                self.decided.push((condition.to_owned(), true));
                true
            }
        }
    }

    /// Takes note of bytes that are not there in this way: the other branch.
    pub(crate) fn leave_out(&mut self, place: Span) {
        self.left_out.push(place);
    }

    /// Whether no condition was asked about: then this is the only way.
    pub(crate) fn are_none(&self) -> bool {
        self.decided.is_empty()
    }

    /// What is not there in this way.
    pub(crate) fn left_out(&mut self) -> Vec<Span> {
        std::mem::take(&mut self.left_out)
    }

    /// Goes on to the next way; `false` after the last.
    fn advance(&mut self) -> bool {
        self.left_out.clear();
        while let Some((_, outcome)) = self.decided.last_mut() {
            if *outcome {
                *outcome = false;
                return true;
            }
            self.decided.pop();
        }
        false
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
    fn without_conditions_there_is_one_way_and_with_many_there_are_few() {
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
        assert_eq!([count(0), count(1), count(4), count(40)], [1, 2, 16, 16]);
    }
}
