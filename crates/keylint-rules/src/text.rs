//! The sentences of rule files: text with words to fill in, like `{principal}`.

use std::collections::BTreeMap;

/// The words that a finding has for the sentences of its rule. A word that is missing is not known or does not apply.
pub(crate) type Words = BTreeMap<&'static str, String>;

/// Every word that a sentence may use, with what it stands for.
pub const WORDS: &[(&str, &str)] = &[
    ("absent", "set when something is not there that has to be"),
    ("account", "the account of the principal"),
    ("action", "the action as it is written"),
    ("actions", "the missing operations in the form in which a policy would list them"),
    ("alias", "set when a key is named by an alias"),
    ("always", "set when the condition is then always true"),
    ("are", "`is` or `are`, as the number of operations asks"),
    (
        "assumed",
        "the owner's account, where it is assumed because the policy lets several accounts manage the key",
    ),
    ("character", "the character, by its number in Unicode"),
    ("condition", "the condition key that is in the way"),
    ("conditional", "set when the statement in question has a condition"),
    ("delegating", "set when a statement delegates the missing operations to the account's IAM policies"),
    ("denied", "set where the statement is a `Deny`, or a `Deny` takes away what it allows"),
    ("element", "the element of the statement that is in the way"),
    ("excluded", "set when a `NotResource` keeps the key out"),
    ("expected", "what should stand there instead"),
    ("grant", "set when `kms:CreateGrant` is among the missing operations"),
    ("help", "what is to be written, or called, exactly"),
    ("incompatible", "set when no key supports the operations together"),
    ("itself", "set when the service calls KMS in its own name, as a service principal"),
    ("key", "the condition key as it is written"),
    ("kind", "what kind of thing it is"),
    (
        "least",
        "the bytes of the policy without the blanks that JSON does not need, where they too are too many",
    ),
    ("limit", "the most that AWS takes"),
    (
        "minified",
        "the bytes of the policy without the blanks that JSON does not need, where these are few enough",
    ),
    ("never", "set when the condition is then never true"),
    ("operation", "the operation in question, as a grant names it"),
    ("operations", "the operations in question, as a list"),
    ("operator", "the condition operator as it is written"),
    ("others", "the other accounts that use the key, as a list"),
    ("passed", "set when a grant can be passed on"),
    ("principal", "the name of the principal in question"),
    ("range", "the range of addresses that is meant"),
    ("region", "the Region of the key"),
    ("rejected", "set when AWS rejects the policy"),
    ("role", "the name of the service-linked role, or of the service principal, that uses the key"),
    ("service", "the name of the service"),
    ("size", "the bytes of the policy as it stands"),
    ("suggestion", "what was probably meant"),
    ("superseded", "set when another grant gives as much"),
    ("unchecked", "set when KMS is told not to refuse a policy that leaves nobody to manage the key"),
    ("ungrantable", "set when no grant can permit the operation"),
    ("unnamed", "set when no statement names the role"),
    ("unretired", "set when nobody is named to retire a grant"),
    ("use", "set when other operations than `kms:CreateGrant` are among the missing ones"),
    ("value", "the value as it is written"),
    ("whole", "set when the policy is a file of its own"),
];

/// A sentence with words to fill in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Template {
    pieces: Vec<Piece>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Word(&'static str),
    /// `{?word}` prints nothing, and ties the sentence to a word that it does not use.
    Needs(&'static str),
    /// `{!word}`: the sentence is for findings that do not have the word.
    Lacks(&'static str),
}

impl Template {
    /// Reads a sentence. `Err` holds the word that does not exist. Braces around anything but a word in lower case
    /// are text, so that a sentence can quote JSON.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let inside = after.split_once('}').filter(|(inside, _)| {
                let name = inside.trim_start_matches(['?', '!']);
                !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-')
            });
            let Some((inside, behind)) = inside else {
                pieces.push(Piece::Text(format!("{before}{{")));
                rest = after;
                continue;
            };
            let (make, name): (fn(&'static str) -> Piece, &str) = match inside.split_at_checked(1) {
                Some(("?", name)) => (Piece::Needs, name),
                Some(("!", name)) => (Piece::Lacks, name),
                _ => (Piece::Word, inside),
            };
            let known = WORDS.iter().map(|(word, _)| *word).find(|word| *word == name);
            let word = known.ok_or_else(|| name.to_owned())?;
            pieces.extend([Piece::Text(before.to_owned()), make(word)]);
            rest = behind;
        }
        pieces.push(Piece::Text(rest.to_owned()));
        Ok(Self { pieces })
    }

    /// Whether there is nothing to fill in: the sentence holds for every finding.
    pub(crate) fn has_no_words(&self) -> bool {
        self.pieces.iter().all(|piece| matches!(piece, Piece::Text(_)))
    }

    /// The sentence with its words filled in; `None` if a word it needs is missing.
    pub(crate) fn fill(&self, words: &Words) -> Option<String> {
        let mut text = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Text(literal) => text.push_str(literal),
                Piece::Word(word) => text.push_str(words.get(word)?),
                Piece::Needs(word) => drop(words.get(word)?),
                Piece::Lacks(word) if words.contains_key(word) => return None,
                Piece::Lacks(_) => {}
            }
        }
        Some(text)
    }
}

/// The first sentence whose words are all there.
pub(crate) fn first(templates: &[Template], words: &Words) -> Option<String> {
    templates.iter().find_map(|template| template.fill(words))
}

#[cfg(test)]
mod tests {
    use super::*;
    use pretty_assertions::assert_eq;

    fn filled(template: &str) -> Option<String> {
        let words = Words::from([("service", "EC2".to_owned()), ("operations", "`a`".to_owned())]);
        Template::parse(template).unwrap().fill(&words)
    }

    #[test]
    fn words_are_filled_in() {
        assert_eq!(filled("{service} cannot {operations}!").as_deref(), Some("EC2 cannot `a`!"));
        assert_eq!(filled("no words").as_deref(), Some("no words"));
        assert_eq!(filled("an open { brace").as_deref(), Some("an open { brace"));
        assert_eq!(filled(r#"{"Bool": {"a": 1}} {service}"#).as_deref(), Some(r#"{"Bool": {"a": 1}} EC2"#));
    }

    #[test]
    fn a_sentence_with_a_missing_word_is_left_out() {
        assert_eq!(filled("{principal} may"), None);
        assert_eq!(filled("{?principal}x"), None);
        assert_eq!(filled("{?service}x").as_deref(), Some("x"));
        assert_eq!(filled("{!service}x"), None);
        assert_eq!(filled("{!principal}x").as_deref(), Some("x"));
    }

    #[test]
    fn words_that_do_not_exist_are_refused() {
        assert_eq!(Template::parse("{serivce}"), Err("serivce".to_owned()));
    }
}
