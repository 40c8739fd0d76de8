//! Amazon Resource Names: `arn:partition:service:region:account:resource`.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html>

use crate::Answer;
use crate::pattern::{self, FRESH, Reading};

/// The parts of an ARN. Each may hold wildcards (in a pattern) or holes (in a template).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arn<'t> {
    /// `aws`, `aws-cn`, `aws-us-gov`, ….
    pub partition: &'t str,
    /// `iam`, `sts`, `kms`, ….
    pub service: &'t str,
    /// The Region; empty for IAM.
    pub region: &'t str,
    /// The account id.
    pub account: &'t str,
    /// What follows the fifth colon, further colons included.
    pub resource: &'t str,
}

impl<'t> Arn<'t> {
    /// Splits a text that starts with `arn:` and has six parts. Colons inside `${…}` do not count.
    pub fn parse(text: &'t str) -> Option<Self> {
        let split_at_colon = if pattern::has_hole(text) { split_outside_holes } else { split_at_colon };
        let (prefix, rest) = split_at_colon(text)?;
        let (partition, rest) = split_at_colon(rest)?;
        let (service, rest) = split_at_colon(rest)?;
        let (region, rest) = split_at_colon(rest)?;
        let (account, resource) = split_at_colon(rest)?;
        (prefix == "arn").then_some(Self { partition, service, region, account, resource })
    }

    fn parts(self) -> [&'t str; 5] {
        [self.partition, self.service, self.region, self.account, self.resource]
    }
}

/// Whether an ARN pattern matches an ARN, part by part: `ArnLike` and `ArnEquals`.
///
/// AWS does not say what a pattern of fewer than six parts matches, but for a lone `*`, which everybody uses for
/// every ARN: the answer is maybe where its characters would match.
pub fn arn_matches(pattern: &str, text: &str) -> Answer {
    if pattern == "*" {
        return Answer::Yes;
    }
    match (Arn::parse(pattern), Arn::parse(text)) {
        (Some(pattern), Some(text)) => {
            let pairs = pattern.parts().into_iter().zip(text.parts());
            Answer::all(pairs.map(|(pattern, part)| pattern::matches(pattern, part, Reading::LIKE)))
        }
        _ => pattern::matches(pattern, text, Reading::LIKE).and(Answer::Maybe),
    }
}

/// Whether a `Resource` pattern matches an ARN.
///
/// AWS documents both that wildcards stay within a part and that a `*` at the end of a part can reach beyond it;
/// where the two readings differ the answer is maybe.
pub fn resource_matches(pattern: &str, text: &str) -> Answer {
    if pattern == "*" {
        return Answer::Yes;
    }
    match (Arn::parse(pattern), Arn::parse(text)) {
        (Some(parts), Some(_)) => {
            let by_parts = arn_matches(pattern, text);
            let before_resource = pattern.len() - parts.resource.len();
            let reaches_beyond = pattern.get(..before_resource).is_some_and(|parts| parts.contains('*'));
            if reaches_beyond {
                by_parts.agreed(pattern::matches(pattern, text, Reading::LIKE))
            } else {
                by_parts
            }
        }
        _ => pattern::matches(pattern, text, Reading::LIKE).and(Answer::Maybe),
    }
}

/// Whether a text is what templates and modules call the account that they are deployed in.
pub fn is_own_account(text: &str) -> bool {
    let name = text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}')).unwrap_or_default();
    let of_module =
        name.strip_prefix("data.aws_caller_identity.").and_then(|rest| rest.strip_suffix(".account_id"));
    name == "AWS::AccountId" || of_module.is_some_and(|name| !name.contains(['$', '.', ' ']))
}

/// Whether two account ids are the same account. Anything but twelve digits (a hole, a placeholder) may be any
/// account, but a fresh id is no other's.
pub fn same_account(left: &str, right: &str) -> Answer {
    if left == right {
        Answer::Yes
    } else if (is_account(left) && is_account(right)) || left.contains(FRESH) || right.contains(FRESH) {
        Answer::No
    } else {
        Answer::Maybe
    }
}

/// Whether a text is twelve digits.
pub fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn split_at_colon(text: &str) -> Option<(&str, &str)> {
    let colon = memchr::memchr(b':', text.as_bytes())?;
    Some((text.get(..colon)?, text.get(colon + 1..)?))
}

fn split_outside_holes(text: &str) -> Option<(&str, &str)> {
    let mut from = 0;
    loop {
        let rest = text.get(from..)?;
        let colon = rest.find(':')?;
        match rest.find("${") {
            Some(hole) if hole < colon => from += hole + rest.get(hole..)?.find('}')? + 1,
            _ => return Some((text.get(..from + colon)?, text.get(from + colon + 1..)?)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Answer::{Maybe, No, Yes};
    use super::*;
    use pretty_assertions::assert_eq;

    #[test]
    fn colons_in_holes_do_not_split() {
        let arn = Arn::parse("arn:${AWS::Partition}:iam::${AWS::AccountId}:role/a:b").unwrap();
        assert_eq!(
            (arn.partition, arn.account, arn.resource),
            ("${AWS::Partition}", "${AWS::AccountId}", "role/a:b")
        );
        assert_eq!(Arn::parse("arn:aws:iam::111122223333"), None);
        assert_eq!(Arn::parse("urn:aws:iam::111122223333:root"), None);
        assert_eq!(Arn::parse("arn:aws:${x"), None);
    }

    #[test]
    fn arn_patterns_match_part_by_part() {
        let role = "arn:aws:iam::111122223333:role/team/app";
        assert_eq!(arn_matches("arn:aws:iam::111122223333:role/*", role), Yes);
        assert_eq!(arn_matches("arn:aws:iam::*:role/team/*", role), Yes);
        assert_eq!(arn_matches("arn:aws:iam:*:role/team/app", role), Maybe);
        assert_eq!(arn_matches("*", role), Yes);
        assert_eq!(arn_matches("arn:aws:iam::1*", role), Maybe);
        assert_eq!(arn_matches("arn:aws:s3:::x", role), No);
    }

    #[test]
    fn where_aws_contradicts_itself_about_resources_the_answer_is_maybe() {
        let key = "arn:aws:kms:eu-west-1:111122223333:key/1";
        assert_eq!(resource_matches("arn:aws:kms:*:111122223333:key/*", key), Yes);
        assert_eq!(resource_matches("arn:aws:kms:*", key), Maybe);
        assert_eq!(resource_matches("arn:aws:kms:*:key/1", key), Maybe);
        assert_eq!(resource_matches("arn:aws:s3:::b", key), No);
        let unknown_key = "arn:${partition}:kms:${region}:111122223333:key/${key}";
        assert_eq!(resource_matches("arn:aws:ec2:eu-west-1:111122223333:volume/*", unknown_key), No);
        assert_eq!(resource_matches("arn:aws:kms:eu-west-1:111122223333:alias/x", unknown_key), No);
        assert_eq!(resource_matches("arn:aws:kms:eu-west-1:111122223333:key/1", unknown_key), Maybe);
    }

    #[test]
    fn accounts() {
        assert_eq!(same_account("111122223333", "111122223333"), Yes);
        assert_eq!(same_account("111122223333", "444455556666"), No);
        assert_eq!(same_account("111122223333", "${AWS::AccountId}"), Maybe);
        assert_eq!(same_account("${AWS::AccountId}", "${AWS::AccountId}"), Yes);
        assert_eq!(same_account("ACCOUNT_ID", "\u{f8ff}"), No);
    }
}
