use std::ops::Not;

/// Yes, no, or maybe.
///
/// What a file leaves open is [`Answer::Maybe`]. It is carried through [`Answer::and`], [`Answer::or`] and `!`, and
/// never turns into a no in silence. The order is no < maybe < yes, so that *and* is the lesser and *or* the greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Answer {
    /// Certainly not.
    No,
    /// It depends on something that is not known.
    Maybe,
    /// Certainly.
    Yes,
}

impl Answer {
    /// Both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        self.min(other)
    }

    /// At least one.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        self.max(other)
    }

    /// What both say, where they agree; maybe where they do not.
    #[must_use]
    pub fn agreed(self, other: Self) -> Self {
        if self == other { self } else { Self::Maybe }
    }

    /// At least one of many; no for none.
    pub fn any(answers: impl IntoIterator<Item = Self>) -> Self {
        let mut result = Self::No;
        for answer in answers {
            result = result.or(answer);
            if result == Self::Yes {
                break;
            }
        }
        result
    }

    /// All of many; yes for none.
    pub fn all(answers: impl IntoIterator<Item = Self>) -> Self {
        !Self::any(answers.into_iter().map(Not::not))
    }
}

impl Not for Answer {
    type Output = Self;

    fn not(self) -> Self {
        match self {
            Self::No => Self::Yes,
            Self::Maybe => Self::Maybe,
            Self::Yes => Self::No,
        }
    }
}

impl From<bool> for Answer {
    fn from(value: bool) -> Self {
        if value { Self::Yes } else { Self::No }
    }
}

#[cfg(test)]
mod tests {
    use super::Answer::{self, Maybe, No, Yes};
    use pretty_assertions::assert_eq;

    #[test]
    fn maybe_is_never_lost() {
        assert_eq!(!Maybe, Maybe);
        assert_eq!(Yes.and(Maybe), Maybe);
        assert_eq!(No.and(Maybe), No);
        assert_eq!(Yes.or(Maybe), Yes);
        assert_eq!(No.or(Maybe), Maybe);
        assert_eq!(Answer::any([No, Maybe, No]), Maybe);
        assert_eq!(Answer::all([Yes, Maybe]), Maybe);
        assert_eq!(Answer::all([Maybe, No]), No);
        assert_eq!(Answer::any([]), No);
        assert_eq!(Answer::all([]), Yes);
    }
}
