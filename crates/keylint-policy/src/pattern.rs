//! Matching text against patterns, with three answers.
//!
//! Two things keep a text from being known: a *hole* `${…}` (a template's parameter or reference, a policy variable
//! whose value the request does not tell), and a *fresh* part, which stands for a name that appears nowhere in the
//! policy: a stranger's account id. A hole may equal anything, and the same hole equals itself. A fresh part equals
//! nothing but is matched by `*`.

use crate::Answer;

/// The character that stands for a fresh part of a text. It is of the private use area, which KMS does not accept in
/// a policy, so no text of a policy can contain it.
pub const FRESH: char = '\u{f8ff}';

/// How a pattern is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// Whether `*` stands for any run of characters and `?` for one. Else they are themselves.
    pub wildcards: bool,
    /// Whether letter case matters.
    pub case: bool,
}

impl Reading {
    /// Wildcards, and letter case matters: the `…Like` operators and ARNs.
    pub const LIKE: Self = Self { wildcards: true, case: true };
    /// The very same text: `StringEquals`.
    pub const EXACT: Self = Self { wildcards: false, case: true };
}

/// Whether `pattern` matches the whole of `text`.
pub fn matches(pattern: &str, text: &str, reading: Reading) -> Answer {
    if reading.wildcards && pattern == "*" {
        return Answer::Yes;
    }
    if !has_hole(pattern) && !has_hole(text) {
        if !reading.wildcards || !is_wildcard(pattern) {
            // A fresh part equals nothing that a policy can say.
            return Answer::from(equal(pattern, text, reading.case));
        }
        if !text.contains(FRESH) {
            return Answer::from(wildcard_match(pattern.as_bytes(), text.as_bytes(), reading.case));
        }
    }
    at_hole(pattern, text, reading).unwrap_or_else(|| by_walking(pattern, text, reading))
}

/// The answer for any texts at all.
fn by_walking(pattern: &str, text: &str, reading: Reading) -> Answer {
    let pattern = tokens(pattern, reading);
    let text = tokens(text, Reading { wildcards: false, ..reading });
    let literal = !pattern.iter().any(|token| matches!(token, Token::Many | Token::One | Token::Hole(_)));
    if literal && text.contains(&Token::Fresh) {
        return Answer::No;
    }
    if walk(&pattern, &text, Holes::MatchNothingElse) {
        Answer::Yes
    } else if walk(&pattern, &text, Holes::MatchAnything) {
        Answer::Maybe
    } else {
        Answer::No
    }
}

/// The answer for a text that ends in its only hole, where it needs no walk: the names of keys and regions that are not
/// known look so, and are asked about for every statement.
fn at_hole(pattern: &str, text: &str, reading: Reading) -> Option<Answer> {
    let (before, hole) = text.split_once("${")?;
    let inside = hole.strip_suffix('}')?;
    let is_only_hole = !inside.contains(['}', '{']) && !matches!(inside, "*" | "?" | "$");
    let is_simple = before.is_ascii() && pattern.is_ascii() && !has_hole(pattern);
    if !is_only_hole || !is_simple || !reading.case || pattern.len() <= before.len() {
        return None;
    }
    let wildcard = if reading.wildcards { memchr::memchr2(b'*', b'?', pattern.as_bytes()) } else { None };
    let literal = wildcard.map_or(Some(pattern), |place| pattern.get(..place))?;
    if literal.starts_with(before) {
        // What may be anything may be what the rest asks for, and is sure to be it where that is everything.
        let rest = pattern.get(before.len()..)?;
        let everything = wildcard.is_some() && rest.bytes().all(|byte| byte == b'*');
        Some(if everything { Answer::Yes } else { Answer::Maybe })
    } else if before.starts_with(literal) {
        None
    } else {
        Some(Answer::No)
    }
}

/// Whether a text has `*` or `?` in it.
pub fn is_wildcard(text: &str) -> bool {
    memchr::memchr2(b'*', b'?', text.as_bytes()).is_some()
}

/// Whether a text holds a `${…}` at all: then it is not what will be deployed.
pub fn has_hole(text: &str) -> bool {
    // Most texts have no `$`, and looking for one byte is quicker than looking for two.
    memchr::memchr(b'$', text.as_bytes()).is_some() && text.contains("${")
}

/// The pieces of a text: runs of literal text, and the insides of `${…}`. An unclosed `${` is literal.
pub fn pieces(text: &str) -> impl Iterator<Item = Piece<'_>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let Some((before, after)) = rest.split_once("${") else {
            return Some(Piece::Literal(std::mem::take(&mut rest)));
        };
        let Some((inside, behind)) = after.split_once('}') else {
            return Some(Piece::Literal(std::mem::take(&mut rest)));
        };
        if before.is_empty() {
            rest = behind;
            return Some(Piece::Hole(inside));
        }
        rest = rest.get(before.len()..).unwrap_or_default();
        Some(Piece::Literal(before))
    })
}

/// A piece of a text; see [`pieces`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece<'t> {
    /// Text that stands for itself.
    Literal(&'t str),
    /// What stands between `${` and `}`.
    Hole(&'t str),
}

fn equal(left: &str, right: &str, case: bool) -> bool {
    left == right || (!case && left.to_lowercase() == right.to_lowercase())
}

/// The usual greedy walk: on a mismatch, let the last `*` take one character more.
fn wildcard_match(pattern: &[u8], text: &[u8], case: bool) -> bool {
    let same = |left: u8, right: u8| left == right || (!case && left.eq_ignore_ascii_case(&right));
    let (mut at_pattern, mut at_text) = (0, 0);
    let mut last_many: Option<(usize, usize)> = None;
    while let Some(&character) = text.get(at_text) {
        match pattern.get(at_pattern) {
            Some(b'*') => {
                last_many = Some((at_pattern, at_text));
                at_pattern += 1;
            }
            Some(b'?') => {
                at_pattern += 1;
                // A `?` stands for a character, not for a byte.
                at_text += 1;
                while text.get(at_text).is_some_and(|byte| byte & 0b1100_0000 == 0b1000_0000) {
                    at_text += 1;
                }
            }
            Some(&expected) if same(expected, character) => {
                at_pattern += 1;
                at_text += 1;
            }
            _ => {
                let Some((pattern_mark, text_mark)) = last_many else { return false };
                at_pattern = pattern_mark + 1;
                at_text = text_mark + 1;
                last_many = Some((pattern_mark, at_text));
            }
        }
    }
    pattern.get(at_pattern..).unwrap_or_default().iter().all(|&byte| byte == b'*')
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token<'t> {
    One,
    Many,
    Character(char),
    Hole(&'t str),
    Fresh,
}

fn tokens(text: &str, reading: Reading) -> Vec<Token<'_>> {
    let mut tokens = Vec::with_capacity(text.len());
    for piece in pieces(text) {
        match piece {
            // IAM's way to write the three special characters themselves.
            Piece::Hole(character @ ("*" | "?" | "$")) => {
                tokens.extend(character.chars().map(Token::Character));
            }
            Piece::Hole(name) => tokens.push(Token::Hole(name)),
            Piece::Literal(literal) => tokens.extend(literal.chars().flat_map(|character| {
                let token = match character {
                    '*' if reading.wildcards => Token::Many,
                    '?' if reading.wildcards => Token::One,
                    FRESH => Token::Fresh,
                    _ => Token::Character(character),
                };
                let lower = matches!(token, Token::Character(_)) && !reading.case;
                let lowered = lower.then(|| character.to_lowercase().map(Token::Character));
                let kept = (!lower).then_some(token);
                lowered.into_iter().flatten().chain(kept)
            })),
        }
    }
    tokens
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Holes {
    /// What is open is matched by `*` or by the same hole: then every filling matches.
    MatchNothingElse,
    /// What is open stands for any text: then some filling may match.
    MatchAnything,
}

/// Walks over all states (a place in the pattern, a place in the text) that can be reached.
fn walk(pattern: &[Token<'_>], text: &[Token<'_>], holes: Holes) -> bool {
    let width = text.len() + 1;
    let mut seen = vec![false; (pattern.len() + 1) * width];
    let mut open = vec![(0, 0)];
    let loose = holes == Holes::MatchAnything;
    while let Some((at_pattern, at_text)) = open.pop() {
        let Some(mark) = seen.get_mut(at_pattern * width + at_text) else { continue };
        if std::mem::replace(mark, true) {
            continue;
        }
        let (expected, found) = (pattern.get(at_pattern), text.get(at_text));
        if expected.is_none() && found.is_none() {
            return true;
        }
        // What can stand for nothing, and what can swallow the other side's next token.
        let pattern_elastic = match expected {
            Some(Token::Many) => true,
            Some(Token::Hole(_)) => loose,
            _ => false,
        };
        let text_elastic = loose && matches!(found, Some(Token::Hole(_) | Token::Fresh));
        if pattern_elastic {
            open.push((at_pattern + 1, at_text));
            if found.is_some() {
                open.push((at_pattern, at_text + 1));
            }
        }
        if text_elastic {
            open.push((at_pattern, at_text + 1));
            if expected.is_some() {
                open.push((at_pattern + 1, at_text));
            }
        }
        let step = match (expected, found) {
            (Some(Token::One), Some(Token::Character(_))) => true,
            (Some(Token::Character(left)), Some(Token::Character(right))) => left == right,
            (Some(Token::Hole(left)), Some(Token::Hole(right))) => left == right,
            _ => false,
        };
        if step {
            open.push((at_pattern + 1, at_text + 1));
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::Answer::{Maybe, No, Yes};
    use super::*;
    use pretty_assertions::assert_eq;
    use proptest::prelude::*;

    fn like(pattern: &str, text: &str) -> Answer {
        matches(pattern, text, Reading::LIKE)
    }

    #[test]
    fn wildcards() {
        assert_eq!(like("*", ""), Yes);
        assert_eq!(like("kms:*Key*", "kms:GenerateDataKeyPair"), Yes);
        assert_eq!(like("a?c", "abc"), Yes);
        assert_eq!(like("a?c", "aéc"), Yes);
        assert_eq!(like("a?c", "ac"), No);
        assert_eq!(like("a*b*c", "a-b-b"), No);
        assert_eq!(matches("a*", "a*", Reading::EXACT), Yes);
        assert_eq!(matches("a*", "ab", Reading::EXACT), No);
        let ignoring_case = Reading { wildcards: false, case: false };
        assert_eq!(matches("ÀB", "àb", ignoring_case), Yes);
    }

    /// The short cut is one.
    #[test]
    fn a_hole_at_the_end_needs_no_walk() {
        for text in ["${a}", "key/${a}", "a*${b}", "${a}x", "${a}${b}", "${*}", "key/${", "k}${a}"] {
            for pattern in [
                "", "*", "**", "?", "key/*", "key/?*", "k*/1", "kez*", "key/", "key/1", "kez/1", "a*x", "e",
                "$", "\u{f8ff}",
            ] {
                for reading in [Reading::LIKE, Reading::EXACT] {
                    let answer = at_hole(pattern, text, reading);
                    let expected = answer.map(|_| by_walking(pattern, text, reading));
                    assert_eq!(answer, expected, "{pattern} {text}");
                }
            }
        }
        assert_eq!(at_hole("key/1", "key/${a}", Reading::LIKE), Some(Maybe));
    }

    #[test]
    fn a_hole_may_be_anything_and_equals_itself() {
        assert_eq!(like("arn:aws:iam::${A}:root", "arn:aws:iam::${A}:root"), Yes);
        assert_eq!(like("arn:aws:iam::${A}:root", "arn:aws:iam::${B}:root"), Maybe);
        assert_eq!(like("arn:aws:iam::${A}:root", "arn:aws:iam::111122223333:root"), Maybe);
        assert_eq!(like("arn:aws:iam::${A}:root", "arn:aws:iam::111122223333:user/x"), No);
        assert_eq!(like("arn:*:role/x", "arn:${P}:role/x"), Yes);
        assert_eq!(like("x${A}", "y${A}"), No);
    }

    #[test]
    fn a_fresh_name_equals_nothing_but_matches_a_star() {
        let stranger = format!("arn:aws:iam::{FRESH}:role/x");
        assert_eq!(like("*", &stranger), Yes);
        assert_eq!(like("arn:aws:iam::*:role/*", &stranger), Yes);
        assert_eq!(like("arn:aws:iam::111122223333:role/x", &stranger), No);
        assert_eq!(like("arn:aws:iam::1*:role/x", &stranger), Maybe);
        // Part by part, as ARN operators match, this is a no.
        assert_eq!(like("arn:aws:iam::*:user/*", &stranger), Maybe);
    }

    #[test]
    fn escaped_wildcards_are_themselves() {
        assert_eq!(like("a${*}", "a*"), Yes);
        assert_eq!(like("a${*}", "ab"), No);
    }

    #[test]
    fn pieces_of_a_text() {
        let all: Vec<_> = pieces("a${b}${c}d${e").collect();
        let expected = [
            Piece::Literal("a"),
            Piece::Hole("b"),
            Piece::Hole("c"),
            Piece::Literal("d"),
            Piece::Literal("${e"),
        ];
        // An unclosed `${` is literal, and so is what stands before it.
        assert_eq!(all.len(), 4);
        assert_eq!(all.get(..3), expected.get(..3));
        assert_eq!(all.get(3), Some(&Piece::Literal("d${e")));
    }

    proptest! {
        /// A string that is made from a pattern matches it.
        #[test]
        fn strings_made_from_a_pattern_match(parts in proptest::collection::vec(("[ab]{0,2}", "[abc]{0,3}", 0..3), 0..5)) {
            let (mut pattern, mut text) = (String::new(), String::new());
            for (literal, filling, wildcard) in parts {
                pattern.push_str(&literal);
                text.push_str(&literal);
                match wildcard {
                    0 => { pattern.push('*'); text.push_str(&filling); }
                    1 => { pattern.push('?'); text.push('é'); }
                    _ => {}
                }
            }
            prop_assert_eq!(like(&pattern, &text), Yes);
        }

        /// Both ways to match agree where nothing is open.
        #[test]
        fn the_fast_way_agrees_with_the_thorough_one(pattern in "[ab*?]{0,6}", text in "[ab]{0,6}") {
            let fast = wildcard_match(pattern.as_bytes(), text.as_bytes(), true);
            let thorough = walk(&tokens(&pattern, Reading::LIKE), &tokens(&text, Reading::EXACT), Holes::MatchNothingElse);
            prop_assert_eq!(fast, thorough);
        }

        /// A certain answer about a text with a hole holds for each filling.
        #[test]
        fn an_answer_about_a_hole_holds_for_each_filling(
            pattern in "[ab*?]{0,5}", before in "[ab]{0,3}", after in "[ab]{0,3}", filling in "[abc]{0,4}",
        ) {
            let open = like(&pattern, &format!("{before}${{x}}{after}"));
            let filled = like(&pattern, &format!("{before}{filling}{after}"));
            prop_assert!(open == Maybe || open == filled, "{:?} {:?}", open, filled);
        }
    }
}
