//! The rules and services that are in force.

use keylint_source::{Diagnostic, Problem, RuleInfo, Span, did_you_mean};
use keylint_syntax::{Arena, Node, Tree, yaml};

use crate::config::KeyEntry;
use crate::rule::{GROUPS, PEDANTIC, Rule, Service};
use crate::{page, reading, schemas};
use keylint_policy::arn::Arn;

include!(concat!(env!("OUT_DIR"), "/embedded.rs"));

/// The rules and services that are in force.
#[derive(Debug, Default)]
pub struct RuleSet {
    pub(crate) rules: Vec<Rule>,
    /// The files of the user's rules, for their pages.
    own: Vec<(String, String)>,
    pub(crate) services: Vec<Service>,
}

/// Which rules apply.
#[derive(Clone, Debug)]
pub struct Selection {
    /// For each rule of the set, whether what it finds is reported.
    pub(crate) certain: Vec<bool>,
    /// For each rule, whether it is also reported where it depends on what is not known.
    pub(crate) perhaps: Vec<bool>,
}

/// What the user says of a key that its policy does not.
#[derive(Clone, Debug, Default)]
pub struct KeyKnowledge<'k> {
    /// The account that owns it.
    pub account: Option<&'k str>,
    /// Its ARN.
    pub arn: Option<&'k str>,
    /// Its Region, where the ARN does not say it.
    pub region: Option<&'k str>,
    /// The organization that its account belongs to.
    pub organization: Option<&'k str>,
    /// Its spec: `SYMMETRIC_DEFAULT`, `RSA_4096`, ….
    pub spec: Option<&'k str>,
    /// Its usage: `ENCRYPT_DECRYPT`, `SIGN_VERIFY`, ….
    pub usage: Option<&'k str>,
    /// The accounts that it may be shared with; `None` if the user does not say.
    pub trusted_accounts: Option<&'k [String]>,
    /// Whether it is a multi-Region key.
    pub multi_region: Option<bool>,
    /// Whether other accounts than its owner's make the calls that are looked at: grants that they create.
    pub is_used_from_elsewhere: bool,
    /// The services that it must serve, by name.
    pub serves: Vec<String>,
    /// The services of other accounts that it must serve, by name: whether they can is for more than its policy to say.
    pub serves_elsewhere: Vec<String>,
    /// The Regions in which they use it, where the user says so: the name of the service, and the Region.
    pub serves_in: Vec<(String, String)>,
    /// Whether KMS is told not to refuse a policy that leaves nobody to manage the key.
    pub bypasses_lockout_check: bool,
    /// What looks like a reference of the template, and stands where it is text.
    pub literal_references: Vec<Span>,
    /// Whether the bytes of the policy are what KMS is sent. Else it is put together, and sent without blanks.
    pub is_written_out: bool,
}

impl<'k> KeyKnowledge<'k> {
    /// The Region of the key, as far as it is known.
    pub(crate) fn region(&self) -> Option<&'k str> {
        let of_arn = self.arn.and_then(Arn::parse).map(|arn| arn.region);
        of_arn.or(self.region).filter(|region| !region.is_empty())
    }

    /// Adds what an entry of the configuration says. What is known already stays.
    pub fn add(&mut self, key: &'k KeyEntry) {
        self.account = self.account.or(key.account.as_deref());
        self.arn = self.arn.or(key.arn.as_deref());
        self.region = self.region.or(key.region.as_deref());
        self.spec = self.spec.or(key.spec.as_deref());
        self.usage = self.usage.or(key.usage.as_deref());
    }
}

impl RuleSet {
    /// keylint's own rules and services.
    pub fn built_in() -> Self {
        let mut set = Self::default();
        for (name, text) in RULES {
            // The examples are the larger part of a rule file and matter to its tests alone.
            let rule = text.split("\nexamples:").next().unwrap_or(text);
            set.rules.extend(parsed(rule, |root| reading::rule(name, root, &mut Vec::new())));
        }
        for (name, text) in SERVICES {
            set.services.extend(parsed(text, |root| reading::service(name, root, &mut Vec::new())));
        }
        set.in_order()
    }

    /// Adds a rule of the user's. Nothing is added if anything is wrong with it.
    pub fn add_rule(&mut self, name: &str, text: &str) -> Vec<Problem> {
        let (rule, mut problems) =
            read_checked(text, &schemas::RULE, |root, problems| reading::rule(name, root, problems));
        problems.extend(Self::bad_name(name, text, self.rules.iter().any(|rule| rule.info.name == name)));
        if let Some(rule) = rule.filter(|_| problems.is_empty()) {
            self.rules.push(rule);
            self.own.push((name.to_owned(), text.to_owned()));
            *self = std::mem::take(self).in_order();
        }
        problems
    }

    /// Adds a service of the user's. Nothing is added if anything is wrong with it.
    pub fn add_service(&mut self, name: &str, text: &str) -> Vec<Problem> {
        let (service, mut problems) =
            read_checked(text, &schemas::SERVICE, |root, problems| reading::service(name, root, problems));
        problems.extend(Self::bad_name(name, text, self.services.iter().any(|service| service.name == name)));
        if let Some(service) = service.filter(|_| problems.is_empty()) {
            self.services.push(service);
        }
        problems
    }

    /// What the rules say of themselves, by name.
    pub fn rules(&self) -> impl Iterator<Item = &RuleInfo> {
        let mut infos: Vec<&RuleInfo> = self.rules.iter().map(|rule| &rule.info).collect();
        infos.sort_by(|left, right| left.name.cmp(&right.name));
        infos.into_iter()
    }

    /// The names of the services.
    pub fn services(&self) -> impl Iterator<Item = &str> {
        self.services.iter().map(|service| service.name.as_str())
    }

    /// The name that AWS gives a service.
    pub fn service_title(&self, name: &str) -> Option<&str> {
        self.services.iter().find(|service| service.name == name).map(|service| service.title.as_str())
    }

    /// Whether a service, by its name, can use a key of another account through a grant that keylint knows.
    pub fn takes_grant(&self, name: &str) -> bool {
        self.services.iter().any(|service| service.name == name && !service.grant.is_empty())
    }

    /// The names of keylint's own rules.
    pub fn built_in_names() -> impl Iterator<Item = &'static str> {
        RULES.iter().map(|(name, _)| *name)
    }

    /// Whether what a rule finds is reported.
    pub fn applies(&self, selection: &Selection, name: &str) -> bool {
        let index = self.rules.iter().position(|rule| rule.info.name == name);
        index.is_some_and(|index| selection.certain.get(index) == Some(&true))
    }

    /// Leaves out what a rule says of a place of which another says the same, to which it yields.
    pub fn without_repetitions(&self, found: &mut Vec<Diagnostic>) {
        let yields = |diagnostic: &Diagnostic| {
            let rule = self.rules.iter().find(|rule| rule.info.name == diagnostic.rule);
            let others = rule.map(|rule| rule.yields_to.as_slice()).unwrap_or_default();
            let at = diagnostic.primary.at;
            found.iter().any(|other| {
                let place = other.primary.at;
                let is_same = place.file == at.file && place.span.overlaps(at.span);
                is_same && others.iter().any(|name| *name == other.rule)
            })
        };
        let superfluous: Vec<bool> = found.iter().map(yields).collect();
        let mut superfluous = superfluous.into_iter();
        found.retain(|_| superfluous.next() != Some(true));
    }

    /// What a rule says of itself.
    pub fn rule(&self, name: &str) -> Option<&RuleInfo> {
        self.rules.iter().map(|rule| &rule.info).find(|info| info.name == name)
    }

    /// The page of a rule, for a person to read.
    pub fn page(&self, name: &str) -> Option<String> {
        self.rule(name).zip(self.text(name)).map(|(info, text)| page::page(info, text))
    }

    /// The pages of all rules in one Markdown document, by group.
    pub fn reference(&self) -> String {
        let rules: Vec<(&RuleInfo, &str)> =
            self.rules().filter_map(|info| Some((info, self.text(&info.name)?))).collect();
        page::reference(&GROUPS, &rules)
    }

    /// The file of a rule.
    fn text(&self, name: &str) -> Option<&str> {
        let own = self.own.iter().map(|(name, text)| (name.as_str(), text.as_str()));
        RULES.iter().copied().chain(own).find(|(known, _)| *known == name).map(|(_, text)| text)
    }

    /// The rules that apply when these names of rules and groups are selected, and those ignored. With nothing
    /// selected, every rule applies but those of the pedantic group. `all` selects everything.
    ///
    /// # Errors
    ///
    /// The first name that is neither a rule nor a group, with what was probably meant.
    pub fn select(
        &self,
        select: &[String],
        ignore: &[String],
    ) -> Result<Selection, (String, Option<String>)> {
        for name in select.iter().chain(ignore) {
            let known = || self.rules().map(|rule| rule.name.as_str()).chain(GROUPS).chain(["all"]);
            if !known().any(|known| known == name) {
                return Err((name.clone(), did_you_mean(name, known()).map(str::to_owned)));
            }
        }
        let listed = |names: &[String], rule: &Rule| {
            names.iter().any(|name| *name == rule.info.name || *name == rule.info.group || name == "all")
        };
        let with_possible = select.iter().any(|name| name == PEDANTIC || name == "all");
        let apply = |chosen: bool, rule: &Rule| chosen && !listed(ignore, rule);
        Ok(Selection {
            certain: self
                .rules
                .iter()
                .map(|rule| {
                    let chosen =
                        if select.is_empty() { rule.info.group != PEDANTIC } else { listed(select, rule) };
                    apply(chosen, rule)
                })
                .collect(),
            perhaps: self.rules.iter().map(|rule| apply(with_possible, rule)).collect(),
        })
    }

    /// Rules that yield to others come after them, else by name.
    fn in_order(mut self) -> Self {
        let mut waiting = std::mem::take(&mut self.rules);
        waiting.sort_by(|left, right| left.info.name.cmp(&right.info.name));
        while !waiting.is_empty() {
            let is_waiting = |name: &String| waiting.iter().any(|rule| rule.info.name == *name);
            let free = waiting.iter().position(|rule| !rule.yields_to.iter().any(is_waiting));
            // Rules that yield to each other in a circle come in the order of their names.
            self.rules.push(waiting.remove(free.unwrap_or(0)));
        }
        self
    }

    fn bad_name(name: &str, text: &str, taken: bool) -> Option<Problem> {
        let well_formed =
            name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        let first_line = text.lines().next().map_or(0, str::len);
        let at = keylint_source::Span::new(0, u32::try_from(first_line).unwrap_or(0));
        if taken {
            Some(
                Problem::new(at, format!("there is a `{name}` already"))
                    .with_help("give the file another name"),
            )
        } else if name.is_empty() || !well_formed {
            let message = format!("the name of the file, `{name}`, is not a good name");
            Some(Problem::new(at, message).with_help("use lower-case letters, digits and `-`"))
        } else {
            None
        }
    }
}

/// Reads one of keylint's own files. An empty one, which a test excludes, gives nothing.
fn parsed<T>(text: &str, read: impl FnOnce(Node<'_>) -> T) -> Option<T> {
    let mut arena = Arena::default();
    yaml::parse(text, &mut arena, &mut Vec::new());
    Tree::new(text, &arena).root().map(read)
}

fn read_checked<T>(
    text: &str,
    schema: &schemas::Lazy,
    read: impl FnOnce(Node<'_>, &mut Vec<Problem>) -> T,
) -> (Option<T>, Vec<Problem>) {
    let mut arena = Arena::default();
    let mut problems = Vec::new();
    yaml::parse(text, &mut arena, &mut problems);
    let Some(root) = Tree::new(text, &arena).root().filter(|_| problems.is_empty()) else {
        if problems.is_empty() {
            problems.push(Problem::new(keylint_source::Span::default(), "this file is empty"));
        }
        return (None, problems);
    };
    problems.extend(schemas::problems(schema, root));
    if !problems.is_empty() {
        return (None, problems);
    }
    let value = read(root, &mut problems);
    (Some(value), problems)
}

#[cfg(test)]
mod tests {
    use super::*;
    use keylint_policy::vocabulary::Operation;
    use keylint_source::FileId;
    use pretty_assertions::assert_eq;

    /// What is wrong with one of keylint's own files: the file, the place, and the message.
    fn problems(
        files: &[(&str, &str)],
        check: impl Fn(&str, &str) -> Vec<Problem>,
    ) -> Vec<(String, String, String)> {
        let mut all = Vec::new();
        for (name, text) in files {
            let found = check(name, text).into_iter();
            all.extend(
                found.map(|p| ((*name).to_owned(), text.get(p.at.range()).unwrap().to_owned(), p.message)),
            );
        }
        all
    }

    #[test]
    fn every_file_of_keylint_is_as_its_schema_says() {
        let rule = |name: &str, text: &str| {
            read_checked(text, &schemas::RULE, |root, problems| reading::rule(name, root, problems)).1
        };
        let service = |name: &str, text: &str| {
            read_checked(text, &schemas::SERVICE, |root, problems| reading::service(name, root, problems)).1
        };
        assert_eq!(problems(RULES, rule), []);
        assert_eq!(problems(SERVICES, service), []);
        assert_eq!(RuleSet::built_in().rules.len(), RULES.len());
        assert_eq!(RuleSet::built_in().services.len(), SERVICES.len());
    }

    #[test]
    fn rules_come_after_those_that_they_yield_to() {
        let set = RuleSet::built_in();
        let position = |name: &str| set.rules.iter().position(|rule| rule.info.name == name);
        for rule in &set.rules {
            for other in &rule.yields_to {
                assert!(
                    position(other).unwrap() < position(&rule.info.name).unwrap(),
                    "{} {other}",
                    rule.info.name
                );
            }
        }
    }

    #[test]
    fn a_service_needs_what_its_page_lists() {
        let set = RuleSet::built_in();
        let service = set.services.iter().find(|service| service.name == "autoscaling").unwrap();
        let needed: Vec<&str> = service
            .needs
            .iter()
            .flat_map(|need| &need.may)
            .map(|operation| Operation::name(*operation))
            .collect();
        let listed = [
            "Encrypt",
            "Decrypt",
            "ReEncryptFrom",
            "ReEncryptTo",
            "GenerateDataKey",
            "GenerateDataKeyWithoutPlaintext",
            "DescribeKey",
            "CreateGrant",
        ];
        assert_eq!(needed, listed);
    }

    #[test]
    fn every_service_can_be_declared() {
        let text = r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Action": "kms:*", "Resource": "*"}}"#;
        let mut arena = Arena::default();
        keylint_syntax::json::parse(text, &mut arena, &mut Vec::new());
        let tree = Tree::new(text, &arena);
        let node = tree.root().unwrap();
        let policy = keylint_policy::lower(node);
        let set = RuleSet::built_in();
        let selection = set.select(&[], &[]).unwrap();
        let lacking = |service: &Service| {
            let known = KeyKnowledge { serves: vec![service.name.clone()], ..KeyKnowledge::default() };
            let found = set.check(&selection, node, &policy, &known, FileId(0));
            found.into_iter().map(|diagnostic| diagnostic.rule).collect::<Vec<_>>()
        };
        for service in &set.services {
            // Whether whoever calls a service may use the key is not for the key policy alone to say.
            let by_its_caller = matches!(service.calls, crate::rule::Calls::Caller(_));
            let expected: &[&str] = if by_its_caller { &[] } else { &["missing-service-permission"] };
            assert_eq!(lacking(service), expected, "{}", service.name);
        }
    }

    #[test]
    fn names_are_selected_and_ignored() {
        let set = RuleSet::built_in();
        let chosen = |select: &[&str], ignore: &[&str]| -> Vec<String> {
            let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
            let selection = set.select(&owned(select), &owned(ignore)).unwrap();
            let rules = set.rules.iter().zip(selection.certain);
            rules.filter(|(_, chosen)| *chosen).map(|(rule, _)| rule.info.name.clone()).collect()
        };
        assert_eq!(chosen(&["unknown-action"], &[]), ["unknown-action"]);
        let security = chosen(&["security"], &["public-key-access"]);
        assert!(security.contains(&"unrestricted-grant-creation".to_owned()));
        assert!(!security.contains(&"public-key-access".to_owned()));
        assert!(security.iter().all(|name| set.rule(name).is_some_and(|rule| rule.group == "security")));
        assert!(!chosen(&[], &[]).contains(&"administrator-grant-creation".to_owned()));
        assert_eq!(chosen(&[], &["all"]), Vec::<String>::new());
        let unknown = set.select(&["unknown-actoin".to_owned()], &[]).unwrap_err();
        assert_eq!(unknown.1.as_deref(), Some("unknown-action"));
    }

    #[test]
    fn a_rule_of_the_users_is_checked_like_keylints_own() {
        let mut set = RuleSet::built_in();
        let places = |problems: Vec<Problem>, text: &str| -> Vec<(String, Option<String>)> {
            problems.into_iter().map(|p| (text.get(p.at.range()).unwrap().to_owned(), p.help)).collect()
        };
        let frame = "summary: s\nseverity: error\ngroup: security\nwhy: w\nmessage: m\n";
        let good = format!("{frame}match: {{ effect: Allow, element: NotPrincipal, at: principal }}\n");
        assert_eq!(set.add_rule("no-one-else", &good), []);
        for (rule, place, help) in [
            (
                "ask: { who: strangers, may: 'kms:Decrpt', expect: 'no' }",
                "kms:Decrpt",
                Some("did you mean `kms:Decrypt`?"),
            ),
            (
                "match: { lacks-condition: 'kms:ViaServices' }",
                "kms:ViaServices",
                Some("did you mean `kms:ViaService`?"),
            ),
            ("check: unknown-actions", "unknown-actions", Some("did you mean `unknown-action`?")),
            ("ask: { who: owner, may: 'kms:PutKeyPolicy', expect: 'no' }", "no", None),
        ] {
            let text = format!("{frame}{rule}\n");
            let found = places(set.add_rule("mine", &text), &text);
            assert_eq!(found, [(place.to_owned(), help.map(str::to_owned))], "{rule}");
        }
        let text =
            format!("{frame}message: '{{princpal}}'\ncheck: unknown-action\n").replace("message: m\n", "");
        let found = places(set.add_rule("mine", &text), &text);
        assert_eq!(found, [("{princpal}".to_owned(), Some("did you mean `principal`?".to_owned()))]);
        assert_eq!(set.add_rule("Bad Name", &good).len(), 1);
        assert_eq!(set.add_rule("unknown-action", &good).len(), 1);
        assert_eq!(set.add_rule("mine", "").len(), 1);
    }
}
