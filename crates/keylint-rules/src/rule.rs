//! What a rule file and a service file say, as types.

use keylint_policy::model::{Effect, Identity};
use keylint_policy::pattern;
use keylint_policy::vocabulary::{Operation, Operations};
use keylint_source::{RuleInfo, Severity};
use keylint_syntax::schema::Schema;

use crate::checks::Check;
use crate::text::Template;

/// The groups of rules.
pub const GROUPS: [&str; 6] = ["correctness", "security", "services", "grants", "suspicious", "pedantic"];

/// The group that is off unless it is selected: what is possible but not certain, and matters of taste.
pub const PEDANTIC: &str = "pedantic";

/// A rule.
#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) info: RuleInfo,
    pub(crate) decision: Decision,
    pub(crate) texts: Texts,
    /// Rules whose findings about the same operations of the same principal make this one's superfluous.
    pub(crate) yields_to: Vec<String>,
    /// Whether what its check looks at in key policies is as wrong where an IAM policy speaks of KMS.
    pub(crate) also_for_identity_policies: bool,
}

/// How a rule decides.
#[derive(Debug)]
pub(crate) enum Decision {
    /// By asking the evaluator. Of several questions about one statement and principal, the first that is answered
    /// in the wrong way counts.
    Ask(Vec<Question>),
    /// By looking at the form of a statement.
    Match(Box<Form>),
    /// By a JSON Schema that the policy must satisfy.
    Schema(Schema),
    /// The schema of key policies and the rest of the grammar.
    Grammar,
    /// By a function of keylint.
    Check(Check),
    /// keylint says it where it reads files, configuration and rules.
    BuiltIn,
}

/// The sentences of a rule, or of one of its questions.
#[derive(Clone, Debug, Default)]
pub(crate) struct Texts {
    /// The first whose words are there.
    pub(crate) message: Vec<Template>,
    pub(crate) label: Vec<Template>,
    /// Beside the second place.
    pub(crate) related: Vec<Template>,
    pub(crate) help: Vec<Template>,
    /// All whose words are there.
    pub(crate) notes: Vec<Template>,
}

/// A question to the evaluator.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    pub(crate) who: Who,
    pub(crate) may: Operations,
    /// What is known of condition keys; a key without a value is absent.
    pub(crate) with: Vec<(String, Vec<String>)>,
    /// Asked only of a key that another account uses.
    pub(crate) when_shared: bool,
    /// Not asked of a principal that may call one of these.
    pub(crate) unless_may: Operations,
    /// Asked only of a principal that may call one of these, unless there are none.
    pub(crate) if_may: Operations,
    pub(crate) expect: Expectation,
    pub(crate) at: Place,
    pub(crate) severity: Severity,
    /// Sentences of this question; where it has none, the rule's.
    pub(crate) texts: Texts,
}

/// Whom a question is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    /// Identities of accounts that appear nowhere.
    Strangers,
    /// The service-linked roles that the policy names.
    ServiceLinkedRoles,
    /// The other accounts that the policy names, and their identities.
    OtherAccounts,
    /// The users and roles of the key's own account that the policy names, as far as it allows them directly.
    OwnPrincipals,
    /// The other accounts that the policy names and the user does not trust.
    UntrustedAccounts,
    /// Somebody in the key's account.
    Owner,
    /// Somebody in the key's account other than its root user.
    OwnerIdentities,
    /// An identity of the key's account that no principal of the policy names.
    UnnamedIdentities,
    /// The AWS services that the policy names, as callers in their own name.
    ServicePrincipals,
    /// The services that the policy names or that the user declares, each with what its file says it needs.
    Services,
}

/// What the answer should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expectation {
    /// They may not.
    No,
    /// Some statement allows it, whatever a `Deny` says.
    Allowed,
    /// If it is allowed, no `Deny` takes it away.
    Undenied,
}

/// What of a statement a finding underlines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Action,
    Principal,
    Resource,
    Condition,
    Statement,
}

/// The form of a statement that a rule looks for: everything that is given must be so.
#[derive(Debug, Default)]
pub(crate) struct Form {
    pub(crate) effect: Option<Effect>,
    /// The statement has one of these elements: `NotAction`, ….
    pub(crate) element: Vec<Element>,
    /// It names a principal of one of these forms.
    pub(crate) principal: Vec<PrincipalForm>,
    /// It covers one of these operations.
    pub(crate) covers: Operations,
    /// It has a condition on one of these keys.
    pub(crate) has_condition: Vec<String>,
    /// It has no condition on any of these keys.
    pub(crate) lacks_condition: Vec<String>,
    pub(crate) at: Option<Place>,
}

/// The elements of a statement that a form can ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Element {
    NotPrincipal,
    NotAction,
    NotResource,
    Condition,
    Sid,
}

/// The forms of a principal that a rule can ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PrincipalForm {
    Anyone,
    Account,
    User,
    Role,
    ServiceLinkedRole,
    Session,
    FederatedUser,
    Service,
    Federated,
}

/// What a service file says: who calls, and what it needs of a key.
#[derive(Debug)]
pub(crate) struct Service {
    /// The file's name.
    pub(crate) name: String,
    /// The name that AWS gives it.
    pub(crate) title: String,
    pub(crate) calls: Calls,
    pub(crate) needs: Vec<Need>,
    /// The operations that a grant for the service's role lists where the key is another account's, in the order of the
    /// file. Empty where the service needs no grant.
    pub(crate) grant: Vec<Operation>,
    /// What kind of key it can use.
    pub(crate) key: KeyNeed,
    /// The condition keys that tell for whose resource the service calls: none if its requests have none, nothing if
    /// that is not known.
    pub(crate) sends: Option<Vec<String>>,
    /// Whether AWS prints an example in which no condition on these keys restricts the service.
    pub(crate) unrestricted_example: bool,
}

/// Who calls KMS for a service.
#[derive(Debug)]
pub(crate) enum Calls {
    /// Its service-linked role.
    Role(LinkedRole),
    /// The service in its own name, as this principal. `{region}` in it stands for the key's Region.
    Principal(String),
    /// Whoever calls the service, and grants. A statement for this service principal does nothing.
    Caller(String),
}

/// What stands for the Region in the name of a regional service principal.
pub(crate) const REGION: &str = "{region}";

impl Service {
    /// The service-linked role through which the service calls.
    pub(crate) fn role(&self) -> Option<&LinkedRole> {
        match &self.calls {
            Calls::Role(role) => Some(role),
            _ => None,
        }
    }

    /// The service principal as which the service calls in its own name.
    pub(crate) fn principal(&self) -> Option<&str> {
        if let Calls::Principal(name) = &self.calls { Some(name) } else { None }
    }

    /// Whether a role is the service-linked role of this service.
    pub(crate) fn is_role_of(&self, role: &Identity<'_>) -> bool {
        self.role().is_some_and(|linked| {
            role.service_linked_to() == Some(linked.service.as_str()) && linked.has_name(role.simple_name())
        })
    }

    /// Whether the service calls KMS in its own name, by this service principal.
    pub(crate) fn calls_as(&self, name: &str) -> bool {
        let Calls::Principal(principal) = &self.calls else { return false };
        // Nearly every service is told from a name by the first letter.
        if principal.as_bytes().first() != name.as_bytes().first() {
            return false;
        }
        match principal.split_once(REGION) {
            None => name == principal,
            Some(_) => self.region_in(name).is_some(),
        }
    }

    /// The Region in the name of this service's regional principal.
    pub(crate) fn region_in<'n>(&self, name: &'n str) -> Option<&'n str> {
        let Calls::Principal(principal) = &self.calls else { return None };
        if principal.as_bytes().first() != name.as_bytes().first() {
            return None;
        }
        let (before, behind) = principal.split_once(REGION)?;
        // In China some names end in `.amazonaws.com.cn`.
        let name = name.strip_suffix(".cn").unwrap_or(name);
        let region = name.strip_prefix(before)?.strip_suffix(behind)?;
        // What is filled in at deployment is one label, whatever it is called until then.
        let is_label = pattern::has_hole(region) || !region.contains('.');
        (!region.is_empty() && is_label).then_some(region)
    }

    /// Whether a statement for this service principal does nothing for the service.
    pub(crate) fn never_calls_as(&self, name: &str) -> bool {
        match &self.calls {
            Calls::Role(role) => role.sole_caller && role.service == name,
            Calls::Principal(_) => false,
            Calls::Caller(principal) => principal == name,
        }
    }
}

/// The service-linked role through which a service calls.
#[derive(Debug)]
pub(crate) struct LinkedRole {
    /// The service in the role's path.
    pub(crate) service: String,
    /// The role's name.
    pub(crate) name: String,
    /// Whether there may be `NAME_suffix` besides.
    pub(crate) custom_suffix: bool,
    /// Whether the service calls KMS through this role alone, never in its own name.
    pub(crate) sole_caller: bool,
}

impl LinkedRole {
    /// The ARN of the role without a suffix, in an account.
    pub(crate) fn arn(&self, account: &str, partition: &str) -> String {
        format!("arn:{partition}:iam::{account}:role/aws-service-role/{}/{}", self.service, self.name)
    }

    /// Whether a role name is this role's, with or without a custom suffix.
    pub(crate) fn has_name(&self, name: &str) -> bool {
        let suffix = name.strip_prefix(self.name.as_str());
        match suffix {
            Some("") => true,
            Some(suffix) => self.custom_suffix && suffix.len() > 1 && suffix.starts_with('_'),
            None => false,
        }
    }
}

/// What kind of key a service can use. What is not said may be any.
#[derive(Clone, Debug, Default)]
pub(crate) struct KeyNeed {
    pub(crate) spec: Option<String>,
    pub(crate) usage: Option<String>,
    /// Whether it has to be a multi-Region key, or must not be one.
    pub(crate) multi_region: Option<bool>,
    /// Whether the key has to be in the Region of the service's resources.
    pub(crate) same_region: bool,
}

/// Operations that a service calls, and with which condition keys.
#[derive(Debug)]
pub(crate) struct Need {
    /// In the order of the file, which is the order of messages.
    pub(crate) may: Vec<Operation>,
    /// What is known of condition keys; a key without a value is absent.
    pub(crate) with: Vec<(String, Vec<String>)>,
}
