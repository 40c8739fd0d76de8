//! Grants in JSON: the request that creates one, and the list of those that exist.
//!
//! <https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateGrant.html>
//! <https://docs.aws.amazon.com/kms/latest/APIReference/API_ListGrants.html>

use keylint_syntax::{Kind, Node};

use crate::value::Value;
use crate::within::Within;
use crate::{DocumentKind, Presence, Resolved, Resource, Way};

/// Whether an object is the request for a grant: what `aws kms create-grant --cli-input-json` takes. The skeleton that
/// the CLI prints, in which every value is empty, is none.
pub(crate) fn is_request(root: Node<'_>) -> bool {
    let is_filled = |name: &str| {
        root.get(name).is_some_and(|value| value.kind() != Kind::String || value.as_str() != Some(""))
    };
    let grantee = ["GranteePrincipal", "GranteeServicePrincipal"].iter().any(|name| is_filled(name));
    is_filled("KeyId") && grantee && root.get("Operations").is_some()
}

/// The grants that `aws kms list-grants` or `list-retirable-grants` prints.
pub(crate) fn listed(root: Node<'_>) -> Vec<Resolved> {
    let grants = root.get("Grants").into_iter().flat_map(Node::items);
    let of = |grant: Node<'_>| {
        let id = grant.get("GrantId")?;
        grant.get("Operations")?;
        Some(Resolved {
            kind: DocumentKind::Grant,
            resource: Resource { name: id.as_str().unwrap_or_default().to_owned(), at: id.content_span() },
            ways: vec![Way { value: Value::of(grant, Within::File(0)), presence: Presence::default() }],
            is_certain: true,
            ..Resolved::default()
        })
    };
    grants.filter_map(of).collect()
}
