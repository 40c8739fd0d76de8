//! The use of a key from another account: a key policy, a grant and an IAM policy that have to agree.
//!
//! <https://docs.aws.amazon.com/autoscaling/ec2/userguide/key-policy-requirements-EBS-encryption.html>

use std::borrow::Cow;

use keylint_policy::Answer;
use keylint_policy::arn::{Arn, same_account};
use keylint_policy::evaluate::{Caller, CallerKind, Context, Evaluator, Obstacle, State, names};
use keylint_policy::grant::{Given, Grant};
use keylint_policy::model::{Effect, Policy, Statement};
use keylint_policy::pattern::has_hole;
use keylint_policy::vocabulary::{KeyId, Operation, Operations};
use keylint_source::{FileId, Location, Span};

use crate::facts::Facts;
use crate::finding::grant_operation_list;
use crate::grant_facts::{grantee, is_alias, is_key_id, key_arn, lacking, misplaced_grantee, regions_differ};
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

/// What keeps a call from being allowed, with the statement that says so.
pub(crate) enum Cause<'p> {
    /// A `Deny`.
    Denied(&'p Statement<'p>),
    /// A condition of an `Allow`, by its index.
    Condition(&'p Statement<'p>, usize),
    /// The resource of an `Allow`.
    Resource(&'p Statement<'p>),
    /// No statement allows the operation; the nearest that names whoever calls.
    Operation(Option<&'p Statement<'p>>),
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
        let is_service_linked = |caller: &Caller<'_>| {
            caller.kind == CallerKind::ServiceLinkedRole || caller.arn.contains(":role/aws-service-role/")
        };
        callers.retain(|caller| !is_service_linked(caller));
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

    /// What keeps everyone from calling an operation that nobody may call.
    fn cause(&self, callers: &[Caller<'p>], operation: Operation, context: &Context<'_>) -> Cause<'p> {
        let statement = |index: usize| self.facts.policy().statements.get(index);
        for caller in callers {
            let about = self.facts.evaluator.about(caller);
            let verdict = about.may(operation, context);
            if verdict.without_denials != Answer::No
                && let Some(denial) = verdict.denied_by.and_then(statement)
            {
                return Cause::Denied(denial);
            }
        }
        let mut nearest = None;
        for caller in callers {
            let about = self.facts.evaluator.about(caller);
            for (index, obstacle) in about.obstacles(operation, context) {
                let Some(statement) = statement(index) else { continue };
                match obstacle {
                    Obstacle::Condition(condition) => return Cause::Condition(statement, condition),
                    Obstacle::Resource => return Cause::Resource(statement),
                    // Of those that do not cover the operation, the last comes nearest: it is about use.
                    Obstacle::Action => nearest = Some(statement),
                }
            }
        }
        // A `Deny` where an `Allow` was meant, perhaps.
        let denies = |statement: &&Statement<'_>| {
            let to = |caller: &Caller<'_>| {
                let about = self.facts.evaluator.about(caller);
                about.applies(statement.index, operation, context).at_all() == Answer::Yes
            };
            statement.effect == Some(Effect::Deny) && callers.iter().all(to)
        };
        match self.facts.policy().statements.iter().find(denies) {
            Some(denial) => Cause::Denied(denial),
            None => Cause::Operation(nearest),
        }
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
        let role = Caller::with_arn(account.to_owned(), arn)?.as_service_linked_role();
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
                let cause = match obstacle {
                    Obstacle::Condition(condition) => Cause::Condition(statement, condition),
                    Obstacle::Resource => Cause::Resource(statement),
                    Obstacle::Action => Cause::Operation(Some(statement)),
                };
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

    /// What is known of the request that creates a grant: it is made directly, by whoever is to create it.
    fn context<'x>(&self, grant: Option<&Grant<'x>>) -> Context<'x> {
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
    fn meant_grantee<'x>(&self, grant: &Grant<'x>) -> Option<State<'x>> {
        let role = grantee(grant).filter(|role| !has_hole(role.name))?;
        let (service, arn) = (self.service?, self.role_arn()?);
        (!service.is_role_of(&role)).then(|| State::Is(vec![Cow::Owned(arn)]))
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

    /// What is wrong with a grant in itself, with the place: the rules about grants say it in full.
    fn flaw(&self, grant: &Grant<'_>) -> Option<(Span, String)> {
        if let Some(text) = grant.key.text() {
            let written = text.as_str();
            if is_alias(written) {
                return Some((text.span(), format!("names the key by the alias `{written}`")));
            }
            if self.access.account.is_some() && is_key_id(written) {
                return Some((text.span(), "names the key without its account".to_owned()));
            }
        }
        if let Some((region, of_key)) = regions_differ(grant) {
            return Some((
                region.span(),
                format!("is asked for in another Region than the key's, `{of_key}`"),
            ));
        }
        for (given, name) in [(grant.key, "key"), (grant.grantee, "grantee")] {
            if given.is_absent() && grant.grantee_service.is_absent() {
                return Some((grant.heading, format!("names no {name}")));
            }
        }
        let unknown = grant.operations.items.iter().find(|item| item.operation.is_none());
        if let Some(item) = unknown {
            return Some((item.text.span(), format!("has `{}`, which is no operation", item.text.as_str())));
        }
        let (spec, usage) = (self.access.key.spec, self.access.key.usage);
        let is_refused = |operation: Operation| !operation.in_grants() || !operation.works_on(spec, usage);
        let refused = grant.operations.items.iter().find(|item| item.operation.is_some_and(is_refused));
        if let Some(item) = refused {
            let says = format!("has `{}`, which KMS refuses for this key", item.text.as_str());
            return Some((item.text.span(), says));
        }
        let text = grant.grantee.text()?;
        if let Some(kind) = misplaced_grantee(grant) {
            return Some((text.span(), format!("is for {kind}")));
        }
        let is_misspelt = self.meant_grantee(grant).is_some();
        is_misspelt.then(|| (text.span(), "is for a role whose ARN is written wrongly".to_owned()))
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

    /// The documents in their order, with what each does.
    pub(crate) fn links(&self) -> Vec<Link> {
        let mut links = vec![self.link_of_policy()];
        links.extend(self.links_of_grants());
        links.push(self.link_of_identity_policy());
        links
    }

    fn link_of_policy(&self) -> Link {
        let policy = self.access.policy;
        let link = |holds, span, says: String| Link {
            document: "key policy",
            holds,
            at: Some(policy.at(span)),
            says,
        };
        let account = self.account().unwrap_or("?").to_owned();
        let heading = self.facts.policy().heading;
        let grant = self.grants.first().map(|part| part.document);
        let (may, cause) = self.may_create(grant);
        match (may, cause) {
            (Answer::No, Some(cause)) => {
                let span = cause.place().unwrap_or(heading);
                link(Answer::No, span, format!("does not let account {account} create the grant"))
            }
            (Answer::Maybe | Answer::No, _) => {
                link(Answer::Maybe, heading, "whether it lets the grant be created is not known".to_owned())
            }
            (Answer::Yes, _) => {
                if let Some((denial, _)) = self.denied_to_role() {
                    let says = "denies the service what it needs, with or without a grant".to_owned();
                    return link(Answer::No, denial.actions.value, says);
                }
                let unshared = self.unshared();
                if unshared.is_empty() {
                    let creates = match self.creators.as_slice() {
                        [_, _] if self.access.account.is_some() => ", and the grant be created",
                        _ => " and create the grant",
                    };
                    link(Answer::Yes, heading, format!("lets account {account} use the key{creates}"))
                } else {
                    let lacking = crate::finding::operation_list(&unshared);
                    link(Answer::No, heading, format!("does not let account {account} call {lacking}"))
                }
            }
        }
    }

    fn links_of_grants(&self) -> Vec<Link> {
        let link = |holds, at, says: String| Link { document: "grant", holds, at, says };
        if let Some((part, mismatch)) = &self.nearest {
            let given = mismatch.member(part.document);
            let says = format!("is for another {}", mismatch.word());
            let span = given.text().map_or(part.document.heading, keylint_policy::model::Text::span);
            return vec![link(Answer::No, Some(part.at(span)), says)];
        }
        if self.grants.is_empty() {
            let listed = self.access.grants.is_some();
            let says = if listed { "there is none" } else { "none is listed" };
            let holds = if listed { Answer::No } else { Answer::Maybe };
            return vec![link(holds, None, says.to_owned())];
        }
        let others: Vec<Grant<'_>> = self.grants.iter().map(|part| part.document.clone()).collect();
        let one = |part: &Part<&'p Grant<'p>>| {
            if let Some((span, says)) = self.flaw(part.document) {
                return link(Answer::No, Some(part.at(span)), says);
            }
            let lacking =
                self.service.map(|service| lacking(part.document, &others, service)).unwrap_or_default();
            if lacking.is_empty() {
                let at = Some(part.at(part.document.heading));
                return match open_part(part.document) {
                    Some(open) => link(Answer::Maybe, at, format!("{open} is not known")),
                    None => link(Answer::Yes, at, "gives the role what it needs".to_owned()),
                };
            }
            let at = Some(part.at(part.document.operations.span));
            link(Answer::No, at, format!("lacks {}", grant_operation_list(&lacking)))
        };
        self.grants.iter().map(one).collect()
    }

    fn link_of_identity_policy(&self) -> Link {
        let link = |holds, at, says: &str| Link { document: "IAM policy", holds, at, says: says.to_owned() };
        let grant = self.grants.first().map(|part| part.document);
        match self.creator_may(grant) {
            None => link(Answer::Maybe, None, "none is listed"),
            Some((Answer::Yes, _)) => {
                let policies = self.access.identity_policies.iter().flatten().next();
                let at = policies.map(|part| part.at(part.document.heading));
                link(Answer::Yes, at, "lets its holder create the grant")
            }
            Some((Answer::Maybe, _)) => {
                link(Answer::Maybe, None, "whether it lets its holder create the grant is not known")
            }
            Some((Answer::No, None)) => link(Answer::No, None, "there is none"),
            Some((Answer::No, Some(cause))) => {
                let at = Location { file: cause.file, span: cause.place() };
                link(Answer::No, Some(at), "does not let its holder create the grant")
            }
        }
    }
}

/// What of a grant is not known before it is created, so that it is not sure to be what the service needs.
fn open_part(grant: &Grant<'_>) -> Option<&'static str> {
    let is_open = |given: Given<'_>| !given.is_absent() && given.known().is_none();
    if is_open(grant.key) && !grant.refers_to_key {
        Some("its key")
    } else if is_open(grant.grantee) {
        Some("its grantee")
    } else if grant.operations.open {
        Some("what it permits")
    } else if grant.constraints.open || !grant.constraints.items.is_empty() {
        Some("whether the service meets its constraints")
    } else {
        None
    }
}

/// What is in the way in an IAM policy.
pub(crate) struct HeldCause<'p> {
    pub(crate) file: FileId,
    pub(crate) policy: &'p Policy<'p>,
    pub(crate) cause: Cause<'p>,
}

impl HeldCause<'_> {
    pub(crate) fn place(&self) -> Span {
        self.cause.place().unwrap_or(self.policy.heading)
    }
}

impl<'p> Cause<'p> {
    /// The bytes that are in the way.
    pub(crate) fn place(&self) -> Option<Span> {
        match self {
            Self::Denied(statement) => Some(statement.actions.value),
            Self::Condition(statement, index) => {
                Some(statement.conditions.get(*index).map_or(statement.span, |it| it.key_text.span()))
            }
            Self::Resource(statement) => Some(statement.resources.value),
            Self::Operation(statement) => statement.map(|statement| statement.actions.value),
        }
    }

    pub(crate) fn statement(&self) -> Option<&'p Statement<'p>> {
        match self {
            Self::Denied(statement) | Self::Condition(statement, _) | Self::Resource(statement) => {
                Some(statement)
            }
            Self::Operation(statement) => *statement,
        }
    }
}

/// Whether a condition key is about a grant that is created, so that the grant can be changed to meet it.
pub(crate) fn is_about_grant(key: Option<KeyId>) -> bool {
    matches!(
        key,
        Some(
            KeyId::GRANTEE_PRINCIPAL
                | KeyId::GRANT_OPERATIONS
                | KeyId::RETIRING_PRINCIPAL
                | KeyId::GRANT_CONSTRAINT_TYPE
        )
    )
}
