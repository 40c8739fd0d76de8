//! How a policy is written makes no difference: spelled in another way, every file gives the same findings.
//!
//! The same are the rule, the severity, the message, and the text that is underlined, up to what the spelling changes:
//! quotation marks, blanks, brackets and letter case.

#![cfg(test)]

mod cases;

use std::collections::HashSet;
use std::fmt::Write as _;

use keylint_source::Diagnostic;
use keylint_syntax::{Arena, Kind, Node, Tree, json};
use pretty_assertions::assert_eq;
use rayon::prelude::*;

use cases::{Case, cases, lint};

/// A document, with the order of its members, and those that are there twice.
#[derive(Clone, Debug, PartialEq)]
enum Value {
    Plain(String),
    Text(String),
    List(Vec<Value>),
    Object(Vec<(String, Value)>),
}

/// The members of an object, in their order.
type Members = Vec<(String, Value)>;

use Value::{List, Object, Plain, Text};

impl Value {
    /// Reads a text; `None` if it is no JSON.
    fn parse(text: &str) -> Option<Self> {
        let (mut arena, mut problems) = (Arena::default(), Vec::new());
        json::parse(text, &mut arena, &mut problems);
        let root = Tree::new(text, &arena).root().filter(|_| problems.is_empty())?;
        Some(Self::of(root))
    }

    fn of(node: Node<'_>) -> Self {
        match node.kind() {
            Kind::String => Text(node.as_str().unwrap().to_owned()),
            Kind::Array => List(node.items().map(Self::of).collect()),
            Kind::Object => Object(
                node.members()
                    .map(|member| (member.key.as_str().unwrap().to_owned(), Self::of(member.value)))
                    .collect(),
            ),
            Kind::Bool(value) => Plain(value.to_string()),
            Kind::Null => Plain("null".to_owned()),
            _ => Plain(node.as_str().unwrap().to_owned()),
        }
    }

    /// Writes it: `blank` between everything, strings as `string` writes them.
    fn write(&self, blank: &str, string: &dyn Fn(&str) -> String) -> String {
        let comma = format!("{blank},{blank}");
        let all = |values: Vec<String>| values.join(&comma);
        match self {
            Plain(text) => text.clone(),
            Text(text) => string(text),
            List(values) => {
                let values = values.iter().map(|value| value.write(blank, string)).collect();
                format!("[{blank}{}{blank}]", all(values))
            }
            Object(members) => {
                let member = |(key, value): &(String, Self)| {
                    format!("{}{blank}:{blank}{}", string(key), value.write(blank, string))
                };
                format!("{{{blank}{}{blank}}}", all(members.iter().map(member).collect()))
            }
        }
    }

    /// The values of all members of these names in the statements.
    fn elements(&mut self, names: &[&str], change: &mut dyn FnMut(&mut Self)) {
        self.statements(&mut |members| {
            for (name, value) in members.iter_mut().filter(|(name, _)| names.contains(&name.as_str())) {
                let _ = name;
                change(value);
            }
        });
    }

    fn statements(&mut self, change: &mut dyn FnMut(&mut Members)) {
        let Object(policy) = self else { return };
        for (_, statements) in policy.iter_mut().filter(|(name, _)| name == "Statement") {
            let all = if let List(all) = statements {
                all.as_mut_slice()
            } else {
                std::slice::from_mut(statements)
            };
            for statement in all {
                if let Object(members) = statement {
                    change(members);
                }
            }
        }
    }

    /// Every string or list that the grammar lets be either: in actions, resources, principals, conditions.
    fn lists(&mut self, change: &mut dyn FnMut(&mut Self)) {
        self.elements(&["Action", "NotAction", "Resource", "NotResource"], change);
        self.elements(&["Principal", "NotPrincipal"], &mut |principals| principals.members(change));
        self.elements(&["Condition"], &mut |operators| operators.members(&mut |keys| keys.members(change)));
    }

    fn members(&mut self, change: &mut dyn FnMut(&mut Self)) {
        if let Object(members) = self {
            for (_, value) in members {
                change(value);
            }
        }
    }

    /// Every string that is, or is in, a list.
    fn texts(&mut self, change: &mut dyn FnMut(&mut String)) {
        match self {
            Text(text) => change(text),
            List(values) => values.iter_mut().for_each(|value| value.texts(change)),
            _ => {}
        }
    }

    /// The accounts and ARNs among the principals.
    fn principals(&mut self, change: &mut dyn FnMut(&mut String)) {
        self.elements(&["Principal", "NotPrincipal"], &mut |principals| {
            if let Object(kinds) = principals {
                kinds.iter_mut().filter(|(kind, _)| kind == "AWS").for_each(|(_, value)| value.texts(change));
            }
        });
    }
}

/// One way to write a document in another way.
struct Change {
    name: &'static str,
    make: fn(&mut Value),
}

const CHANGES: &[Change] = &[
    Change {
        name: "lists for strings",
        make: |policy| {
            policy.lists(&mut |value| {
                if let Text(_) = value {
                    *value = List(vec![value.clone()]);
                }
            });
        },
    },
    Change {
        name: "strings for lists of one",
        make: |policy| {
            policy.lists(&mut |value| {
                if let List(values) = value
                    && let [only @ Text(_)] = values.as_slice()
                {
                    *value = only.clone();
                }
            });
        },
    },
    Change {
        name: "a statement alone, without a list",
        make: |policy| {
            let Object(members) = policy else { return };
            for (_, value) in members.iter_mut().filter(|(name, _)| name == "Statement") {
                if let List(values) = value
                    && let [only] = values.as_slice()
                {
                    *value = only.clone();
                }
            }
        },
    },
    Change {
        name: "everyone as an object",
        make: |policy| {
            policy.elements(&["Principal", "NotPrincipal"], &mut |principals| {
                if *principals == Text("*".to_owned()) {
                    *principals = Object(vec![("AWS".to_owned(), principals.clone())]);
                }
            });
        },
    },
    Change {
        name: "everyone as a string",
        make: |policy| {
            policy.elements(&["Principal", "NotPrincipal"], &mut |principals| {
                if *principals == Object(vec![("AWS".to_owned(), Text("*".to_owned()))]) {
                    *principals = Text("*".to_owned());
                }
            });
        },
    },
    Change {
        name: "root ARNs for account ids",
        make: |policy| {
            policy.principals(&mut |text| {
                if text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit()) {
                    *text = format!("arn:aws:iam::{text}:root");
                }
            });
        },
    },
    Change {
        name: "account ids for root ARNs",
        make: |policy| {
            policy.principals(&mut |text| {
                if let Some(account) = root_account(text) {
                    *text = account.to_owned();
                }
            });
        },
    },
    Change {
        name: "members in another order",
        make: |policy| {
            reorder(policy);
            policy.elements(&["Principal", "NotPrincipal"], &mut reorder);
            policy.elements(&["Condition"], &mut |operators| {
                reorder(operators);
                operators.members(&mut reorder);
            });
            policy.statements(&mut |members| reorder_members(members));
        },
    },
    Change {
        name: "statements in another order",
        make: |policy| {
            let Object(members) = policy else { return };
            for (_, value) in members.iter_mut().filter(|(name, _)| name == "Statement") {
                if let List(values) = value {
                    values.reverse();
                }
            }
        },
    },
    Change {
        name: "actions in capitals",
        make: |policy| {
            policy.elements(&["Action", "NotAction"], &mut |actions| {
                actions.texts(&mut |text| *text = text.to_uppercase());
            });
        },
    },
    Change {
        name: "condition keys in capitals",
        make: |policy| {
            policy.elements(&["Condition"], &mut |operators| {
                operators.members(&mut |keys| {
                    if let Object(keys) = keys {
                        for (key, _) in keys {
                            *key = key.to_uppercase();
                        }
                    }
                });
            });
        },
    },
    Change {
        name: "quoted truth",
        make: |policy| {
            policy.elements(&["Condition"], &mut |operators| {
                operators.members(&mut |keys| {
                    keys.members(&mut |value| {
                        if let Plain(text) = value
                            && matches!(text.as_str(), "true" | "false")
                        {
                            *value = Text(text.clone());
                        }
                    });
                });
            });
        },
    },
    Change {
        name: "text of many bytes in front",
        make: |policy| {
            if let Object(members) = policy {
                match members.iter_mut().find(|(name, _)| name == "Id") {
                    Some((_, Text(id))) => id.push_str(" é 日 😀"),
                    Some(_) => {}
                    None => members.insert(0, ("Id".to_owned(), Text("é 日 😀".to_owned()))),
                }
            }
        },
    },
];

/// Turns the order of an object's members round. Of members that are there twice the last one counts, so there the
/// order stays.
fn reorder(value: &mut Value) {
    if let Object(members) = value {
        reorder_members(members);
    }
}

fn reorder_members(members: &mut [(String, Value)]) {
    let twice =
        |name: &String| members.iter().filter(|(other, _)| other.eq_ignore_ascii_case(name)).count() > 1;
    if !members.iter().any(|(name, _)| twice(name)) {
        members.reverse();
    }
}

fn root_account(text: &str) -> Option<&str> {
    let account = text.strip_prefix("arn:aws:iam::")?.strip_suffix(":root")?;
    (account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit())).then_some(account)
}

/// The string as JSON.
fn plain(text: &str) -> String {
    serde_json::to_string(text).unwrap()
}

/// The string as JSON, with every character written as an escape.
fn escaped(text: &str) -> String {
    let mut result = String::from("\"");
    for unit in text.encode_utf16() {
        write!(result, "\\u{unit:04x}").unwrap();
    }
    result + "\""
}

/// A finding, without what the spelling may change.
type Essence = (String, String, String, Vec<String>);

/// What is said of a text, sorted, because the order of a report is the order of the file.
fn findings(case: &Case, text: &str) -> Vec<Essence> {
    let linter = case.linter(&[]);
    // Whether a character is written as itself or as an escape is what this rule is about.
    let about_meaning = |diagnostic: &Diagnostic| diagnostic.rule != "unsupported-character";
    let found = lint(&linter, &case.path(), text).into_iter().filter(about_meaning).map(|diagnostic| {
        let underlined = |label: &keylint_source::Label| unspelled(text.get(label.at.span.range()).unwrap());
        let mut related: Vec<String> = diagnostic.related.iter().map(underlined).collect();
        related.sort();
        let places = std::iter::once(underlined(&diagnostic.primary)).chain(related).collect();
        (diagnostic.rule.to_string(), diagnostic.severity.to_string(), unspelled(&diagnostic.message), places)
    });
    let mut found: Vec<Essence> = found.collect();
    found.sort();
    found
}

/// Whether a finding says that it rests on an assumption about the owner.
fn assumes_the_owner(case: &Case) -> bool {
    let found = lint(&case.linter(&[]), &case.path(), &case.text);
    found
        .iter()
        .any(|diagnostic| diagnostic.notes.iter().any(|note| note.contains("the owner is taken to be")))
}

/// A piece of a file without what the spelling may change.
fn unspelled(text: &str) -> String {
    let text = match serde_json::from_str::<String>(&format!("\"{text}\"")) {
        Ok(decoded) => decoded,
        // More than the inside of one string. Escapes are only ever written for all of a text.
        Err(_) => decoded(text),
    };
    let mut text: String = text.chars().filter(|c| !c.is_whitespace() && !"\"{}[]`".contains(*c)).collect();
    text = text.replace("arn:aws:iam::", "").replace(":root", "");
    text = text.to_lowercase();
    text.strip_prefix("aws:").map(str::to_owned).unwrap_or(text)
}

/// A piece of JSON with its escapes decoded.
fn decoded(text: &str) -> String {
    let mut units: Vec<u16> = Vec::new();
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        let unit = rest
            .strip_prefix("\\u")
            .and_then(|hex| hex.get(..4))
            .and_then(|hex| u16::from_str_radix(hex, 16).ok());
        match unit {
            Some(unit) => units.push(unit),
            None => units.extend(character.encode_utf16(&mut [0; 2]).iter()),
        }
        rest = rest.get(if unit.is_some() { 6 } else { character.len_utf8() }..).unwrap();
    }
    String::from_utf16_lossy(&units)
}

/// Files that are JSON, as documents.
fn documents() -> Vec<(Case, Value)> {
    let documents =
        cases().into_iter().filter_map(|case| Value::parse(&case.text).map(|value| (case, value)));
    let documents: Vec<(Case, Value)> = documents.collect();
    assert!(documents.len() > 40);
    documents
}

#[test]
fn another_spelling_gives_the_same_findings() {
    let changed = documents().into_par_iter().map(|(case, document)| respell(&case, &document));
    let changed = changed.reduce(HashSet::new, |all, some| &all | &some);
    for change in CHANGES {
        assert!(changed.contains(change.name), "no file shows: {}", change.name);
    }
}

/// Compares a document with all that it is after one or two changes; the changes that changed it.
fn respell(case: &Case, document: &Value) -> HashSet<&'static str> {
    let expected = findings(case, &case.text);
    // Where the owner has to be assumed, the first account that may manage the key is taken for it.
    let order_matters = assumes_the_owner(case);
    let (mut changed, mut compared) = (HashSet::new(), HashSet::new());
    for (index, first) in CHANGES.iter().enumerate() {
        for second in &CHANGES[index..] {
            if order_matters
                && [first, second].iter().any(|change| change.name == "statements in another order")
            {
                continue;
            }
            let mut other = document.clone();
            (first.make)(&mut other);
            if other != *document {
                changed.insert(first.name);
            }
            (second.make)(&mut other);
            let text = other.write("", &plain);
            // Most pairs of changes come to the same as one of them.
            if !compared.contains(&text) {
                assert_eq!(findings(case, &text), expected, "{}: {}, {}", case.name, first.name, second.name);
                compared.insert(text);
            }
        }
    }
    changed
}

#[test]
fn blanks_line_ends_and_escapes_give_the_same_findings() {
    for (case, document) in documents() {
        let expected = findings(&case, &case.text);
        for blank in ["", " ", "\n", "\r\n\t", "\n    "] {
            let written = document.write(blank, &plain);
            assert_eq!(findings(&case, &written), expected, "{}: {blank:?} between everything", case.name);
        }
        assert_eq!(findings(&case, &document.write(" ", &escaped)), expected, "{}: escapes", case.name);
    }
}

#[test]
fn line_ends_and_a_byte_order_mark_give_the_same_findings() {
    for case in cases() {
        let expected = findings(&case, &case.text);
        let unix = case.text.replace("\r\n", "\n");
        assert_eq!(findings(&case, &unix), expected, "{}: LF", case.name);
        assert_eq!(findings(&case, &unix.replace('\n', "\r\n")), expected, "{}: CRLF", case.name);
        let plain = case.text.trim_start_matches('\u{feff}');
        assert_eq!(findings(&case, plain), expected, "{}: no byte order mark", case.name);
        assert_eq!(findings(&case, &format!("\u{feff}{plain}")), expected, "{}: byte order mark", case.name);
        assert_eq!(findings(&case, &format!("\n\n {plain}\n\n")), expected, "{}: empty lines", case.name);
    }
}
