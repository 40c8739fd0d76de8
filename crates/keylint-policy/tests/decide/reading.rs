use std::ops::Not;

/// What the documentation says: no, yes, or nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Reading {
    No,
    Open,
    Yes,
}

impl Reading {
    pub(super) fn and(self, other: Self) -> Self {
        self.min(other)
    }

    pub(super) fn or(self, other: Self) -> Self {
        self.max(other)
    }

    pub(super) fn any(readings: impl Iterator<Item = Self>) -> Self {
        readings.fold(Self::No, Self::or)
    }

    pub(super) fn all(readings: impl Iterator<Item = Self>) -> Self {
        readings.fold(Self::Yes, Self::and)
    }
}

impl Not for Reading {
    type Output = Self;

    fn not(self) -> Self {
        match self {
            Self::No => Self::Yes,
            Self::Open => Self::Open,
            Self::Yes => Self::No,
        }
    }
}

impl From<bool> for Reading {
    fn from(value: bool) -> Self {
        if value { Self::Yes } else { Self::No }
    }
}
