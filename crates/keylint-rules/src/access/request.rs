//! The call that creates the grant.

use std::borrow::Cow;

use keylint_policy::evaluate::{Context, State};
use keylint_policy::grant::{Given, Grant};
use keylint_policy::pattern::has_hole;

use super::Chain;
use crate::grant_facts::{grantee, key_arn};

impl Chain<'_, '_> {
    /// What is known of the request that creates a grant: it is made directly, by whoever is to create it.
    pub(super) fn context<'x>(&self, grant: Option<&Grant<'x>>) -> Context<'x> {
        let given = |given: Given<'x>| match given {
            Given::Absent => State::Absent,
            Given::Is(text) => State::Is(vec![Cow::Borrowed(text.as_str())]),
            Given::Unknown => State::Unknown,
        };
        let mut context = Context::open()
            .with_value("kms:GrantIsForAWSResource", "false")
            .with("kms:ViaService", State::Absent)
            .with_value("aws:ViaAWSService", "false");
        // A service that calls for a resource of its own would say for which.
        for key in ["aws:CalledVia", "aws:SourceArn", "aws:SourceAccount", "aws:SourceOrgID"] {
            context = context.with(key, State::Absent);
        }
        let of_key = self.access.arn().and_then(key_arn).map(|arn| arn.region).or(self.access.key.region);
        let region = match grant.map_or(Given::Absent, |grant| grant.region) {
            Given::Is(text) if !has_hole(text.as_str()) => Some(text.as_str().to_owned()),
            Given::Absent => of_key.filter(|region| !has_hole(region)).map(str::to_owned),
            _ => None,
        };
        if let Some(region) = region {
            context = context.with_value("aws:RequestedRegion", region);
        }
        let Some(grant) = grant else {
            if let (Some(service), Some(account)) = (self.service, self.access.account) {
                let names = service.grant.iter().map(|operation| Cow::Borrowed(operation.name()));
                context = context.with("kms:GrantOperations", State::Is(names.collect()));
                if let Some(linked) = service.role() {
                    let arn = linked.arn(account, &self.facts.key().partition);
                    context = context.with_value("kms:GranteePrincipal", arn);
                }
            }
            return context;
        };
        let operations = &grant.operations;
        let names = operations.items.iter().filter_map(|item| item.operation);
        let names: Vec<Cow<'x, str>> = names.map(|operation| Cow::Borrowed(operation.name())).collect();
        let is_known = !operations.open && operations.items.iter().all(|item| item.operation.is_some());
        let constraints = &grant.constraints;
        let kinds: Vec<Cow<'x, str>> =
            constraints.items.iter().map(|(kind, _)| Cow::Borrowed(kind.as_str())).collect();
        context = context
            .with("kms:GrantOperations", if is_known { State::Is(names) } else { State::Unknown })
            .with("kms:GranteePrincipal", self.meant_grantee(grant).unwrap_or_else(|| given(grant.grantee)))
            .with("kms:GranteeServicePrincipal", given(grant.grantee_service))
            .with("kms:RetiringPrincipal", given(grant.retiring))
            .with("kms:RetiringServicePrincipal", given(grant.retiring_service))
            .with(
                "kms:GrantConstraintType",
                match kinds {
                    _ if constraints.open => State::Unknown,
                    kinds if kinds.is_empty() => State::Absent,
                    kinds => State::Is(kinds),
                },
            );
        if constraints.items.is_empty() && !constraints.open {
            // The encryption context of the request is that of the constraints.
            context = context
                .with("kms:EncryptionContextKeys", State::Absent)
                .with("kms:GrantConstraintSourceArn", State::Absent);
            context = context.without_encryption_context();
        }
        context
    }

    /// The role that a grant means whose grantee is written wrongly, which is a mistake of its own.
    pub(super) fn meant_grantee<'x>(&self, grant: &Grant<'x>) -> Option<State<'x>> {
        let role = grantee(grant).filter(|role| !has_hole(role.name))?;
        let (service, arn) = (self.service?, self.role_arn()?);
        (!service.is_role_of(&role)).then(|| State::Is(vec![Cow::Owned(arn)]))
    }
}
