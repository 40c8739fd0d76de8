use keylint_syntax::Arena;
use pretty_assertions::assert_eq;

use super::*;
use crate::testing::{assert_places, written};
use crate::{Language, extract};

/// What is put together of a module of one file.
fn resolved_in(path: &str, text: &str) -> Vec<Resolved> {
    let read = |name: &str| {
        let policy = r#"{"Statement": [{"Effect": "Allow", "Action": "kms:Sign"}]}"#;
        (name == "policy.json").then(|| policy.to_owned())
    };
    let found = documents(&[ModuleFile { path, text }], None, &read);
    assert_eq!(found.problems, [], "{text}");
    for way in found.documents.iter().flat_map(|found| &found.ways).filter(|_| found.read_files.is_empty()) {
        assert_places(&way.value, text);
    }
    found.documents
}

fn resolved(text: &str) -> Vec<Resolved> {
    resolved_in("main.tf", text)
}

/// The kind, the address and the ways of each document, and what is written where it is declared.
fn seen(text: &str, found: &[Resolved]) -> Vec<(DocumentKind, String, String, Vec<String>)> {
    let of = |found: &Resolved| {
        let ways = found.ways.iter().map(|way| written(&way.value, text)).collect();
        let heading = text[found.resource.at.range()].to_owned();
        (found.kind, found.resource.name.clone(), heading, ways)
    };
    found.iter().map(of).collect()
}

fn ways(text: &str) -> Vec<String> {
    seen(text, &resolved(text)).into_iter().flat_map(|(.., ways)| ways).collect()
}

/// The kinds and the addresses of what is found in a file.
fn extracted(text: &str) -> Vec<(DocumentKind, String)> {
    let language = Language::Terraform { is_json: text.starts_with('{') };
    let found = extract(language, text, None, &mut Arena::default());
    assert_eq!(found.problems, [], "{text}");
    let documents = found.documents.into_iter();
    documents.map(|document| (document.kind, document.resource.unwrap_or_default().name)).collect()
}

const POLICY: &str = r#"jsonencode({ Statement = [{ Effect = "Allow", Action = "kms:Decrypt", Resource = aws_kms_key.k.arn }] })"#;
const WAY: &str =
    r#"{"Statement": [{"Effect": "Allow","Action": "kms:Decrypt","Resource": "${aws_kms_key.k.arn}"}]}"#;

#[test]
fn every_resource_that_takes_an_iam_policy_has_one() {
    for (kind, argument) in [
        ("aws_iam_policy", "policy"),
        ("aws_iam_role_policy", "policy"),
        ("aws_iam_user_policy", "policy"),
        ("aws_iam_group_policy", "policy"),
        ("aws_ssoadmin_permission_set_inline_policy", "inline_policy"),
    ] {
        let text =
            format!("# é\nresource \"{kind}\" \"p\" {{\n  name = \"p\"\n  {argument} = {POLICY}\n}}\n");
        let heading = format!("resource \"{kind}\" \"p\"");
        assert_eq!(
            seen(&text, &resolved(&text)),
            [(DocumentKind::IdentityPolicy, format!("{kind}.p"), heading, vec![WAY.to_owned()])]
        );
        assert_eq!(extracted(&text), [(DocumentKind::IdentityPolicy, format!("{kind}.p"))]);
        assert!(has_sign(&text));
        assert_eq!(extracted(&text.replace("kms:", "s3:")), []);
        let never = text.replace("name = \"p\"", "count = 0");
        assert_eq!(extracted(&never), []);
    }
}

#[test]
fn policies_are_read_in_every_form() {
    let policy =
        |value: &str| ways(&format!("resource \"aws_iam_policy\" \"p\" {{\n  policy = {value}\n}}\n"));
    assert_eq!(policy("<<EOT\n{\"a\": \"kms:${var.a}\"}\nEOT\n"), [r#"{"a": "kms:${var.a}"}"#]);
    let conditional = r#"var.a ? jsonencode({ a = "kms:x" }) : jsonencode({ a = "kms:y" })"#;
    assert_eq!(policy(conditional), [r#"{"a": "kms:x"}"#, r#"{"a": "kms:y"}"#]);
    assert_eq!(
        policy(r#"jsonencode({ a = "kms:x", r = aws_kms_alias.a.arn })"#),
        [
            r#"{"a": "kms:x","r": "arn:${data.aws_partition.current.partition}:kms:${data.aws_region.current.name}:${data.aws_caller_identity.current.account_id}:alias/${aws_kms_alias.a.name}"}"#
        ]
    );
    let text = "resource \"aws_iam_policy\" \"p\" {\n  policy = file(\"${path.module}/policy.json\")\n}\n";
    let found = resolved(text);
    assert_eq!(
        found[0].ways[0].value.get("Statement").map(|it| matches!(it.kind, ValueKind::List(_))),
        Some(true)
    );
    let json = r#"{"resource": {"aws_iam_policy": {"p": {"policy": "${jsonencode({ a = \"kms:x\" })}"}}}}"#;
    let found = resolved_in("main.tf.json", json);
    assert_eq!(
        seen(json, &found),
        [(
            DocumentKind::IdentityPolicy,
            "aws_iam_policy.p".to_owned(),
            "p".to_owned(),
            vec![r#"{"a": "kms:x"}"#.to_owned()]
        )]
    );
}

#[test]
fn roles_have_policies_in_blocks() {
    let text = r#"
resource "aws_iam_role" "r" {
  assume_role_policy = "{}"
  inline_policy {
    name   = "first"
    policy = jsonencode({ a = "kms:x" })
  }
  inline_policy {
    policy = jsonencode({ a = "kms:y" })
  }
  dynamic "inline_policy" {
    for_each = { b = "kms:z", c = "kms:w" }
    content {
      name   = inline_policy.key
      policy = jsonencode({ a = inline_policy.value })
    }
  }
}
"#;
    let found = seen(text, &resolved(text));
    let found: Vec<_> = found
        .iter()
        .map(|(kind, name, heading, ways)| {
            assert_eq!((*kind, name.as_str()), (DocumentKind::IdentityPolicy, "aws_iam_role.r"));
            (heading.as_str(), ways.join(" | "))
        })
        .collect();
    assert_eq!(
        found,
        [
            ("inline_policy", r#"{"a": "kms:x"}"#.to_owned()),
            ("inline_policy", r#"{"a": "kms:y"}"#.to_owned()),
            ("dynamic \"inline_policy\"", r#"{"a": "kms:z"}"#.to_owned()),
            ("dynamic \"inline_policy\"", r#"{"a": "kms:w"}"#.to_owned()),
        ]
    );
}

const DOCUMENT_OF_IDENTITY: &str = r#"
data "aws_iam_policy_document" "d" {
  statement {
    actions   = ["kms:Decrypt"]
    resources = [aws_kms_key.k.arn]
  }
}
"#;

#[test]
fn a_document_is_judged_once() {
    assert_eq!(
        extracted(DOCUMENT_OF_IDENTITY),
        [(DocumentKind::IdentityPolicy, "data.aws_iam_policy_document.d".to_owned())]
    );
    let used = format!(
        "{DOCUMENT_OF_IDENTITY}\nresource \"aws_iam_policy\" \"p\" {{\n  policy = data.aws_iam_policy_document.d.json\n}}\n"
    );
    assert_eq!(extracted(&used), [(DocumentKind::IdentityPolicy, "aws_iam_policy.p".to_owned())]);
    let found = resolved(&used);
    assert!(found[0].is_in_blocks);
    // The same in a role's trust policy is none of ours, and is not judged alone either.
    let trusted =
        used.replace("aws_iam_policy\"", "aws_iam_role\"").replace("  policy", "  assume_role_policy");
    assert_eq!(extracted(&trusted), []);
}

#[test]
fn a_module_is_called_with_a_policy_of_either_kind() {
    let call = |argument: &str, principal: &str| {
        format!(
            "module \"m\" {{\n  source = \"./m\"\n  {argument} = jsonencode({{ Statement = [{{ Effect = \"Allow\", {principal} Action = \"kms:*\", Resource = \"*\" }}] }})\n}}\n"
        )
    };
    let found = |kind| [(kind, "module.m".to_owned())];
    assert_eq!(extracted(&call("policy", "")), found(DocumentKind::IdentityPolicy));
    assert_eq!(extracted(&call("policy", "Principal = \"*\",")), found(DocumentKind::KeyPolicy));
    assert_eq!(extracted(&call("override_policy", "")), []);
}

#[test]
fn a_grant_has_the_names_of_the_request() {
    let text = r#"
resource "aws_kms_grant" "g" {
  name              = "g-é"
  region            = "eu-central-1"
  key_id            = aws_kms_key.k.key_id
  grantee_principal = "arn:aws:iam::111122223333:role/r"
  operations        = toset(["Decrypt", var.operation])
  retiring_principal = null
  constraints {
    encryption_context_equals = {
      Department = "Finance"
      (var.key)  = each.value
    }
  }
  grant_creation_tokens = ["t"]
}
"#;
    let found = resolved(text);
    let way = [
        r#"{"KeyId": "${aws_kms_key.k.key_id}","GranteePrincipal": "arn:aws:iam::111122223333:role/r","#,
        r#""Operations": ["Decrypt", null],"Name": "g-é","Region": "eu-central-1","Constraints": "#,
        r#"{"EncryptionContextEquals": {"Department": "Finance","${var.key}": null}}}"#,
    ]
    .concat();
    let heading = "resource \"aws_kms_grant\" \"g\"".to_owned();
    assert_eq!(seen(text, &found), [(DocumentKind::Grant, "aws_kms_grant.g".to_owned(), heading, vec![way])]);
    assert!(found[0].is_certain && has_sign(text));
    let ValueKind::Object(members) = &found[0].ways[0].value.kind else { panic!("an object") };
    let names: Vec<_> = members.iter().map(|(key, _)| (key.text.decoded(), &text[key.at.range()])).collect();
    let names: Vec<_> = names.iter().map(|(name, written)| (name.as_str(), *written)).collect();
    assert_eq!(
        names,
        [
            ("KeyId", "key_id"),
            ("GranteePrincipal", "grantee_principal"),
            ("Operations", "operations"),
            ("Name", "name"),
            ("Region", "region"),
            ("Constraints", "constraints"),
        ]
    );
    let found = extract(Language::Terraform { is_json: false }, text, None, &mut Arena::default());
    let unknown: Vec<_> = found.documents[0].unknown.iter().map(|unknown| unknown.name.as_str()).collect();
    assert_eq!(
        unknown,
        ["aws_kms_key.k.key_id", "var.operation", "var.key", "each.value of aws_kms_grant.g"]
    );
}

#[test]
fn grants_depend_on_conditions_and_on_blocks_that_may_not_be_there() {
    let grant = |arguments: &str| ways(&format!("resource \"aws_kms_grant\" \"g\" {{\n{arguments}\n}}\n"));
    assert_eq!(grant("retiring_principal = var.a ? \"x\" : null"), [r#"{"RetiringPrincipal": "x"}"#, "{}"]);
    let dynamic = "dynamic \"constraints\" {\n for_each = var.context\n content {\n encryption_context_subset = constraints.value\n }\n}";
    assert_eq!(grant(dynamic), [r#"{"Constraints": {"EncryptionContextSubset": null}}"#, "{}"]);
    assert_eq!(grant("count = 0\nname = \"x\""), Vec::<String>::new());
    assert_eq!(grant("count = var.a ? 1 : 0\nname = \"x\""), [r#"{"Name": "x"}"#]);
    let json = r#"{"resource": {"aws_kms_grant": {"g": {"key_id": "${aws_kms_key.k.id}", "operations": ["Sign"],
        "constraints": [{"encryption_context_equals": {"a": "b"}}]}}}}"#;
    let found = resolved_in("main.tf.json", json);
    assert_eq!(
        written(&found[0].ways[0].value, json),
        [
            r#"{"KeyId": "${aws_kms_key.k.id}","Operations": ["Sign"],"#,
            r#""Constraints": {"EncryptionContextEquals": {"a": "b"}}}"#
        ]
        .concat()
    );
}

#[test]
fn a_file_has_a_sign_if_it_has_to_do_with_keys() {
    for text in [
        "resource \"aws_kms_replica_key\" \"k\" {}",
        "resource \"aws_kms_grant\" \"g\" {}",
        "data \"aws_iam_policy_document\" \"d\" { KMS:* }",
        "resource \"aws_iam_user_policy\" \"p\" { kms:Decrypt }",
        "module \"m\" { kms:Decrypt }",
    ] {
        assert!(has_sign(text), "{text}");
    }
    for text in ["resource \"aws_kms_alias\" \"k\" {}", "aws_iam_policy s3:GetObject", "kms:Decrypt"] {
        assert!(!has_sign(text), "{text}");
    }
}
