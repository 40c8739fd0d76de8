//! Service-linked roles whose ARN is written wrongly: KMS rejects a policy that names a role that does not exist. And
//! those of another account.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create-service-linked-role.html>

use keylint_policy::arn::{Arn, same_account};
use keylint_policy::model::{Effect, Identity, IdentityKind, Principal, Statement};
use keylint_policy::vocabulary::{KeyId, Operations};
use keylint_policy::{Answer, pattern};
use keylint_source::{Severity, Span, did_you_mean};

use crate::facts::{Facts, principals};
use crate::finding::{Finding, grant_operation_list};
use crate::rule::{LinkedRole, Service};

/// What the names of service-linked roles begin with.
const PREFIX: &str = "AWSServiceRoleFor";
/// What their paths begin with.
const PATH: &str = "aws-service-role/";

pub(super) fn malformed<'p>(facts: &Facts<'p>, services: &[Service], severity: Severity) -> Vec<Finding<'p>> {
    let roles: Vec<&LinkedRole> = services.iter().filter_map(Service::role).collect();
    let mut findings: Vec<Finding<'p>> = Vec::new();
    for (statement, item) in principals(facts.policy()) {
        let Principal::Identity(identity) = item.principal else { continue };
        if identity.kind != IdentityKind::Role || pattern::has_hole(identity.name) {
            continue;
        }
        let Some(problem) = problem_of(&identity, &roles) else { continue };
        let text = item.text.as_str();
        let start = text.len() - identity.name.len();
        let primary = item.text.part(start + problem.at.0..start + problem.at.1);
        let mut finding = Finding::at(severity, primary).in_statement(statement);
        finding.words.insert("role", identity.simple_name().to_owned());
        finding.words.insert("principal", text.to_owned());
        finding.words.insert("element", problem.what.to_owned());
        if let Some(name) = problem.expected {
            let arn = Arn::parse(text);
            let prefix =
                arn.map_or("", |arn| text.get(..text.len() - arn.resource.len()).unwrap_or_default());
            finding.words.insert("expected", format!("{prefix}role/{name}"));
        }
        findings.push(finding);
    }
    findings
}

/// Roles of another account that the policy names for services that need a grant there: the key policy alone gives
/// them nothing, and no IAM policy can, since theirs is AWS's own.
pub(super) fn across_accounts<'p>(
    facts: &Facts<'p>,
    services: &[Service],
    severity: Severity,
) -> Vec<Finding<'p>> {
    let Some(owner) = facts.key().account.as_deref() else { return Vec::new() };
    let mut findings: Vec<Finding<'p>> = Vec::new();
    for role in &facts.service_linked_roles {
        let service = services.iter().find(|service| !service.grant.is_empty() && service.is_role_of(role));
        let Some(service) = service.filter(|_| same_account(owner, role.account) == Answer::No) else {
            continue;
        };
        let mut places = places_of(facts, role);
        let Some((statement, primary)) = places.next() else { continue };
        let mut finding = Finding::at(severity, primary)
            .in_statement(statement)
            .with("role", role.simple_name())
            .with("service", service.title.clone())
            .with("account", role.account)
            .with("operations", grant_operation_list(&service.grant));
        if let Some(assumed) = facts.assumed_owner {
            finding.words.insert("assumed", assumed.to_owned());
        }
        finding.related.extend(places.map(|(_, place)| place));
        // What the role lacks besides is of no account.
        finding.about.1 = Operations::ALL;
        findings.push(finding);
    }
    findings
}

/// Where `Allow` statements name a role: as their principal, or in a condition.
fn places_of<'p>(facts: &Facts<'p>, role: &Identity<'p>) -> impl Iterator<Item = (&'p Statement<'p>, Span)> {
    let allowing =
        facts.policy().statements.iter().filter(|statement| statement.effect == Some(Effect::Allow));
    let arn = role.arn;
    allowing.flat_map(move |statement| {
        let principals = &statement.principals;
        let named = principals.items.iter().filter(move |item| item.text.as_str() == arn);
        let named = named.filter(|_| !principals.negated).map(|item| item.text.span());
        let on_arn = statement.conditions.iter().filter(|condition| {
            let is_negated = condition.operator.is_none_or(|operator| operator.comparison.is_negated());
            condition.key.id == Some(KeyId::PRINCIPAL_ARN) && !is_negated
        });
        let values = on_arn.flat_map(|condition| &condition.values).filter(move |value| value.text == arn);
        named.chain(values.map(|value| value.span)).map(move |place| (statement, place))
    })
}

pub(super) struct Malformed {
    /// Which of path, service and name is wrong.
    pub(super) what: &'static str,
    /// The bytes of the name, with its path, that are wrong.
    pub(super) at: (usize, usize),
    /// The name with its path as it should be, where it is known.
    pub(super) expected: Option<String>,
}

/// What is wrong with the name of a role that is or means to be service-linked; `None` for any other role.
pub(super) fn problem_of(identity: &Identity<'_>, roles: &[&LinkedRole]) -> Option<Malformed> {
    let name = identity.name;
    let simple = identity.simple_name();
    let at_name = (name.len() - simple.len(), name.len());
    if let Some(service) = identity.service_linked_to() {
        return problem_of_linked(service, simple, at_name, roles);
    }
    let (path, linked_path) =
        name.rsplit_once('/').map_or(("", false), |(path, _)| (path, path.contains("service")));
    let known = by_name(simple, roles);
    // Another role may have any name; without the path it is taken for a service-linked role if its name is one.
    let means_to_be = known.is_some() || simple.starts_with(PREFIX) || name.starts_with(PATH);
    let near = || linked_path && near_name(simple, roles).is_some();
    if !means_to_be && !near() {
        return None;
    }
    let expected = known.or_else(|| near_name(simple, roles));
    Some(Malformed {
        what: "path",
        at: if path.is_empty() { (0, name.len()) } else { (0, path.len()) },
        expected: expected.map(|(service, name)| format!("{PATH}{service}/{name}")),
    })
}

fn problem_of_linked(
    service: &str,
    simple: &str,
    at_name: (usize, usize),
    roles: &[&LinkedRole],
) -> Option<Malformed> {
    let at_service = (PATH.len(), PATH.len() + service.len());
    let of_service = roles.iter().find(|known| known.service == service);
    if of_service.is_some_and(|known| known.has_name(simple)) {
        return None;
    }
    if let Some((right, name)) = by_name(simple, roles) {
        return (right != service).then(|| Malformed {
            what: "service",
            at: at_service,
            expected: Some(format!("{PATH}{right}/{name}")),
        });
    }
    if let Some(known) = of_service {
        let name = near_name(simple, roles).filter(|(near, _)| near == service).map(|(_, name)| name);
        return Some(Malformed {
            what: "name",
            at: at_name,
            expected: Some(format!("{PATH}{service}/{}", name.unwrap_or_else(|| known.name.clone()))),
        });
    }
    // A service that is not known may have any role; one that is nearly known is misspelt.
    let names = roles.iter().map(|known| known.service.as_str());
    let meant = did_you_mean(service, names)?;
    let (near, name) = near_name(simple, roles)?;
    (near == meant).then(|| Malformed {
        what: "service",
        at: at_service,
        expected: Some(format!("{PATH}{near}/{name}")),
    })
}

/// The service and the name of a role that is known by this name.
fn by_name(simple: &str, roles: &[&LinkedRole]) -> Option<(String, String)> {
    let known = roles.iter().find(|known| known.has_name(simple))?;
    Some((known.service.clone(), simple.to_owned()))
}

/// The service and the name of a known role whose name is nearly this one: another letter case, a letter more or
/// less, or a custom suffix behind something else than an underscore.
fn near_name(simple: &str, roles: &[&LinkedRole]) -> Option<(String, String)> {
    let (base, suffix) = simple.split_once('_').map_or((simple, None), |(base, suffix)| (base, Some(suffix)));
    for known in roles {
        let name = &known.name;
        let suffixed = |suffix: &str| format!("{name}_{suffix}");
        let behind =
            simple.strip_prefix(name.as_str()).and_then(|rest| rest.strip_prefix(['-', '.', '+', '=']));
        if let Some(behind) = behind.filter(|behind| known.custom_suffix && !behind.is_empty()) {
            return Some((known.service.clone(), suffixed(behind)));
        }
        let near = keylint_source::did_you_mean(base, [name.as_str()]).is_some()
            && base.len().abs_diff(name.len()) <= 2
            && differing(base, name) <= 3;
        if near {
            let name = match suffix {
                Some(suffix) if known.custom_suffix => suffixed(suffix),
                _ => name.clone(),
            };
            return Some((known.service.clone(), name));
        }
    }
    None
}

/// In how many places two names of about the same length differ, without regard to letter case.
fn differing(left: &str, right: &str) -> usize {
    let (left, right) = (left.to_ascii_lowercase(), right.to_ascii_lowercase());
    let same_start = left.bytes().zip(right.bytes()).take_while(|(l, r)| l == r).count();
    let same_end = left.bytes().rev().zip(right.bytes().rev()).take_while(|(l, r)| l == r).count();
    left.len().max(right.len()).saturating_sub(same_start + same_end)
}
