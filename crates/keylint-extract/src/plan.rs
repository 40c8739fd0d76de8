//! Plans and states of Terraform: what `terraform show -json` prints.
//!
//! <https://developer.hashicorp.com/terraform/internals/json-format>

use std::collections::BTreeSet;

use keylint_syntax::{Kind, Node};

use crate::documents::{identity_policy, known, resolved};
use crate::key_policy::names_boundary;
use crate::value::Value;
use crate::{DocumentKind, KeyFacts, Presence, Resolved, Resource, Way};
use crate::{grant, terraform};

/// A resource in a plan, or in a state.
struct Declared<'t> {
    kind: &'t str,
    address: Node<'t>,
    values: Node<'t>,
    /// What is not known of the values before the resource is there.
    unknown: Option<Node<'t>>,
}

/// The documents of the resources in a plan, or in a state.
pub(crate) fn documents(root: Node<'_>) -> Vec<Resolved> {
    let resources = resources(root);
    let text = |resource: &Declared<'_>, name: &str| known(resource.values, name).unwrap_or_default();
    // A role has these in its own values as well.
    let attached: BTreeSet<(String, String)> = resources
        .iter()
        .filter(|resource| resource.kind == "aws_iam_role_policy")
        .map(|resource| (text(resource, "role"), text(resource, "name")))
        .collect();
    let mut found = Vec::new();
    for resource in &resources {
        let is_own = |policy: &Node<'_>| {
            let name = known(*policy, "name").unwrap_or_default();
            !attached.contains(&(text(resource, "name"), name))
        };
        found.extend(resource.documents(&is_own));
    }
    found.sort_by_key(|found| found.resource.at);
    found
}

fn resources(root: Node<'_>) -> Vec<Declared<'_>> {
    if let Some(changes) = root.get("resource_changes") {
        let of = |change| {
            let planned = Node::get(change, "change")?;
            Declared::new(change, planned.get("after")?, planned.get("after_unknown"))
        };
        return changes.items().filter_map(of).collect();
    }
    let values = root.get("values").or_else(|| root.get("planned_values"));
    let mut open: Vec<Node<'_>> = values.and_then(|values| values.get("root_module")).into_iter().collect();
    let mut found = Vec::new();
    while let Some(module) = open.pop() {
        let resources = module.get("resources").into_iter().flat_map(Node::items);
        found.extend(resources.filter_map(|resource| Declared::new(resource, resource.get("values")?, None)));
        open.extend(module.get("child_modules").into_iter().flat_map(Node::items));
    }
    found
}

impl<'t> Declared<'t> {
    fn new(resource: Node<'t>, values: Node<'t>, unknown: Option<Node<'t>>) -> Option<Self> {
        let text = |name: &str| resource.get(name).and_then(Node::as_str);
        // The values of one that is to be deleted are nothing.
        let is_there = text("mode") == Some("managed") && values.kind() == Kind::Object;
        let kind = text("type").filter(|_| is_there)?;
        Some(Self { kind, address: resource.get("address")?, values, unknown })
    }

    /// Of a role, the policies that `is_own` accepts.
    fn documents(&self, is_own: &dyn Fn(&Node<'t>) -> bool) -> Vec<Resolved> {
        let (name, at) = (self.address.as_str().unwrap_or_default().to_owned(), self.address.content_span());
        match self.kind {
            terraform::GRANT => vec![grant::declared(Resource { name, at }, self.values, self.unknown)],
            terraform::ROLE => {
                let inline = self.values.get(terraform::INLINE_POLICY).into_iter().flat_map(Node::items);
                let policies = inline.filter(is_own).filter_map(|inline| inline.get("policy"));
                policies.filter_map(|policy| identity_policy(name.clone(), at, policy)).collect()
            }
            _ => {
                let policy = terraform::POLICIES.iter().find(|(resource, ..)| *resource == self.kind);
                let policy = policy.and_then(|(_, argument, of)| match of {
                    DocumentKind::KeyPolicy => {
                        of_key(self.kind, Resource { name, at }, self.values, self.unknown)
                    }
                    _ if names_boundary(&name) => None,
                    _ => identity_policy(name, at, self.values.get(argument)?),
                });
                policy.into_iter().collect()
            }
        }
    }
}

/// The policy of a key.
fn of_key(kind: &str, key: Resource, values: Node<'_>, unknown: Option<Node<'_>>) -> Option<Resolved> {
    let Resource { name, at } = key;
    let is_unknown = unknown.and_then(|unknown| unknown.get("policy")).and_then(Node::as_bool) == Some(true);
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
    let placeholder = is_unknown.then_some(named.as_str());
    // A policy that is not known is left out of the values.
    let policy = values.get("policy").filter(|policy| policy.kind() != Kind::Null);
    match (policy, placeholder) {
        (None, Some(placeholder)) => {
            let value = Value::unknown(at, placeholder);
            Some(Resolved {
                resource: Resource { name, at },
                facts,
                ways: vec![Way { value, presence: Presence::default() }],
                is_certain: true,
                ..Resolved::default()
            })
        }
        (Some(policy), placeholder) => resolved(name, at, policy, facts, true, placeholder),
        (None, None) => None,
    }
}

#[cfg(test)]
mod tests {
    use keylint_syntax::{Arena, Tree, json};
    use pretty_assertions::assert_eq;

    use super::*;
    use crate::testing::{assert_places, written};

    /// The kind, the address and the value of each document.
    fn seen(text: &str) -> Vec<(DocumentKind, String, String)> {
        let mut arena = Arena::default();
        json::parse(text, &mut arena, &mut Vec::new());
        let found = documents(Tree::new(text, &arena).root().unwrap());
        let of = |found: &Resolved| {
            assert_places(&found.ways[0].value, text);
            (found.kind, found.resource.name.clone(), written(&found.ways[0].value, text))
        };
        found.iter().map(of).collect()
    }

    fn planned(kind: &str, after: &str, unknown: &str) -> String {
        format!(
            r#"{{"format_version": "1.2", "resource_changes": [{{"address": "m.{kind}.a", "mode": "managed", "type": "{kind}",
                "change": {{"actions": ["create"], "before": null, "after": {after}, "after_unknown": {unknown}}}}}]}}"#
        )
    }

    fn state(kind: &str, values: &str) -> String {
        format!(
            r#"{{"format_version": "1.0", "values": {{"root_module": {{"child_modules": [{{"resources":
                [{{"address": "m.{kind}.a", "mode": "managed", "type": "{kind}", "values": {values}}}]}}]}}}}}}"#
        )
    }

    #[test]
    fn a_planned_grant_has_what_is_known_of_it() {
        let after = r#"{"constraints": [{"encryption_context_equals": {"a": "b"}, "encryption_context_subset": null}],
            "grantee_principal": "arn:aws:iam::111122223333:role/r", "name": null, "operations": ["Decrypt", null],
            "retire_on_delete": null, "retiring_principal": null, "region": "eu-west-1"}"#;
        let unknown = r#"{"constraints": [{"encryption_context_equals": {"c": true}}], "grant_id": true,
            "key_id": true, "operations": [false, true]}"#;
        let value = [
            r#"{"KeyId": null,"GranteePrincipal": "arn:aws:iam::111122223333:role/r","Operations": ["Decrypt", null],"#,
            r#""Region": "eu-west-1","Constraints": {"EncryptionContextEquals": {"a": "b","c": null}}}"#,
        ];
        let text = planned("aws_kms_grant", after, unknown);
        assert_eq!(seen(&text), [(DocumentKind::Grant, "m.aws_kms_grant.a".to_owned(), value.concat())]);
        let mut arena = Arena::default();
        let found = crate::extract(crate::Language::Json, &text, None, &mut arena);
        let names: Vec<_> = found.documents[0].unknown.iter().map(|unknown| unknown.name.as_str()).collect();
        assert_eq!(
            names,
            [
                "m.aws_kms_grant.a.key_id",
                "m.aws_kms_grant.a.operations",
                "m.aws_kms_grant.a.encryption_context_equals"
            ]
        );
        let whole = planned("aws_kms_grant", "{}", r#"{"constraints": true}"#);
        assert_eq!(seen(&whole)[0].2, r#"{"Constraints": null}"#);
        assert_eq!(seen(&planned("aws_kms_grant", "null", "{}")), []);
    }

    #[test]
    fn a_grant_of_a_state_has_what_is_set() {
        let values = r#"{"constraints": [], "grant_id": "0c23", "key_id": "1234abcd", "name": "", "operations": ["Sign"]}"#;
        assert_eq!(
            seen(&state("aws_kms_grant", values)),
            [(
                DocumentKind::Grant,
                "m.aws_kms_grant.a".to_owned(),
                r#"{"KeyId": "1234abcd","Operations": ["Sign"]}"#.to_owned()
            )]
        );
    }

    #[test]
    fn iam_policies_are_texts_in_json() {
        let policy = r#""{\"Statement\": [{\"Effect\": \"Allow\", \"Action\": \"kms:Decrypt\"}]}""#;
        let value = r#"{"Statement": [{"Effect": "Allow","Action": "kms:Decrypt"}]}"#;
        for (kind, argument) in [
            ("aws_iam_policy", "policy"),
            ("aws_iam_role_policy", "policy"),
            ("aws_ssoadmin_permission_set_inline_policy", "inline_policy"),
        ] {
            let values = format!(r#"{{"{argument}": {policy}}}"#);
            let expected = [(DocumentKind::IdentityPolicy, format!("m.{kind}.a"), value.to_owned())];
            assert_eq!(seen(&planned(kind, &values, "{}")), expected);
            assert_eq!(seen(&state(kind, &values)), expected);
        }
        let role = format!(
            r#"{{"inline_policy": [{{"name": "a", "policy": {policy}}}, {{"name": "", "policy": ""}}, {{"policy": {policy}}}]}}"#
        );
        let one = (DocumentKind::IdentityPolicy, "m.aws_iam_role.a".to_owned(), value.to_owned());
        assert_eq!(seen(&state("aws_iam_role", &role)), [one.clone(), one]);
        assert_eq!(seen(&planned("aws_iam_policy", "{}", r#"{"policy": true}"#)), []);
    }

    #[test]
    fn a_policy_that_a_role_is_given_elsewhere_is_not_its_own() {
        let policy = r#""{\"Statement\": [{\"Effect\": \"Allow\", \"Action\": \"kms:Decrypt\"}]}""#;
        let text = format!(
            r#"{{"format_version": "1.0", "values": {{"root_module": {{"resources": [
                {{"address": "aws_iam_role.r", "mode": "managed", "type": "aws_iam_role", "values": {{"name": "r",
                    "inline_policy": [{{"name": "p", "policy": {policy}}}, {{"name": "q", "policy": {policy}}}]}}}},
                {{"address": "aws_iam_role_policy.p", "mode": "managed", "type": "aws_iam_role_policy",
                    "values": {{"name": "p", "role": "r", "policy": {policy}}}}}]}}}}}}"#
        );
        let names: Vec<_> = seen(&text).into_iter().map(|(_, name, _)| name).collect();
        assert_eq!(names, ["aws_iam_role.r", "aws_iam_role_policy.p"]);
    }
}
