//! YAML into the tree.
use keylint_source::Problem;
use crate::Arena;
/// Parses.
pub fn parse(source: &str, arena: &mut Arena, problems: &mut Vec<Problem>) { let _ = (source, arena, problems); }
