//! Whatever the input: keylint answers, in bounded time, with places that exist.

#![cfg(test)]

mod cases;

use std::fmt::Write as _;
use std::sync::LazyLock;

use keylint::lint::{FIRST_INPUT, Linter};
use keylint_report::{Format, Report, Style, Summary};
use keylint_source::{Diagnostic, SourceFile, Sources};
use proptest::prelude::*;

use cases::{Case, cases, lint};

/// What is checked, by all rules, in each configuration that the files have.
fn linters() -> &'static [(Case, Linter)] {
    static LINTERS: LazyLock<Vec<(Case, Linter)>> = LazyLock::new(|| {
        let with_linter = |case: Case| {
            let linter = case.linter(&["all"]);
            (case, linter)
        };
        cases().into_iter().map(with_linter).collect()
    });
    &LINTERS
}

/// Checks a text, sees that every place exists, and writes what was found in every format.
fn survives(linter: &Linter, path: &str, text: &str) -> Vec<Diagnostic> {
    let diagnostics = lint(linter, path, text);
    for diagnostic in &diagnostics {
        for label in std::iter::once(&diagnostic.primary).chain(&diagnostic.related) {
            assert!(text.get(label.at.span.range()).is_some(), "{:?} in {text:?}", label.at.span);
        }
        assert!(!diagnostic.message.is_empty());
    }
    let mut sources = Sources::default();
    sources.insert(FIRST_INPUT, SourceFile::new(path, text));
    let report = Report {
        sources: &sources,
        diagnostics: &diagnostics,
        unknown: &[],
        summary: &Summary::default(),
        version: "0.0.0",
    };
    for (format, width) in [(Format::Full, 0), (Format::Full, 80), (Format::Concise, 0), (Format::Json, 0)] {
        let mut out = Vec::new();
        let style = Style { color: width > 0, width, unicode: width == 0 };
        keylint_report::write(format, &report, style, &mut out).unwrap();
        assert_eq!(out.is_empty(), diagnostics.is_empty() && format != Format::Json);
    }
    diagnostics
}

/// The offset of a character's start at or before an offset.
fn boundary(text: &str, offset: usize) -> usize {
    (0..=offset.min(text.len())).rev().find(|&offset| text.is_char_boundary(offset)).unwrap_or(0)
}

/// What is put into files in the wrong places.
const PIECES: &[&str] = &[
    "\"",
    "\\",
    "\\u",
    "\\ud800",
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    "'",
    "//",
    "/*",
    "null",
    "true",
    "-",
    "1e999",
    "\n",
    "\r",
    "\t",
    "\u{feff}",
    "\u{0}",
    "é",
    "日",
    "😀",
    "*",
    "?",
    "${",
    "${aws:username}",
    "kms:",
    "arn:aws:iam::",
    ":root",
    "Statement",
    "\"AWS\":",
    "\"Condition\":",
    "\"Null\":",
    "ForAllValues:",
    "IfExists",
    "default",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_answered(text in any::<String>(), words in prop::collection::vec(prop::sample::select(PIECES), 0..60)) {
        let (case, linter) = &linters()[0];
        survives(linter, &case.path(), &text);
        let words = words.concat();
        survives(linter, &case.path(), &format!("{{\"Statement\": [{{\"Action\": \"kms:*\", \"Principal\": {words}{text}"));
        survives(linter, &case.path(), &format!("{{\"Statement\": {{\"Action\": \"kms:*\", \"Principal\": \"{words}{text}\"}}}}"));
    }

    #[test]
    fn files_with_accidents_are_answered(
        index in any::<prop::sample::Index>(),
        accidents in prop::collection::vec((any::<prop::sample::Index>(), 0..40_usize, prop::sample::select(PIECES)), 1..5),
    ) {
        let (case, linter) = &linters()[index.index(linters().len())];
        let mut text = case.text.clone();
        for (at, removed, piece) in accidents {
            let start = boundary(&text, at.index(text.len() + 1));
            let end = boundary(&text, start + removed).max(start);
            text.replace_range(start..end, piece);
        }
        survives(linter, &case.path(), &text);
    }
}

#[test]
fn files_that_are_cut_off_are_answered() {
    for (case, linter) in linters() {
        for length in (0..=case.text.len()).step_by(7).filter(|&length| case.text.is_char_boundary(length)) {
            survives(linter, &case.path(), case.text.get(..length).unwrap());
        }
        survives(linter, &case.path(), &case.text);
    }
}

#[test]
fn depth_is_bounded() {
    let (case, linter) = &linters()[0];
    for (open, close) in [("[", "]"), ("{\"a\":", "}"), ("{\"Statement\": [{\"kms\": ", "}]}")] {
        for text in [
            open.repeat(100_000),
            format!("{}\"kms:Statement\"{}", open.repeat(100_000), close.repeat(100_000)),
        ] {
            let text = format!("{{\"Statement\": {text}");
            let found = survives(linter, &case.path(), &text);
            assert!(!found.is_empty(), "{open}");
        }
    }
}

/// A policy with this many statements, of which every tenth has something wrong with it.
fn large(statements: usize) -> String {
    let mut text = String::from("{\"Version\": \"2012-10-17\", \"Statement\": [\n");
    text.push_str(
        r#"{"Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Action": "kms:*", "Resource": "*"}"#,
    );
    for index in 1..statements {
        let account = 200_000_000_000 + index % 7;
        let action = if index % 10 == 0 { "kms:Decript" } else { "kms:Decrypt" };
        write!(
            text,
            ",\n{{\"Sid\": \"statement {index}\", \"Effect\": \"Allow\", \"Principal\": {{\"AWS\": \"arn:aws:iam::{account}:role/role-{index}\"}}, \
             \"Action\": [\"{action}\", \"kms:GenerateDataKey*\"], \"Resource\": \"*\", \
             \"Condition\": {{\"StringEquals\": {{\"kms:ViaService\": \"s3.eu-west-1.amazonaws.com\"}}}}}}"
        )
        .unwrap();
    }
    text.push_str("\n]}\n");
    text
}

/// Were the work to grow with the square of the statements, this would be noticed by whoever waits for it; the
/// benchmark measures.
/// Without a statement for the account, whose key it is has to be found out from the principals.
#[test]
fn a_policy_of_many_principals_and_no_owner_is_answered() {
    let statement = |index: usize| {
        format!(
            r#"{{"Effect": "Allow", "Principal": {{"AWS": "arn:aws:iam::111122223333:role/{index}"}}, "Action": "kms:Decrypt", "Resource": "*"}}"#
        )
    };
    let statements: Vec<String> = (0..400).map(statement).collect();
    let text = format!(r#"{{"Version": "2012-10-17", "Statement": [{}]}}"#, statements.join(","));
    let (_, linter) = &linters()[0];
    let found = lint(linter, "roles.json", &text);
    let rules: Vec<&str> = found.iter().map(|found| &*found.rule).collect();
    assert_eq!(rules, ["oversized-policy", "unmanageable-key"]);
}

#[test]
fn a_policy_of_many_statements_is_answered() {
    let (case, linter) = &linters()[0];
    let found = lint(linter, &case.path(), &large(8_000));
    assert_eq!(found.iter().filter(|found| found.rule == "unknown-action").count(), 799);
}

/// Tried one with the other, the values of so many keys would take for ever.
#[test]
fn many_conditions_do_not_multiply() {
    let keys = [
        "kms:ViaService",
        "kms:EncryptionContextKeys",
        "aws:PrincipalOrgID",
        "aws:PrincipalOrgPaths",
        "aws:SourceVpce",
        "aws:SourceIp",
        "aws:PrincipalTag/team",
        "aws:RequestedRegion",
        "kms:EncryptionContext:a",
        "kms:EncryptionContext:b",
        "kms:RequestAlias",
        "aws:PrincipalArn",
        "kms:GrantOperations",
        "aws:SourceArn",
    ];
    let condition = |operator: &str| {
        let of_key = |key: &&str| format!("\"{key}\": [\"1*\", \"2*\", \"*3\", \"4?5\", \"6\"]");
        let keys: Vec<String> = keys.iter().map(of_key).collect();
        format!("\"{operator}\": {{{}}}", keys.join(", "))
    };
    let operators = [
        "StringLike",
        "StringNotLike",
        "StringEqualsIgnoreCase",
        "ForAnyValue:StringLike",
        "ForAllValues:StringNotLike",
    ];
    let (case, linter) = &linters()[0];
    for count in 1..=operators.len() {
        let conditions: Vec<String> = operators[..count].iter().map(|operator| condition(operator)).collect();
        let conditions = conditions.join(", ");
        let statement = |effect: &str| {
            format!(
                "{{\"Effect\": \"{effect}\", \"Principal\": \"*\", \"Action\": \"kms:*\", \"Resource\": \"*\", \"Condition\": {{{conditions}}}}}"
            )
        };
        let text = format!(
            "{{\"Statement\": [{}, {}, {}]}}",
            statement("Allow"),
            statement("Deny"),
            statement("Allow")
        );
        survives(linter, &case.path(), &text);
    }
}
