//! One grant, and one IAM policy, in every container that keylint reads.

use std::fmt::Write as _;

use keylint_syntax::{Kind, Member, Node};

use crate::forms::{Form, Style, document, hcl, quoted, yaml};

/// The grant in each container that can say it.
pub(crate) fn grant_forms(grant: Node<'_>) -> Vec<Form> {
    let form = |name, path, text| Form { name, path, text, is_in_blocks: false };
    let json = keylint_syntax::to_json(grant);
    let mut forms = Vec::new();
    if let Some(options) = options(grant) {
        let lines = options.join(" \\\n    ");
        let command = format!("aws kms create-grant \\\n    {lines}");
        let line = options.join(" ");
        forms.push(form("script", "example.sh", format!("#!/bin/sh\n# é 日 😀\n{command}\n")));
        forms.push(form(
            "script, global options",
            "example.sh",
            format!("aws --profile é kms create-grant {line}; echo $?\n"),
        ));
        forms.push(form("Makefile", "example.mk", format!("grant: key # 日\n\t@{command}\n")));
        forms.push(form("Markdown", "example.md", format!("# 😀\n\n```console\n$ {command}\n```\n")));
        let indented = command.replace('\n', "\n          ");
        forms.push(form(
            "pipeline",
            "example.yml",
            format!("steps:\n  - name: é\n    run: |\n          {indented}\n"),
        ));
        forms.push(form(
            "pipeline, folded",
            "example.yml",
            format!(
                "steps:\n  - run: >-\n      aws kms create-grant\n      {}\n  - run: ls\n",
                options.join("\n      ")
            ),
        ));
    }
    forms.push(form(
        "command with JSON",
        "example.sh",
        format!("aws kms create-grant --cli-input-json '{json}'\n"),
    ));
    if let Some(arguments) = arguments(grant) {
        let mut text = String::new();
        for (name, value) in &arguments {
            write!(text, "  {name} = ").unwrap();
            hcl(*value, 4, &mut text);
            text.push('\n');
        }
        let constraints = grant.get("Constraints");
        for Member { key, value } in constraints.into_iter().flat_map(Node::members) {
            write!(text, "  constraints {{\n    {} = ", snake(key.as_str().unwrap())).unwrap();
            hcl(value, 6, &mut text);
            text.push_str("\n  }\n");
        }
        forms.push(form(
            "Terraform",
            "example.tf",
            format!("# é\nresource \"aws_kms_grant\" \"this\" {{\n{text}}}\n"),
        ));
        let members = arguments.iter().map(|(name, value)| format!("\"{name}\": {}", as_template(*value)));
        let of_constraints = constraints.map(|constraints| {
            let inside = constraints.members().map(|member| {
                format!("\"{}\": {}", snake(member.key.as_str().unwrap()), as_template(member.value))
            });
            format!("\"constraints\": [{{{}}}]", inside.collect::<Vec<_>>().join(", "))
        });
        let members: Vec<String> = members.chain(of_constraints).collect();
        let members = members.join(", ");
        forms.push(form(
            "Terraform JSON",
            "example.tf.json",
            format!("{{\"resource\": {{\"aws_kms_grant\": {{\"this\": {{{members}}}}}}}}}"),
        ));
        forms.push(form(
            "plan",
            "example.json",
            format!(
                "{{\"format_version\": \"1.2\", \"resource_changes\": [{{\"address\": \"aws_kms_grant.this\", \"mode\": \"managed\", \"type\": \"aws_kms_grant\", \"name\": \"this\", \"change\": {{\"actions\": [\"create\"], \"after\": {{{members}}}, \"after_unknown\": {{}}}}}}]}}"
            ),
        ));
    }
    forms
}

/// The IAM policy in each container that can hold it.
pub(crate) fn identity_policy_forms(policy: Node<'_>) -> Vec<Form> {
    let json = keylint_syntax::to_json(policy);
    let form = |name, path, text| Form { name, path, text, is_in_blocks: false };
    let mut block = String::new();
    yaml(policy, 8, Style::Single, &mut block);
    let mut deeper = String::new();
    yaml(policy, 12, Style::Double, &mut deeper);
    let mut text = String::new();
    hcl(policy, 2, &mut text);
    let in_template = |text: &str| text.replace("${", "$${").replace("%{", "%%{");
    let resource = |kind: &str, policy: &str| {
        format!("resource \"{kind}\" \"this\" {{\n  # é 日 😀\n  policy = {policy}\n}}\n")
    };
    let mut forms = vec![
        form(
            "CloudFormation JSON, managed",
            "example.json",
            format!(
                "{{\"Resources\": {{\"P\": {{\"Type\": \"AWS::IAM::ManagedPolicy\", \"Properties\": {{\"PolicyDocument\": {json}}}}}}}}}"
            ),
        ),
        form(
            "CloudFormation YAML, managed",
            "example.yaml",
            format!(
                "Resources:\n  P:\n    Type: AWS::IAM::Policy\n    Properties:\n      PolicyName: é\n      PolicyDocument: {block}\n"
            ),
        ),
        form(
            "CloudFormation YAML, inline",
            "example.yaml",
            format!(
                "Resources:\n  R:\n    Type: AWS::IAM::Role\n    Properties:\n      Policies:\n        - PolicyName: é\n          PolicyDocument: {deeper}\n"
            ),
        ),
        form(
            "Terraform, jsonencode",
            "example.tf",
            resource("aws_iam_policy", &format!("jsonencode({text})")),
        ),
        form(
            "Terraform, heredoc",
            "example.tf",
            resource("aws_iam_role_policy", &format!("<<EOT\n{}\nEOT", in_template(&json))),
        ),
        form(
            "Terraform, inline",
            "example.tf",
            format!(
                "resource \"aws_iam_role\" \"this\" {{\n  inline_policy {{\n    policy = jsonencode({text})\n  }}\n}}\n"
            ),
        ),
        form(
            "Terraform JSON",
            "example.tf.json",
            format!(
                "{{\"resource\": {{\"aws_iam_user_policy\": {{\"this\": {{\"policy\": {}}}}}}}}}",
                quoted(&in_template(&json))
            ),
        ),
        form(
            "plan",
            "example.json",
            format!(
                "{{\"format_version\": \"1.2\", \"resource_changes\": [{{\"address\": \"aws_iam_policy.this\", \"mode\": \"managed\", \"type\": \"aws_iam_policy\", \"name\": \"this\", \"change\": {{\"actions\": [\"create\"], \"after\": {{\"policy\": {}}}, \"after_unknown\": {{}}}}}}]}}",
                quoted(&json)
            ),
        ),
    ];
    if let Some(document) = document(policy, 3) {
        let text = format!(
            "{document}\n{}",
            resource("aws_iam_group_policy", "data.aws_iam_policy_document.key.json")
        );
        forms.push(Form { is_in_blocks: true, ..form("Terraform, document", "example.tf", text) });
    }
    forms
}

/// The options of the command; nothing where it has none for something.
fn options(grant: Node<'_>) -> Option<Vec<String>> {
    let word = |node: Node<'_>| node.as_string().map(|text| format!("'{text}'"));
    let mut options = Vec::new();
    for Member { key, value } in grant.members() {
        let option = match key.as_str()? {
            "KeyId" => "--key-id",
            "GranteePrincipal" => "--grantee-principal",
            "RetiringPrincipal" => "--retiring-principal",
            "GranteeServicePrincipal" => "--grantee-service-principal",
            "Name" => "--name",
            "Operations" => "--operations",
            "Constraints" => "--constraints",
            _ => return None,
        };
        let value = match value.kind() {
            Kind::Array => value.items().map(word).collect::<Option<Vec<_>>>()?.join(" "),
            Kind::Object => format!("'{}'", keylint_syntax::to_json(value).replace('\n', " ")),
            _ => word(value)?,
        };
        options.push(format!("{option} {value}"));
    }
    Some(options)
}

/// The arguments of the resource, but for the constraints; nothing where it has none for something.
fn arguments(grant: Node<'_>) -> Option<Vec<(String, Node<'_>)>> {
    let mut arguments = Vec::new();
    for Member { key, value } in grant.members() {
        match key.as_str()? {
            "Constraints" => {}
            name @ ("KeyId" | "GranteePrincipal" | "RetiringPrincipal" | "Name" | "Operations") => {
                arguments.push((snake(name), value));
            }
            _ => return None,
        }
    }
    Some(arguments)
}

/// `KeyId` as `key_id`.
fn snake(name: &str) -> String {
    let letters = name.chars().enumerate();
    letters.fold(String::new(), |mut text, (index, letter)| {
        if letter.is_ascii_uppercase() && index > 0 {
            text.push('_');
        }
        text.push(letter.to_ascii_lowercase());
        text
    })
}

/// A value of Terraform's JSON, whose strings are templates.
fn as_template(node: Node<'_>) -> String {
    keylint_syntax::to_json(node).replace("${", "$${").replace("%{", "%%{")
}
