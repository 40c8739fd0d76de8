//! The form of the document: how long it is, what it is written in, and what it leaves empty.

use keylint_policy::model::{Policy, Statement, Version};
use keylint_policy::operator::{Operator, SetOperator};
use keylint_policy::pattern::{self, Piece};
use keylint_source::{Severity, Span};
use keylint_syntax::{Kind, Member, Node};

use super::variable;
use crate::facts::Facts;
use crate::finding::Finding;
use crate::rule::Service;

/// The most bytes that KMS takes.
///
/// <https://docs.aws.amazon.com/kms/latest/developerguide/resource-limits.html>
const LIMIT: usize = 32_768;

/// Policies that are longer than KMS takes.
pub(super) fn oversized<'p>(node: Node<'_>, facts: &Facts<'p>, severity: Severity) -> Vec<Finding<'p>> {
    // Most policies are far from it: a text takes twice its bytes at most, and eight more for quotes and the like.
    let is_short = || node.texts().map(|text| 2 * text.len() + 8).sum::<usize>() <= LIMIT / 2;
    // What is filled in later may be shorter or longer than what stands in for it.
    if (facts.known.is_written_out && node.span().len() as usize <= LIMIT)
        || (!facts.known.is_written_out && is_short())
        || node.has_unknown()
    {
        return Vec::new();
    }
    let mut least = Size::default();
    least.add(node);
    let size = if facts.known.is_written_out { node.span().len() as usize } else { least.bytes };
    let at = facts.policy().start;
    let finding =
        |severity| Finding::at(severity, at).with("size", grouped(size)).with("limit", grouped(LIMIT));
    if least.bytes > LIMIT {
        vec![finding(severity).with("least", grouped(least.bytes))]
    } else if least.has_hole || size <= LIMIT {
        Vec::new()
    } else {
        vec![finding(Severity::Warning).with("minified", grouped(least.bytes))]
    }
}

/// The bytes of a value as JSON without blanks, and without what is not known.
#[derive(Default)]
struct Size {
    bytes: usize,
    has_hole: bool,
}

impl Size {
    fn add(&mut self, node: Node<'_>) {
        match node.kind() {
            Kind::String => self.text(node.as_str().unwrap_or_default()),
            Kind::Array => self.list(node.items(), |size, item| size.add(item)),
            Kind::Object => self.list(node.members(), |size, Member { key, value }| {
                size.add(key);
                size.bytes += ":".len();
                size.add(value);
            }),
            Kind::Bool(value) => self.bytes += if value { "true".len() } else { "false".len() },
            Kind::Null => self.bytes += "null".len(),
            Kind::Number => self.bytes += node.as_str().map_or(0, str::len),
            Kind::Unknown => self.has_hole = true,
        }
    }

    fn list<T>(&mut self, items: impl Iterator<Item = T>, add: impl Fn(&mut Self, T)) {
        let mut count: usize = 0;
        for item in items {
            add(self, item);
            count += 1;
        }
        self.bytes += "[]".len() + count.saturating_sub(1);
    }

    fn text(&mut self, text: &str) {
        self.bytes += "\"\"".len();
        for piece in pattern::pieces(text) {
            match piece {
                Piece::Literal(literal) => {
                    let escaped = |byte: u8| matches!(byte, b'"' | b'\\' | ..b' ');
                    self.bytes += literal.len() + literal.bytes().filter(|byte| escaped(*byte)).count();
                }
                Piece::Hole(_) => self.has_hole = true,
            }
        }
    }
}

/// A number as a person reads it: `32,768`.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let place = |index: usize| index > 0 && (digits.len() - index).is_multiple_of(3);
    let pieces = digits
        .char_indices()
        .flat_map(|(index, digit)| place(index).then_some(',').into_iter().chain([digit]));
    pieces.collect()
}

/// Characters that KMS does not take. Each string with one is one mistake.
pub(super) fn unsupported_characters<'p>(
    node: Node<'_>,
    facts: &Facts<'p>,
    severity: Severity,
) -> Vec<Finding<'p>> {
    let mut findings = Vec::new();
    if node.texts().all(str::is_ascii) {
        return findings;
    }
    each_string(node, &mut |string| {
        // In a file that is sent as it is, so is an escape sequence, which KMS takes.
        let is_sent = |is_exact: bool| is_exact || !facts.known.is_written_out;
        let pieces = string.pieces().filter(|(text, _, is_exact)| is_sent(*is_exact) && !text.is_ascii());
        let found = pieces.filter(|(text, ..)| !text.starts_with("${")).find_map(|(text, span, is_exact)| {
            let (at, character) = text.char_indices().find(|(_, character)| *character > '\u{ff}')?;
            if !is_exact {
                return Some((span, character));
            }
            let start = span.start() + u32::try_from(at).unwrap_or(0);
            let length = u32::try_from(character.len_utf8()).unwrap_or(0);
            Some((Span::new(start, start + length), character))
        });
        findings
            .extend(found.map(|(span, character)| unsupported(severity, span, character, facts.policy())));
    });
    findings
}

fn unsupported<'p>(severity: Severity, span: Span, character: char, policy: &'p Policy<'p>) -> Finding<'p> {
    let mut finding =
        Finding::at(severity, span).with("character", format!("U+{:04X}", u32::from(character)));
    finding.statement = policy.statements.iter().find(|statement| statement.span.contains(span));
    let (kind, instead) = match character {
        '\u{201c}' | '\u{201d}' | '\u{201e}' => ("a curly quotation mark", "a straight one, `\\\"` in JSON"),
        '\u{2018}' | '\u{2019}' => ("a curly apostrophe", "`'`"),
        '\u{2010}'..='\u{2015}' | '\u{2212}' => ("a dash", "`-`"),
        '\u{2026}' => ("an ellipsis", "three full stops"),
        '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' => ("a character that is not seen", "nothing"),
        '\u{2028}' | '\u{2029}' => ("a separator of lines", "a blank"),
        '\u{2022}' => ("a bullet", "`-`"),
        '\u{2190}'..='\u{21ff}' => ("an arrow", "`->`"),
        _ => return finding,
    };
    finding = finding.with("kind", kind);
    finding.with("suggestion", instead)
}

/// Every string of a node, the keys of its objects among them.
fn each_string<'t>(node: Node<'t>, look: &mut dyn FnMut(Node<'t>)) {
    match node.kind() {
        Kind::String => look(node),
        Kind::Array => node.items().for_each(|item| each_string(item, look)),
        Kind::Object => {
            for Member { key, value } in node.members() {
                look(key);
                each_string(value, look);
            }
        }
        _ => {}
    }
}

/// References in texts that nothing looks into.
pub(super) fn missing_substitutions<'p>(
    node: Node<'_>,
    facts: &Facts<'p>,
    severity: Severity,
) -> Vec<Finding<'p>> {
    let source = node.tree().source();
    let finding = |span: &Span| {
        let value = source.get(span.range()).unwrap_or_default();
        let mut finding = Finding::at(severity, *span).with("value", value);
        let statements = &facts.policy().statements;
        finding.statement = statements.iter().find(|statement| statement.span.contains(*span));
        finding
    };
    facts.known.literal_references.iter().map(finding).collect()
}

/// Statements with the same `Sid`.
pub(super) fn duplicate_sids<'p>(facts: &Facts<'p>, _: &[Service], severity: Severity) -> Vec<Finding<'p>> {
    let mut findings = Vec::new();
    let statements = &facts.policy().statements;
    for (index, statement) in statements.iter().enumerate() {
        let Some(sid) =
            statement.sid.filter(|sid| !sid.as_str().is_empty() && !pattern::has_hole(sid.as_str()))
        else {
            continue;
        };
        let earlier = statements.iter().take(index).filter_map(|earlier| earlier.sid);
        if let Some(first) = earlier.into_iter().find(|earlier| earlier.as_str() == sid.as_str()) {
            let mut finding =
                Finding::at(severity, sid.span()).in_statement(statement).with("value", sid.as_str());
            finding.related.push(first.span());
            findings.push(finding);
        }
    }
    findings
}

/// Policies without a `Version`. Where that makes variables plain text, another rule says so.
pub(super) fn missing_version<'p>(
    facts: &Facts<'p>,
    services: &[Service],
    severity: Severity,
) -> Vec<Finding<'p>> {
    let policy = facts.policy();
    let missing = matches!(policy.version, Version::Absent);
    let said = missing && !variable::needs_version(facts, services, severity).is_empty();
    if missing && !said { vec![Finding::at(severity, policy.start)] } else { Vec::new() }
}

/// Policies of the first version of the language.
pub(super) fn outdated_version<'p>(
    facts: &Facts<'p>,
    services: &[Service],
    severity: Severity,
) -> Vec<Finding<'p>> {
    let Version::Is(text) = facts.policy().version else { return Vec::new() };
    let outdated = text.as_str() == "2008-10-17";
    let said = outdated && !variable::needs_version(facts, services, severity).is_empty();
    if outdated && !said { vec![Finding::at(severity, text.span())] } else { Vec::new() }
}

/// Lists and objects with nothing in them.
pub(super) fn empty_lists<'p>(node: Node<'_>, facts: &Facts<'p>, severity: Severity) -> Vec<Finding<'p>> {
    let list = node.get("Statement");
    let alone = list.filter(|node| node.kind() == Kind::Object);
    let nodes = alone.into_iter().chain(list.into_iter().flat_map(Node::items));
    let mut findings = Vec::new();
    for (node, statement) in nodes.zip(&facts.policy().statements) {
        for Member { key, value } in node.members() {
            let name = key.as_str().unwrap_or_default();
            match name {
                "Sid" if value.as_string() == Some("") => {
                    findings
                        .push(empty(Severity::Note, statement, value, name).with("kind", "it names nothing"));
                }
                "Condition" => empty_conditions(value, statement, severity, &mut findings),
                "Action" | "Resource" | "Principal" if names_nothing(value) => {
                    let finding = empty(severity, statement, value, name);
                    findings.push(finding.with("kind", "so the statement applies to nothing"));
                }
                "NotAction" | "NotResource" | "NotPrincipal" if names_nothing(value) => {
                    let finding = empty(Severity::Note, statement, value, name);
                    findings.push(finding.with("kind", "so the statement leaves nothing out"));
                }
                _ => {}
            }
        }
    }
    findings
}

/// Whether a list has no item, and neither has any list of an object.
fn names_nothing(node: Node<'_>) -> bool {
    match node.kind() {
        Kind::Array => node.items().next().is_none(),
        Kind::Object => {
            node.members().all(|member| member.value.kind() == Kind::Array && names_nothing(member.value))
        }
        _ => false,
    }
}

fn empty_conditions<'p>(
    condition: Node<'_>,
    statement: &'p Statement<'p>,
    severity: Severity,
    findings: &mut Vec<Finding<'p>>,
) {
    const NOTHING: &str = "so it restricts nothing";
    let mut note = |node: Node<'_>, name: &str| {
        findings.push(empty(Severity::Note, statement, node, name).with("kind", NOTHING));
    };
    if condition.kind() == Kind::Object && condition.members().next().is_none() {
        note(condition, "Condition");
    }
    for Member { key: operator, value: keys } in condition.members() {
        let name = operator.as_str().unwrap_or_default();
        if keys.kind() == Kind::Object && keys.members().next().is_none() {
            note(keys, name);
        }
    }
    for Member { key: operator, value: keys } in condition.members() {
        let Some(operator) = Operator::parse(operator.as_str().unwrap_or_default()) else { continue };
        for Member { key, value } in keys.members() {
            if value.kind() != Kind::Array || !names_nothing(value) {
                continue;
            }
            let absent = operator.if_exists || operator.set == SetOperator::ForAllValues;
            let (severity, kind) = match (operator.comparison.is_negated(), absent) {
                (true, _) => (Severity::Note, "so the condition is always true"),
                (false, true) => {
                    (Severity::Note, "so the condition is true only without the key, which `Null` says")
                }
                (false, false) => (severity, "so the condition is never true"),
            };
            findings
                .push(empty(severity, statement, value, key.as_str().unwrap_or_default()).with("kind", kind));
        }
    }
}

fn empty<'p>(severity: Severity, statement: &'p Statement<'p>, node: Node<'_>, name: &str) -> Finding<'p> {
    Finding::at(severity, node.span()).in_statement(statement).with("element", name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use pretty_assertions::assert_eq;

    #[test]
    fn the_least_size_is_that_of_the_minified_document() {
        let minified = r#"{"a\" b":["c\\",1,true,null,{}],"d":"e\n"}"#;
        for text in [minified, r#"{ "a\" b" : [ "c\\" , 1,true, null, { } ],"d":"e${x}\n" }"#] {
            let mut arena = keylint_syntax::Arena::default();
            keylint_syntax::json::parse(text, &mut arena, &mut Vec::new());
            let mut size = Size::default();
            size.add(keylint_syntax::Tree::new(text, &arena).root().unwrap());
            assert_eq!((size.bytes, size.has_hole), (minified.len(), text != minified));
        }
    }

    #[test]
    fn numbers_are_grouped() {
        assert_eq!([7, 999, 32_768, 1_234_567].map(grouped), ["7", "999", "32,768", "1,234,567"]);
    }
}
