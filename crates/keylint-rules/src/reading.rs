//! Reads rule and service files.

use keylint_policy::model::Effect;
use keylint_policy::pattern::FRESH;
use keylint_policy::vocabulary::{
    ConditionKey, KeyStanding, Operation, Operations, standing, suggest_action,
};
use keylint_source::{Problem, RuleInfo, Severity, did_you_mean};
use keylint_syntax::schema::Schema;
use keylint_syntax::{Kind, Node};

use crate::checks::CHECKS;
use crate::rule::{
    Calls, Decision, Element, Expectation, Form, KeyNeed, LinkedRole, Need, Place, PrincipalForm, Question,
    Rule, Service, Texts, Who,
};
use crate::text::{Template, WORDS};

/// Reads a rule from the root of its file. What is wrong is added to the problems, and left out of the rule.
///
/// The file's form is taken to be as its schema says.
pub(crate) fn rule(name: &str, root: Node<'_>, problems: &mut Vec<Problem>) -> Rule {
    let severity = severity(root).unwrap_or(Severity::Error);
    let texts = texts(root, problems);
    let info = RuleInfo {
        name: name.to_owned(),
        summary: string(root, "summary"),
        severity,
        group: string(root, "group"),
        why: string(root, "why").trim_end().to_owned(),
        help: general_help(root),
        references: strings(root, "references"),
    };
    let decision = decision(root, severity, problems);
    Rule {
        info,
        decision,
        texts,
        yields_to: strings(root, "yields-to"),
        also_for_identity_policies: text(root, "also-for") == "identity-policies",
    }
}

fn decision(root: Node<'_>, severity: Severity, problems: &mut Vec<Problem>) -> Decision {
    const KINDS: [&str; 5] = ["ask", "match", "schema", "check", "raised-by"];
    let mut kinds = root.members().filter(|member| KINDS.contains(&member.key.as_str().unwrap_or_default()));
    let Some(kind) = kinds.next() else {
        let at = root.members().next().map_or(root.span(), |member| member.key.content_span());
        let help = "say how the rule decides: `ask`, `match`, `schema` or `check`";
        problems.push(Problem::new(at, "this rule does not say how it decides").with_help(help));
        return Decision::BuiltIn;
    };
    if let Some(second) = kinds.next() {
        let message = "a rule decides in one way only: by `ask`, `match`, `schema` or `check`";
        problems.push(Problem::new(second.key.content_span(), message));
    }
    let value = kind.value;
    match kind.key.as_str().unwrap_or_default() {
        "ask" => {
            let questions: Vec<Node<'_>> =
                if value.kind() == Kind::Array { value.items().collect() } else { vec![value] };
            Decision::Ask(questions.into_iter().map(|node| question(node, severity, problems)).collect())
        }
        "match" => Decision::Match(Box::new(form(value, problems))),
        "schema" => match Schema::from_node(value) {
            Ok(schema) => Decision::Schema(schema),
            Err(error) => {
                problems.push(Problem::new(
                    kind.key.content_span(),
                    format!("this is not a JSON Schema: {error}"),
                ));
                Decision::BuiltIn
            }
        },
        "check" => {
            let name = value.as_str().unwrap_or_default();
            match CHECKS.iter().find(|(known, _)| *known == name) {
                Some((_, check)) => Decision::Check(*check),
                None => {
                    let known = CHECKS.iter().map(|(known, _)| *known);
                    problems.push(unknown(value, "check", did_you_mean(name, known)));
                    Decision::BuiltIn
                }
            }
        }
        _ if value.as_str() == Some("grammar") => Decision::Grammar,
        _ => Decision::BuiltIn,
    }
}

fn question(node: Node<'_>, of_the_rule: Severity, problems: &mut Vec<Problem>) -> Question {
    let who = match text(node, "who") {
        "strangers" => Who::Strangers,
        "service-linked-roles" => Who::ServiceLinkedRoles,
        "other-accounts" => Who::OtherAccounts,
        "own-principals" => Who::OwnPrincipals,
        "untrusted-accounts" => Who::UntrustedAccounts,
        "owner" => Who::Owner,
        "owner-identities" => Who::OwnerIdentities,
        "unnamed-identities" => Who::UnnamedIdentities,
        "service-principals" => Who::ServicePrincipals,
        _ => Who::Services,
    };
    let expect = match text(node, "expect") {
        "no" => Expectation::No,
        "allowed" => Expectation::Allowed,
        _ => Expectation::Undenied,
    };
    let fits = match who {
        Who::Services | Who::Owner | Who::OwnerIdentities | Who::UnnamedIdentities => {
            expect != Expectation::No
        }
        Who::ServicePrincipals => expect == Expectation::Undenied,
        _ => expect == Expectation::No,
    };
    if let Some(value) = node.get("expect").filter(|_| !fits) {
        let message = match who {
            Who::Services | Who::Owner | Who::OwnerIdentities | Who::UnnamedIdentities => {
                "of these it can be expected that they are `allowed` or `undenied`"
            }
            Who::ServicePrincipals => "of these it can be expected that they are `undenied`",
            _ => "of these it can be expected that they may not: `no`",
        };
        problems.push(Problem::new(value.content_span(), message));
    }
    let may = operations(node, "may", problems);
    if may.is_empty() && who != Who::Services && node.get("may").is_none() {
        problems.push(Problem::new(
            node.span(),
            "this question does not say which operations it asks about: `may`",
        ));
    }
    Question {
        who,
        may,
        with: context(node, problems),
        when_shared: text(node, "when") == "shared",
        unless_may: operations(node, "unless-may", problems),
        if_may: operations(node, "if-may", problems),
        expect,
        at: place(node).unwrap_or(Place::Action),
        severity: severity(node).unwrap_or(of_the_rule),
        texts: texts(node, problems),
    }
}

fn form(node: Node<'_>, problems: &mut Vec<Problem>) -> Form {
    let element = |name: &String| match name.as_str() {
        "NotPrincipal" => Some(Element::NotPrincipal),
        "NotAction" => Some(Element::NotAction),
        "NotResource" => Some(Element::NotResource),
        "Condition" => Some(Element::Condition),
        "Sid" => Some(Element::Sid),
        _ => None,
    };
    let principal = |name: &String| match name.as_str() {
        "anyone" => Some(PrincipalForm::Anyone),
        "account" => Some(PrincipalForm::Account),
        "user" => Some(PrincipalForm::User),
        "role" => Some(PrincipalForm::Role),
        "service-linked-role" => Some(PrincipalForm::ServiceLinkedRole),
        "session" => Some(PrincipalForm::Session),
        "federated-user" => Some(PrincipalForm::FederatedUser),
        "service" => Some(PrincipalForm::Service),
        "federated" => Some(PrincipalForm::Federated),
        _ => None,
    };
    for key in ["has-condition", "lacks-condition"] {
        node.get(key).into_iter().flat_map(one_or_many).for_each(|key| known_condition_key(key, problems));
    }
    Form {
        effect: match text(node, "effect") {
            "Allow" => Some(Effect::Allow),
            "Deny" => Some(Effect::Deny),
            _ => None,
        },
        element: strings(node, "element").iter().filter_map(element).collect(),
        principal: strings(node, "principal").iter().filter_map(principal).collect(),
        covers: operations(node, "covers", problems),
        has_condition: strings(node, "has-condition"),
        lacks_condition: strings(node, "lacks-condition"),
        at: place(node),
    }
}

/// Reads a service from the root of its file; see [`rule`].
pub(crate) fn service(name: &str, root: Node<'_>, problems: &mut Vec<Problem>) -> Service {
    let needs = root.get("needs").into_iter().flat_map(Node::items).map(|need| {
        let may = need.get("may").into_iter().flat_map(one_or_many);
        let may =
            may.flat_map(|action| matching(action, problems).iter().collect::<Vec<Operation>>()).collect();
        Need { may, with: context(need, problems) }
    });
    let needs = needs.collect();
    Service {
        name: name.to_owned(),
        title: string(root, "title"),
        calls: calls(root, problems),
        needs,
        grant: grant(root, problems),
        key: root.get("key").map(key_need).unwrap_or_default(),
        sends: root.get("sends").map(|keys| {
            keys.items().for_each(|key| known_condition_key(key, problems));
            strings(root, "sends")
        }),
        unrestricted_example: flag(root, "unrestricted-example"),
    }
}

/// The operations that a grant lists, by the names that a grant knows.
fn grant(root: Node<'_>, problems: &mut Vec<Problem>) -> Vec<Operation> {
    let items = root.get("grant").into_iter().flat_map(Node::items);
    let mut operation = |item: Node<'_>| {
        let name = item.as_str().unwrap_or_default();
        let operation = Operation::from_name(name).filter(|it| it.name() == name && it.in_grants());
        if operation.is_none() {
            let known = Operations::IN_GRANTS.iter().map(Operation::name);
            problems.push(unknown(item, "operation of a grant", did_you_mean(name, known)));
        }
        operation
    };
    items.filter_map(&mut operation).collect()
}

fn key_need(node: Node<'_>) -> KeyNeed {
    let text = |name: &str| node.get(name).and_then(Node::as_str).map(str::to_owned);
    KeyNeed {
        spec: text("spec"),
        usage: text("usage"),
        multi_region: node.get("multi-region").and_then(Node::as_bool),
        same_region: node.get("region").is_some(),
    }
}

/// Who calls KMS for a service. A file says it in one way only.
fn calls(root: Node<'_>, problems: &mut Vec<Problem>) -> Calls {
    const KINDS: [&str; 3] = ["service-linked-role", "principal", "caller"];
    let mut kinds = root.members().filter(|member| KINDS.contains(&member.key.as_str().unwrap_or_default()));
    let Some(kind) = kinds.next() else {
        let at = root.members().next().map_or(root.span(), |member| member.key.content_span());
        let help = "say who calls: `service-linked-role`, `principal` or `caller`";
        problems.push(Problem::new(at, "this service does not say who calls KMS for it").with_help(help));
        return Calls::Caller(String::new());
    };
    if let Some(second) = kinds.next() {
        let message = "one calls: a `service-linked-role`, a `principal` or the `caller`";
        problems.push(Problem::new(second.key.content_span(), message));
    }
    let name = kind.value.as_str().unwrap_or_default().to_owned();
    match kind.key.as_str().unwrap_or_default() {
        "principal" => Calls::Principal(name),
        "caller" => Calls::Caller(name),
        _ => Calls::Role(LinkedRole {
            service: string(kind.value, "service"),
            name: string(kind.value, "name"),
            custom_suffix: flag(kind.value, "custom-suffix"),
            sole_caller: flag(kind.value, "sole-caller"),
        }),
    }
}

fn operations(node: Node<'_>, key: &str, problems: &mut Vec<Problem>) -> Operations {
    let actions = node.get(key).into_iter().flat_map(one_or_many);
    actions.fold(Operations::EMPTY, |all, action| all.union(matching(action, problems)))
}

/// The operations on a key that an action of a rule matches.
fn matching(action: Node<'_>, problems: &mut Vec<Problem>) -> Operations {
    let text = action.as_str().unwrap_or_default();
    let operations = Operations::matching(text).intersection(Operations::ON_KEY);
    if operations.is_empty() {
        let suggestion = suggest_action(text);
        problems.push(unknown(action, "operation on a key", suggestion.as_deref()));
    }
    operations
}

fn context(node: Node<'_>, problems: &mut Vec<Problem>) -> Vec<(String, Vec<String>)> {
    let members = node.get("with").into_iter().flat_map(Node::members);
    members
        .map(|member| {
            known_condition_key(member.key, problems);
            let values = one_or_many(member.value).filter_map(|value| match value.kind() {
                Kind::Bool(value) => Some(value.to_string()),
                // A value that no policy names.
                _ => value.as_str().map(|text| text.replace("<other>", FRESH.encode_utf8(&mut [0; 4]))),
            });
            (member.key.as_str().unwrap_or_default().to_owned(), values.collect())
        })
        .collect()
}

fn known_condition_key(key: Node<'_>, problems: &mut Vec<Problem>) {
    let text = key.as_str().unwrap_or_default();
    if standing(&ConditionKey::parse(text)) == KeyStanding::Unknown {
        let suggestion = keylint_policy::vocabulary::suggest_condition_key(text);
        problems.push(unknown(key, "condition key", suggestion.as_deref()));
    }
}

fn texts(node: Node<'_>, problems: &mut Vec<Problem>) -> Texts {
    let mut read = |key: &str| -> Vec<Template> {
        let texts = node.get(key).into_iter().flat_map(one_or_many);
        texts
            .filter_map(|text| match Template::parse(text.as_str().unwrap_or_default().trim_end()) {
                Ok(template) => Some(template),
                Err(word) => {
                    let known = WORDS.iter().map(|(known, _)| *known);
                    let problem = Problem::new(text.content_span(), format!("there is no word `{{{word}}}`"));
                    problems.push(with_suggestion(problem, did_you_mean(&word, known)));
                    None
                }
            })
            .collect()
    };
    Texts {
        message: read("message"),
        label: read("label"),
        related: read("related"),
        help: read("help"),
        notes: read("notes"),
    }
}

fn unknown(node: Node<'_>, what: &str, suggestion: Option<&str>) -> Problem {
    let text = node.as_str().unwrap_or_default();
    with_suggestion(Problem::new(node.content_span(), format!("there is no {what} `{text}`")), suggestion)
}

fn with_suggestion(problem: Problem, suggestion: Option<&str>) -> Problem {
    match suggestion {
        Some(suggestion) => problem.with_help(format!("did you mean `{suggestion}`?")),
        None => problem,
    }
}

fn place(node: Node<'_>) -> Option<Place> {
    Some(match text(node, "at") {
        "action" => Place::Action,
        "principal" => Place::Principal,
        "resource" => Place::Resource,
        "condition" => Place::Condition,
        "statement" => Place::Statement,
        _ => return None,
    })
}

fn severity(node: Node<'_>) -> Option<Severity> {
    Severity::from_word(text(node, "severity"))
}

fn text<'t>(node: Node<'t>, key: &str) -> &'t str {
    node.get(key).and_then(Node::as_str).unwrap_or_default()
}

fn string(node: Node<'_>, key: &str) -> String {
    text(node, key).to_owned()
}

fn flag(node: Node<'_>, key: &str) -> bool {
    node.get(key).and_then(Node::as_bool) == Some(true)
}

fn strings(node: Node<'_>, key: &str) -> Vec<String> {
    let values = node.get(key).into_iter().flat_map(one_or_many);
    values.filter_map(Node::as_str).map(str::to_owned).collect()
}

/// The advice that has no words to fill in, and so holds for every finding.
fn general_help(root: Node<'_>) -> String {
    let help = strings(root, "help");
    help.into_iter()
        .rev()
        .find(|text| Template::parse(text).is_ok_and(|t| t.has_no_words()))
        .unwrap_or_default()
}

/// The items of a list, or the node itself.
fn one_or_many(node: Node<'_>) -> impl Iterator<Item = Node<'_>> {
    let alone = (node.kind() != Kind::Array).then_some(node);
    alone.into_iter().chain(node.items())
}
