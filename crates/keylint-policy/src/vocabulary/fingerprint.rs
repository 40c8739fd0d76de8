//! The number by which a name is looked up in a table. `build.rs` has this file too, to lay out the tables.

/// A number that is the same in any letter case. It looks at the length and at a few characters, by which the names of
/// the tables differ; whether the name that is found is the one that was looked for is seen by comparing the two.
pub(super) fn fingerprint(name: &str) -> u64 {
    let bytes = name.as_bytes();
    let length = bytes.len();
    let places =
        [0, length / 3, length / 2, length.wrapping_sub(3), length.wrapping_sub(2), length.wrapping_sub(1)];
    places.into_iter().fold(length as u64, |number, place| {
        number << 8 | u64::from(bytes.get(place).copied().unwrap_or_default() | 0x20)
    })
}

/// Where a number belongs in a table whose places are a power of two.
pub(super) fn slot(fingerprint: u64, multiplier: u64, slots: usize) -> usize {
    let bits = slots.trailing_zeros().max(1);
    usize::try_from(fingerprint.wrapping_mul(multiplier) >> (u64::BITS - bits)).unwrap_or_default()
}
