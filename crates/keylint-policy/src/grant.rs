//! Grants: permission for one principal to use a key, given by a call and kept beside the key policy.
//!
//! A grant is read from the request that creates it, or from the entry of a list of grants, which has the same names.
//!
//! <https://docs.aws.amazon.com/kms/latest/developerguide/grants.html>
//! <https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateGrant.html>

use keylint_source::Span;
use keylint_syntax::{Kind, Member, Node};

use crate::model::Text;
use crate::pattern::has_hole;
use crate::vocabulary::{Operation, Operations, suggest_action};

/// A grant.
#[derive(Clone, Debug)]
pub struct Grant<'t> {
    /// All of it.
    pub span: Span,
    /// The best place for what is said of the grant as a whole.
    pub heading: Span,
    /// The key, as the request names it: `KeyId`.
    pub key: Given<'t>,
    /// The Region in which the request is made, where the call says so.
    pub region: Given<'t>,
    /// The provider in whose name a resource of Terraform makes the request, where the resource says so: another
    /// account, or another Region.
    pub provider: Given<'t>,
    /// Who created a grant that exists: `IssuingAccount`.
    pub issuer: Given<'t>,
    /// Who is given the permission: `GranteePrincipal`.
    pub grantee: Given<'t>,
    /// The AWS service that is given the permission instead: `GranteeServicePrincipal`.
    pub grantee_service: Given<'t>,
    /// Who may retire the grant: `RetiringPrincipal`.
    pub retiring: Given<'t>,
    /// The AWS service that may retire it: `RetiringServicePrincipal`.
    pub retiring_service: Given<'t>,
    /// The name that keeps a repeated request from making a second grant.
    pub name: Given<'t>,
    /// What is permitted.
    pub operations: GrantOperations<'t>,
    /// What a request must have for the grant to apply.
    pub constraints: Constraints<'t>,
    /// Whether it is the entry of a list: a grant that exists.
    pub exists: bool,
    /// Whether it names the key that it is looked at with by a reference to that key's resource.
    pub refers_to_key: bool,
    /// Whether it is created whenever what it is written in takes effect. A command may stand in a branch, or in
    /// documentation that shows several to choose from.
    pub always: bool,
}

/// A member of a request.
#[derive(Clone, Copy, Debug)]
pub enum Given<'t> {
    /// It is not there.
    Absent,
    /// A text. It may have holes.
    Is(Text<'t>),
    /// It is there, and its value is not known.
    Unknown,
}

/// The operations that a grant permits.
#[derive(Clone, Debug)]
pub struct GrantOperations<'t> {
    /// The list; of a request without one, the heading.
    pub span: Span,
    /// What it lists.
    pub items: Vec<GrantOperation<'t>>,
    /// Whether it may list more: something in it is not known.
    pub open: bool,
}

/// An operation that a grant permits, as it is written.
#[derive(Clone, Copy, Debug)]
pub struct GrantOperation<'t> {
    /// The text.
    pub text: Text<'t>,
    /// The operation of exactly this name: a grant knows no other letter case, no prefix and no wildcard.
    pub operation: Option<Operation>,
    /// The operations that are meant: that one, or those that a misspelt one stands for.
    pub meant: Operations,
}

/// The constraints of a grant.
#[derive(Clone, Debug, Default)]
pub struct Constraints<'t> {
    /// Those that are known: the kind (`EncryptionContextEquals`, `EncryptionContextSubset`, `SourceArn`) and its value.
    pub items: Vec<(Text<'t>, Node<'t>)>,
    /// Whether there may be more.
    pub open: bool,
}

impl<'t> Given<'t> {
    fn of(node: Option<Node<'t>>) -> Self {
        match node {
            None => Self::Absent,
            Some(node) if node.kind() == Kind::Null => Self::Absent,
            Some(node) if node.as_string() == Some("") => Self::Absent,
            Some(node) if node.kind() == Kind::String => Self::Is(Text::new(node)),
            Some(_) => Self::Unknown,
        }
    }

    /// The text, as far as it is one.
    pub fn text(self) -> Option<Text<'t>> {
        if let Self::Is(text) = self { Some(text) } else { None }
    }

    /// The text, if it is known to the last character.
    pub fn known(self) -> Option<Text<'t>> {
        self.text().filter(|text| !has_hole(text.as_str()))
    }

    /// Whether the request certainly does not have it.
    pub fn is_absent(self) -> bool {
        matches!(self, Self::Absent)
    }
}

impl GrantOperations<'_> {
    /// Whether there is certainly no operation in it.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty() && !self.open
    }
}

impl<'t> Grant<'t> {
    /// Reads an object that is the request for a grant, or the entry of a list of grants. `heading` is the best place for
    /// the whole; without one it is the first character.
    ///
    /// What cannot be read is not known, so that no question about it is answered with a certainty that is not there.
    pub fn of(request: Node<'t>, heading: Option<Span>) -> Self {
        let given = |name: &str| Given::of(request.get(name));
        let heading = heading.unwrap_or_else(|| request.first_character());
        Self {
            span: request.span(),
            heading,
            key: given("KeyId"),
            region: given("Region"),
            provider: given("Provider"),
            issuer: given("IssuingAccount"),
            grantee: given("GranteePrincipal"),
            grantee_service: given("GranteeServicePrincipal"),
            retiring: given("RetiringPrincipal"),
            retiring_service: given("RetiringServicePrincipal"),
            name: given("Name"),
            operations: operations(request.get("Operations"), heading),
            constraints: constraints(request.get("Constraints")),
            exists: request.get("GrantId").is_some(),
            refers_to_key: false,
            always: true,
        }
    }

    /// The operations that the grant permits, or means to.
    pub fn meant(&self) -> Operations {
        self.operations.items.iter().fold(Operations::EMPTY, |all, item| all.union(item.meant))
    }
}

fn operations(node: Option<Node<'_>>, heading: Span) -> GrantOperations<'_> {
    let Some(node) = node else {
        return GrantOperations { span: heading, items: Vec::new(), open: false };
    };
    let alone = (node.kind() == Kind::String).then_some(node);
    let all = || alone.into_iter().chain(node.items());
    let is_known = |item: &Node<'_>| item.as_string().is_some_and(|text| !has_hole(text));
    let items = all().filter(is_known).map(|item| operation(Text::new(item))).collect();
    let is_list = matches!(node.kind(), Kind::Array | Kind::String);
    GrantOperations { span: node.span(), items, open: !is_list || !all().all(|item| is_known(&item)) }
}

fn operation(text: Text<'_>) -> GrantOperation<'_> {
    let written = text.as_str();
    let named = Operation::from_name(written);
    let exact = named.filter(|operation| operation.name() == written);
    let meant = match exact.or(named) {
        Some(operation) => Operations::only(operation),
        None => meant(written),
    };
    GrantOperation { text, operation: exact, meant }
}

/// The operations that a text stands for that is the name of none: a pattern, the API's name of two, several names in
/// one text, a misspelt name.
fn meant(written: &str) -> Operations {
    let bare = written.rsplit(':').next().unwrap_or(written);
    let parts = || written.split(|character: char| character == ',' || character.is_whitespace());
    if parts().nth(1).is_some() {
        let names = parts().filter(|part| !part.is_empty());
        return names.fold(Operations::EMPTY, |all, name| match Operation::from_name(name) {
            Some(operation) => all.union(Operations::only(operation)),
            None => all.union(meant(name)),
        });
    }
    let pattern = if bare.eq_ignore_ascii_case("ReEncrypt") { "ReEncrypt*" } else { bare };
    let matched = Operations::matching(&format!("kms:{pattern}")).intersection(Operations::IN_GRANTS);
    if !matched.is_empty() {
        return matched;
    }
    let suggested = suggest_action(&format!("kms:{bare}"));
    let named = suggested.as_deref().map(Operations::matching).unwrap_or_default();
    named.intersection(Operations::IN_GRANTS)
}

fn constraints(node: Option<Node<'_>>) -> Constraints<'_> {
    let Some(node) = node.filter(|node| node.kind() != Kind::Null) else { return Constraints::default() };
    let is_there = |member: &Member<'_>| match member.value.kind() {
        Kind::Null => false,
        Kind::Object => member.value.members().next().is_some(),
        Kind::String => member.value.as_str() != Some(""),
        _ => true,
    };
    let items = node.members().filter(is_there).map(|member| (Text::new(member.key), member.value));
    Constraints { items: items.collect(), open: node.kind() != Kind::Object }
}

#[cfg(test)]
mod tests {
    use super::*;
    use keylint_syntax::{Arena, Tree, json};
    use pretty_assertions::assert_eq;

    fn with_grant<T>(text: &str, look: impl FnOnce(Grant<'_>) -> T) -> T {
        let mut arena = Arena::default();
        json::parse(text, &mut arena, &mut Vec::new());
        look(Grant::of(Tree::new(text, &arena).root().unwrap(), None))
    }

    /// For each text: the operation of that name, and what is meant.
    fn read(written: &str) -> (Option<&'static str>, Vec<&'static str>) {
        with_grant(&format!(r#"{{"Operations": ["{written}"]}}"#), |grant| {
            let item = grant.operations.items[0];
            (item.operation.map(Operation::name), item.meant.iter().map(Operation::name).collect())
        })
    }

    #[test]
    fn operations_are_named_exactly_and_else_something_is_meant() {
        assert_eq!(read("Decrypt"), (Some("Decrypt"), vec!["Decrypt"]));
        assert_eq!(read("RevokeGrant"), (Some("RevokeGrant"), vec!["RevokeGrant"]));
        for misspelt in ["decrypt", "kms:Decrypt", "Decript", "DECRYPT"] {
            assert_eq!(read(misspelt), (None, vec!["Decrypt"]), "{misspelt}");
        }
        for both in ["ReEncrypt*", "kms:ReEncrypt*", "ReEncrypt", "ReEncryptFrom,ReEncryptTo"] {
            assert_eq!(read(both), (None, vec!["ReEncryptFrom", "ReEncryptTo"]), "{both}");
        }
        assert_eq!(read("Launch"), (None, vec![]));
    }

    #[test]
    fn what_is_not_known_is_open() {
        with_grant(
            r#"{"KeyId": "${KEY}", "GranteePrincipal": 7, "Name": "", "Operations": ["Decrypt", "${OPERATION}"]}"#,
            |grant| {
                assert!(grant.key.text().is_some() && grant.key.known().is_none());
                assert!(matches!(grant.grantee, Given::Unknown));
                assert!(grant.name.is_absent() && grant.region.is_absent());
                assert_eq!((grant.operations.items.len(), grant.operations.open), (1, true));
            },
        );
        with_grant(r#"{"Operations": "Decrypt"}"#, |grant| {
            assert_eq!((grant.operations.items.len(), grant.operations.open), (1, false));
        });
    }

    #[test]
    fn constraints_that_say_nothing_are_none() {
        let text = r#"{"GrantId": "x", "Constraints": {"EncryptionContextSubset": {}, "EncryptionContextEquals": {"a": "b"}, "SourceArn": null}}"#;
        with_grant(text, |grant| {
            let kinds: Vec<&str> = grant.constraints.items.iter().map(|(kind, _)| kind.as_str()).collect();
            assert_eq!(kinds, ["EncryptionContextEquals"]);
            assert!(grant.exists && !grant.constraints.open);
        });
    }
}
