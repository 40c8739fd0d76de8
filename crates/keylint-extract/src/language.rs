//! In which language a file is written.

use memchr::memmem;

/// The language of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// JSON.
    Json,
    /// YAML.
    Yaml,
    /// The language of Terraform and `OpenTofu`, or its syntax in JSON.
    Terraform {
        /// Whether it is the syntax in JSON.
        is_json: bool,
    },
    /// One that keylint does not read.
    Other,
}

impl Language {
    /// The language that the name of a file tells.
    pub fn of_path(path: &str) -> Option<Self> {
        let name = path.rsplit('/').next()?;
        let lower = name.to_ascii_lowercase();
        let (stem, extension) = lower.rsplit_once('.')?;
        let inner = stem.rsplit_once('.').map(|(_, inner)| inner);
        match extension {
            "json" if matches!(inner, Some("tf" | "tofu")) => Some(Self::Terraform { is_json: true }),
            "json" => Some(Self::Json),
            "yaml" | "yml" => Some(Self::Yaml),
            "tf" | "tofu" => Some(Self::Terraform { is_json: false }),
            "hcl" | "sh" | "bash" | "zsh" | "ps1" | "bat" | "cmd" | "mk" | "md" | "rst" | "py" | "js"
            | "ts" | "toml" => Some(Self::Other),
            _ => None,
        }
    }

    /// The language of a file: by its name, or else by what is in it.
    pub fn of(path: &str, text: &str) -> Self {
        if let Some(language) = Self::of_path(path) {
            return language;
        }
        let has = |word: &str| memmem::find(text.as_bytes(), word.as_bytes()).is_some();
        if text.trim_start_matches('\u{feff}').trim_start().starts_with(['{', '[']) {
            Self::Json
        } else if has("resource \"aws_kms_")
            || has("resource \"aws_iam_")
            || has("data \"aws_iam_policy_document\"")
        {
            Self::Terraform { is_json: false }
        } else if has("AWS::KMS::")
            || has("kms.services.k8s.aws/")
            || ((has("AWS::IAM::") || has("AWS::Serverless::")) && names_kms(text))
        {
            Self::Yaml
        } else {
            Self::Other
        }
    }
}

/// Whether a text names an action of KMS, or something else with its prefix. What spells the prefix otherwise is not
/// looked at.
pub(crate) fn names_kms(text: &str) -> bool {
    let has = |word: &str| memmem::find(text.as_bytes(), word.as_bytes()).is_some();
    has("kms:") || has("KMS:")
}

/// Whether a text declares a key as a resource of CloudFormation, or something that is given an IAM policy and names
/// KMS, rather than mentioning one.
pub(crate) fn declares_holder(text: &str) -> bool {
    let holders = ["AWS::IAM::", "AWS::SSO::PermissionSet", "AWS::Serverless::"];
    declares(text, "AWS::KMS::") || (names_kms(text) && holders.iter().any(|holder| declares(text, holder)))
}

/// Whether a type that begins so is that of a resource.
fn declares(text: &str, prefix: &str) -> bool {
    memmem::find_iter(text.as_bytes(), prefix.as_bytes()).any(|at| {
        let line = text.get(..at).unwrap_or_default().rsplit('\n').next().unwrap_or_default();
        let marks = [' ', '\t', '"', '\''];
        let before = line.trim_end_matches(marks).strip_suffix(':').map(|key| key.trim_end_matches(marks));
        before.is_some_and(|key| key.ends_with("Type")) && !line.trim_start().starts_with(['#', '/'])
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use pretty_assertions::assert_eq;

    #[test]
    fn the_language_is_told_by_name_or_by_the_content() {
        let module = |is_json| Language::Terraform { is_json };
        for (path, text, language) in [
            ("a/b.json", "x", Language::Json),
            ("key-policy", " {}", Language::Json),
            ("a.tpl", "\u{feff}[]", Language::Json),
            ("a.yaml", "{}", Language::Yaml),
            ("A.YML", "", Language::Yaml),
            ("a.template", "Type: AWS::KMS::Key", Language::Yaml),
            ("a.template", "{\"Type\": \"AWS::KMS::Key\"}", Language::Json),
            ("a.tf", "", module(false)),
            ("a.tofu", "", module(false)),
            ("a.tf.json", "{}", module(true)),
            ("<stdin>", "resource \"aws_kms_key\" \"a\" {}", module(false)),
            ("notes", "kms", Language::Other),
            ("a.d/run.sh", "{", Language::Other),
        ] {
            assert_eq!(Language::of(path, text), language, "{path}");
        }
    }

    #[test]
    fn a_key_or_a_role_is_declared_by_its_type() {
        assert!(declares_holder("  Key:\n    Type: 'AWS::KMS::Key'"));
        assert!(declares_holder("{\"Type\" : \"AWS::KMS::ReplicaKey\"}"));
        assert!(declares_holder("Key: {DependsOn: R, Type: AWS::KMS::Key"));
        assert!(!declares_holder("resources: [AWS::KMS::Key]"));
        assert!(!declares_holder("# Type: AWS::KMS::Key"));
        assert!(declares_holder("Role: {Type: AWS::IAM::Role, Action: 'kms:Decrypt'"));
        assert!(!declares_holder("Role: {Type: AWS::IAM::Role, Action: 's3:GetObject'"));
        assert!(!declares_holder("names: [AWS::IAM::Role, 'kms:Decrypt'"));
    }
}
