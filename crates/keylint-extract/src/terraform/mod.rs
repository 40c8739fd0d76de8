//! Terraform and `OpenTofu`: the files of a folder are one module, in HCL or in JSON.
//!
//! Policies are looked for where a key takes one (`aws_kms_key` and its kin), and in what looks like a key policy and
//! is handed on: an `aws_iam_policy_document` that no key of the module uses, the policy that a module is called with.

mod block;
mod condition;
mod document;
mod expression;
mod file;
mod function;
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
use crate::value::{Value, ValueKind};
use crate::{KeyFacts, Presence, Resolved, Resource, Way};

/// Resources that take a key policy, in their argument `policy`.
pub(crate) const KEYS: [&str; 5] = [
    "aws_kms_key",
    "aws_kms_external_key",
    "aws_kms_replica_key",
    "aws_kms_replica_external_key",
    "aws_kms_key_policy",
];
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
    KEYS.iter().any(|key| has(key)) || ((has("kms:") || has("KMS:")) && (has(DOCUMENT) || has("module")))
}

/// The key policies of a module. `read` opens the files that it names, by paths relative to its folder.
pub(crate) fn key_policies<'m>(
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
        policies: Vec::new(),
    };
    search.run();
    let Search { files, mut problems, policies, .. } = search;
    problems.extend(module.take_problems());
    problems.sort_by(|left, right| (left.at, &left.message).cmp(&(right.at, &right.message)));
    problems.dedup();
    OfModule { documents: policies, problems, read_files: files.opened }
}

struct Search<'m, 's> {
    module: &'s Module<'m>,
    account: Option<&'s str>,
    files: Files<'s>,
    /// The documents that something refers to.
    documents: BTreeSet<String>,
    problems: Vec<Problem>,
    policies: Vec<Resolved>,
}

impl<'s> Search<'_, 's> {
    fn run(&mut self) {
        let module = self.module;
        let is_key = |address: &str| address.split_once('.').is_some_and(|(kind, _)| KEYS.contains(&kind));
        for (address, block) in module.blocks(&KEYS, is_key) {
            self.policy(&address, block, "policy", true);
        }
        for (address, block) in
            module.blocks(&["kms:", "KMS:", DOCUMENT], |address| address.starts_with("module."))
        {
            for argument in block.arguments().into_iter().filter(|name| is_policy(name)) {
                self.policy(&address, block, argument, false);
            }
        }
        // Documents that are put into others are pieces of a policy.
        let documents = module.blocks(&["kms:", "KMS:"], |address| {
            address.strip_prefix("data.").is_some_and(|rest| rest.starts_with(DOCUMENT))
        });
        for (address, block) in documents {
            // What something else refers to is a piece of a policy, or the policy of something else.
            if !self.documents.contains(&address) && !module.is_referred_to(&address, &block) {
                self.document(&address, block);
            }
        }
        self.policies.sort_by_key(|found| found.resource.at);
    }

    /// The policy that a block is given in an argument.
    fn policy(&mut self, address: &str, block: Block<'s>, argument: &str, is_key: bool) {
        let facts = if is_key { self.facts(address, block) } else { KeyFacts::default() };
        let Some(argument) = block.argument(argument) else { return };
        if block.argument("count").is_some_and(|count| count.value.source() == "0") {
            return;
        }
        self.resolve(address, block, facts, is_key, |evaluator| {
            let value = evaluator.expression(argument.value, &[]);
            evaluator.policy_in(value)
        });
    }

    fn document(&mut self, address: &str, block: Block<'s>) {
        self.resolve(address, block, KeyFacts::default(), false, |evaluator| {
            evaluator.policy_document(block)
        });
    }

    fn resolve(
        &mut self,
        address: &str,
        block: Block<'s>,
        facts: KeyFacts,
        is_certain: bool,
        policy: impl Fn(&mut Evaluator<'s, '_>) -> Value,
    ) {
        let mut found = Resolved {
            resource: Resource { name: address.to_owned(), at: block.heading() },
            facts,
            is_certain,
            ..Resolved::default()
        };
        let mut documents = BTreeSet::new();
        let mut problems: Vec<(Presence, Vec<Problem>)> = Vec::new();
        for_each_way(|choices: &mut Choices| {
            choices.look_into(block.at());
            let mut evaluator = Evaluator::new(self.module, self.account, choices, &mut self.files);
            address.clone_into(&mut evaluator.address);
            let value = policy(&mut evaluator);
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
            self.policies.push(found);
        }
    }

    /// What the arguments of a resource say of the key.
    ///
    /// <https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/kms_key>
    fn facts(&mut self, address: &str, block: Block<'s>) -> KeyFacts {
        let mut key = block;
        let mut kind = address.split('.').next().unwrap_or_default();
        let source;
        if kind == "aws_kms_key_policy" {
            source = block.argument("key_id").map(|argument| argument.value.source()).unwrap_or_default();
            let referred: Vec<&str> = source.split(['.', '[']).take(2).collect();
            let Some(found) = self.module.block(&referred.join(".")) else { return KeyFacts::default() };
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
        let mut facts = KeyFacts::default();
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

/// Whether a module that has an argument of this name may mean a key policy, and not a piece that it puts into one.
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
