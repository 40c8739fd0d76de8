//! Documents of JSON and YAML that hold others: what the AWS CLI prints and takes, and objects of Kubernetes and Pulumi.

use keylint_source::{Problem, Span};
use keylint_syntax::{Kind, Node};

use crate::nested::json_in;
use crate::value::{Value, ValueKind};
use crate::within::Within;
use crate::{DocumentKind, KeyFacts, Presence, Resolved, Resource, Way};
use crate::{grant, plan};

/// What is in a document, if it is one of these. `aws iam get-policy-version` and `get-role-policy` print an IAM policy
/// with some of its names.
pub(crate) fn documents(root: Node<'_>) -> Vec<Resolved> {
    if root.get("format_version").is_some() {
        return plan::documents(root);
    }
    let text = |name: &str| root.get(name).and_then(Node::as_string);
    if let Some((group, _)) = text("apiVersion").and_then(|version| version.split_once(".services.k8s.aws/"))
    {
        return of_kubernetes(root, group).into_iter().collect();
    }
    if let Some(resources) = root.get("resources") {
        return of_pulumi(resources);
    }
    if root.get("Grants").is_some() {
        return grant::listed(root);
    }
    let written = root.get("PolicyVersion").and_then(|version| version.get("Document"));
    if let Some(policy) = written.or_else(|| root.get("PolicyDocument")) {
        return identity_policy(String::new(), policy.span(), policy).into_iter().collect();
    }
    of_cli(root).into_iter().collect()
}

/// `aws kms get-key-policy`, and what `put-key-policy` and `create-key` take with `--cli-input-json`.
///
/// <https://docs.aws.amazon.com/cli/latest/reference/kms/get-key-policy.html>
fn of_cli(root: Node<'_>) -> Option<Resolved> {
    let policy = root.get("Policy")?;
    let signs = ["PolicyName", "KeyId", "KeySpec", "KeyUsage", "CustomerMasterKeySpec", "MultiRegion"];
    let is_certain = signs.iter().any(|name| root.get(name).is_some());
    let facts = KeyFacts {
        spec: known(root, "KeySpec").or_else(|| known(root, "CustomerMasterKeySpec")),
        usage: known(root, "KeyUsage"),
        origin: known(root, "Origin"),
        multi_region: root.get("MultiRegion").and_then(Node::as_bool),
        bypasses_lockout_check: root.get("BypassPolicyLockoutSafetyCheck").and_then(Node::as_bool),
        ..KeyFacts::default()
    };
    resolved(String::new(), root.span(), policy, facts, is_certain, None)
}

/// A `Key`, a `Grant` or a `Policy` of the AWS controllers for Kubernetes.
///
/// <https://aws-controllers-k8s.github.io/community/reference/kms/v1alpha1/key/>
/// <https://aws-controllers-k8s.github.io/community/reference/kms/v1alpha1/grant/>
/// <https://aws-controllers-k8s.github.io/community/reference/iam/v1alpha1/policy/>
fn of_kubernetes(root: Node<'_>, group: &str) -> Option<Resolved> {
    let spec = root.get("spec")?;
    let name = root.get("metadata").and_then(|metadata| metadata.get("name"));
    let text = name.and_then(Node::as_str).unwrap_or_default().to_owned();
    let at = name.unwrap_or(root).content_span();
    match (group, root.get("kind").and_then(Node::as_str)?) {
        ("kms", "Key") => {
            let facts = KeyFacts {
                spec: known(spec, "keySpec").or_else(|| Some("SYMMETRIC_DEFAULT".to_owned())),
                usage: known(spec, "keyUsage").or_else(|| Some("ENCRYPT_DECRYPT".to_owned())),
                origin: known(spec, "origin"),
                multi_region: spec.get("multiRegion").and_then(Node::as_bool),
                rotation: spec.get("enableKeyRotation").and_then(Node::as_bool),
                bypasses_lockout_check: spec.get("bypassPolicyLockoutSafetyCheck").and_then(Node::as_bool),
                ..KeyFacts::default()
            };
            resolved(text, at, spec.get("policy")?, facts, true, None)
        }
        ("kms", "Grant") => Some(grant::declared(Resource { name: text, at }, spec, None)),
        ("iam", "Policy") => identity_policy(text, at, spec.get("policyDocument")?),
        _ => None,
    }
}

/// Keys and grants of a Pulumi program in YAML; `${…}` in its texts is a reference, as in a template.
///
/// <https://www.pulumi.com/registry/packages/aws/api-docs/kms/key/>
/// <https://www.pulumi.com/registry/packages/aws/api-docs/kms/grant/>
fn of_pulumi(resources: Node<'_>) -> Vec<Resolved> {
    let of = |member: keylint_syntax::Member<'_>| {
        let kind = member.value.get("type").and_then(Node::as_str)?;
        let is_key = matches!(kind, "aws:kms:Key" | "aws:kms/key:Key");
        let name = member.key.as_str().unwrap_or_default().to_owned();
        let at = member.key.content_span();
        if matches!(kind, "aws:kms:Grant" | "aws:kms/grant:Grant") {
            let properties = member.value.get("properties")?;
            return Some(grant::declared(Resource { name, at }, properties, None));
        }
        if !is_key && !matches!(kind, "aws:kms:KeyPolicy" | "aws:kms/keyPolicy:KeyPolicy") {
            return None;
        }
        let properties = member.value.get("properties")?;
        let or_default = |name: &str, default: &str| match properties.get(name) {
            Some(_) => known(properties, name),
            None => Some(default.to_owned()),
        };
        let facts = KeyFacts {
            spec: or_default("customerMasterKeySpec", "SYMMETRIC_DEFAULT").filter(|_| is_key),
            usage: or_default("keyUsage", "ENCRYPT_DECRYPT").filter(|_| is_key),
            multi_region: properties.get("multiRegion").and_then(Node::as_bool),
            rotation: properties.get("enableKeyRotation").and_then(Node::as_bool),
            ..KeyFacts::default()
        };
        let policy = properties.get("policy")?;
        let policy = policy.get("fn::toJSON").unwrap_or(policy);
        resolved(name, at, policy, facts, true, None)
    };
    resources.members().filter_map(of).collect()
}

/// The IAM policy that a node holds. It has to look like one about KMS.
pub(crate) fn identity_policy(name: String, at: Span, policy: Node<'_>) -> Option<Resolved> {
    let found = resolved(name, at, policy, KeyFacts::default(), false, None)?;
    Some(Resolved { kind: DocumentKind::IdentityPolicy, ..found })
}

/// The policy that a node holds, as an object or as a text; `None` for any other text.
pub(crate) fn resolved(
    name: String,
    at: Span,
    policy: Node<'_>,
    facts: KeyFacts,
    is_certain: bool,
    placeholder: Option<&str>,
) -> Option<Resolved> {
    let within = Within::File(0);
    let (mut value, problems): (Value, Vec<Problem>) = match policy.kind() {
        Kind::String => {
            let text = policy.as_str().unwrap_or_default().trim_start();
            // What `--generate-cli-skeleton` prints.
            if text.is_empty() {
                return None;
            }
            if !text.starts_with(['{', '$', '"']) && !is_certain {
                return None;
            }
            json_in(&within.text(policy))
        }
        Kind::Object => (Value::of(policy, within), Vec::new()),
        _ => return None,
    };
    if let Some(placeholder) = placeholder {
        value = Value::unknown(value.at, placeholder);
    }
    let is_there = !matches!(value.kind, ValueKind::Null);
    let ways = is_there.then(|| Way { value, presence: Presence::default() }).into_iter().collect();
    Some(Resolved {
        resource: Resource { name, at },
        facts,
        ways,
        problems,
        is_certain,
        ..Resolved::default()
    })
}

pub(crate) fn known(node: Node<'_>, name: &str) -> Option<String> {
    node.get(name).and_then(Node::as_string).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use keylint_syntax::{Arena, Tree};
    use pretty_assertions::assert_eq;

    use crate::{DocumentKind, Language, extract};

    /// The kind, the name and the value of each document.
    fn seen(text: &str) -> Vec<(DocumentKind, String, String)> {
        let mut arena = Arena::default();
        let found = extract(Language::Yaml, text, None, &mut arena);
        assert_eq!(found.problems, []);
        let of = |document: crate::Document| {
            let value = keylint_syntax::to_json(Tree::new(text, &arena).get(document.ways[0].node));
            let value = value.lines().map(str::trim_start).collect();
            (document.kind, document.resource.unwrap_or_default().name, value)
        };
        found.documents.into_iter().map(of).collect()
    }

    #[test]
    fn kubernetes_has_grants_and_iam_policies() {
        let text = "
apiVersion: kms.services.k8s.aws/v1alpha1
kind: Grant
metadata: {name: g}
spec:
  keyID: 1234abcd
  granteePrincipal: arn:aws:iam::111122223333:role/r
  operations: [Decrypt]
  constraints: {encryptionContextSubset: {a: b}}
---
apiVersion: iam.services.k8s.aws/v1alpha1
kind: Policy
metadata: {name: p}
spec:
  policyDocument: '{\"Statement\": {\"Effect\": \"Allow\", \"Action\": \"kms:Decrypt\"}}'
";
        let grant = [
            r#"{"KeyId": "1234abcd","GranteePrincipal": "arn:aws:iam::111122223333:role/r","#,
            r#""Operations": ["Decrypt"],"Constraints": {"EncryptionContextSubset": {"a": "b"}}}"#,
        ];
        let policy = r#"{"Statement": {"Effect": "Allow","Action": "kms:Decrypt"}}"#;
        assert_eq!(
            seen(text),
            [
                (DocumentKind::Grant, "g".to_owned(), grant.concat()),
                (DocumentKind::IdentityPolicy, "p".to_owned(), policy.to_owned()),
            ]
        );
        let alone = text.split_once("---").unwrap().1;
        assert_eq!(seen(alone).len(), 1);
        assert_eq!(seen(&alone.replace("kms:", "s3:")), []);
    }

    #[test]
    fn pulumi_has_grants() {
        let text = "
resources:
  g:
    type: aws:kms:Grant
    properties:
      keyId: ${key.keyId}
      operations: [Encrypt]
      constraints: [{encryptionContextEquals: {a: b}}]
";
        let grant = [
            r#"{"KeyId": "${key.keyId}","Operations": ["Encrypt"],"#,
            r#""Constraints": {"EncryptionContextEquals": {"a": "b"}}}"#,
        ];
        assert_eq!(seen(text), [(DocumentKind::Grant, "g".to_owned(), grant.concat())]);
    }
}
