//! Documents that have to agree for a key to be used from another account, or through a grant.

use keylint_policy::Answer;
use keylint_policy::arn::same_account;
use keylint_policy::evaluate::{Caller, Context};
use keylint_policy::model::{Effect, Principal, Text};
use keylint_policy::vocabulary::Operation;
use keylint_source::{Location, Severity};

use crate::access::{Cause, Chain, Mismatch, is_about_grant};
use crate::finding::{Finding, operation_list, place};
use crate::grant_facts::key_arn;
use crate::rule::Place;

/// Grants that nobody may create, as far as the key policy decides.
pub(super) fn grant_not_permitted<'p>(chain: &Chain<'_, 'p>, severity: Severity) -> Vec<Finding<'p>> {
    let mut findings: Vec<Finding<'p>> = Vec::new();
    for part in &chain.grants {
        let (answer, Some(cause)) = chain.may_create(Some(part.document)) else { continue };
        let is_told = matches!(cause, Cause::Operation(None)) && chain.names_role_instead();
        if answer != Answer::No || is_told {
            continue;
        }
        let grant = part.at(part.document.heading);
        let finding = of_cause(chain, &cause, severity);
        // Several grants that one statement keeps from being created have one cause.
        match findings.iter_mut().find(|known| known.primary == finding.primary) {
            Some(known) => known.elsewhere.push(grant),
            None => findings.push(Finding { elsewhere: vec![grant], ..finding }),
        }
    }
    findings
}

/// A finding at what is in the way in the key policy.
fn of_cause<'p>(chain: &Chain<'_, 'p>, cause: &Cause<'p>, severity: Severity) -> Finding<'p> {
    let primary = cause.place().unwrap_or(chain.facts.policy().heading);
    let mut finding = with_account(Finding::at(severity, primary), chain);
    finding.statement = cause.statement();
    match cause {
        Cause::Denied(_) => finding.with("denied", ""),
        Cause::Condition(statement, index) => match statement.conditions.get(*index) {
            Some(condition) if is_about_grant(condition.key.id) => {
                finding.with("condition", condition.key_text.as_str()).with("conditional", "")
            }
            Some(condition) => finding.with("condition", condition.key_text.as_str()),
            None => finding,
        },
        Cause::Resource(_) => finding.with("element", "Resource"),
        // Where nothing names the account, it lacks more than this operation.
        Cause::Operation(None) => finding.with("help", statements_for_account(chain)),
        Cause::Operation(Some(_)) => finding,
    }
}

/// IAM policies that do not let their holder create the grant.
pub(super) fn creator_not_permitted<'p>(chain: &Chain<'_, 'p>, severity: Severity) -> Vec<Finding<'p>> {
    let grant = chain.grants.first();
    let Some((Answer::No, Some(held))) = chain.creator_may(grant.map(|part| part.document)) else {
        return Vec::new();
    };
    let mut finding = with_account(Finding::at(severity, held.place()), chain);
    finding.file = Some(held.file);
    finding.statement = held.cause.statement();
    finding.elsewhere.extend(grant.map(|part| part.at(part.document.heading)));
    let arn = arn_of_key(chain);
    finding.words.insert("expected", arn.clone());
    let finding = match &held.cause {
        Cause::Denied(_) => finding.with("denied", ""),
        Cause::Condition(statement, index) => match statement.conditions.get(*index) {
            Some(condition) => finding.with("condition", condition.key_text.as_str()),
            None => finding,
        },
        Cause::Resource(statement) => {
            let written = statement.resources.items.iter().map(|item| item.as_str()).collect::<Vec<_>>();
            let finding = finding.with("element", "Resource").with("value", written.join(", "));
            if statement.resources.negated { finding.with("excluded", "") } else { finding }
        }
        Cause::Operation(_) => finding,
    };
    vec![finding.with("help", statement_for_creator(&arn))]
}

/// The first document that is missing, or that does not do its part and is not the business of another rule.
pub(super) fn broken<'p>(chain: &Chain<'_, 'p>, severity: Severity) -> Vec<Finding<'p>> {
    let access = chain.access;
    let Some(service) = chain.service.filter(|_| access.service.is_some() && access.account.is_some()) else {
        return Vec::new();
    };
    let finding = |severity: Severity, at: Location| {
        let finding = Finding { file: Some(at.file), ..Finding::at(severity, at.span) };
        with_account(finding, chain).with("service", service.title.clone())
    };
    let of_policy = |span| access.policy.at(span);
    let heading = chain.facts.policy().heading;
    if chain.grants.is_empty()
        && let (Answer::No, Some(cause)) = chain.may_create(None)
    {
        if matches!(cause, Cause::Operation(None)) && chain.names_role_instead() {
            return Vec::new();
        }
        let mut found = of_cause(chain, &cause, severity);
        found.words.insert("service", service.title.clone());
        found.words.insert("role", chain.role_arn().unwrap_or_default());
        return vec![found.with("grant", "").with("help", statements_for_account(chain))];
    }
    if let Some((denial, lost)) = chain.denied_to_role() {
        let operations: Vec<Operation> = lost.iter().collect();
        let found = finding(severity, of_policy(place(denial, Place::Action, &operations)));
        let found = found.with("operations", operation_list(&operations)).with("denied", "");
        return vec![found.in_statement(denial)];
    }
    let unshared = chain.unshared();
    if !unshared.is_empty() {
        if chain.may_create(chain.grants.first().map(|part| part.document)).0 == Answer::No {
            return Vec::new();
        }
        // A grant gives the role these operations whoever creates it: AWS's procedure asks for more than it takes.
        let nearest = chain.nearest_use(&unshared_of(service));
        let span = nearest.map_or(heading, |statement| statement.actions.value);
        let found = finding(severity.min(Severity::Warning), of_policy(span));
        let found = found.with("operations", operation_list(&unshared)).with("use", "");
        return vec![match nearest {
            Some(statement) => {
                found.in_statement(statement).with("actions", crate::integration::action_list(&unshared))
            }
            None => found.with("help", statements_for_account(chain)),
        }];
    }
    let command = create_grant_command(chain);
    if let Some((part, mismatch)) = &chain.nearest {
        let given = mismatch.member(part.document);
        let span = given.text().map_or(part.document.heading, Text::span);
        let value = given.text().map_or("", Text::as_str);
        let expected = match mismatch {
            Mismatch::Grantee => chain.role_arn().unwrap_or_default(),
            _ => arn_of_key(chain),
        };
        let found = finding(severity, part.at(span)).with("value", value).with("expected", expected);
        return vec![found.with("element", mismatch.word()).with("help", command)];
    }
    if chain.grants.is_empty() {
        // Where nobody says which grants there are, there may be one.
        let is_listed = access.grants.is_some();
        let severity = if is_listed { severity } else { severity.min(Severity::Note) };
        let found = finding(severity, access.declared).with("unnamed", "");
        let found = if is_listed { found } else { found.with("conditional", "") };
        return vec![found.with("help", command)];
    }
    if let Some((Answer::No, None)) = chain.creator_may(None) {
        // Files in which no IAM policy speaks of keys may have one that speaks of everything.
        let severity = if access.lists_identity_policies { severity.min(Severity::Note) } else { severity };
        let found = finding(severity, access.declared).with("delegating", "");
        return vec![found.with("help", statement_for_creator(&arn_of_key(chain)))];
    }
    Vec::new()
}

/// Whoever may revoke a grant on which access rests, beside the administrators of the key.
///
/// Where the key is shared by its policy too, that is said of the policy already.
pub(super) fn revocable<'p>(chain: &Chain<'_, 'p>, severity: Severity) -> Vec<Finding<'p>> {
    let Some(part) = chain.grants.first().filter(|_| !chain.facts.is_shared()) else { return Vec::new() };
    let facts = chain.facts;
    let owner = facts.key().account.as_deref();
    let context = Context::open().with_value("kms:GrantIsForAWSResource", "false");
    let may_revoke = |caller: &Caller<'_>| {
        let about = facts.evaluator.about(caller);
        // Whom IAM policies let administer the key is not known here.
        let administers = about.may(Operation::PUT_KEY_POLICY, &Context::open()).answer == Answer::Yes;
        !administers && about.may(Operation::REVOKE_GRANT, &context).answer == Answer::Yes
    };
    for statement in &facts.policy().statements {
        let covers = statement.operations.certain.contains(Operation::REVOKE_GRANT);
        if statement.effect != Some(Effect::Allow) || !covers || statement.principals.negated {
            continue;
        }
        let named = statement.principals.items.iter().filter(|item| match &item.principal {
            Principal::Identity(identity) => {
                let is_own = owner.is_some_and(|own| same_account(own, identity.account) == Answer::Yes);
                is_own && Caller::named(&item.principal).is_some_and(|caller| may_revoke(&caller))
            }
            _ => false,
        });
        let names: Vec<&str> = named.map(|item| item.text.as_str()).collect();
        if names.is_empty() {
            continue;
        }
        let primary = place(statement, Place::Action, &[Operation::REVOKE_GRANT]);
        let mut finding = Finding::at(severity, primary).in_statement(statement);
        finding.elsewhere.push(part.at(part.document.heading));
        let grantee = part.document.grantee.text().map_or("the grantee", Text::as_str);
        let finding = finding.with("principal", grantee).with("others", keylint_source::quoted_list(&names));
        return vec![finding];
    }
    Vec::new()
}

fn with_account<'p>(finding: Finding<'p>, chain: &Chain<'_, 'p>) -> Finding<'p> {
    match chain.account() {
        Some(account) => finding.with("account", account),
        None => finding,
    }
}

/// The operations of which the key policy is to let the other account call all itself.
fn unshared_of(service: &crate::rule::Service) -> Vec<Operation> {
    service.grant.iter().copied().filter(|operation| *operation != Operation::CREATE_GRANT).collect()
}

/// The ARN of the key, or what stands for it.
fn arn_of_key(chain: &Chain<'_, '_>) -> String {
    if let Some(arn) = chain.access.arn() {
        return arn.to_owned();
    }
    let key = chain.facts.key();
    let account = key.account.as_deref().unwrap_or("KEY_ACCOUNT");
    let region = chain.access.key.region.unwrap_or("REGION");
    format!("arn:{}:kms:{region}:{account}:key/KEY_ID", key.partition)
}

/// The command that creates the grant.
fn create_grant_command(chain: &Chain<'_, '_>) -> String {
    let arn = arn_of_key(chain);
    let region = key_arn(&arn).map_or("REGION", |arn| arn.region).to_owned();
    let operations: Vec<&str> =
        chain.service.iter().flat_map(|service| &service.grant).map(|operation| operation.name()).collect();
    let role = chain.role_arn().unwrap_or_else(|| "ROLE".to_owned());
    format!(
        "aws kms create-grant --region {region} --key-id {arn} --grantee-principal {role} --operations {}",
        operations.join(" ")
    )
}

/// The statement that the IAM policy of whoever creates the grant needs.
fn statement_for_creator(arn: &str) -> String {
    format!(r#"{{"Effect": "Allow", "Action": "kms:CreateGrant", "Resource": "{arn}"}}"#)
}

/// The statements that the key policy needs for the other account.
fn statements_for_account(chain: &Chain<'_, '_>) -> String {
    let partition = &chain.facts.key().partition;
    let principal = format!("arn:{partition}:iam::{}:root", chain.account().unwrap_or("ACCOUNT"));
    let statement = |actions: &str| {
        format!(
            r#"{{"Effect": "Allow", "Principal": {{"AWS": "{principal}"}}, "Action": {actions}, "Resource": "*"}}"#
        )
    };
    let uses =
        r#"["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"]"#;
    format!("{},\n{}", statement(uses), statement(r#""kms:CreateGrant""#))
}
