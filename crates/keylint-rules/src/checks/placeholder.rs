//! Texts that stand for a value still to be filled in: what documentation prints, and what templates leave open.

/// Words by which an author says that the value is to be replaced.
const WORDS: &[&str] = &[
    "account",
    "change",
    "example",
    "-id",
    "_id",
    "insert",
    "my-",
    "my_",
    "name",
    "placeholder",
    "region",
    "replace",
    "todo",
    "xx",
    "your",
];

/// Whether a text is a placeholder rather than a value: `<account-id>`, `YOUR_ORG_ID`, `sourceAccountID`. A guess, and
/// only good for staying silent.
pub(super) fn is_placeholder(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let has_letters = text.bytes().any(|byte| byte.is_ascii_alphabetic());
    let constant = has_letters && !text.bytes().any(|byte| byte.is_ascii_lowercase()) && !text.contains(':');
    let rest = lower.strip_prefix("arn:").unwrap_or(&lower);
    let named = WORDS.iter().any(|word| lower.contains(word)) || rest.contains("arn") || rest.ends_with("id");
    text.is_empty() || is_marked(text) || constant || named
}

/// Whether a text has marks in it that show what is to be replaced: `<account>`, `{{ role }}`, `%ROLE%`.
pub(super) fn is_marked(text: &str) -> bool {
    text.contains(['<', '>', '{', '}', '[', ']', '(', ')', '$', '%', '…', '@']) || text.contains("...")
}

#[cfg(test)]
mod tests {
    use super::*;
    use pretty_assertions::assert_eq;

    #[test]
    fn placeholders_are_told_from_values() {
        let placeholders = [
            "<my-org-id>",
            "CROSS_ACCOUNT_ORG_TRAIL_FULL_ARN",
            "organization-id",
            "sourceAccountID",
            "o-xxxxxxxxxx",
        ];
        let values =
            ["11112222333", "arn:aws:iam:111122223333:root", "ec2.amazonaws.com", "kms:Decrypt", "yes"];
        for text in placeholders {
            assert_eq!((text, is_placeholder(text)), (text, true));
        }
        for text in values {
            assert_eq!((text, is_placeholder(text)), (text, false));
        }
    }
}
