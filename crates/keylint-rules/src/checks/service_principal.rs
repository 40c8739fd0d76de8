//! Service principals: how they are spelt, which of them call KMS, and in which Region.

use keylint_policy::arn::Arn;
use keylint_policy::model::{Effect, Principal, PrincipalItem, Statement};
use keylint_policy::vocabulary::{Operation, Operations, is_service_prefix, looks_like_region, region_meant};
use keylint_source::{Severity, did_you_mean};

use crate::facts::{Facts, principals};
use crate::finding::Finding;
use crate::rule::{Calls, REGION, Service};

/// The service principals that `Allow` statements name, with the statements.
pub(crate) fn allowed<'p>(
    facts: &Facts<'p>,
) -> impl Iterator<Item = (&'p Statement<'p>, &'p PrincipalItem<'p>, &'p str)> {
    principals(facts.policy()).filter_map(|(statement, item)| match item.principal {
        Principal::Service(name)
            if statement.effect == Some(Effect::Allow) && !statement.principals.negated =>
        {
            Some((statement, item, name))
        }
        _ => None,
    })
}

/// Services named as principals that call KMS as somebody else: through their role, or as whoever calls them. Several
/// statements for one service are one mistake.
pub(super) fn wrong_kind<'p>(
    facts: &Facts<'p>,
    services: &[Service],
    severity: Severity,
) -> Vec<Finding<'p>> {
    let mut findings: Vec<(&str, Finding<'p>)> = Vec::new();
    for (statement, item, name) in allowed(facts) {
        if let Some((_, known)) = findings.iter_mut().find(|(known, _)| *known == name) {
            known.related.push(item.text.span());
            continue;
        }
        let Some(service) = services.iter().find(|service| service.never_calls_as(name)) else { continue };
        // A service that never calls in its own name but for one use may have that.
        let is_needed = |service: &Service| {
            let needs = service.needs.iter().flat_map(|need| need.may.iter().copied());
            let needs = needs.chain([Operation::DESCRIBE_KEY]).collect::<Operations>();
            needs.contains_all(statement.operations.certain.intersection(Operations::ON_KEY))
        };
        if services.iter().any(|service| service.calls_as(name) && is_needed(service)) {
            continue;
        }
        let finding = Finding::at(severity, item.text.span())
            .in_statement(statement)
            .with("service", service.title.clone())
            .with("principal", name);
        let finding = match service.role() {
            Some(role) => {
                let (account, partition) = (facts.key().account.as_deref(), &facts.key().partition);
                let arn = role.arn(account.unwrap_or("${account}"), partition);
                finding.with("role", role.name.clone()).with("expected", arn)
            }
            // Such a statement is of no use, but the service may work without it.
            None => Finding { severity: severity.min(Severity::Warning), ..finding },
        };
        findings.push((name, finding));
    }
    findings.into_iter().map(|(_, finding)| finding).collect()
}

/// Regional service principals without their Region, with one that does not exist, and with another than the key's.
pub(super) fn region<'p>(facts: &Facts<'p>, services: &[Service], severity: Severity) -> Vec<Finding<'p>> {
    let mut findings = Vec::new();
    for (statement, item, name) in allowed(facts) {
        let finding =
            || Finding::at(severity, item.text.span()).in_statement(statement).with("principal", name);
        if let Some(service) = services.iter().find(|service| is_without_region(service, name)) {
            let same = |(other, _, named): (&Statement<'_>, &PrincipalItem<'_>, &str)| {
                service.region_in(named).is_some_and(looks_like_region)
                    && statement.operations.perhaps.difference(other.operations.perhaps).is_empty()
            };
            let covered = allowed(facts).any(same) || has_unknown(facts, statement);
            // AWS's pages all write the Region; that the name without it never works, none of them says.
            let severity = if covered { Severity::Note } else { severity.min(Severity::Warning) };
            let finding = Finding { severity, ..finding() }.with("service", service.title.clone());
            findings.push(match key_region(facts) {
                Some(region) => finding.with("expected", with_region(service, region)),
                None => finding,
            });
        } else if let Some((at, meant)) = misspelt_region(name) {
            let suggestion = name.replacen(at, meant, 1);
            findings.push(finding().with("kind", at).with("suggestion", suggestion));
        } else if let Some(of_key) = key_region(facts)
            && let Some(service) =
                services.iter().find(|service| service.calls_as(name) && !is_global(service))
        {
            let known = service.region_in(name).filter(|region| looks_like_region(region));
            let Some(other) = known.filter(|region| *region != of_key) else { continue };
            let named_too = allowed(facts).any(|(_, _, named)| service.region_in(named) == Some(of_key));
            if !named_too && !has_unknown(facts, statement) {
                let finding = Finding { severity: severity.min(Severity::Warning), ..finding() };
                let finding = finding.with("service", service.title.clone()).with("element", other);
                findings.push(finding.with("expected", with_region(service, of_key)));
            }
        }
    }
    findings
}

/// Whether a statement, or another that allows as much, may name more principals than are known.
fn has_unknown(facts: &Facts<'_>, statement: &Statement<'_>) -> bool {
    let open = |other: &Statement<'_>| {
        other.principals.open
            || other.principals.items.iter().any(|item| item.principal == Principal::Unknown)
    };
    facts.policy().statements.iter().any(|other| {
        other.effect != Some(Effect::Deny)
            && open(other)
            && statement.operations.perhaps.difference(other.operations.perhaps).is_empty()
    })
}

fn is_global(service: &Service) -> bool {
    !matches!(&service.calls, Calls::Principal(principal) if principal.contains(REGION))
}

/// Whether a name is that of a regional service principal without the Region.
fn is_without_region(service: &Service, name: &str) -> bool {
    let Calls::Principal(principal) = &service.calls else { return false };
    principal.as_bytes().first() == name.as_bytes().first()
        && principal.split_once(REGION).is_some_and(|(before, behind)| {
            name.strip_prefix(before.trim_end_matches('.')).is_some_and(|rest| rest == behind)
        })
}

/// The name of a regional service principal with its Region.
fn with_region(service: &Service, region: &str) -> String {
    match &service.calls {
        Calls::Principal(principal) => principal.replace(REGION, region),
        _ => String::new(),
    }
}

/// The Region of the key, where its ARN is known. A multi-Region key is of several.
fn key_region<'f>(facts: &'f Facts<'_>) -> Option<&'f str> {
    let arn = Arn::parse(facts.key().arn.as_deref()?)?;
    (looks_like_region(arn.region) && !arn.resource.starts_with("key/mrk-")).then_some(arn.region)
}

/// The part of a service principal's name that is nearly a Region, with the Region that was meant.
fn misspelt_region(name: &str) -> Option<(&str, &'static str)> {
    let (_, rest) = name.split_once('.')?;
    let (region, _) = rest.split_once(".amazonaws.com")?;
    let ends_in_number = region.ends_with(|character: char| character.is_ascii_digit());
    let meant = region_meant(region).filter(|_| region.contains('-') && ends_in_number)?;
    Some((region, meant))
}

/// The service principal that was meant, where a name is none and one letter or two make it one.
pub(crate) fn misspelt_service_principal(name: &str, services: &[Service]) -> Option<String> {
    const SUFFIXES: [&str; 2] = [".amazonaws.com", ".amazonaws.com.cn"];
    let suffix = SUFFIXES.iter().find(|suffix| name.ends_with(**suffix));
    let Some(suffix) = suffix else {
        // `autoscaling.amazonaws.con`: the beginning is right and the end is not.
        let (label, _) = name.split_once('.')?;
        let end = did_you_mean(name.get(label.len()..)?, SUFFIXES)?;
        return is_known_label(label, services).then(|| format!("{label}{end}"));
    };
    let label = name.strip_suffix(suffix)?;
    // Labels of several parts (`logs.eu-west-1`, `delivery.logs`) are too many to know.
    if label.contains('.') || label.len() < 5 || is_known_label(label, services) {
        return None;
    }
    let known = service_labels(services);
    did_you_mean(label, known.iter().map(String::as_str))
        .filter(|meant| meant.len() >= 5 && meant.len().abs_diff(label.len()) <= 2)
        .map(|meant| format!("{meant}{suffix}"))
}

/// Services that act as principals under a name that is no prefix of actions.
const PRINCIPALS: &[&str] = &[
    "apigateway",
    "autoscaling",
    "backup",
    "cloudfront",
    "cloudtrail",
    "cloudwatch",
    "codebuild",
    "codecommit",
    "config",
    "delivery",
    "dnssec-route53",
    "dynamodb",
    "ec2",
    "ec2fleet",
    "ecs",
    "ecs-tasks",
    "eks",
    "elasticfilesystem",
    "events",
    "firehose",
    "glue",
    "guardduty",
    "imagebuilder",
    "inspector",
    "inspector2",
    "lambda",
    "logs",
    "macie",
    "organizations",
    "rds",
    "redshift",
    "s3",
    "sagemaker",
    "scheduler",
    "secretsmanager",
    "ses",
    "sns",
    "spot",
    "spotfleet",
    "sqs",
    "ssm",
    "states",
    "storage-lens",
    "timestream",
    "transfer",
    "workmail",
    "workspaces",
];

fn service_labels(services: &[Service]) -> Vec<String> {
    let of_files = services.iter().filter_map(|service| {
        let principal = match &service.calls {
            Calls::Role(role) => &role.service,
            Calls::Principal(principal) | Calls::Caller(principal) => principal,
        };
        // Of names of several parts the first alone is no service.
        principal.strip_suffix(".amazonaws.com").filter(|label| !label.contains('.'))
    });
    PRINCIPALS.iter().copied().chain(of_files).map(str::to_owned).collect()
}

fn is_known_label(label: &str, services: &[Service]) -> bool {
    is_service_prefix(label) || service_labels(services).iter().any(|known| known == label)
}

#[cfg(test)]
mod tests {
    use super::*;
    use pretty_assertions::assert_eq;

    #[test]
    fn misspelt_names_are_recognized() {
        let meant = |name| misspelt_service_principal(name, &[]);
        assert_eq!(meant("cloudtrial.amazonaws.com").as_deref(), Some("cloudtrail.amazonaws.com"));
        assert_eq!(meant("logs.amazonaws.con").as_deref(), Some("logs.amazonaws.com"));
        for right in
            ["cloudtrail.amazonaws.com", "logs.eu-west-1.amazonaws.com", "delivery.logs.amazonaws.com"]
        {
            assert_eq!(meant(right), None, "{right}");
        }
    }

    #[test]
    fn a_regional_name_has_one_region() {
        let service = Service {
            name: "logs".to_owned(),
            title: "Logs".to_owned(),
            calls: Calls::Principal("logs.{region}.amazonaws.com".to_owned()),
            needs: Vec::new(),
            grant: Vec::new(),
            key: crate::rule::KeyNeed::default(),
            sends: None,
            unrestricted_example: false,
        };
        assert_eq!(service.region_in("logs.eu-west-1.amazonaws.com"), Some("eu-west-1"));
        assert_eq!(service.region_in("logs.cn-north-1.amazonaws.com.cn"), Some("cn-north-1"));
        for other in ["logs.amazonaws.com", "delivery.logs.amazonaws.com", "logs.a.b.amazonaws.com"] {
            assert_eq!(service.region_in(other), None, "{other}");
        }
        assert!(is_without_region(&service, "logs.amazonaws.com"));
        assert_eq!(misspelt_region("logs.us-east1.amazonaws.com"), Some(("us-east1", "us-east-1")));
        assert_eq!(misspelt_region("dnssec-route53.amazonaws.com"), None);
    }
}
