//! Grants: what they permit, for whom, and on which key.
//!
//! <https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateGrant.html>

use keylint_policy::Answer;
use keylint_policy::arn::Arn;
use keylint_policy::grant::Grant;
use keylint_policy::model::{Identity, IdentityKind, Principal, Text};
use keylint_policy::pattern;
use keylint_policy::vocabulary::{KeyType, Operation, Operations};
use keylint_source::Severity;

use super::service_linked_role::problem_of;
use crate::finding::{Finding, grant_operation_list};
use crate::grant_facts::{
    GrantFacts, is_alias, is_for_same, is_key_id, key_arn, misplaced_grantee, regions_differ,
};
use crate::rule::{LinkedRole, Service};

/// Operations that a service needs and that the grant for its role does not list, and those that it lists in a spelling
/// that no grant knows.
pub(super) fn missing_operations<'p>(
    facts: &GrantFacts<'p>,
    services: &[Service],
    severity: Severity,
) -> Vec<Finding<'p>> {
    let grant = facts.grant;
    // What means nothing is perhaps to be replaced before the command is run: `OPERATION`, `[more]`.
    let is_name = |text: &str| {
        let is_letters = text.bytes().all(|byte| byte.is_ascii_alphabetic());
        is_letters
            && text.bytes().any(|byte| byte.is_ascii_lowercase())
            && text.starts_with(char::is_uppercase)
    };
    let misspelt = grant.operations.items.iter().filter(|item| item.operation.is_none());
    let misspelt = misspelt.filter(|item| !item.meant.is_empty() || is_name(item.text.as_str()));
    let mut findings: Vec<Finding<'p>> = misspelt
        .map(|item| {
            let finding = Finding::at(severity, item.text.span()).with("value", item.text.as_str());
            // Of what a pattern matches, a service means what it needs.
            let needed = facts.service(services).map(|service| service.grant.iter().copied().collect());
            let meant = needed.map_or(item.meant, |needed: Operations| item.meant.intersection(needed));
            let meant = if meant.is_empty() { item.meant } else { meant };
            match meant.iter().collect::<Vec<_>>().as_slice() {
                [] => finding,
                meant => finding.with("suggestion", grant_operation_list(meant)),
            }
        })
        .collect();
    let Some(service) = facts.service(services) else { return findings };
    // That it has none is said of the grant itself.
    let has_none = grant.operations.is_empty() && !grant.exists;
    let lacking = if has_none { Vec::new() } else { facts.lacking(service) };
    if !lacking.is_empty() {
        let across = facts.is_across_accounts();
        // In the account of the key, its policy may allow the role what the grant does not.
        let severity = match across {
            // Of the grants that exist it is not known whether these are all.
            _ if grant.exists => severity.min(Severity::Note),
            Answer::Yes => severity,
            _ => severity.min(Severity::Warning),
        };
        let mut finding = Finding::at(severity, grant.operations.span)
            .with("service", service.title.clone())
            .with("operations", grant_operation_list(&lacking))
            .with("are", if lacking.len() == 1 { "is" } else { "are" });
        if across != Answer::Yes {
            finding.words.insert("conditional", String::new());
        }
        finding.related.extend(grant.grantee.text().map(Text::span));
        findings.push(finding);
    }
    findings
}

/// What KMS refuses, what cannot work, and what is more than is needed.
pub(super) fn invalid<'p>(
    facts: &GrantFacts<'p>,
    services: &[Service],
    severity: Severity,
) -> Vec<Finding<'p>> {
    let mut findings: Vec<Finding<'p>> = absent_members(facts.grant, severity).into_iter().collect();
    let is_incomplete = !findings.is_empty();
    findings.extend(impossible_operations(facts, severity));
    findings.extend(wrong_key(facts, severity));
    findings.extend(wrong_grantee(facts, services, severity));
    findings.extend(wrong_constraint(facts, severity));
    findings.extend(wrong_name(facts.grant, severity));
    findings.extend(passed_on(facts, services, severity.min(Severity::Note)));
    if !is_incomplete {
        findings.extend(without_retiring_principal(facts, services, severity.min(Severity::Note)));
    }
    findings.extend(superseded(facts, severity.min(Severity::Warning)));
    findings
}

/// What every request for a grant has to have, and this one has not.
fn absent_members<'p>(grant: &'p Grant<'p>, severity: Severity) -> Option<Finding<'p>> {
    let absent = [
        ("KeyId", grant.key.is_absent()),
        ("GranteePrincipal", grant.grantee.is_absent() && grant.grantee_service.is_absent()),
        ("Operations", grant.operations.is_empty()),
    ];
    let absent = absent.into_iter().filter(|(_, is_absent)| *is_absent && !grant.exists);
    let names: Vec<&str> = absent.map(|(name, _)| name).collect();
    let listed = keylint_source::quoted_list(&names);
    (!names.is_empty())
        .then(|| Finding::at(severity, grant.heading).with("element", listed).with("absent", ""))
}

/// Operations that no grant can hold, and those that the key does not know.
fn impossible_operations<'p>(facts: &GrantFacts<'p>, severity: Severity) -> Vec<Finding<'p>> {
    let (spec, usage) = (facts.known.spec, facts.known.usage);
    let items = || facts.grant.operations.items.iter().filter_map(|item| Some((item.text, item.operation?)));
    let ungrantable = items().filter(|(_, operation)| !operation.in_grants()).map(|(text, operation)| {
        let finding = Finding::at(severity, text.span()).with("operation", operation.name());
        finding.with("ungrantable", "")
    });
    let mut findings: Vec<Finding<'p>> = ungrantable.collect();
    findings.extend(without_common_kind(facts, severity));
    // They have one cause: the kind of the key.
    let is_unknown = |operation: Operation| operation.in_grants() && !operation.works_on(spec, usage);
    let mut unknown = items().filter(|(_, operation)| is_unknown(*operation));
    let all: Vec<Operation> = unknown.clone().map(|(_, operation)| operation).collect();
    if let Some((first, _)) = unknown.next() {
        let finding = Finding::at(severity, first.span()).with("operations", grant_operation_list(&all));
        let kind: Vec<&str> = spec.into_iter().chain(usage).collect();
        let finding = finding.with("kind", kind.join(", "));
        findings.push(Finding { related: unknown.map(|(text, _)| text.span()).collect(), ..finding });
    }
    findings
}

/// Operations that work on keys, but on no one key together.
fn without_common_kind<'p>(facts: &GrantFacts<'p>, severity: Severity) -> Option<Finding<'p>> {
    if facts.known.spec.is_some() || facts.known.usage.is_some() {
        return None;
    }
    let items = || facts.grant.operations.items.iter().filter_map(|item| Some((item.text, item.operation?)));
    let items = || items().filter(|(_, operation)| operation.in_grants());
    // What works on any key says nothing of its kind.
    let items =
        || items().filter(|(_, operation)| operation.key_types().iter().all(|kind| kind.usage != "*"));
    let mut kinds = items().flat_map(|(_, operation)| operation.key_types());
    let works = |kind: &KeyType| {
        let spec = kind.spec.trim_end_matches('*');
        items().all(|(_, operation)| operation.works_on(Some(spec), Some(kind.usage)))
    };
    let (first, last) = (items().next()?.0, items().next_back()?.0);
    if kinds.any(works) {
        return None;
    }
    let all: Vec<Operation> = items().map(|(_, operation)| operation).collect();
    let finding = Finding::at(severity, first.span()).with("operations", grant_operation_list(&all));
    Some(Finding { related: vec![last.span()], ..finding }.with("incompatible", ""))
}

/// A key that is named by an alias, or by an id that means a key of the caller's own account, and a key of another Region
/// than the one that is asked.
fn wrong_key<'p>(facts: &GrantFacts<'p>, severity: Severity) -> Option<Finding<'p>> {
    let text = facts.grant.key.text()?;
    let written = text.as_str();
    let finding = || Finding::at(severity, text.span()).with("value", written);
    if is_alias(written) {
        // An ARN that was put together names more than the file does.
        let arn = Arn::parse(written).filter(|_| pattern::has_hole(written));
        return Some(finding().with("value", arn.map_or(written, |arn| arn.resource)).with("alias", ""));
    }
    let owner = facts.known.arn.and_then(key_arn);
    if facts.known.is_used_from_elsewhere && is_key_id(written) {
        let owner = owner.map(|arn| arn.account).or(facts.known.account);
        let finding = match owner {
            Some(account) => finding().with("account", account),
            None => finding().with("unnamed", ""),
        };
        return Some(match facts.known.arn {
            Some(arn) => finding.with("expected", arn),
            None => finding.with("expected", "arn:aws:kms:REGION:ACCOUNT:key/ID"),
        });
    }
    if let Some((region, of_key)) = regions_differ(facts.grant) {
        let finding = Finding::at(severity, region.span()).with("region", of_key);
        return Some(Finding { related: vec![text.span()], ..finding }.with("value", region.as_str()));
    }
    let is_known = pattern::has_hole(written) || is_key_id(written) || key_arn(written).is_some();
    let is_arn_of_other = Arn::parse(written).is_some() && !is_known;
    is_arn_of_other.then(|| finding().with("element", "KeyId"))
}

/// Whoever cannot be given a grant.
fn wrong_grantee<'p>(
    facts: &GrantFacts<'p>,
    services: &[Service],
    severity: Severity,
) -> Option<Finding<'p>> {
    let text = facts.grant.grantee.text()?;
    let written = text.as_str();
    let finding = || Finding::at(severity, text.span()).with("principal", written);
    if let Some(kind) = misplaced_grantee(facts.grant) {
        return Some(finding().with("kind", kind));
    }
    let kind = match Principal::parse_aws(written) {
        // The ARN of a session does not tell the path of its role.
        Principal::Identity(identity) if identity.kind != IdentityKind::Role => return None,
        Principal::Identity(identity) => {
            let roles: Vec<&LinkedRole> = services.iter().filter_map(Service::role).collect();
            if pattern::has_hole(identity.name) {
                return None;
            }
            let problem = problem_of(&identity, &roles)?;
            let start = written.len() - identity.name.len();
            let primary = text.part(start + problem.at.0..start + problem.at.1);
            let finding = Finding::at(severity, primary)
                .with("role", identity.simple_name())
                .with("element", problem.what);
            let prefix = written.get(..start).unwrap_or_default().trim_end_matches("role/");
            return Some(match problem.expected {
                Some(name) => finding.with("expected", format!("{prefix}role/{name}")),
                None => finding,
            });
        }
        Principal::Account(_) => return None,
        Principal::Anyone => "everyone",
        Principal::Nobody if pattern::is_wildcard(written) => "a pattern",
        Principal::Nobody => "a group",
        _ if facts.grant.exists || pattern::has_hole(written) => return None,
        _ if written.ends_with(".amazonaws.com") => "an AWS service",
        _ if Arn::parse(written).is_some() => "what this ARN names",
        _ if written.starts_with("arn:") => "what this ARN names, which has not six parts",
        // A word that is to be replaced before the command is run.
        _ => return None,
    };
    Some(finding().with("kind", kind))
}

/// Constraints on the encryption context, which only symmetric encryption keys have, and what a grant for a service needs.
fn wrong_constraint<'p>(facts: &GrantFacts<'p>, severity: Severity) -> Option<Finding<'p>> {
    let grant = facts.grant;
    let on_context = grant.constraints.items.iter().find(|(kind, _)| kind.as_str().starts_with("Encryption"));
    if let Some((kind, _)) = on_context
        && facts.known.spec.is_some_and(|spec| spec != "SYMMETRIC_DEFAULT")
    {
        let finding = Finding::at(severity, kind.span()).with("condition", kind.as_str());
        return Some(finding.with("kind", facts.known.spec.unwrap_or_default()));
    }
    let service = grant.grantee_service.text()?;
    let is_open = grant.constraints.open;
    let has_source = grant.constraints.items.iter().any(|(kind, _)| kind.as_str() == "SourceArn");
    let nobody_retires = grant.retiring.is_absent() && grant.retiring_service.is_absent();
    let lacking = match (is_open || has_source, nobody_retires) {
        (false, _) => "a constraint on `SourceArn`",
        (true, true) => "a `RetiringPrincipal` or a `RetiringServicePrincipal`",
        (true, false) => return None,
    };
    let finding = Finding::at(severity, service.span()).with("principal", service.as_str());
    Some(finding.with("condition", "SourceArn").with("expected", lacking))
}

/// Names that KMS does not take.
fn wrong_name<'p>(grant: &'p Grant<'p>, severity: Severity) -> Option<Finding<'p>> {
    let name = grant.name.known()?;
    let is_right = |byte: u8| byte.is_ascii_alphanumeric() || b":/_-".contains(&byte);
    let is_valid = name.as_str().len() <= 256 && name.as_str().bytes().all(is_right);
    (!is_valid)
        .then(|| Finding::at(severity, name.span()).with("value", name.as_str()).with("element", "Name"))
}

/// Operations of a grant that pass it on, for a grantee that is no service: with them it can give others what the
/// grant gives itself.
fn passed_on<'p>(facts: &GrantFacts<'p>, services: &[Service], severity: Severity) -> Option<Finding<'p>> {
    let grant = facts.grant;
    let creates = |operation: &Option<Operation>| *operation == Some(Operation::CREATE_GRANT);
    let item = grant.operations.items.iter().find(|item| creates(&item.operation));
    let is_bound = !grant.constraints.items.is_empty() || grant.constraints.open;
    let (item, grantee) = item.zip(facts.grantee()).filter(|_| !is_bound)?;
    if means_service(&grantee, services) {
        return None;
    }
    let related = grant.grantee.text().map(Text::span).into_iter().collect();
    let finding = Finding { related, ..Finding::at(severity, item.text.span()) };
    Some(finding.with("principal", name_of(&grantee)).with("passed", ""))
}

/// Grants that nobody is named to retire. A service-linked role retires nothing, and AWS's own procedures for such roles
/// name nobody.
fn without_retiring_principal<'p>(
    facts: &GrantFacts<'p>,
    services: &[Service],
    severity: Severity,
) -> Option<Finding<'p>> {
    let grant = facts.grant;
    let retires = grant.operations.open || grant.meant().contains(Operation::RETIRE_GRANT);
    let is_named = !grant.retiring.is_absent() || !grant.retiring_service.is_absent();
    let grantee = facts.grantee().filter(|_| !retires && !is_named)?;
    if grant.exists || means_service(&grantee, services) || pattern::has_hole(grantee.name) {
        return None;
    }
    Some(Finding::at(severity, grant.heading).with("principal", name_of(&grantee)).with("unretired", ""))
}

/// A grantee as messages name it. An ARN that was put together names more than the file does.
fn name_of<'p>(grantee: &Identity<'p>) -> &'p str {
    match Arn::parse(grantee.arn) {
        Some(arn) if pattern::has_hole(grantee.arn) => arn.resource,
        _ => grantee.arn,
    }
}

/// Whether a grantee is a service-linked role, or means to be one.
fn means_service(grantee: &Identity<'_>, services: &[Service]) -> bool {
    let roles: Vec<&LinkedRole> = services.iter().filter_map(Service::role).collect();
    grantee.service_linked_to().is_some() || problem_of(grantee, &roles).is_some()
}

/// Grants that another one of the file makes superfluous: it gives the same grantee as much of the same key.
fn superseded<'p>(facts: &GrantFacts<'p>, severity: Severity) -> Option<Finding<'p>> {
    let grant = facts.grant;
    let operations = |grant: &Grant<'_>| -> Operations {
        grant.operations.items.iter().filter_map(|item| item.operation).collect()
    };
    let is_plain = |grant: &Grant<'_>| grant.constraints.items.is_empty() && !grant.constraints.open;
    let own = operations(grant);
    let covers = |other: &&Grant<'p>| {
        let theirs = operations(other);
        // Of two that are the same, the later is the one too many.
        let comes_first = theirs != own || other.span.start() < grant.span.start();
        other.span != grant.span
            && other.always
            && is_for_same(grant, other)
            && is_plain(other)
            && theirs.contains_all(own)
            && comes_first
    };
    let key = grant.key.text().map_or("", Text::as_str);
    let grantee = grant.grantee.text().or(grant.grantee_service.text()).map_or("", Text::as_str);
    let is_same_key = key_arn(key).is_some() || key.contains('.');
    let is_known = grant.always
        && is_same_key
        && is_fixed(key)
        && is_fixed(grantee)
        && !grant.operations.open
        && grant.operations.items.iter().all(|item| item.operation.is_some());
    let other = facts.others.iter().find(covers).filter(|_| is_known && !own.is_empty())?;
    let finding = Finding { related: vec![other.heading], ..Finding::at(severity, grant.heading) };
    Some(finding.with("superseded", ""))
}

/// Whether a text means the same wherever it stands: it is known, or refers to a resource. A variable of a script may
/// have got another value in between.
fn is_fixed(text: &str) -> bool {
    let names = text.split("${").skip(1).map(|rest| rest.split('}').next().unwrap_or_default());
    names.into_iter().all(|name| name.contains('.'))
}
