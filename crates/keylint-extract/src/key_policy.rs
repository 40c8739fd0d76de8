//! Key policies as JSON documents, told from the other policies that look like them.

use keylint_policy::vocabulary::Operations;
use keylint_source::did_you_mean;
use keylint_syntax::{Arena, Kind, Node, Tree};
use memchr::memmem;

/// Whether a text means to be a policy, so that it matters if it cannot be parsed. A settings file with comments in
/// it that happens to name KMS is none of our business.
pub(crate) fn looks_like_policy(text: &str) -> bool {
    ["Statement", "Principal", "\"Effect\""].iter().any(|word| text.contains(word))
}

/// Makes the values that CloudFormation fills in (`{"Ref": …}`, `{"Fn::Sub": …}`) values that are not known. A key
/// policy that is to be included in a template has them.
pub(crate) fn forget_intrinsics(text: &str, arena: &mut Arena) {
    let names_one = |name: &str| memmem::find(text.as_bytes(), name.as_bytes()).is_some();
    if !names_one("\"Ref\"") && !names_one("\"Fn::") {
        return;
    }
    let mut intrinsics = Vec::new();
    let mut open: Vec<Node<'_>> = Tree::new(text, arena).roots().collect();
    while let Some(node) = open.pop() {
        let mut members = node.members();
        let first = members.next().and_then(|member| member.key.as_str());
        let is_intrinsic = first.is_some_and(|key| key == "Ref" || key.starts_with("Fn::"));
        if is_intrinsic && members.next().is_none() {
            intrinsics.push(node.id());
        } else {
            open.extend(node.items().chain(node.members().map(|member| member.value)));
        }
    }
    for id in intrinsics {
        arena.forget(id);
    }
}

/// Whether what follows the document is the policy's name, which `aws kms get-key-policy --output text` prints.
pub(crate) fn is_output_tail(rest: &str) -> bool {
    rest.trim_end() == "default"
}

/// Whether an object is a key policy, and no policy of another kind.
///
/// Identity policies and service control policies have no principals; the policies of other resources and trust
/// policies have no actions of KMS; resource control policies and VPC endpoint policies that deny things to everyone
/// allow nothing.
pub(crate) fn is_key_policy(root: Node<'_>) -> bool {
    let Some(statements) = element(root, "Statement") else { return false };
    let statements: Vec<Node<'_>> = match statements.kind() {
        Kind::Array => statements.items().collect(),
        _ => vec![statements],
    };
    let has_principal =
        |s: &Node<'_>| element(*s, "Principal").or_else(|| element(*s, "NotPrincipal")).is_some();
    // Only key policies are named so, or have names with spaces for their statements.
    let has_sign = || {
        root.get("Id").and_then(Node::as_str).is_some_and(|id| id.starts_with("key-"))
            || statements
                .iter()
                .any(|s| s.get("Sid").and_then(Node::as_str).is_some_and(|sid| sid.contains(' ')))
    };
    let denies = |statement: &Node<'_>| statement.get("Effect").and_then(Node::as_str) == Some("Deny");
    // AWS manages the keys of its own services, and their policies.
    let of_aws = root.get("Id").and_then(Node::as_str).is_some_and(|id| id.starts_with("auto-"));
    let everything = |s: &Node<'_>| s.get("Action").is_some_and(|action| action.as_str() == Some("*"));
    let of_kms = statements.iter().any(|statement| is_about_keys(*statement))
        || (has_sign() && !statements.is_empty() && statements.iter().all(everything));
    let only_denies = !statements.is_empty() && statements.iter().all(denies);
    of_kms
        && !of_aws
        && (statements.iter().any(has_principal) || has_sign())
        && !(only_denies && for_everyone(&statements))
}

/// Whether an object is an IAM policy that speaks of KMS: it names no principals, because it is attached to one.
///
/// A service control policy and a permissions boundary look the same; nothing in them tells.
pub(crate) fn is_identity_policy(root: Node<'_>) -> bool {
    let names_kms = |statement: Node<'_>| {
        let actions = statement.get("Action").or_else(|| statement.get("NotAction"));
        let is_of_kms = |action: Node<'_>| {
            action.as_str().and_then(|text| text.get(..4)).is_some_and(|it| it.eq_ignore_ascii_case("kms:"))
        };
        actions.is_some_and(|actions| is_of_kms(actions) || actions.items().any(is_of_kms))
    };
    names_no_principals(root) && statements(root).any(names_kms)
}

/// Whether an object is a policy that is attached to whom it is about.
pub(crate) fn names_no_principals(root: Node<'_>) -> bool {
    let names_principals =
        |statement: Node<'_>| statement.get("Principal").or_else(|| statement.get("NotPrincipal")).is_some();
    root.get("Statement").is_some() && !statements(root).any(names_principals)
}

/// Whether the name of an IAM policy says that it is a permissions boundary, which limits and allows nothing.
pub(crate) fn names_boundary(name: &str) -> bool {
    name.to_ascii_lowercase().contains("boundary")
}

fn statements(root: Node<'_>) -> impl Iterator<Item = Node<'_>> {
    let statements = root.get("Statement");
    let alone = statements.filter(|node| node.kind() == Kind::Object);
    alone.into_iter().chain(statements.into_iter().flat_map(Node::items))
}

fn for_everyone(statements: &[Node<'_>]) -> bool {
    let everyone = |principal: Node<'_>| {
        let aws = principal.get("AWS").unwrap_or(principal);
        aws.as_str() == Some("*") || aws.items().any(|item| item.as_str() == Some("*"))
    };
    statements.iter().all(|statement| statement.get("Principal").is_some_and(everyone))
}

/// Whether the actions of a statement are operations of KMS, or mean to be: most of them, because a policy of
/// another kind may have one among many.
fn is_about_keys(statement: Node<'_>) -> bool {
    let (mut of_kms, mut others) = (0, 0);
    if let Some(value) = element(statement, "Action").or_else(|| element(statement, "NotAction")) {
        let alone = (value.kind() == Kind::String).then_some(value);
        for action in alone.into_iter().chain(value.items()).filter_map(Node::as_str) {
            let prefix = action.split_once(':').map(|(prefix, _)| prefix);
            let kms = match prefix {
                Some(prefix) => prefix.eq_ignore_ascii_case("kms") || near_kms(prefix, action),
                None => action != "*" && !Operations::matching(action).is_empty(),
            };
            if action == "*" {
                // It says nothing of what the policy is about.
            } else if kms {
                of_kms += 1;
            } else {
                others += 1;
            }
        }
    }
    of_kms > 0 && of_kms >= others
}

/// A misspelt `kms:` before an operation that KMS has.
fn near_kms(prefix: &str, action: &str) -> bool {
    let name = action.get(prefix.len()..).unwrap_or_default();
    !keylint_policy::vocabulary::is_service_prefix(prefix)
        && !Operations::matching(&format!("kms{name}")).is_empty()
}

/// The element of this name, or the one that means to be it.
fn element<'t>(node: Node<'t>, name: &str) -> Option<Node<'t>> {
    let near = |key: Node<'_>| key.as_str().is_some_and(|key| did_you_mean(key, [name]).is_some());
    node.get(name).or_else(|| node.members().find(|member| near(member.key)).map(|member| member.value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use keylint_syntax::json;
    use pretty_assertions::assert_eq;

    fn is_found(text: &str) -> bool {
        let mut arena = Arena::default();
        json::parse(text, &mut arena, &mut Vec::new());
        Tree::new(text, &arena).root().is_some_and(is_key_policy)
    }

    fn policy(statement: &str) -> String {
        format!(r#"{{"Version": "2012-10-17", "Statement": [{{{statement}}}]}}"#)
    }

    #[test]
    fn key_policies_are_found_also_when_something_is_wrong_with_them() {
        for statement in [
            r#""Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Action": "kms:*", "Resource": "*""#,
            r#""Effect": "Allow", "Principals": {"AWS": "111122223333"}, "Action": "kms:*""#,
            r#""Effect": "Allow", "Principal": "*", "Actions": ["KMS:Decrypt"]"#,
            r#""Effect": "Allow", "Principal": "*", "Action": "kns:Decrypt""#,
            r#""Sid": "two words", "Effect": "Allow", "Action": "kms:*""#,
            r#""Effect": "Allow", "NotPrincipal": {"AWS": "111122223333"}, "Action": ["kms:*", "s3:GetObject"]"#,
        ] {
            assert!(is_found(&policy(statement)), "{statement}");
            assert!(
                is_found(&policy(statement).replace(['[', ']'], "")) || statement.contains('['),
                "{statement}"
            );
        }
    }

    #[test]
    fn policies_of_other_kinds_are_left_alone() {
        for statement in [
            // An identity policy, a trust policy, a bucket policy, a resource control policy.
            r#""Effect": "Allow", "Action": "kms:Decrypt", "Resource": "*""#,
            r#""Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole""#,
            r#""Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::kms/*""#,
            r#""Effect": "Deny", "Principal": "*", "Action": ["kms:*"], "Resource": "*""#,
            r#""Effect": "Deny", "Principal": {"AWS": "*"}, "Action": ["s3:*", "sqs:*", "kms:*"], "Resource": "*""#,
        ] {
            assert!(!is_found(&policy(statement)), "{statement}");
        }
        assert!(is_found(
            r#"{"Statements": "", "Statement": {"Effect": "Allow", "Principal": "*", "Action": "kms:*"}}"#
        ));
        assert!(!is_found("[]"));
        assert!(!is_found(r#"{"kms": true}"#));
    }

    #[test]
    fn values_that_a_template_fills_in_are_not_known() {
        let text = r#"{"a": {"Ref": "x"}, "b": [{"Fn::Sub": "y"}], "c": {"Ref": "x", "d": 1}}"#;
        let mut arena = Arena::default();
        json::parse(text, &mut arena, &mut Vec::new());
        forget_intrinsics(text, &mut arena);
        let root = Tree::new(text, &arena).root().unwrap();
        assert_eq!(root.get("a").map(Node::kind), Some(Kind::Unknown));
        assert_eq!(root.get("b").and_then(|b| b.items().next()).map(Node::kind), Some(Kind::Unknown));
        assert_eq!(root.get("c").and_then(|c| c.get("d")).and_then(Node::as_str), Some("1"));
    }
}
