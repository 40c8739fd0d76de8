//! Terraform and `OpenTofu`: the files of a folder are one module, in HCL or in JSON.
//!
//! Policies are looked for where a key takes one (`aws_kms_key` and its kin), where a user, a group or a role does
//! (`aws_iam_policy` and its kin), and in what looks like one of these and is handed on: an `aws_iam_policy_document`
//! that nothing in the module uses, the policy that a module is called with. A grant is a resource of its own.

mod block;
mod condition;
mod document;
mod expression;
mod file;
mod function;
mod grant;
mod identity;
mod module;
mod reference;
mod template;

use std::collections::BTreeSet;

use keylint_source::Problem;
use memchr::memmem;

use self::block::Block;
use self::condition::known_bool;
use self::expression::Evaluator;
use self::file::Files;
pub use self::file::{Read, ReadFile};
use self::module::Module;
pub use self::module::ModuleFile;
use self::reference::DOCUMENT;
use crate::choices::{Choices, for_each_way};
use crate::key_policy::names_boundary;
use crate::language::names_kms;
use crate::value::{Value, ValueKind};
use crate::{DocumentKind, KeyFacts, Presence, Resolved, Resource, Way};

/// Resources that take a policy: their type, the argument in which they do, and what the policy is.
pub(crate) const POLICIES: [(&str, &str, DocumentKind); 10] = [
    ("aws_kms_key", "policy", DocumentKind::KeyPolicy),
    ("aws_kms_external_key", "policy", DocumentKind::KeyPolicy),
    ("aws_kms_replica_key", "policy", DocumentKind::KeyPolicy),
    ("aws_kms_replica_external_key", "policy", DocumentKind::KeyPolicy),
    ("aws_kms_key_policy", "policy", DocumentKind::KeyPolicy),
    ("aws_iam_policy", "policy", DocumentKind::IdentityPolicy),
    ("aws_iam_role_policy", "policy", DocumentKind::IdentityPolicy),
    ("aws_iam_user_policy", "policy", DocumentKind::IdentityPolicy),
    ("aws_iam_group_policy", "policy", DocumentKind::IdentityPolicy),
    ("aws_ssoadmin_permission_set_inline_policy", "inline_policy", DocumentKind::IdentityPolicy),
];
/// The resource that has IAM policies in blocks of their own.
pub(crate) const ROLE: &str = "aws_iam_role";
/// The word of such a block.
pub(crate) const INLINE_POLICY: &str = "inline_policy";
/// The resource that is a grant.
pub(crate) const GRANT: &str = "aws_kms_grant";
/// What every file has in it in which a user, a group or a role is given a policy.
const OF_IDENTITIES: [&str; 2] = ["aws_iam_", "aws_ssoadmin_permission_set_inline_policy"];
/// Policies that one `dynamic` block of a role gives it, at most: more than a role can have.
const INLINE_POLICIES: usize = 50;
/// The ends of the names of arguments by which modules are given a policy.
const ARGUMENTS: [&str; 3] = ["policy", "policy_json", "policy_document"];

/// What a module has.
#[derive(Debug, Default)]
pub(crate) struct OfModule {
    pub(crate) documents: Vec<Resolved>,
    pub(crate) problems: Vec<Problem>,
    pub(crate) read_files: Vec<ReadFile>,
}

/// Whether a file of Terraform has to do with keys, so that its module is worth reading.
pub fn has_sign(text: &str) -> bool {
    let has = |word: &str| memmem::find(text.as_bytes(), word.as_bytes()).is_some();
    let is_of_kms = || {
        let mut kinds = types_of(DocumentKind::KeyPolicy).into_iter().chain([GRANT]);
        has("aws_kms_") && kinds.any(has)
    };
    is_of_kms() || (names_kms(text) && (has("module") || OF_IDENTITIES.iter().any(|word| has(word))))
}

/// The resources that take a policy of this kind.
fn types_of(kind: DocumentKind) -> Vec<&'static str> {
    POLICIES.iter().filter(|(.., taken)| *taken == kind).map(|(resource, ..)| *resource).collect()
}

/// The documents of a module. `read` opens the files that it names, by paths relative to its folder.
pub(crate) fn documents<'m>(
    files: &[ModuleFile<'m>],
    account: Option<&'m str>,
    read: &'m Read<'m>,
) -> OfModule {
    let end = files.iter().fold(0_usize, |end, file| end.saturating_add(file.text.len() + 1));
    let module = Module::new(files);
    let mut search = Search {
        module: &module,
        account,
        files: Files::new(read, u32::try_from(end).unwrap_or(u32::MAX)),
        documents: BTreeSet::new(),
        problems: Vec::new(),
        found: Vec::new(),
    };
    let has_kms = |file: &ModuleFile<'_>| {
        // A file that the module reads may have it.
        names_kms(file.text) || memmem::find(file.text.as_bytes(), b"file(").is_some()
    };
    search.run(files.iter().any(has_kms));
    let Search { files: opened, mut problems, found, .. } = search;
    problems.extend(module.take_problems());
    problems.sort_by(|left, right| (left.at, &left.message).cmp(&(right.at, &right.message)));
    problems.dedup();
    OfModule { documents: found, problems, read_files: opened.opened }
}

struct Search<'m, 's> {
    module: &'s Module<'m>,
    account: Option<&'s str>,
    files: Files<'s>,
    /// The documents that something refers to.
    documents: BTreeSet<String>,
    problems: Vec<Problem>,
    found: Vec<Resolved>,
}

impl<'s> Search<'_, 's> {
    /// `has_kms` says whether an IAM policy of the module may speak of KMS.
    fn run(&mut self, has_kms: bool) {
        let module = self.module;
        self.policies(DocumentKind::KeyPolicy, &types_of(DocumentKind::KeyPolicy));
        for (address, block) in module.blocks(&[GRANT], |address| type_of(address) == GRANT) {
            let facts = self.facts(&address, block);
            let found = Resolved { facts, ..of_resource(&address, block, DocumentKind::Grant) };
            self.resolve(block, found, |evaluator| evaluator.grant(block));
        }
        if has_kms {
            self.policies(DocumentKind::IdentityPolicy, &OF_IDENTITIES);
            for (address, block) in module.blocks(&[INLINE_POLICY], |address| type_of(address) == ROLE) {
                self.inline_policies(&address, block);
            }
        }
        for (address, block) in
            module.blocks(&["kms:", "KMS:", DOCUMENT], |address| address.starts_with("module."))
        {
            for argument in block.arguments().into_iter().filter(|name| is_policy(name)) {
                self.policy(block, argument, either_policy(&address, block));
            }
        }
        // Documents that are put into others are pieces of a policy.
        let documents = module.blocks(&["kms:", "KMS:"], |address| {
            address.strip_prefix("data.").is_some_and(|rest| rest.starts_with(DOCUMENT))
        });
        for (address, block) in documents {
            // What something else refers to is a piece of a policy, or the policy of something else.
            if !self.documents.contains(&address) && !module.is_referred_to(&address, &block) {
                self.resolve(block, either_policy(&address, block), |evaluator| {
                    evaluator.policy_document(block)
                });
            }
        }
        self.found.sort_by_key(|found| found.resource.at);
    }

    /// The policies of this kind that resources are given, in the files that have one of these words.
    fn policies(&mut self, kind: DocumentKind, words: &[&str]) {
        let argument = |address: &str| {
            let mut takers = POLICIES.iter().filter(|(.., taken)| *taken == kind);
            takers.find(|(resource, ..)| *resource == type_of(address)).map(|(_, argument, _)| *argument)
        };
        let boundaries = if kind == DocumentKind::IdentityPolicy { self.boundaries() } else { Vec::new() };
        let is_wanted = |address: &str| {
            let is_boundary =
                || boundaries.iter().any(|boundary| boundary == address) || names_boundary(address);
            argument(address).is_some() && !(kind == DocumentKind::IdentityPolicy && is_boundary())
        };
        for (address, block) in self.module.blocks(words, is_wanted) {
            let mut found = of_resource(&address, block, kind);
            if kind == DocumentKind::KeyPolicy {
                found.facts = self.facts(&address, block);
            }
            self.policy(block, argument(&address).unwrap_or_default(), found);
        }
    }

    /// The policies that are permissions boundaries of something in the module: they limit, and allow nothing.
    fn boundaries(&self) -> Vec<String> {
        const ARGUMENT: &str = "permissions_boundary";
        let blocks = self.module.blocks(&[ARGUMENT], |address| address.starts_with("aws_iam_"));
        let named = blocks.iter().filter_map(|(_, block)| block.argument(ARGUMENT));
        let address = |source: String| source.split(['.', '[']).take(2).collect::<Vec<_>>().join(".");
        named.map(|argument| address(argument.value.source())).collect()
    }

    /// The policy that a block is given in an argument.
    fn policy(&mut self, block: Block<'s>, argument: &str, found: Resolved) {
        let Some(argument) = block.argument(argument) else { return };
        self.resolve(block, found, |evaluator| {
            let value = evaluator.expression(argument.value, &[]);
            evaluator.policy_in(value)
        });
    }

    /// The policies in the blocks of a role.
    fn inline_policies(&mut self, address: &str, role: Block<'s>) {
        if is_never_there(role) {
            return;
        }
        for child in role.children() {
            let (word, label, block) = child;
            let most = match (word, label) {
                (INLINE_POLICY, _) => 1,
                ("dynamic", Some(INLINE_POLICY)) => INLINE_POLICIES,
                _ => continue,
            };
            for index in 0..most {
                let before = self.found.len();
                self.resolve(block, of_resource(address, block, DocumentKind::IdentityPolicy), |evaluator| {
                    let blocks = evaluator.blocks_of(child, INLINE_POLICY, &Vec::new());
                    let policy = blocks.into_iter().nth(index).and_then(|(block, variables)| {
                        Some(evaluator.expression(block.argument("policy")?.value, &variables))
                    });
                    let policy = policy.unwrap_or_else(|| Value::new(block.at(), ValueKind::Null));
                    evaluator.policy_in(policy)
                });
                if self.found.len() == before {
                    break;
                }
            }
        }
    }

    /// Finds a document in each way in which conditions can turn out; `found` is what is known of it already.
    fn resolve(
        &mut self,
        block: Block<'s>,
        mut found: Resolved,
        document: impl Fn(&mut Evaluator<'s, '_>) -> Value,
    ) {
        if is_never_there(block) {
            return;
        }
        let mut documents = BTreeSet::new();
        let mut problems: Vec<(Presence, Vec<Problem>)> = Vec::new();
        for_each_way(|choices: &mut Choices| {
            choices.look_into(block.at());
            let mut evaluator = Evaluator::new(self.module, self.account, choices, &mut self.files);
            found.resource.name.clone_into(&mut evaluator.address);
            let value = document(&mut evaluator);
            documents.append(&mut evaluator.documents);
            found.is_in_blocks |= evaluator.has_blocks;
            found.defaults.append(&mut evaluator.defaults);
            let of_way = std::mem::take(&mut evaluator.problems);
            let presence = choices.presence();
            problems.push((presence.clone(), of_way));
            if !matches!(value.kind, ValueKind::Null) {
                found.ways.push(Way { value, presence });
            }
        });
        found.problems = in_all_ways(&problems);
        self.documents.append(&mut documents);
        found.defaults.sort();
        found.defaults.dedup();
        if !found.ways.is_empty() || !found.problems.is_empty() {
            self.found.push(found);
        }
    }

    /// What the arguments of a resource say of the key.
    ///
    /// <https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/kms_key>
    fn facts(&mut self, address: &str, block: Block<'s>) -> KeyFacts {
        let mut key = block;
        let mut kind = address.split('.').next().unwrap_or_default();
        let source;
        let mut referred_to = None;
        if matches!(kind, "aws_kms_key_policy" | GRANT) {
            source = block.argument("key_id").map(|argument| argument.value.source()).unwrap_or_default();
            let referred: Vec<&str> = source.split(['.', '[']).take(2).collect();
            let of_key = referred.join(".");
            let Some(found) = self.module.block(&of_key) else { return KeyFacts::default() };
            referred_to = Some(of_key);
            kind = referred.first().copied().unwrap_or_default();
            key = found;
        }
        let mut value = |name: &str| {
            let argument = key.argument(name)?;
            let mut known = None;
            let mut ways = 0;
            for_each_way(|choices| {
                let mut evaluator = Evaluator::new(self.module, self.account, choices, &mut self.files);
                known = Some(evaluator.expression(argument.value, &[]));
                ways += 1;
            });
            if ways == 1 { known } else { Some(Value::unknown(argument.key, name)) }
        };
        let mut text = |name: &str, default: Option<&str>| match value(name) {
            None => default.map(str::to_owned),
            Some(value) => value.known_text(),
        };
        let mut facts = KeyFacts { key: referred_to, ..KeyFacts::default() };
        match kind {
            "aws_kms_key" => {
                facts.spec = text("customer_master_key_spec", Some("SYMMETRIC_DEFAULT"));
                facts.usage = text("key_usage", Some("ENCRYPT_DECRYPT"));
            }
            "aws_kms_external_key" => {
                facts.spec = text("key_spec", None);
                facts.usage = text("key_usage", None);
                facts.origin = Some("EXTERNAL".to_owned());
            }
            "aws_kms_replica_key" | "aws_kms_replica_external_key" => facts.multi_region = Some(true),
            _ => {}
        }
        let mut flag = |name: &str| value(name).as_ref().and_then(known_bool);
        facts.multi_region = facts.multi_region.or_else(|| flag("multi_region"));
        facts.rotation = flag("enable_key_rotation");
        facts.bypasses_lockout_check = flag("bypass_policy_lockout_safety_check");
        facts
    }
}

/// A document of a resource.
fn of_resource(address: &str, block: Block<'_>, kind: DocumentKind) -> Resolved {
    Resolved {
        kind,
        resource: Resource { name: address.to_owned(), at: block.heading() },
        // Most IAM policies have nothing to do with KMS.
        is_certain: kind != DocumentKind::IdentityPolicy,
        ..Resolved::default()
    }
}

/// A policy of which it is not said what it is the policy of.
fn either_policy(address: &str, block: Block<'_>) -> Resolved {
    Resolved {
        is_certain: false,
        or_else: Some(DocumentKind::IdentityPolicy),
        ..of_resource(address, block, DocumentKind::KeyPolicy)
    }
}

/// The type of the resource that has an address.
fn type_of(address: &str) -> &str {
    address.split('.').next().unwrap_or_default()
}

/// Whether a block is written so that there is none.
fn is_never_there(block: Block<'_>) -> bool {
    block.argument("count").is_some_and(|count| count.value.source() == "0")
}

/// Whether a module that has an argument of this name may mean a policy, and not a piece that it puts into one.
fn is_policy(name: &str) -> bool {
    let is_piece = ["additional", "extra", "override", "source"].iter().any(|word| name.contains(word));
    !is_piece
        && ARGUMENTS
            .iter()
            .any(|end| name.strip_suffix(end).is_some_and(|rest| rest.is_empty() || rest.ends_with('_')))
}

/// The problems that are there in every way in which their place is.
fn in_all_ways(ways: &[(Presence, Vec<Problem>)]) -> Vec<Problem> {
    let all = ways.iter().flat_map(|(_, problems)| problems);
    let holds = |problem: &&Problem| {
        ways.iter().all(|(presence, problems)| !presence.has(problem.at) || problems.contains(problem))
    };
    all.filter(holds).cloned().collect()
}

#[cfg(test)]
#[expect(clippy::string_slice, reason = "a place that splits a character is to fail the test")]
mod tests;
