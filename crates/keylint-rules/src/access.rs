//! The use of a key from another account: a key policy, a grant and an IAM policy that have to agree.
//!
//! <https://docs.aws.amazon.com/autoscaling/ec2/userguide/key-policy-requirements-EBS-encryption.html>

mod cause;
mod links;
mod request;

use std::borrow::Cow;

use keylint_policy::Answer;
use keylint_policy::arn::{Arn, same_account};
use keylint_policy::evaluate::{Caller, CallerKind, Context, Evaluator, names};
use keylint_policy::grant::{Given, Grant};
use keylint_policy::model::{Effect, Policy, Statement};
use keylint_policy::pattern::has_hole;
use keylint_policy::vocabulary::{Operation, Operations};
use keylint_source::{FileId, Location, Span};

pub(crate) use self::cause::{Cause, HeldCause, is_about_grant};
use crate::facts::Facts;
use crate::grant_facts::{grantee, is_key_id, key_arn};
use crate::identity_policy::of_unknown_holder;
use crate::rule::Service;
use crate::rule_set::KeyKnowledge;

/// Documents that have to agree for somebody to use a key.
#[derive(Debug)]
pub struct Access<'a> {
    /// The service that is to use the key, by the name of its file; `None` where nobody says.
    pub service: Option<&'a str>,
    /// The account from which the key is to be used; `None` where nobody says.
    pub account: Option<&'a str>,
    /// Where that is said: in `keylint.yaml`, or where the grant is.
    pub declared: Location,
    /// What is known of the key.
    pub key: KeyKnowledge<'a>,
    /// The key's policy.
    pub policy: Part<&'a Policy<'a>>,
    /// The grants; `None` where nobody says which there are.
    pub grants: Option<Vec<Part<&'a Grant<'a>>>>,
    /// The IAM policies of whoever creates the grants; `None` where nobody says which there are.
    pub identity_policies: Option<Vec<Part<&'a Policy<'a>>>>,
    /// Whether files are listed for them, in which there may be one that keylint does not find.
    pub lists_identity_policies: bool,
}

/// A document, and the file that it is in.
#[derive(Clone, Copy, Debug)]
pub struct Part<T> {
    /// The document.
    pub document: T,
    /// Its file.
    pub file: FileId,
}

/// One of the documents that have to agree, and whether it does its part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// What it is.
    pub document: &'static str,
    /// Whether it does its part; `Maybe` where that is not known.
    pub holds: Answer,
    /// The place that tells; `None` where there is no such document.
    pub at: Option<Location>,
    /// What it does, or what it lacks.
    pub says: String,
}

impl<T> Part<T> {
    pub(crate) fn at(&self, span: Span) -> Location {
        Location { file: self.file, span }
    }
}

impl<'a> Access<'a> {
    /// The ARN of the key: as the user says, or as a grant does.
    pub(crate) fn arn(&self) -> Option<&'a str> {
        let by_grant = || {
            let grants = self.grants.as_deref().unwrap_or_default().iter();
            let mut keys = grants.filter_map(|part| part.document.key.known());
            let first = keys.find(|text| key_arn(text.as_str()).is_some())?;
            Some(first.as_str())
        };
        // A grant for another key than the user's says nothing of this one.
        self.key.arn.or_else(|| by_grant().filter(|_| self.key.account.is_none()))
    }
}

/// How the documents hang together.
pub(crate) struct Chain<'c, 'p> {
    pub(crate) access: &'p Access<'p>,
    pub(crate) facts: &'c Facts<'p>,
    /// The service that is to use the key.
    pub(crate) service: Option<&'c Service>,
    /// The accounts in which the grant may be created.
    creators: Vec<Cow<'p, str>>,
    /// The grants that are for this use.
    pub(crate) grants: Vec<Part<&'p Grant<'p>>>,
    /// Without any such grant: the nearest, and what is wrong with it.
    pub(crate) nearest: Option<(Part<&'p Grant<'p>>, Mismatch)>,
}

/// Why a grant is not the one that is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mismatch {
    /// It is for another key.
    Key,
    /// It is for a key of another Region.
    Region,
    /// It is for a key of another account.
    Account,
    /// Its grantee is another.
    Grantee,
}

impl Mismatch {
    /// The member of the grant that tells.
    pub(crate) fn member<'p>(self, grant: &Grant<'p>) -> Given<'p> {
        if self == Self::Grantee { grant.grantee } else { grant.key }
    }

    /// What is another than it should be.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::Region => "Region's key",
            Self::Account => "account's key",
            Self::Grantee => "grantee",
        }
    }
}

impl<'c, 'p> Chain<'c, 'p> {
    pub(crate) fn new(
        access: &'p Access<'p>,
        facts: &'c Facts<'p>,
        service: Option<&'c Service>,
        services: &'c [Service],
    ) -> Self {
        let all = || access.grants.iter().flatten();
        let service = service.or_else(|| {
            let roles: Vec<_> = all().filter_map(|part| grantee(part.document)).collect();
            services.iter().find(|one| !one.grant.is_empty() && roles.iter().any(|role| one.is_role_of(role)))
        });
        let mut chain =
            Self { access, facts, service, creators: Vec::new(), grants: Vec::new(), nearest: None };
        for part in all() {
            match chain.mismatch(part.document) {
                None => chain.grants.push(*part),
                Some(mismatch) if chain.nearest.as_ref().is_none_or(|(_, it)| *it == Mismatch::Grantee) => {
                    chain.nearest = Some((*part, mismatch));
                }
                Some(_) => {}
            }
        }
        if !chain.grants.is_empty() {
            chain.nearest = None;
        }
        chain.creators = chain.find_creators();
        chain
    }

    /// Who creates the grant: somebody of the account that is to use the key. Where nobody says which that is, it may be
    /// the owner of the key as well as the account of the grantee.
    fn find_creators(&self) -> Vec<Cow<'p, str>> {
        let owner = self.facts.key().account.clone();
        if let Some(account) = self.access.account {
            let mut creators = vec![Cow::Borrowed(account)];
            // The owner may create it too. A grant that exists says who did; one beside the resource of its key is
            // created in the same name, unless another provider is named.
            let is_of_owner = |part: &Part<&'p Grant<'p>>| {
                let grant = part.document;
                let issuer = grant.issuer.known().and_then(|text| Some(Arn::parse(text.as_str())?.account));
                issuer.is_some_and(|issuer| Some(issuer) == owner.as_deref())
                    || (grant.refers_to_key && grant.provider.is_absent())
            };
            if self.grants.iter().any(is_of_owner) {
                creators.extend(owner);
            }
            return creators;
        }
        let of_grantees = self.grants.iter().filter_map(|part| grantee(part.document));
        let mut creators: Vec<Cow<'p, str>> = owner.into_iter().collect();
        creators.extend(of_grantees.map(|identity| Cow::Borrowed(identity.account)));
        creators.dedup();
        creators
    }

    /// Why a grant is certainly not for this use of the key.
    fn mismatch(&self, grant: &Grant<'_>) -> Option<Mismatch> {
        let role = grantee(grant);
        if let Some(service) = self.service.filter(|_| self.access.service.is_some()) {
            let is_of_account = |account: &str| {
                self.access.account.map_or(Answer::Maybe, |own| same_account(own, account)) != Answer::No
            };
            let fits = match (grant.grantee, role) {
                (Given::Is(_), Some(role)) => {
                    // A role that is written wrongly is a mistake of its own.
                    let is_meant = service.is_role_of(&role)
                        || service.role().is_some_and(|linked| {
                            let name = role.simple_name().to_ascii_lowercase();
                            name.starts_with(&linked.name.to_ascii_lowercase())
                        })
                        || has_hole(role.name);
                    is_of_account(role.account) && is_meant
                }
                (Given::Is(text), None) => has_hole(text.as_str()),
                // That it has none is said of the grant itself.
                (Given::Unknown | Given::Absent, _) => true,
            };
            if !fits {
                return Some(Mismatch::Grantee);
            }
        }
        if grant.refers_to_key {
            return None;
        }
        let (arn, key) = (self.access.arn()?, grant.key.known()?);
        let id = Arn::parse(arn).and_then(|arn| arn.resource.strip_prefix("key/"));
        let Some(of_grant) = key_arn(key.as_str()) else {
            let is_other = is_key_id(key.as_str()) && id != Some(key.as_str());
            return is_other.then_some(Mismatch::Key);
        };
        let of_key = Arn::parse(arn)?;
        if key.as_str() == arn {
            None
        } else if (of_grant.account, of_grant.resource) == (of_key.account, of_key.resource) {
            Some(Mismatch::Region)
        } else if (of_grant.region, of_grant.resource) == (of_key.region, of_key.resource) {
            Some(Mismatch::Account)
        } else {
            Some(Mismatch::Key)
        }
    }

    /// Everyone who may create the grant, each with identity policies that allow it.
    fn callers(&self) -> Vec<Caller<'p>> {
        let mut callers: Vec<Caller<'p>> = Vec::new();
        for account in &self.creators {
            callers.extend(self.facts.anyone_in(account));
        }
        // A service's own role creates no grant for itself.
        callers.retain(|caller| caller.kind != CallerKind::ServiceLinkedRole);
        callers
    }

    /// Whether somebody may create a grant, as far as the key policy decides, and if not, why.
    pub(crate) fn may_create(&self, grant: Option<&Grant<'_>>) -> (Answer, Option<Cause<'p>>) {
        let context = self.context(grant);
        let callers = self.callers();
        if callers.is_empty() {
            return (Answer::Maybe, None);
        }
        let answers = callers
            .iter()
            .map(|caller| self.facts.evaluator.about(caller).may(Operation::CREATE_GRANT, &context).answer);
        let answer = Answer::any(answers);
        let cause = (answer == Answer::No).then(|| self.cause(&callers, Operation::CREATE_GRANT, &context));
        (answer, cause)
    }

    /// The operations that the service needs and that the key policy does not let the other account call itself.
    pub(crate) fn unshared(&self) -> Vec<Operation> {
        let Some(service) = self.service else { return Vec::new() };
        let callers = self.callers();
        let context = Context::open();
        let may = |operation: Operation| {
            let by = |caller: &Caller<'_>| {
                self.facts.evaluator.about(caller).may(operation, &context).answer != Answer::No
            };
            callers.iter().any(by)
        };
        let needed = service.grant.iter().copied().filter(|it| *it != Operation::CREATE_GRANT);
        needed.filter(|operation| !may(*operation)).collect()
    }

    /// A `Deny` that takes operations away from the role, which no grant gives back.
    pub(crate) fn denied_to_role(&self) -> Option<(&'p Statement<'p>, Operations)> {
        let service = self.service?;
        let linked = service.role()?;
        let account =
            self.access.account.or_else(|| Some(grantee(self.grants.first()?.document)?.account))?;
        let arn = linked.arn(account, &self.facts.key().partition);
        let role = Caller::with_arn(account.to_owned(), arn)?;
        let about = self.facts.evaluator.about(&role);
        let mut lost = Operations::EMPTY;
        let mut denial = None;
        for need in &service.needs {
            let context = crate::ask::context(&need.with);
            for statement in &self.facts.policy().statements {
                if statement.effect != Some(Effect::Deny) {
                    continue;
                }
                let taken = need.may.iter().filter(|operation| {
                    about.applies(statement.index, **operation, &context).at_all() == Answer::Yes
                });
                let taken: Operations = taken.copied().collect();
                if !taken.is_empty() && denial.is_none() {
                    denial = Some(statement);
                }
                lost = lost.union(taken);
            }
        }
        denial.map(|statement| (statement, lost))
    }

    /// The statement that names the other account and lets it call most of these operations.
    pub(crate) fn nearest_use(&self, operations: &[Operation]) -> Option<&'p Statement<'p>> {
        let needed: Operations = operations.iter().copied().collect();
        let callers = self.callers();
        let names_some = |statement: &&Statement<'_>| {
            let by = |caller: &Caller<'_>| names(&statement.principals, caller).at_all() == Answer::Yes;
            !statement.principals.negated && callers.iter().any(by)
        };
        let covered = |statement: &&Statement<'_>| statement.operations.certain.intersection(needed).len();
        let allowing = self.facts.policy().statements.iter().rev();
        let allowing = allowing.filter(|statement| statement.effect == Some(Effect::Allow));
        allowing.filter(names_some).max_by_key(covered).filter(|statement| covered(statement) > 0)
    }

    /// Whether the IAM policies allow creating the grant; if not, the statement that comes nearest, with what is in its
    /// way. Without any policy listed, nothing is known.
    pub(crate) fn creator_may(&self, grant: Option<&Grant<'_>>) -> Option<(Answer, Option<HeldCause<'p>>)> {
        let policies = self.access.identity_policies.as_deref()?;
        let account = self.creators.first().cloned().unwrap_or_default();
        let partition = self.facts.key().partition.clone();
        let holder = Caller::role_of(account, &partition);
        let call = self.context(grant);
        let mut answer = Answer::No;
        let mut nearest: Option<HeldCause<'p>> = None;
        let mut denied: Option<HeldCause<'p>> = None;
        for part in policies {
            let evaluator = Evaluator::new(part.document, self.facts.key());
            let about = evaluator.about_holder(&holder);
            let statements = &part.document.statements;
            let context = statements.iter().fold(call.clone(), of_unknown_holder);
            let verdict = about.may(Operation::CREATE_GRANT, &context);
            answer = answer.or(verdict.without_denials);
            let applies = |statement: &&Statement<'_>| {
                statement.effect == Some(Effect::Deny)
                    && about.applies(statement.index, Operation::CREATE_GRANT, &context).at_all()
                        == Answer::Yes
            };
            if let Some(denial) = statements.iter().find(applies) {
                denied =
                    Some(HeldCause { file: part.file, policy: part.document, cause: Cause::Denied(denial) });
            }
            for (index, obstacle) in about.obstacles(Operation::CREATE_GRANT, &context) {
                let Some(statement) = statements.get(index) else { continue };
                let cause = Cause::of(statement, obstacle);
                let is_concrete = !matches!(cause, Cause::Operation(_));
                if nearest.is_none() || is_concrete {
                    nearest = Some(HeldCause { file: part.file, policy: part.document, cause });
                }
            }
            if nearest.is_none() {
                let cause = Cause::Operation(None);
                nearest = Some(HeldCause { file: part.file, policy: part.document, cause });
            }
        }
        if denied.is_some() {
            return Some((Answer::No, denied));
        }
        Some((answer, nearest.filter(|_| answer == Answer::No)))
    }

    /// Whether the policy names the service's role of the other account instead of the account: then nobody there may
    /// create a grant, and a rule of its own says so.
    pub(crate) fn names_role_instead(&self) -> bool {
        let Some(service) = self.service else { return false };
        let owner = self.facts.key().account.as_deref();
        self.facts.service_linked_roles.iter().any(|role| {
            let is_other = owner.is_some_and(|owner| same_account(owner, role.account) == Answer::No);
            is_other && service.is_role_of(role) && Some(role.account) == self.account()
        })
    }

    /// The account that is to use the key, as messages name it.
    pub(crate) fn account(&self) -> Option<&str> {
        self.access.account.or_else(|| self.creators.last().map(AsRef::as_ref))
    }

    /// The role that the service works through in the other account.
    pub(crate) fn role_arn(&self) -> Option<String> {
        let linked = self.service?.role()?;
        Some(linked.arn(self.access.account?, &self.facts.key().partition))
    }
}
