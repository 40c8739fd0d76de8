//! Documents of JSON and YAML that hold others: what the AWS CLI prints and takes, what `terraform show -json` prints,
//! and objects of Kubernetes and Pulumi.

use keylint_source::{Problem, Span};
use keylint_syntax::{Kind, Node};

use crate::nested::json_in;
use crate::value::{Value, ValueKind};
use crate::within::Within;
use crate::{KeyFacts, Presence, Resolved, Resource, Way};
use crate::{grant, terraform};

/// What is in a document, if it is one of these.
pub(crate) fn documents(root: Node<'_>) -> Vec<Resolved> {
    if root.get("format_version").is_some() {
        return of_terraform(root);
    }
    let text = |name: &str| root.get(name).and_then(Node::as_string);
    if text("apiVersion").is_some_and(|version| version.starts_with("kms.services.k8s.aws/")) {
        return of_kubernetes(root).into_iter().collect();
    }
    if let Some(resources) = root.get("resources") {
        return of_pulumi(resources);
    }
    if root.get("Grants").is_some() {
        return grant::listed(root);
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

/// A plan, or a state.
///
/// <https://developer.hashicorp.com/terraform/internals/json-format>
fn of_terraform(root: Node<'_>) -> Vec<Resolved> {
    if let Some(changes) = root.get("resource_changes") {
        let of = |change: Node<'_>| {
            let after = change.get("change")?.get("after")?;
            let unknown = change.get("change")?.get("after_unknown");
            of_resource(change, after, unknown)
        };
        return changes.items().filter_map(of).collect();
    }
    let values = root.get("values").or_else(|| root.get("planned_values"));
    let mut open: Vec<Node<'_>> = values.and_then(|values| values.get("root_module")).into_iter().collect();
    let mut found = Vec::new();
    while let Some(module) = open.pop() {
        let resources = module.get("resources").into_iter().flat_map(Node::items);
        found.extend(resources.filter_map(|resource| of_resource(resource, resource.get("values")?, None)));
        open.extend(module.get("child_modules").into_iter().flat_map(Node::items));
    }
    found.sort_by_key(|found| found.resource.at);
    found
}

fn of_resource(resource: Node<'_>, values: Node<'_>, unknown: Option<Node<'_>>) -> Option<Resolved> {
    let kind = resource.get("type").and_then(Node::as_str)?;
    if !terraform::KEYS.contains(&kind) || resource.get("mode").and_then(Node::as_str) != Some("managed") {
        return None;
    }
    let address = resource.get("address")?;
    let name = address.as_str().unwrap_or_default().to_owned();
    let is_unknown = |attribute: &str| {
        unknown.and_then(|unknown| unknown.get(attribute)).and_then(Node::as_bool) == Some(true)
    };
    let flag = |attribute: &str| values.get(attribute).and_then(Node::as_bool);
    let is_key = kind == "aws_kms_key";
    let facts = KeyFacts {
        spec: known(values, "customer_master_key_spec").filter(|_| is_key),
        usage: known(values, "key_usage").filter(|_| is_key),
        origin: (kind == "aws_kms_external_key").then(|| "EXTERNAL".to_owned()),
        multi_region: flag("multi_region"),
        rotation: flag("enable_key_rotation"),
        bypasses_lockout_check: flag("bypass_policy_lockout_safety_check"),
        ..KeyFacts::default()
    };
    let named = format!("{name}.policy");
    let placeholder = is_unknown("policy").then_some(named.as_str());
    // A policy that is not known is left out of the values.
    let policy = values.get("policy").filter(|policy| policy.kind() != Kind::Null);
    match (policy, placeholder) {
        (None, Some(placeholder)) => {
            let at = address.content_span();
            let value = Value::unknown(at, placeholder);
            Some(Resolved {
                resource: Resource { name, at },
                facts,
                ways: vec![Way { value, presence: Presence::default() }],
                is_certain: true,
                ..Resolved::default()
            })
        }
        (Some(policy), placeholder) => {
            resolved(name, address.content_span(), policy, facts, true, placeholder)
        }
        (None, None) => None,
    }
}

/// A `Key` of the AWS controllers for Kubernetes.
///
/// <https://aws-controllers-k8s.github.io/community/reference/kms/v1alpha1/key/>
fn of_kubernetes(root: Node<'_>) -> Option<Resolved> {
    if root.get("kind").and_then(Node::as_str) != Some("Key") {
        return None;
    }
    let spec = root.get("spec")?;
    let name = root.get("metadata").and_then(|metadata| metadata.get("name"));
    let facts = KeyFacts {
        spec: known(spec, "keySpec").or_else(|| Some("SYMMETRIC_DEFAULT".to_owned())),
        usage: known(spec, "keyUsage").or_else(|| Some("ENCRYPT_DECRYPT".to_owned())),
        origin: known(spec, "origin"),
        multi_region: spec.get("multiRegion").and_then(Node::as_bool),
        rotation: spec.get("enableKeyRotation").and_then(Node::as_bool),
        bypasses_lockout_check: spec.get("bypassPolicyLockoutSafetyCheck").and_then(Node::as_bool),
        ..KeyFacts::default()
    };
    let text = name.and_then(Node::as_str).unwrap_or_default().to_owned();
    let at = name.unwrap_or(root).content_span();
    resolved(text, at, spec.get("policy")?, facts, true, None)
}

/// Keys of a Pulumi program in YAML; `${…}` in its texts is a reference, as in a template.
///
/// <https://www.pulumi.com/registry/packages/aws/api-docs/kms/key/>
fn of_pulumi(resources: Node<'_>) -> Vec<Resolved> {
    let of = |member: keylint_syntax::Member<'_>| {
        let kind = member.value.get("type").and_then(Node::as_str)?;
        let is_key = matches!(kind, "aws:kms:Key" | "aws:kms/key:Key");
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
        let name = member.key.as_str().unwrap_or_default().to_owned();
        let policy = properties.get("policy")?;
        let policy = policy.get("fn::toJSON").unwrap_or(policy);
        resolved(name, member.key.content_span(), policy, facts, true, None)
    };
    resources.members().filter_map(of).collect()
}

/// The policy that a node holds, as an object or as a text; `None` for any other text.
fn resolved(
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

fn known(node: Node<'_>, name: &str) -> Option<String> {
    node.get(name).and_then(Node::as_string).map(str::to_owned)
}
