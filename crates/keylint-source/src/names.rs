//! Small helpers for the words of diagnostics.

/// The candidate that a user most likely meant when writing `word`, if one is near enough.
///
/// Distance is counted in inserted, deleted, replaced and swapped characters, without regard to case; at most a
/// third of the word's length (and at least one) may differ. Among equally near candidates the first wins.
pub fn did_you_mean<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    let lower = word.to_ascii_lowercase();
    let allowed = (lower.chars().count() / 3).max(1);
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates {
        if candidate.len().abs_diff(lower.len()) > allowed {
            continue;
        }
        let distance = strsim::osa_distance(&lower, &candidate.to_ascii_lowercase());
        if distance <= allowed && best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// Items in backticks as a person lists them: `` `a` ``, `` `a` and `b` ``, `` `a`, `b`, and `c` ``.
///
/// Nothing gives the empty text.
pub fn quoted_list<T: AsRef<str>>(items: &[T]) -> String {
    let quoted: Vec<String> = items.iter().map(|item| format!("`{}`", item.as_ref())).collect();
    match quoted.as_slice() {
        [] => String::new(),
        [one] => one.clone(),
        [one, two] => format!("{one} and {two}"),
        [first @ .., last] => format!("{}, and {last}", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pretty_assertions::assert_eq;

    #[test]
    fn the_nearest_candidate_is_suggested() {
        let names = ["Principal", "NotPrincipal", "Resource"];
        assert_eq!(did_you_mean("Principals", names), Some("Principal"));
        assert_eq!(did_you_mean("principal", names), Some("Principal"));
        assert_eq!(did_you_mean("Ressource", names), Some("Resource"));
        assert_eq!(did_you_mean("Condition", names), None);
    }

    #[test]
    fn short_words_are_not_stretched() {
        assert_eq!(did_you_mean("s3", ["kms"]), None);
        assert_eq!(did_you_mean("km", ["kms"]), Some("kms"));
    }

    #[test]
    fn lists_read_like_a_sentence() {
        assert_eq!(quoted_list::<&str>(&[]), "");
        assert_eq!(quoted_list(&["a"]), "`a`");
        assert_eq!(quoted_list(&["a", "b"]), "`a` and `b`");
        assert_eq!(quoted_list(&["a", "b", "c"]), "`a`, `b`, and `c`");
    }
}
