//! The tables that `build.rs` writes, and the shape of their rows. Each is sorted by name in lower case.

use super::condition_key::{KeyId, KeyOrigin, ValueType};
use super::fingerprint::{fingerprint, slot};
use super::operation::{KeyType, Operation, Operations};

pub(super) struct OperationFacts {
    pub(super) name: &'static str,
    pub(super) qualified: &'static str,
    pub(super) key_types: &'static [KeyType],
}

pub(super) struct KeyFacts {
    pub(super) name: &'static str,
    pub(super) value_type: ValueType,
    pub(super) multi_valued: bool,
    pub(super) origin: KeyOrigin,
    pub(super) operations: Operations,
}

/// Finds the place of a name in a table, in any letter case, with one look.
pub(super) struct Lookup<const SLOTS: usize> {
    multiplier: u64,
    /// For each slot, the place of the one name that belongs there, or a place behind the table's end.
    slots: [u8; SLOTS],
}

impl<const SLOTS: usize> Lookup<SLOTS> {
    /// The only place at which the name can be.
    pub(super) fn place(&self, name: &str) -> Option<u8> {
        self.slots.get(slot(fingerprint(name), self.multiplier, SLOTS)).copied()
    }
}

include!(concat!(env!("OUT_DIR"), "/vocabulary.rs"));

// An operation is a bit of a mask; one bit is spare, so that the mask of all can be shifted past its end.
const _: () = assert!(OPERATION_COUNT < 64);
// A condition key is numbered by a byte, and one number is spare for "none".
const _: () = assert!(CONDITION_KEY_COUNT < 256);
