//! Principals that KMS refuses, and those that are left of a deleted user or role.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html>
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids>

use std::ops::Range;

use keylint_policy::arn::{Arn, is_account};
use keylint_policy::model::{Principal, PrincipalItem};
use keylint_policy::pattern;
use keylint_source::{Severity, did_you_mean};

use super::placeholder::is_marked;
use super::service_principal::misspelt_service_principal;
use crate::facts::{Facts, principals};
use crate::finding::Finding;
use crate::rule::Service;

/// The partitions of AWS.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html>
const PARTITIONS: [&str; 8] =
    ["aws", "aws-cn", "aws-us-gov", "aws-iso", "aws-iso-b", "aws-iso-e", "aws-iso-f", "aws-eusc"];

/// What the ARN of nearly every principal begins with.
const USUAL: &str = "arn:aws:iam::";

/// What is wrong with a principal.
struct Invalid {
    /// The sentence before the principal's text.
    kind: &'static str,
    /// The bytes of the text that are wrong.
    at: Range<usize>,
    /// What should stand there, where it is known.
    suggestion: Option<String>,
    /// What to do, where nothing better is known.
    advice: &'static str,
}

/// Principals for which KMS rejects the whole policy.
pub(super) fn invalid<'p>(facts: &Facts<'p>, services: &[Service], severity: Severity) -> Vec<Finding<'p>> {
    let mut findings = Vec::new();
    for (statement, item) in principals(facts.policy()) {
        let Some(invalid) = problem_of(item, services, &facts.key().partition) else { continue };
        let at = item.text.part(invalid.at);
        let mut finding = Finding::at(severity, at)
            .in_statement(statement)
            .with("principal", item.text.as_str())
            .with("kind", invalid.kind)
            .with("expected", invalid.advice);
        if let Some(suggestion) = invalid.suggestion {
            finding = finding.with("suggestion", suggestion);
        }
        findings.push(finding);
    }
    findings
}

/// Unique ids, which stand where the ARN of a user or role stood that has been deleted.
pub(super) fn orphaned<'p>(facts: &Facts<'p>, _: &[Service], severity: Severity) -> Vec<Finding<'p>> {
    let mut findings = Vec::new();
    for (statement, item) in principals(facts.policy()) {
        let Some(kind) = kind_of_unique_id(item.text.as_str()) else { continue };
        let finding = Finding::at(severity, item.text.span()).in_statement(statement);
        findings.push(finding.with("principal", item.text.as_str()).with("kind", kind));
    }
    findings
}

/// What a unique id was made for; `None` for any other text.
fn kind_of_unique_id(text: &str) -> Option<&'static str> {
    // A role id can have the name of a session behind it.
    let id = text.split(':').next().unwrap_or(text);
    let (prefix, rest) = id.split_at_checked(4)?;
    let is_id =
        rest.len() >= 12 && rest.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    let kind = match prefix {
        "AIDA" => "user",
        "AROA" => "role",
        "AGPA" => "group",
        "AIPA" => "instance profile",
        _ => return None,
    };
    is_id.then_some(kind)
}

fn problem_of(item: &PrincipalItem<'_>, services: &[Service], partition: &str) -> Option<Invalid> {
    let text = item.text.as_str();
    if partition == "aws" && is_usual(text, &item.principal) {
        return None;
    }
    if pattern::has_hole(text) || is_marked(text) || kind_of_unique_id(text).is_some() {
        return None;
    }
    let whole = |kind, advice| Some(Invalid { kind, at: 0..text.len(), suggestion: None, advice });
    match item.principal {
        Principal::Anyone => None,
        Principal::Account(account) if account == text && is_account(text) => None,
        Principal::Federated(_) => whole(
            "a key policy cannot name an identity provider",
            "name the role that the provider's users assume",
        ),
        Principal::Service(name) => problem_of_service(name, services),
        Principal::Nobody | Principal::Unknown | Principal::Account(_) | Principal::Identity(_) => {
            match Arn::parse(text) {
                Some(arn) => problem_of_arn(text, arn, partition),
                None => problem_of_text(text, item.principal == Principal::Nobody),
            }
        }
    }
}

/// Whether it is an account, a user or a role as nearly every policy names them. A no says nothing.
fn is_usual(text: &str, principal: &Principal<'_>) -> bool {
    match principal {
        Principal::Account(account) => is_account(account) && (text == *account || text.starts_with(USUAL)),
        Principal::Identity(identity) => is_account(identity.account) && text.starts_with(USUAL),
        _ => false,
    }
}

fn problem_of_service(name: &str, services: &[Service]) -> Option<Invalid> {
    let whole = |kind, suggestion, advice| Some(Invalid { kind, at: 0..name.len(), suggestion, advice });
    let advice = "name the service as its documentation does, such as `cloudtrail.amazonaws.com`";
    if pattern::is_wildcard(name) {
        let advice =
            "name each service; a pattern of names can stand in a condition on `aws:PrincipalServiceName`";
        return whole("a service principal cannot be a pattern", None, advice);
    }
    if name.starts_with("arn:") || is_account(name) {
        let advice = "name it under `AWS`";
        return whole("a user, role, or account is not named under `Service`", None, advice);
    }
    if let Some(meant) = misspelt_service_principal(name, services) {
        return whole("there is no service principal of this name", Some(meant), advice);
    }
    if !name.contains('.') {
        let full = format!("{}.amazonaws.com", name.to_ascii_lowercase());
        return whole("this is not the full name of a service principal", Some(full), advice);
    }
    None
}

fn problem_of_arn(text: &str, arn: Arn<'_>, partition: &str) -> Option<Invalid> {
    // Where each part begins, counted from `arn:` on.
    let parts = [arn.partition, arn.service, arn.region, arn.account, arn.resource];
    let [partition_at, service_at, region_at, account_at, resource_at] =
        [0, 1, 2, 3, 4].map(|index: usize| {
            let start = parts.iter().take(index).fold(4, |start, part| start + part.len() + 1);
            let end = start + parts.get(index).map_or(0, |part| part.len());
            if start == end { 0..text.len() } else { start..end }
        });
    let wrong = |kind, at, suggestion, advice| Some(Invalid { kind, at, suggestion, advice });
    let name_it = "name a role, a user, or an account by its ARN";
    if pattern::is_wildcard(text) {
        return Some(Invalid {
            kind: "a principal cannot be a pattern",
            at: 0..text.len(),
            suggestion: None,
            advice: "name each principal; or allow the account (or `*`) and restrict it with a condition `ArnLike` on `aws:PrincipalArn`",
        });
    }
    if !PARTITIONS.contains(&arn.partition) {
        let meant =
            did_you_mean(arn.partition, PARTITIONS).map(|meant| text.replacen(arn.partition, meant, 1));
        let advice = "the partition is `aws`, `aws-cn`, `aws-us-gov`, or one of the isolated ones";
        return wrong("there is no partition of this name", partition_at, meant, advice);
    }
    if arn.partition != partition && PARTITIONS.contains(&partition) {
        let advice = "a key can be used from its own partition alone";
        return wrong("this principal is of another partition than the key", partition_at, None, advice);
    }
    let (form, name) = arn.resource.split_once('/').unwrap_or((arn.resource, ""));
    let instead = |service: &str, form: &str| {
        let slash = if name.is_empty() { "" } else { "/" };
        Some(format!("arn:{}:{service}::{}:{form}{slash}{name}", arn.partition, arn.account))
    };
    match arn.service {
        "iam" | "sts" => {}
        "organizations" => {
            let advice = "write `*`, and a condition `StringEquals` on `aws:PrincipalOrgID`";
            return wrong("an organization cannot be a principal", resource_at, None, advice);
        }
        _ => return wrong("this ARN names no principal", service_at, None, name_it),
    }
    if !arn.region.is_empty() {
        let advice = "leave the Region empty";
        return wrong("the ARN of a principal has no Region", region_at, instead(arn.service, form), advice);
    }
    if !is_account(arn.account) {
        // A word in its place is to be replaced before the policy is used.
        let numeric = arn.account.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'-' | b' '));
        let advice = "write the account's 12 digits";
        let origin_access_identity = arn.account == "cloudfront";
        return (numeric || origin_access_identity)
            .then(|| wrong("an account id has 12 digits", account_at, None, advice))
            .flatten();
    }
    match (arn.service, form) {
        ("iam", "group") => {
            let advice = "name a role, the users themselves, or the account";
            wrong("an IAM group cannot be a principal", resource_at, None, advice)
        }
        ("iam", "root") if arn.resource == "root" => None,
        ("iam", "user" | "role") | ("sts", "federated-user") if !name.is_empty() => None,
        ("sts", "assumed-role") if name.split_once('/').is_some_and(|(_, session)| !session.is_empty()) => {
            None
        }
        ("sts", "assumed-role") => {
            let advice = "name the role itself, or `assumed-role/ROLE/SESSION`";
            wrong("a session has a name behind its role's", resource_at, instead("iam", "role"), advice)
        }
        ("iam", "assumed-role" | "federated-user") => {
            wrong("sessions belong to `sts`", service_at, instead("sts", form), name_it)
        }
        ("sts", "role" | "user" | "root") => {
            wrong("users and roles belong to `iam`", service_at, instead("iam", form), name_it)
        }
        ("iam", "instance-profile") => {
            let advice = "name the role that the instance profile holds";
            wrong("an instance profile cannot be a principal", resource_at, None, advice)
        }
        ("iam", "saml-provider" | "oidc-provider") => {
            let advice = "name the role that the provider's users assume";
            wrong("a key policy cannot name an identity provider", resource_at, None, advice)
        }
        _ => {
            let forms = ["role", "user", "root"];
            let meant = did_you_mean(form, forms).and_then(|meant| instead("iam", meant));
            wrong("this ARN names no principal", resource_at, meant, name_it)
        }
    }
}

fn problem_of_text(text: &str, canonical_user: bool) -> Option<Invalid> {
    let whole = |kind, suggestion, advice| Some(Invalid { kind, at: 0..text.len(), suggestion, advice });
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    if canonical_user {
        let advice = "name the account by its id of 12 digits";
        return whole("a canonical user id is a principal for S3 alone", None, advice);
    }
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'-' | b' ')) {
        let without_marks: String = text.chars().filter(char::is_ascii_digit).collect();
        let meant = (digits == 12).then_some(without_marks);
        return whole("an account id has 12 digits", meant, "write the account's 12 digits");
    }
    if text.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("arn:")) {
        let advice = "the ARN of a role is `arn:aws:iam::ACCOUNT:role/NAME`";
        return whole("this is not a whole ARN", None, advice);
    }
    if text.ends_with(".amazonaws.com") {
        let advice = "name a service under `Service`, not under `AWS`";
        return whole("a service is not a principal of this kind", None, advice);
    }
    let of_organization = |prefix: &str| {
        let id = text.strip_prefix(prefix);
        id.is_some_and(|id| id.len() >= 4 && !id.bytes().any(|byte| byte.is_ascii_uppercase()))
    };
    if ["o-", "ou-", "r-"].into_iter().any(of_organization) {
        let advice = "write `*`, and a condition `StringEquals` on `aws:PrincipalOrgID`";
        return whole("an organization cannot be a principal", None, advice);
    }
    if text.contains('*') {
        let advice = "name each principal; or allow the account (or `*`) and restrict it with a condition `ArnLike` on `aws:PrincipalArn`";
        return whole("a principal cannot be a pattern", None, advice);
    }
    if text.trim() != text || text.is_empty() {
        return whole("a principal has no blanks around it", None, "write the ARN alone");
    }
    if text.contains(['/', ':']) {
        let advice = "name it by its whole ARN: `arn:aws:iam::ACCOUNT:role/NAME`";
        return whole("this is not a whole ARN", None, advice);
    }
    if ["AKIA", "ASIA"].iter().any(|prefix| text.starts_with(prefix)) && text.len() >= 16 {
        return whole("an access key cannot be a principal", None, "name the user or the role by its ARN");
    }
    // A word in capitals is to be replaced before the policy is used.
    if text.bytes().any(|byte| byte.is_ascii_lowercase()) {
        let advice = "name it by its whole ARN: `arn:aws:iam::ACCOUNT:role/NAME`";
        return whole("a name alone is no principal", None, advice);
    }
    None
}
