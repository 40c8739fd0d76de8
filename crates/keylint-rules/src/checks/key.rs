//! The kind of key that a service can use.

use keylint_policy::model::{Effect, Principal, PrincipalItem};
use keylint_source::{Severity, Span};

use crate::facts::{Facts, principals};
use crate::finding::Finding;
use crate::rule::{KeyNeed, Service};

/// Services that cannot use the key, whatever its policy allows them.
pub(super) fn unsuitable<'p>(
    facts: &Facts<'p>,
    services: &[Service],
    severity: Severity,
) -> Vec<Finding<'p>> {
    let mut findings = Vec::new();
    for service in services {
        let known = facts.known;
        let is_declared =
            known.serves.contains(&service.name) || known.serves_elsewhere.contains(&service.name);
        let named = place_of(facts, service);
        // One principal can stand for several services: then it is not known which of them is meant.
        let is_certain = |service: &Service| {
            let name = |one: &&Service| one.name != service.name && same_caller(one, service);
            services.iter().filter(name).all(|other| unmet(&other.key, service, facts).is_some())
        };
        if !is_declared && (named.is_none() || !is_certain(service)) {
            continue;
        }
        let Some((kind, value, expected)) = unmet(&service.key, service, facts) else { continue };
        let primary = named.unwrap_or(facts.policy().heading);
        let is_told = |finding: &Finding<'_>| finding.primary == primary && !is_declared;
        if findings.iter().any(is_told) {
            continue;
        }
        let finding = Finding::at(severity, primary).with("service", service.title.clone());
        findings.push(finding.with("kind", kind).with("value", value).with("expected", expected));
    }
    findings
}

/// The first thing that a service needs of its key and that the key is not: what, how it is, and how it should be.
fn unmet(need: &KeyNeed, service: &Service, facts: &Facts<'_>) -> Option<(&'static str, String, String)> {
    let known = facts.known;
    let differs = |need: &Option<String>, value: Option<&str>| {
        let (need, value) = (need.as_deref()?, value?);
        (need != value).then(|| (value.to_owned(), need.to_owned()))
    };
    if let Some((value, expected)) = differs(&need.spec, known.spec) {
        return Some(("key spec", value, expected));
    }
    if let Some((value, expected)) = differs(&need.usage, known.usage) {
        return Some(("key usage", value, expected));
    }
    if need.multi_region == Some(false) && known.multi_region == Some(true) {
        return Some(("scope", "multi-Region".to_owned(), "single-Region".to_owned()));
    }
    let region = known.region().filter(|_| need.same_region)?;
    let in_region = known.serves_in.iter().find(|(name, _)| *name == service.name);
    let (_, wanted) = in_region.filter(|(_, wanted)| wanted != region)?;
    Some(("Region", region.to_owned(), wanted.clone()))
}

fn same_caller(left: &Service, right: &Service) -> bool {
    match (left.role(), right.role()) {
        (Some(left), Some(right)) => left.service == right.service && left.name == right.name,
        (None, None) => left.principal().is_some() && left.principal() == right.principal(),
        _ => false,
    }
}

/// Where an `Allow` names the role or the service principal of a service first.
fn place_of(facts: &Facts<'_>, service: &Service) -> Option<Span> {
    let mut named = principals(facts.policy())
        .filter(|(statement, _)| statement.effect == Some(Effect::Allow) && !statement.principals.negated);
    let is_of_service = |item: &PrincipalItem<'_>| match &item.principal {
        Principal::Identity(identity) => service.is_role_of(identity),
        Principal::Service(name) => service.calls_as(name),
        _ => false,
    };
    named.find(|(_, item)| is_of_service(item)).map(|(_, item)| item.text.span())
}
