//! Who makes a request, and whether a statement's principals name them.

use std::borrow::Cow;

use crate::Answer;
use crate::arn::{Arn, same_account};
use crate::model::{Effect, Identity, IdentityKind, Listed, Principal, PrincipalItem, Statement};
use crate::pattern::{self, Reading};

/// The name of a role that no policy names: KMS does not accept this character in a policy.
const UNNAMED: &str = "\u{f8fe}";

/// A principal that makes a request.
///
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html>
#[derive(Clone, Debug)]
pub struct Caller<'r> {
    /// What it is.
    pub kind: CallerKind,
    /// Its account: twelve digits, the text of a hole, or [`FRESH`](crate::pattern::FRESH). Empty for an AWS service.
    pub account: Cow<'r, str>,
    /// Its ARN, as `aws:PrincipalArn` gives it: for a session, the role's. For an AWS service, its name.
    pub arn: Cow<'r, str>,
    /// The ARN of the session, where it is one particular session. For a role: something, where no policy names it.
    pub session: Option<Cow<'r, str>>,
    /// What its identity policies allow. They decide where the key policy delegates.
    pub identity_policies: Answer,
    /// Whether the parameters of the request are its own choice. A service-linked role does what its service does.
    pub chooses: bool,
    /// Whether it is an outsider whose organization, tags and network are its own.
    pub outsider: bool,
}

/// The kinds of caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallerKind {
    /// An account's root user.
    RootUser,
    /// An IAM user.
    User,
    /// A role, in whichever session.
    Role,
    /// One session of a role.
    Session,
    /// A federated user session.
    FederatedUser,
    /// A service-linked role: its identity policy is AWS's own and covers no customer managed key.
    ServiceLinkedRole,
    /// An AWS service that calls as itself.
    Service,
}

impl<'r> Caller<'r> {
    /// The caller that a principal names. An account, everyone, and what is not known name no single caller.
    ///
    /// A user or a role is taken to choose its parameters; what its identity policies allow is not known.
    pub fn named(principal: &Principal<'r>) -> Option<Self> {
        match principal {
            Principal::Identity(identity) => Some(Self::identity(identity)),
            Principal::Service(name) => Some(Self::service(*name)),
            _ => None,
        }
    }

    fn identity(identity: &Identity<'r>) -> Self {
        let linked = identity.service_linked_to().is_some();
        let kind = match identity.kind {
            IdentityKind::User => CallerKind::User,
            IdentityKind::Role if linked => CallerKind::ServiceLinkedRole,
            IdentityKind::Role => CallerKind::Role,
            IdentityKind::Session => CallerKind::Session,
            IdentityKind::FederatedUser => CallerKind::FederatedUser,
        };
        let session = (kind == CallerKind::Session).then(|| Arn::parse(identity.arn)).flatten();
        let arn = match session {
            Some(arn) => {
                Cow::Owned(format!("arn:{}:iam::{}:role/{}", arn.partition, arn.account, identity.name))
            }
            None => Cow::Borrowed(identity.arn),
        };
        Self {
            kind,
            account: Cow::Borrowed(identity.account),
            arn,
            session: (kind == CallerKind::Session).then_some(Cow::Borrowed(identity.arn)),
            identity_policies: if linked { Answer::No } else { Answer::Maybe },
            chooses: !linked,
            outsider: false,
        }
    }

    /// An AWS service that calls as itself.
    pub fn service(name: impl Into<Cow<'r, str>>) -> Self {
        Self {
            kind: CallerKind::Service,
            account: Cow::Borrowed(""),
            arn: name.into(),
            session: None,
            identity_policies: Answer::No,
            chooses: false,
            outsider: false,
        }
    }

    /// Some role of an account, which the policy does not name and whose identity policies allow everything.
    pub fn role_of(account: impl Into<Cow<'r, str>>, partition: &str) -> Self {
        let account = account.into();
        let arn = format!("arn:{partition}:iam::{account}:role/{UNNAMED}");
        Self::in_account(CallerKind::Role, account, arn)
    }

    /// Some user of an account, like [`Caller::role_of`].
    pub fn user_of(account: impl Into<Cow<'r, str>>, partition: &str) -> Self {
        let account = account.into();
        let arn = format!("arn:{partition}:iam::{account}:user/{UNNAMED}");
        Self::in_account(CallerKind::User, account, arn)
    }

    /// The root user of an account.
    pub fn root_user_of(account: impl Into<Cow<'r, str>>, partition: &str) -> Self {
        let account = account.into();
        let arn = format!("arn:{partition}:iam::{account}:root");
        Self::in_account(CallerKind::RootUser, account, arn)
    }

    /// The identity of an account with this ARN, whose identity policies allow everything. Those of a role in the path of
    /// service-linked roles are AWS's own.
    ///
    /// `None` if the ARN is none of an identity.
    pub fn with_arn(account: impl Into<Cow<'r, str>>, arn: String) -> Option<Self> {
        let kind = match Principal::parse_aws(&arn) {
            Principal::Account(_) => CallerKind::RootUser,
            Principal::Identity(Identity { kind: IdentityKind::User, .. }) => CallerKind::User,
            Principal::Identity(Identity { kind: IdentityKind::Role, name, .. }) => {
                let is_linked = name.starts_with("aws-service-role/");
                if is_linked { CallerKind::ServiceLinkedRole } else { CallerKind::Role }
            }
            _ => return None,
        };
        let caller = Self::in_account(kind, account.into(), arn);
        Some(match kind {
            CallerKind::ServiceLinkedRole => Self { identity_policies: Answer::No, chooses: false, ..caller },
            _ => caller,
        })
    }

    fn in_account(kind: CallerKind, account: Cow<'r, str>, arn: String) -> Self {
        Self {
            kind,
            account,
            arn: Cow::Owned(arn),
            session: None,
            identity_policies: Answer::Yes,
            chooses: true,
            outsider: false,
        }
    }

    /// The same caller as an outsider: an identity of an account that appears nowhere.
    #[must_use]
    pub fn as_outsider(self) -> Self {
        Self { outsider: true, ..self }
    }

    /// The same caller; if it is a role, in a session that no policy names.
    #[must_use]
    pub fn in_unnamed_session(self) -> Self {
        let is_role = matches!(self.kind, CallerKind::Role | CallerKind::ServiceLinkedRole);
        Self { session: if is_role { Some(Cow::Borrowed(UNNAMED)) } else { self.session }, ..self }
    }

    /// The same caller, if its identity policies allow this much.
    #[must_use]
    pub fn with_identity_policies(self, answer: Answer) -> Self {
        Self { identity_policies: answer, ..self }
    }
}

/// How a statement's principals match a caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Named {
    /// They name the caller itself, or everyone.
    pub directly: Answer,
    /// They name the caller's account.
    pub by_account: Answer,
}

impl Named {
    pub(super) const NOT: Self = Self { directly: Answer::No, by_account: Answer::No };

    pub(super) fn directly(answer: Answer) -> Self {
        Self { directly: answer, ..Self::NOT }
    }

    /// Named in either way: what a `Deny` asks.
    pub fn at_all(self) -> Answer {
        self.directly.or(self.by_account)
    }
}

/// Whether a statement names a caller. An `Allow` for everyone but some does not reach these: that their accounts have
/// to be listed, too, is about `Deny`.
pub(super) fn named_by(statement: &Statement<'_>, caller: &Caller<'_>) -> Named {
    let principals = &statement.principals;
    let spared = principals.negated && statement.effect == Some(Effect::Allow);
    if spared && listed_names(principals, caller).directly == Answer::Yes {
        return Named::NOT;
    }
    names(principals, caller)
}

/// Whether a list of principals names a caller.
pub fn names(principals: &Listed<PrincipalItem<'_>>, caller: &Caller<'_>) -> Named {
    let listed = listed_names(principals, caller);
    if principals.negated { excepted(listed, principals, caller) } else { listed }
}

fn listed_names(principals: &Listed<PrincipalItem<'_>>, caller: &Caller<'_>) -> Named {
    let mut result = Named::NOT;
    for item in &principals.items {
        let named = principal_names(&item.principal, caller);
        result.directly = result.directly.or(named.directly);
        result.by_account = result.by_account.or(named.by_account);
    }
    if principals.open {
        result.directly = result.directly.or(Answer::Maybe);
    }
    result
}

/// `NotPrincipal`: everyone but those it lists.
///
/// AWS asks to list a user's or role's account beside it, else the caller may be caught all the same; where only one
/// of them is listed the answer is maybe. That AWS also asks for the session of a role is not taken to mean that the
/// role's ARN does not name its sessions here.
fn excepted(listed: Named, principals: &Listed<PrincipalItem<'_>>, caller: &Caller<'_>) -> Named {
    let unless = |surely_listed| {
        (!listed.at_all()).or(if surely_listed == Answer::Yes { Answer::No } else { Answer::Maybe })
    };
    let anyone = Answer::any(principals.items.iter().map(|item| match item.principal {
        Principal::Anyone => Answer::Yes,
        _ => Answer::No,
    }));
    Named::directly(match caller.kind {
        _ if anyone == Answer::Yes => Answer::No,
        CallerKind::RootUser | CallerKind::Service => !listed.at_all(),
        _ => unless(listed.directly.and(listed.by_account)),
    })
}

/// Whether one principal names a caller.
pub fn principal_names(principal: &Principal<'_>, caller: &Caller<'_>) -> Named {
    let service = caller.kind == CallerKind::Service;
    match principal {
        // AWS services too: AWS's examples that exempt them from a `Deny` on everyone, by
        // `aws:PrincipalIsAWSService`, rest on it.
        Principal::Anyone => Named::directly(Answer::Yes),
        Principal::Account(_) | Principal::Identity(_) if service => Named::NOT,
        Principal::Account(account) => {
            let same = same_account(account, &caller.account);
            let directly = if caller.kind == CallerKind::RootUser { same } else { Answer::No };
            Named { directly, by_account: same }
        }
        Principal::Identity(identity) => Named::directly(identity_names(identity, caller)),
        Principal::Service(name) if service => Named::directly(same_name(name, &caller.arn)),
        Principal::Service(_) => Named::NOT,
        // Which sessions a federated principal names in a key policy is not documented.
        Principal::Federated(_) => Named::directly(match caller.kind {
            CallerKind::Role | CallerKind::Session | CallerKind::FederatedUser => Answer::Maybe,
            _ => Answer::No,
        }),
        // KMS rejects a policy that names nobody; what its author meant is not known.
        Principal::Nobody | Principal::Unknown => Named::directly(Answer::Maybe),
    }
}

fn identity_names(identity: &Identity<'_>, caller: &Caller<'_>) -> Answer {
    let exactly = || pattern::matches(identity.arn, &caller.arn, Reading::EXACT);
    let or_else = |other: fn(&Identity<'_>, &Caller<'_>) -> Answer| match exactly() {
        Answer::No => other(identity, caller),
        answer => answer,
    };
    match (identity.kind, caller.kind) {
        (IdentityKind::User, CallerKind::User)
        | (IdentityKind::FederatedUser, CallerKind::FederatedUser)
        | (IdentityKind::Role, CallerKind::Role) => exactly(),
        (IdentityKind::Role, CallerKind::ServiceLinkedRole) => or_else(misspelt_role),
        (IdentityKind::Role, CallerKind::Session) => or_else(role_with_path),
        (IdentityKind::Session, CallerKind::Session) => match &caller.session {
            Some(session) => pattern::matches(identity.arn, session, Reading::EXACT),
            None => Answer::Maybe,
        },
        // The session of a role is one that no policy names.
        (IdentityKind::Session, CallerKind::Role | CallerKind::ServiceLinkedRole)
            if caller.session.is_some() =>
        {
            Answer::No
        }
        // The caller is the role in whichever session, and this names one of them.
        (IdentityKind::Session, CallerKind::Role | CallerKind::ServiceLinkedRole) => {
            let name = caller.arn.rsplit('/').next().unwrap_or_default();
            let same_role =
                Answer::from(identity.name == name).and(same_account(identity.account, &caller.account));
            same_role.and(Answer::Maybe)
        }
        _ => Answer::No,
    }
}

/// The ARN of a session does not tell the path of its role. An account has no two roles of one name, whatever their
/// paths, and KMS accepts no principal that does not exist: a role of the same name with a path is the session's role.
fn role_with_path(identity: &Identity<'_>, caller: &Caller<'_>) -> Answer {
    let name = caller.arn.rsplit('/').next().unwrap_or_default();
    let same_name = identity.name != identity.simple_name() && identity.simple_name() == name;
    Answer::from(same_name).and(same_account(identity.account, &caller.account))
}

/// A service-linked role whose ARN is written wrongly is a mistake of its own. It may be what was meant, so that
/// nothing that it causes is reported a second time.
fn misspelt_role(identity: &Identity<'_>, caller: &Caller<'_>) -> Answer {
    let means_to_be =
        identity.simple_name().get(..7).is_some_and(|start| start.eq_ignore_ascii_case("AWSServ"));
    if !means_to_be {
        return Answer::No;
    }
    let name = caller.arn.rsplit('/').next().unwrap_or_default();
    let base = |name: &str| name.split('_').next().unwrap_or_default().to_ascii_lowercase();
    let (meant, written) = (base(name), base(identity.simple_name()));
    let near = meant == written || keylint_source::did_you_mean(&meant, [written.as_str()]).is_some();
    let another_suffix = meant == written && identity.service_linked_to().is_some();
    Answer::from(near && !another_suffix)
        .and(same_account(identity.account, &caller.account))
        .and(Answer::Maybe)
}

fn same_name(left: &str, right: &str) -> Answer {
    if left == right {
        Answer::Yes
    } else if left.eq_ignore_ascii_case(right) {
        // Whether letter case matters in the name of a service is not documented.
        Answer::Maybe
    } else {
        Answer::No
    }
}
