//! One policy in every container that keylint reads. What is written here is what the container's own tools write, or
//! what people write in it.

use std::fmt::Write as _;

use keylint_syntax::{Kind, Member, Node};

/// A policy in a container: the file, its text, and whether its elements have the names of blocks.
pub(crate) struct Form {
    pub(crate) name: &'static str,
    pub(crate) path: &'static str,
    pub(crate) text: String,
    pub(crate) is_in_blocks: bool,
}

/// The policy in each container that can hold it. `spec` and `usage` are those of the key, where they are known.
pub(crate) fn forms(policy: Node<'_>, spec: Option<&str>, usage: Option<&str>) -> Vec<Form> {
    let json = keylint_syntax::to_json(policy);
    let escaped = quoted(&json);
    let form = |name, path, text| Form { name, path, text, is_in_blocks: false };
    let mut forms = vec![
        form(
            "get-key-policy",
            "example.json",
            format!("{{\n  \"Policy\": {escaped},\n  \"PolicyName\": \"default\"\n}}\n"),
        ),
        form(
            "put-key-policy",
            "example.json",
            format!("{{\"KeyId\": \"alias/é 日 😀\", \"Policy\": {escaped}}}"),
        ),
    ];
    let fact = |name: &str, value: Option<&str>| match value {
        Some(value) => format!("\"{name}\": \"{value}\""),
        None => format!("\"{name}\": {{ \"Ref\": \"{name}\" }}"),
    };
    let facts = format!("{}, {}", fact("KeySpec", spec), fact("KeyUsage", usage));
    forms.push(form(
        "CloudFormation JSON",
        "example.json",
        format!(
            "{{\"Resources\": {{\"Key\": {{\"Type\": \"AWS::KMS::Key\", \"Properties\": {{{facts}, \"KeyPolicy\": {json}}}}}}}}}"
        ),
    ));
    let template = |policy: &str| {
        format!(
            "# é 日 😀\nResources:\n  Key:\n    Type: AWS::KMS::Key\n    Properties:\n      <<: {{{facts}}}\n      KeyPolicy: {policy}\n"
        )
    };
    forms.push(form("CloudFormation YAML, flow", "example.yaml", template(&json.replace('\n', "\n      "))));
    for (name, style) in [
        ("CloudFormation YAML, block", Style::Single),
        ("CloudFormation YAML, double quotes", Style::Double),
        ("CloudFormation YAML, anchors", Style::Anchored),
    ] {
        let mut text = String::new();
        yaml(policy, 8, style, &mut text);
        forms.push(form(name, "example.yaml", template(&text)));
    }
    let in_sub = json.replace("${", "${!").replace('\n', "\n        ");
    forms.push(form(
        "CloudFormation YAML, text",
        "example.yaml",
        template(&format!("!Sub |\n        {in_sub}")),
    ));

    if has_duplicates(policy) {
        return forms;
    }
    let argument = |name: &str, value: Option<&str>| match value {
        Some(value) => format!("  {name} = \"{value}\"\n"),
        None => format!("  {name} = var.{name}\n"),
    };
    let arguments = argument("customer_master_key_spec", spec) + &argument("key_usage", usage);
    let key =
        |policy: &str| format!("resource \"aws_kms_key\" \"key\" {{\n{arguments}  policy = {policy}\n}}\n");
    let mut hcl_text = String::new();
    hcl(policy, 2, &mut hcl_text);
    forms.push(form("Terraform, jsonencode", "example.tf", key(&format!("jsonencode({hcl_text})"))));
    let mut commented = String::new();
    hcl_commented(policy, &mut commented);
    forms.push(form(
        "Terraform, comments and colons",
        "example.tf",
        key(&format!("jsonencode( /* a policy */ {commented} )")),
    ));
    forms.push(form(
        "Terraform, locals",
        "example.tf",
        format!(
            "# é 日 😀\r\nlocals {{\n  policy = jsonencode(local.document)\n  document = {hcl_text}\n}}\n{}",
            key("local.policy")
        ),
    ));
    if let Some(statements) = policy.get("Statement").filter(|node| node.kind() == Kind::Array) {
        let mut lists = Vec::new();
        for statement in statements.items() {
            let mut text = String::new();
            hcl(statement, 4, &mut text);
            lists.push(format!("[{text}]"));
        }
        let mut others = String::new();
        for member in policy.members().filter(|member| member.key.as_str() != Some("Statement")) {
            write!(others, "{} = ", member.key.as_str().unwrap()).unwrap();
            hcl(member.value, 4, &mut others);
            others.push_str(", ");
        }
        forms.push(form(
            "Terraform, concat",
            "example.tf",
            key(&format!("jsonencode({{ {others} Statement = concat({}) }})", lists.join(", "))),
        ));
    }
    let in_template = |text: &str| text.replace("${", "$${").replace("%{", "%%{");
    forms.push(form("Terraform, heredoc", "example.tf", key(&format!("<<EOT\n{}\nEOT", in_template(&json)))));
    forms.push(form(
        "Terraform, indented heredoc",
        "example.tf",
        key(&format!("<<-EOT\n    {}\n  EOT", in_template(&json).replace('\n', "\n    "))),
    ));
    forms.push(form(
        "Terraform JSON",
        "example.tf.json",
        format!(
            "{{\"resource\": {{\"aws_kms_key\": {{\"key\": {{{}, {}, \"policy\": {}}}}}}}}}",
            fact_of_json("customer_master_key_spec", spec),
            fact_of_json("key_usage", usage),
            quoted(&in_template(&json))
        ),
    ));
    let values = |value: Option<&str>| value.map_or("null".to_owned(), |value| format!("\"{value}\""));
    let resource = "\"address\": \"module.x.aws_kms_key.key[0]\", \"mode\": \"managed\", \"type\": \"aws_kms_key\", \"name\": \"key\"";
    let after = format!(
        "{{\"customer_master_key_spec\": {}, \"key_usage\": {}, \"policy\": {escaped}}}",
        values(spec),
        values(usage)
    );
    forms.push(form(
        "plan",
        "example.json",
        format!(
            "{{\"format_version\": \"1.2\", \"resource_changes\": [{{{resource}, \"change\": {{\"actions\": [\"create\"], \"after\": {after}, \"after_unknown\": {{}}}}}}]}}"
        ),
    ));
    forms.push(form(
        "state",
        "example.json",
        format!(
            "{{\"format_version\": \"1.0\", \"values\": {{\"root_module\": {{\"child_modules\": [{{\"resources\": [{{{resource}, \"values\": {after}}}]}}]}}}}}}"
        ),
    ));
    if let Some(document) = document(policy, 4) {
        let text = format!("{document}\n{}", key("data.aws_iam_policy_document.key.json"));
        forms.push(Form { is_in_blocks: true, ..form("Terraform, document", "example.tf", text) });
    }
    forms
}

fn fact_of_json(name: &str, value: Option<&str>) -> String {
    match value {
        Some(value) => format!("\"{name}\": \"{value}\""),
        None => format!("\"{name}\": \"${{var.{name}}}\""),
    }
}

/// A text as a string of JSON.
pub(crate) fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap()
}

fn has_duplicates(node: Node<'_>) -> bool {
    let mut names: Vec<_> = node.members().map(|member| member.key.as_str()).collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    names.len() < count
        || node.items().any(has_duplicates)
        || node.members().any(|member| has_duplicates(member.value))
}

/// How strings are written in YAML.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    Single,
    Double,
    /// What follows an anchor and reads the same is an alias of it.
    Anchored,
}

pub(crate) fn yaml(node: Node<'_>, indent: usize, style: Style, text: &mut String) {
    let line = |text: &mut String| write!(text, "\n{:indent$}", "").unwrap();
    match node.kind() {
        Kind::Object if node.members().next().is_some() => {
            for Member { key, value } in node.members() {
                line(text);
                write!(text, "{}: ", scalar(key, style)).unwrap();
                if style == Style::Anchored && value.as_str() == Some("*") {
                    let is_there = text.contains("&anything");
                    text.push_str(if is_there { "*anything" } else { "&anything '*'" });
                } else {
                    yaml(value, indent + 2, style, text);
                }
            }
        }
        Kind::Array if node.items().next().is_some() => {
            for item in node.items() {
                line(text);
                text.push_str("- ");
                yaml(item, indent + 2, style, text);
            }
        }
        Kind::Object => text.push_str("{}"),
        Kind::Array => text.push_str("[]"),
        _ => text.push_str(&scalar(node, style)),
    }
}

fn scalar(node: Node<'_>, style: Style) -> String {
    match node.kind() {
        Kind::String if style == Style::Double => quoted(node.as_str().unwrap()),
        Kind::String if node.as_str().unwrap().contains(['\n', '\t']) => quoted(node.as_str().unwrap()),
        Kind::String => format!("'{}'", node.as_str().unwrap().replace('\'', "''")),
        _ => keylint_syntax::to_json(node),
    }
}

pub(crate) fn hcl(node: Node<'_>, indent: usize, text: &mut String) {
    match node.kind() {
        Kind::Object => {
            text.push('{');
            for Member { key, value } in node.members() {
                let name = key.as_str().unwrap();
                let is_word = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphabetic());
                let name = if is_word { name.to_owned() } else { hcl_string(name) };
                write!(text, "\n{:indent$}{name} = ", "").unwrap();
                hcl(value, indent + 2, text);
            }
            write!(text, "\n{:1$}}}", "", indent.saturating_sub(2)).unwrap();
        }
        Kind::Array => {
            text.push('[');
            for item in node.items() {
                hcl(item, indent + 2, text);
                text.push_str(", ");
            }
            text.push(']');
        }
        Kind::String => text.push_str(&hcl_string(node.as_str().unwrap())),
        _ => text.push_str(&keylint_syntax::to_json(node)),
    }
}

/// As people also write it: colons, quoted keys, comments of each kind.
fn hcl_commented(node: Node<'_>, text: &mut String) {
    match node.kind() {
        Kind::Object => {
            text.push_str("{ # { an object }\n");
            for Member { key, value } in node.members() {
                write!(text, "// \"{0}\"\n{0} : ", hcl_string(key.as_str().unwrap())).unwrap();
                hcl_commented(value, text);
                text.push_str(" /* , */,\n");
            }
            text.push('}');
        }
        Kind::Array => {
            text.push_str("[\n");
            for item in node.items() {
                text.push_str("# [\n");
                hcl_commented(item, text);
                text.push_str(",\n");
            }
            text.push(']');
        }
        _ => hcl(node, 0, text),
    }
}

fn hcl_string(text: &str) -> String {
    let text = text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n").replace('\t', "\\t");
    format!("\"{}\"", text.replace("${", "$${").replace("%{", "%%{"))
}

/// The policy as `aws_iam_policy_document`, if its blocks can say it. `elements` is how many a statement must have that
/// a document cannot leave out: `Effect`, the actions, the resources, and the principals, if the policy has them.
pub(crate) fn document(policy: Node<'_>, elements: usize) -> Option<String> {
    if policy.get("Version").and_then(Node::as_str) != Some("2012-10-17") {
        return None;
    }
    let mut text = "data \"aws_iam_policy_document\" \"key\" {\n".to_owned();
    let mut statements = None;
    for Member { key, value } in policy.members() {
        match key.as_str()? {
            "Version" => {}
            "Id" => writeln!(text, "  policy_id = {}", hcl_string(value.as_string()?)).unwrap(),
            "Statement" => statements = Some(value),
            _ => return None,
        }
    }
    let statements = statements?;
    let alone = (statements.kind() == Kind::Object).then_some(statements);
    let mut count = 0;
    for statement in alone.into_iter().chain(statements.items()) {
        count += 1;
        writeln!(text, "  statement {{\n{}  }}", block(statement, elements)?).unwrap();
    }
    text.push('}');
    (count > 0).then_some(text)
}

fn block(statement: Node<'_>, elements: usize) -> Option<String> {
    let mut text = String::new();
    let mut seen = 0;
    for Member { key, value } in statement.members() {
        match key.as_str()? {
            "Sid" if value.as_string()?.is_empty() => return None,
            "Sid" => writeln!(text, "    sid = {}", hcl_string(value.as_string()?)).unwrap(),
            "Effect" => {
                seen += 1;
                writeln!(text, "    effect = {}", hcl_string(value.as_string()?)).unwrap();
            }
            name @ ("Action" | "NotAction" | "Resource" | "NotResource") => {
                seen += 1;
                let name = match name {
                    "Action" => "actions",
                    "NotAction" => "not_actions",
                    "Resource" => "resources",
                    _ => "not_resources",
                };
                writeln!(text, "    {name} = {}", strings(value)?).unwrap();
            }
            name @ ("Principal" | "NotPrincipal") => {
                seen += 1;
                let name = if name == "Principal" { "principals" } else { "not_principals" };
                let mut add = |kind: &str, value| {
                    let identifiers = strings(value)?;
                    writeln!(
                        text,
                        "    {name} {{\n      type = {}\n      identifiers = {identifiers}\n    }}",
                        hcl_string(kind)
                    )
                    .unwrap();
                    Some(())
                };
                if value.as_string() == Some("*") {
                    add("*", value)?;
                } else if value.kind() == Kind::Object && value.members().next().is_some() {
                    for Member { key, value } in value.members() {
                        add(key.as_str()?, value)?;
                    }
                } else {
                    return None;
                }
            }
            "Condition" => {
                if value.kind() != Kind::Object || value.members().next().is_none() {
                    return None;
                }
                for Member { key: operator, value: keys } in value.members() {
                    if keys.kind() != Kind::Object || keys.members().next().is_none() {
                        return None;
                    }
                    for Member { key, value } in keys.members() {
                        writeln!(
                            text,
                            "    condition {{\n      test = {}\n      variable = {}\n      values = {}\n    }}",
                            hcl_string(operator.as_str()?),
                            hcl_string(key.as_str()?),
                            strings(value)?
                        )
                        .unwrap();
                    }
                }
            }
            _ => return None,
        }
    }
    // A document always has an effect, and leaves out what is empty.
    (seen == elements).then_some(text)
}

/// A list of strings; policy variables are written `&{…}`.
fn strings(value: Node<'_>) -> Option<String> {
    let one = |node: Node<'_>| match node.kind() {
        Kind::String => Some(hcl_string(node.as_str()?).replace("$${", "&{")),
        Kind::Bool(_) | Kind::Number => Some(keylint_syntax::to_json(node)),
        _ => None,
    };
    if value.kind() == Kind::Array {
        let items: Option<Vec<String>> = value.items().map(one).collect();
        return items.filter(|items| !items.is_empty()).map(|items| format!("[{}]", items.join(", ")));
    }
    Some(format!("[{}]", one(value)?))
}
