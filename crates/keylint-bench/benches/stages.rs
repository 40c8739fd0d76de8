//! The stages of the pipe, one by one. Every time is that of one key policy, in the mean over 256 of them.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a benchmark may stop at a mistake of its own"
)]

use std::cell::Cell;
use std::sync::LazyLock;

use divan::{Bencher, black_box};
use keylint::lint::{FIRST_INPUT, Linter, Scratch, Settings};
use keylint_bench::generate;
use keylint_extract::Language;
use keylint_policy::evaluate::{Caller, Context, Evaluator, Key};
use keylint_policy::grammar;
use keylint_policy::model::Policy;
use keylint_policy::vocabulary::Operation;
use keylint_rules::{KeyKnowledge, RuleSet};
use keylint_syntax::{Arena, Node, Tree, json};

fn main() {
    divan::main();
}

/// One sample goes once over all policies.
const POLICIES: u32 = 256;

static TEXTS: LazyLock<Vec<String>> =
    LazyLock::new(|| (0..POLICIES as usize).map(generate::policy).collect());

/// The policies as trees. They live as long as the program.
static NODES: LazyLock<Vec<Node<'static>>> = LazyLock::new(|| {
    let tree = |text: &'static String| {
        let arena: &'static mut Arena = Box::leak(Box::default());
        json::parse(text, arena, &mut Vec::new());
        Tree::new(text, arena).root()
    };
    TEXTS.iter().filter_map(tree).collect()
});

static LOWERED: LazyLock<Vec<Policy<'static>>> =
    LazyLock::new(|| NODES.iter().map(|node| keylint_policy::lower(*node)).collect());

/// Measures `work` on one input after the other.
fn each<T, R>(bencher: Bencher<'_, '_>, inputs: &'static [T], mut work: impl FnMut(&'static T) -> R) {
    let next = Cell::new(0);
    bencher
        .with_inputs(|| {
            let input = &inputs[next.get()];
            next.set((next.get() + 1) % inputs.len());
            input
        })
        .bench_local_values(|input| work(black_box(input)));
}

#[divan::bench(name = "1 parse", sample_size = POLICIES)]
fn parse(bencher: Bencher<'_, '_>) {
    let mut arena = Arena::default();
    each(bencher, &TEXTS, |text| json::parse(text, &mut arena, &mut Vec::new()));
}

#[divan::bench(name = "1 parse into serde_json::Value", sample_size = POLICIES)]
fn parse_into_serde_json_value(bencher: Bencher<'_, '_>) {
    each(bencher, &TEXTS, |text| serde_json::from_str::<serde_json::Value>(text));
}

#[divan::bench(name = "2 parse and find", sample_size = POLICIES)]
fn find(bencher: Bencher<'_, '_>) {
    let mut arena = Arena::default();
    each(bencher, &TEXTS, |text| {
        keylint_extract::extract(Language::Json, text, None, &mut arena).documents.len()
    });
}

#[divan::bench(name = "3 lower", sample_size = POLICIES)]
fn lower(bencher: Bencher<'_, '_>) {
    each(bencher, &NODES, |node| keylint_policy::lower(*node));
}

#[divan::bench(name = "4 check the grammar", sample_size = POLICIES)]
fn check_grammar(bencher: Bencher<'_, '_>) {
    let inputs: &'static [_] = Vec::leak(NODES.iter().zip(LOWERED.iter()).collect());
    each(bencher, inputs, |(node, _)| grammar::problems(**node));
}

/// Every rule but the grammar, and the facts that they share.
#[divan::bench(name = "5 ask the other rules", sample_size = POLICIES)]
fn ask_rules(bencher: Bencher<'_, '_>) {
    let inputs: &'static [_] = Vec::leak(NODES.iter().zip(LOWERED.iter()).collect());
    let rules = RuleSet::built_in();
    let selection = rules.select(&[], &["invalid-policy".to_owned()]).unwrap();
    let known = KeyKnowledge::default();
    each(bencher, inputs, |(node, policy)| rules.check(&selection, **node, policy, &known, FIRST_INPUT));
}

/// From text to diagnostics.
#[divan::bench(name = "6 the whole pipe", sample_size = POLICIES)]
fn whole_pipe(bencher: Bencher<'_, '_>) {
    let (linter, ..) =
        Linter::new(&Settings::default(), &|_| Err(std::io::ErrorKind::NotFound.into())).unwrap();
    let mut scratch = Scratch::default();
    each(bencher, &TEXTS, |text| linter.lint(FIRST_INPUT, "key.json", text, &mut scratch));
}

/// What a run does before its first file.
#[divan::bench(name = "7 start: read the rules")]
fn start() -> RuleSet {
    RuleSet::built_in()
}

/// A policy with a statement without a condition, one with two conditions, and a `Deny` with one.
static QUESTIONED: LazyLock<Policy<'static>> = LazyLock::new(|| {
    let text = r#"{"Statement": [
        {"Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Action": "kms:*", "Resource": "*"},
        {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:role/plain"},
         "Action": ["kms:Decrypt", "kms:DescribeKey"], "Resource": "*"},
        {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:role/conditional"},
         "Action": ["kms:CreateGrant", "kms:Decrypt"], "Resource": "*",
         "Condition": {"StringLike": {"kms:ViaService": "ec2.*.amazonaws.com"},
                       "Bool": {"kms:GrantIsForAWSResource": "true"}}},
        {"Effect": "Deny", "Principal": "*", "Action": "kms:CreateGrant", "Resource": "*",
         "Condition": {"StringNotEquals": {"aws:PrincipalOrgID": "o-example"}}}]}"#;
    let arena: &'static mut Arena = Box::leak(Box::default());
    json::parse(text, arena, &mut Vec::new());
    keylint_policy::lower(Tree::new(text, arena).root().unwrap())
});

static KEY: LazyLock<Key<'static>> =
    LazyLock::new(|| Key { account: Some("111122223333".into()), ..Key::default() });

fn caller(name: &str) -> Caller<'static> {
    Caller::with_arn("111122223333", format!("arn:aws:iam::111122223333:role/{name}")).unwrap()
}

fn may(bencher: Bencher<'_, '_>, name: &str, operation: Operation, context: &Context<'_>) {
    let evaluator = Evaluator::new(&QUESTIONED, &KEY);
    let caller = caller(name);
    bencher.bench_local(|| evaluator.may(black_box(&caller), black_box(operation), black_box(context)));
}

#[divan::bench(name = "8 evaluator: prepare")]
fn evaluator_prepare(bencher: Bencher<'_, '_>) {
    bencher.bench_local(|| Evaluator::new(black_box(&QUESTIONED), &KEY));
}

#[divan::bench(name = "8 evaluator: no condition")]
fn may_without_conditions(bencher: Bencher<'_, '_>) {
    may(bencher, "plain", Operation::DECRYPT, &Context::open());
}

#[divan::bench(name = "8 evaluator: conditions, all known")]
fn may_with_conditions_known(bencher: Bencher<'_, '_>) {
    let context = Context::open()
        .with_value("kms:GrantIsForAWSResource", "true")
        .with_value("kms:ViaService", "ec2.eu-west-1.amazonaws.com")
        .with_value("aws:PrincipalOrgID", "o-example");
    may(bencher, "conditional", Operation::CREATE_GRANT, &context);
}

#[divan::bench(name = "8 evaluator: conditions, all open")]
fn may_with_conditions_open(bencher: Bencher<'_, '_>) {
    may(bencher, "conditional", Operation::CREATE_GRANT, &Context::open());
}
