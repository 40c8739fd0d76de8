use crate::Resolved;
use keylint_syntax::{Node, Tree};
pub(crate) fn has_sign(_: &str) -> bool {
    false
}
pub(crate) fn is_template(_: Node<'_>) -> bool {
    false
}
pub(crate) fn key_policies(_: Tree<'_>, _: Option<&str>) -> Vec<Resolved> {
    Vec::new()
}
