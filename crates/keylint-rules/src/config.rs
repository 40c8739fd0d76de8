//! The configuration: `keylint.yaml`.

use glob::{MatchOptions, Pattern};
use keylint_policy::arn::Arn;
use keylint_policy::vocabulary::Operation;
use keylint_source::{Problem, Severity, Span, Spanned};
use keylint_syntax::{Arena, Node, Tree, yaml};

use crate::schemas;

/// What `keylint.yaml` says. Paths are as they are written, relative to the folder of the file.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// The account that owns the keys.
    pub account: Option<String>,
    /// The only rules and groups to apply.
    pub select: Vec<Spanned<String>>,
    /// Rules and groups not to apply.
    pub ignore: Vec<Spanned<String>>,
    /// Findings not to report, each with the reason.
    pub ignore_entries: Vec<IgnoreEntry>,
    /// How bad what rules find is here, where it is not as the rules say.
    pub severity: Vec<(Spanned<String>, Severity)>,
    /// The path of the baseline.
    pub baseline: Option<Spanned<String>>,
    /// The paths of rule files.
    pub rules: Vec<Spanned<String>>,
    /// The paths of service files.
    pub services: Vec<Spanned<String>>,
    /// The accounts that keys may be shared with; `None` where the file does not say.
    pub trusted_accounts: Option<Vec<String>>,
    /// The organization that the accounts which own keys belong to.
    pub organization: Option<String>,
    /// What is known of keys.
    pub keys: Vec<KeyEntry>,
}

/// Findings that are not to be reported, and why.
#[derive(Clone, Debug)]
pub struct IgnoreEntry {
    /// The entry.
    pub at: Span,
    /// The rules, by name.
    pub rules: Vec<Spanned<String>>,
    /// The files that the findings are in; `None` for any.
    pub path: Option<Files>,
    /// The resource that they are about, by its logical id or address.
    pub resource: Option<String>,
    /// The `Sid` of the statement that they are about.
    pub sid: Option<String>,
    /// The index of that statement, from 0.
    pub statement: Option<u32>,
    /// Why they are not to be reported.
    pub reason: Option<String>,
    /// The last day on which they are not.
    pub expires: Option<Spanned<String>>,
}

impl IgnoreEntry {
    /// Reads an entry. What is missing is nobody's problem here: who follows the entry says what it lacks.
    pub fn read(node: Node<'_>, problems: &mut Vec<Problem>) -> Self {
        let rules = node.get("rule");
        let alone = rules.filter(|rules| rules.as_str().is_some());
        let rules = alone.into_iter().chain(rules.into_iter().flat_map(Node::items));
        Self {
            at: node.tree().character(node.span()),
            rules: rules.filter_map(spanned).collect(),
            path: node.get("path").and_then(|path| Files::read(path, problems)),
            resource: text_of(node, "resource"),
            sid: text_of(node, "sid"),
            statement: text_of(node, "statement").and_then(|index| index.parse().ok()),
            reason: text_of(node, "reason"),
            expires: node.get("expires").and_then(spanned),
        }
    }
}

/// What is known of the keys whose policies are in some files.
#[derive(Clone, Debug)]
pub struct KeyEntry {
    /// The files with the key's policy; `None` where the resource alone tells which key it is.
    pub policy: Option<Files>,
    /// The key, by its logical id or its address in a template or module.
    pub resource: Option<String>,
    /// The account that owns the key.
    pub account: Option<String>,
    /// The key's ARN.
    pub arn: Option<String>,
    /// The key's Region, where the ARN is not known.
    pub region: Option<String>,
    /// The key's spec: `SYMMETRIC_DEFAULT`, `RSA_4096`, ….
    pub spec: Option<String>,
    /// The key's usage: `ENCRYPT_DECRYPT`, `SIGN_VERIFY`, ….
    pub usage: Option<String>,
    /// The services that the key must serve.
    pub serves: Vec<Served>,
}

/// A service that a key must serve.
#[derive(Clone, Debug)]
pub struct Served {
    /// The service, by the name of its file.
    pub service: Spanned<String>,
    /// The account in which it uses the key; `None` for the key's own.
    pub account: Option<String>,
    /// The Region in which it uses the key.
    pub region: Option<String>,
    /// The files with the grants for it; `None` where the file does not say.
    pub grants: Option<Vec<Files>>,
    /// The files with the IAM policies of whoever creates the grants; `None` where the file does not say.
    pub identity_policies: Option<Vec<Files>>,
}

/// Files, as a glob pattern that is relative to the configuration's folder.
#[derive(Clone, Debug)]
pub struct Files {
    /// The pattern as it is written.
    pub written: Spanned<String>,
    pattern: Pattern,
}

impl Files {
    /// Whether a file is one of them, by its path relative to the configuration's folder.
    pub fn cover(&self, path: &str) -> bool {
        let options = MatchOptions { require_literal_separator: true, ..MatchOptions::new() };
        self.pattern.matches_with(path, options)
    }

    fn read(node: Node<'_>, problems: &mut Vec<Problem>) -> Option<Self> {
        let text = node.as_str()?;
        match Pattern::new(text.trim_start_matches("./")) {
            Ok(pattern) => Some(Self { written: spanned(node)?, pattern }),
            Err(error) => {
                let message = format!("`{text}` is not a glob pattern: {}", error.msg);
                problems.push(Problem::new(at_byte(node, error.pos), message));
                None
            }
        }
    }
}

impl KeyEntry {
    /// Whether the entry is about the key whose policy is in a file, by its path relative to the configuration's folder,
    /// and belongs to a resource.
    pub fn covers(&self, path: &str, resource: Option<&str>) -> bool {
        let is_of_file = self.policy.as_ref().is_none_or(|files| files.cover(path));
        is_of_file && (self.resource.is_none() || self.resource.as_deref() == resource)
    }

    /// The account that owns the key, as far as the entry says.
    pub fn owner(&self) -> Option<&str> {
        let of_arn = self.arn.as_deref().and_then(Arn::parse).map(|arn| arn.account);
        self.account.as_deref().or(of_arn)
    }

    /// Whether a service uses the key in another account than the key's own.
    pub fn is_elsewhere(&self, served: &Served) -> bool {
        served.account.as_deref().is_some_and(|account| self.owner() != Some(account))
    }
}

impl Config {
    /// Reads the configuration. What is wrong with it is in the problems, and left out of the result; an empty file
    /// configures nothing.
    pub fn parse(text: &str) -> (Self, Vec<Problem>) {
        let mut arena = Arena::default();
        let mut problems = Vec::new();
        yaml::parse(text, &mut arena, &mut problems);
        let Some(root) = Tree::new(text, &arena).root().filter(|_| problems.is_empty()) else {
            return (Self::default(), problems);
        };
        if root.kind() == keylint_syntax::Kind::Null {
            return (Self::default(), problems);
        }
        problems.extend(schemas::problems(&schemas::CONFIG, root));
        let keys = root.get("keys").into_iter().flat_map(Node::items);
        let keys = keys.filter_map(|node| key_entry(node, &mut problems)).collect();
        let entries = root.get("ignore").into_iter().flat_map(Node::items);
        let entries = entries.filter(|entry| entry.kind() == keylint_syntax::Kind::Object);
        let ignore_entries = entries.map(|entry| IgnoreEntry::read(entry, &mut problems)).collect();
        let config = Self {
            ignore_entries,
            severity: severities(root),
            baseline: root.get("baseline").and_then(spanned),
            account: text_of(root, "account"),
            select: list_of(root, "select"),
            ignore: list_of(root, "ignore"),
            rules: list_of(root, "rules"),
            services: list_of(root, "services"),
            trusted_accounts: root
                .get("trusted-accounts")
                .map(|accounts| accounts.items().filter_map(Node::as_str).map(str::to_owned).collect()),
            organization: text_of(root, "organization"),
            keys,
        };
        (config, problems)
    }
}

fn key_entry(node: Node<'_>, problems: &mut Vec<Problem>) -> Option<KeyEntry> {
    let (policy, resource) = (node.get("policy"), text_of(node, "resource"));
    if policy.is_none() && resource.is_none() {
        let at = node.tree().character(node.span());
        let help = "say which by `policy`, the files with its policy, or by `resource`, its name in a template or module";
        problems.push(Problem::new(at, "it is not said which key this is").with_help(help));
        return None;
    }
    let policy = match policy {
        Some(policy) => Some(Files::read(policy, problems)?),
        None => None,
    };
    problems.extend(kind_of_key(node));
    problems.extend(another_account(node));
    problems.extend(another_region(node));
    let serves = node.get("serves").into_iter().flat_map(Node::items);
    Some(KeyEntry {
        policy,
        resource,
        account: text_of(node, "account"),
        arn: text_of(node, "arn"),
        region: text_of(node, "region"),
        spec: text_of(node, "spec"),
        usage: text_of(node, "usage"),
        serves: serves.filter_map(|entry| served(entry, problems)).collect(),
    })
}

fn served(node: Node<'_>, problems: &mut Vec<Problem>) -> Option<Served> {
    let mut files = |name: &str| {
        let patterns = node.get(name)?.items();
        Some(patterns.filter_map(|pattern| Files::read(pattern, problems)).collect())
    };
    let (grants, identity_policies) = (files("grants"), files("identity-policies"));
    Some(Served {
        service: spanned(node.get("service")?)?,
        account: text_of(node, "account"),
        region: text_of(node, "region"),
        grants,
        identity_policies,
    })
}

/// What is wrong with the kind of key that an entry tells: there is no such spec, or none with such a usage.
fn kind_of_key(entry: Node<'_>) -> Option<Problem> {
    let exists = |spec, usage| {
        // Operations that work on any key say nothing of its kind.
        let is_particular = |operation: &Operation| !operation.works_on(Some(""), Some(""));
        Operation::all().filter(is_particular).any(|operation| operation.works_on(spec, usage))
    };
    let spec = entry.get("spec")?;
    let text = spec.as_str()?;
    if !exists(Some(text), None) {
        return Some(Problem::new(spec.content_span(), format!("there is no key spec `{text}`")));
    }
    let usage = entry.get("usage").filter(|usage| !exists(Some(text), usage.as_str()))?;
    let message = format!("a key of the spec `{text}` cannot be for `{}`", usage.as_str()?);
    Some(Problem::new(usage.content_span(), message))
}

/// Whether the account and the ARN of an entry name two owners.
fn another_account(entry: Node<'_>) -> Option<Problem> {
    let (account, arn) = (entry.get("account")?, entry.get("arn")?);
    let of_arn = Arn::parse(arn.as_str()?)?.account;
    (Some(of_arn) != account.as_str()).then(|| {
        Problem::new(account.content_span(), "the ARN of this key names another account")
            .with_help("the ARN says which account owns the key: remove one of the two")
    })
}

/// Whether the Region and the ARN of an entry name two Regions.
fn another_region(entry: Node<'_>) -> Option<Problem> {
    let (region, arn) = (entry.get("region")?, entry.get("arn")?);
    let of_arn = Arn::parse(arn.as_str()?)?.region;
    (Some(of_arn) != region.as_str()).then(|| {
        Problem::new(region.content_span(), "the ARN of this key names another Region")
            .with_help("the ARN says in which Region the key is: remove one of the two")
    })
}

fn at_byte(node: Node<'_>, offset: usize) -> Span {
    let text = node.as_str().unwrap_or_default();
    let offset = (0..=offset.min(text.len())).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0);
    let end =
        text.get(offset..).and_then(|rest| rest.chars().next()).map_or(offset, |c| offset + c.len_utf8());
    node.text_span(offset..end)
}

fn severities(root: Node<'_>) -> Vec<(Spanned<String>, Severity)> {
    let members = root.get("severity").into_iter().flat_map(Node::members);
    let severity = |member: keylint_syntax::Member<'_>| {
        Some((spanned(member.key)?, Severity::from_word(member.value.as_str()?)?))
    };
    members.filter_map(severity).collect()
}

fn text_of(node: Node<'_>, key: &str) -> Option<String> {
    node.get(key).and_then(Node::as_str).map(str::to_owned)
}

fn list_of(node: Node<'_>, key: &str) -> Vec<Spanned<String>> {
    node.get(key).into_iter().flat_map(Node::items).filter_map(spanned).collect()
}

fn spanned(node: Node<'_>) -> Option<Spanned<String>> {
    node.as_str().map(|text| Spanned::new(text.to_owned(), node.content_span()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use pretty_assertions::assert_eq;

    fn problems(text: &str) -> Vec<(String, String, Option<String>)> {
        let (_, problems) = Config::parse(text);
        problems
            .into_iter()
            .map(|p| (text.get(p.at.range()).unwrap().to_owned(), p.message, p.help))
            .collect()
    }

    #[test]
    fn a_whole_configuration() {
        let text = "account: '111122223333'\nrules: [team/a.yaml]\nkeys:\n  - policy: keys/*.json\n    serves:\n      - service: autoscaling\n";
        let (config, problems) = Config::parse(text);
        assert_eq!(problems, []);
        assert_eq!(config.account.as_deref(), Some("111122223333"));
        assert_eq!(
            config.rules.first().map(|rule| text.get(rule.span.range()).unwrap()),
            Some("team/a.yaml")
        );
        let key = config.keys.first().unwrap();
        assert!(key.covers("keys/a.json", None));
        assert!(!key.covers("keys/deep/a.json", None) && !key.covers("a.json", Some("aws_kms_key.a")));
        assert_eq!(key.serves.first().map(|served| served.service.value.as_str()), Some("autoscaling"));
    }

    #[test]
    fn a_use_from_another_account() {
        let text = r#"
keys:
  - policy: kms/ebs.json
    arn: arn:aws:kms:us-west-2:444455556666:key/1a2b3c4d-5e6f-1a2b-3c4d-5e6f1a2b3c4d
    spec: SYMMETRIC_DEFAULT
    serves:
      - service: autoscaling
      - { service: autoscaling, account: "111122223333", grants: [scripts/grant-asg.sh], identity-policies: [iam/*.json] }
  - { resource: aws_kms_key.ebs, account: 444455556666, region: us-west-2 }
trusted-accounts: ["111122223333"]
organization: o-exampleorgid
"#;
        let (config, problems) = Config::parse(text);
        assert_eq!(problems, []);
        assert_eq!(config.organization.as_deref(), Some("o-exampleorgid"));
        let [by_file, by_name] = config.keys.as_slice() else { panic!("two keys") };
        let [own, other] = by_file.serves.as_slice() else { panic!("two uses") };
        assert!(!by_file.is_elsewhere(own) && by_file.is_elsewhere(other));
        assert!(own.grants.is_none());
        let covers = |files: &Option<Vec<Files>>, path| files.iter().flatten().any(|it| it.cover(path));
        assert!(
            covers(&other.grants, "scripts/grant-asg.sh") && covers(&other.identity_policies, "iam/a.json")
        );
        assert!(by_name.covers("main.tf", Some("aws_kms_key.ebs")) && !by_name.covers("main.tf", None));
    }

    #[test]
    fn an_account_may_be_written_without_quotes() {
        let (config, problems) = Config::parse("account: 011122223333\n");
        assert_eq!((config.account.as_deref(), problems), (Some("011122223333"), Vec::new()));
    }

    #[test]
    fn an_empty_file_configures_nothing() {
        assert_eq!(problems(""), []);
        assert_eq!(problems("# nothing yet\n"), []);
    }

    #[test]
    fn mistakes_have_a_place_and_a_suggestion() {
        let [(place, _, help)] = &problems("acount: '111122223333'\n")[..] else { panic!("one problem") };
        assert_eq!(place, "acount");
        assert!(help.as_deref().is_some_and(|help| help.contains("account")), "{help:?}");
        assert_eq!(problems("account: '1111'\n")[0].0, "'1111'");
        assert_eq!(problems("keys:\n  - policy: 'a***'\n")[0].0.is_empty(), false);
        assert_eq!(problems("keys:\n  - spec: RSA_4096\n")[0].1, "it is not said which key this is");
        assert_eq!(problems("organization: example\n")[0].0, "example");
        assert_eq!(problems("rules: [\n").len(), 1);
        let of_key = |members: &str| -> Vec<String> {
            let found = problems(&format!("keys:\n  - {{ policy: a.json, {members} }}\n"));
            found.into_iter().map(|(place, ..)| place).collect()
        };
        assert_eq!(of_key("spec: RSA_4096, usage: SIGN_VERIFY"), [""; 0]);
        assert_eq!(of_key("spec: ROT_13"), ["ROT_13"]);
        assert_eq!(of_key("spec: HMAC_256, usage: SIGN_VERIFY"), ["SIGN_VERIFY"]);
        let arn = "arn:aws:kms:eu-west-1:444455556666:key/1234abcd-12ab-34cd-56ef-1234567890ab";
        assert_eq!(of_key(&format!("account: '111122223333', arn: '{arn}'")), ["111122223333"]);
    }
}
