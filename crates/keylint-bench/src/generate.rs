//! Files to measure with: the same in every run.
//!
//! A key policy is made of statements as they are found in the field: the console's, those of EC2 Auto Scaling, of
//! other accounts, of services with conditions. About one in thirty has a mistake in it.

use std::fs;
use std::io;
use std::path::Path;

use keylint_syntax::{Arena, Tree, json};

/// The containers of a policy, as the tests of keylint write them.
#[expect(clippy::unwrap_used, dead_code, reason = "written for tests, which use more of it")]
#[path = "../../keylint/tests/containers/forms.rs"]
mod forms;

/// The sizes of a generated file, in bytes.
const SIZES: std::ops::Range<usize> = 2_000..4_000;
/// One policy of so many has a mistake in it.
const FAULTY: usize = 30;

/// Writes `count` files below `root`, 25 to a folder: what `make` returns for the numbers from 0 on, under names with
/// this extension.
///
/// # Errors
///
/// The first file that cannot be written.
pub fn tree(root: &Path, extension: &str, count: usize, make: impl Fn(usize) -> String) -> io::Result<()> {
    for number in 0..count {
        let folder = root.join(format!("account-{:02}/service-{:02}", number / 1000, number / 25 % 40));
        if number % 25 == 0 {
            fs::create_dir_all(&folder)?;
        }
        fs::write(folder.join(format!("key-{number}.{extension}")), make(number))?;
    }
    Ok(())
}

/// A key policy of 2 to 4 KB.
pub fn policy(number: usize) -> String {
    let mut random = Random::new(number);
    let owner = random.account();
    let names = [
        ("OWNER", owner),
        ("OTHER", random.account()),
        ("REGION", random.one_of(&REGIONS).to_owned()),
        ("TEAM", random.one_of(&TEAMS).to_owned()),
        ("KEY", format!("{:08x}", random.below(1 << 32))),
    ];
    let filled = |text: &str| {
        names.iter().fold(text.trim().to_owned(), |text, (name, value)| text.replace(name, value))
    };
    let mut statements = vec![filled(OWNER)];
    let mut length = statements.iter().map(String::len).sum::<usize>();
    let mut left: Vec<&str> = STATEMENTS.to_vec();
    let least = SIZES.start + random.below(1_000);
    while length < least && !left.is_empty() {
        let statement = filled(left.swap_remove(random.below(left.len())));
        if length + statement.len() < SIZES.end - 300 {
            length += statement.len();
            statements.push(statement);
        }
    }
    let policy = format!(
        "{{\n  \"Version\": \"2012-10-17\",\n  \"Id\": \"key-{number}\",\n  \"Statement\": [\n    {}\n  ]\n}}\n",
        statements.join(",\n    ")
    );
    if random.below(FAULTY) == 0 { with_mistake(&policy, &mut random) } else { policy }
}

/// A template of CloudFormation with a key that has such a policy.
pub fn template(number: usize) -> String {
    in_form(number, "CloudFormation YAML, block").replace("  Key:", &format!("  Key{number}:"))
}

/// A file of Terraform with a key that has such a policy: as `jsonencode`, as a heredoc, or as a policy document.
pub fn module(number: usize) -> String {
    let forms = ["Terraform, jsonencode", "Terraform, indented heredoc", "Terraform, document"];
    let form = forms.get(number % forms.len()).copied().unwrap_or_default();
    in_form(number, form)
        .replace("\"key\"", &format!("\"key_{number}\""))
        .replace("document.key.", &format!("document.key_{number}."))
}

fn in_form(number: usize, name: &str) -> String {
    let text = policy(number);
    let mut arena = Arena::default();
    json::parse(&text, &mut arena, &mut Vec::new());
    let forms =
        Tree::new(&text, &arena).root().map(|root| forms::forms(root, None, None)).unwrap_or_default();
    forms.into_iter().find(|form| form.name == name).map(|form| form.text).unwrap_or_default()
}

/// The policy with one mistake that its text has room for.
fn with_mistake(policy: &str, random: &mut Random) -> String {
    let possible: Vec<_> = MISTAKES.iter().filter(|(right, _)| policy.contains(right)).collect();
    match possible.get(random.below(possible.len().max(1))) {
        Some((right, wrong)) => policy.replacen(right, wrong, 1),
        None => policy.to_owned(),
    }
}

/// A JSON file of 2 to 4 KB as other programs keep them: settings, a manifest, a state. One in fifty names KMS.
pub fn other_document(number: usize) -> String {
    let mut random = Random::new(number);
    let mut text = format!("{{\n  \"name\": \"document-{number}\",\n  \"entries\": [");
    let length = SIZES.start + random.below(SIZES.len() - 300);
    while text.len() < length {
        let (team, region) = (random.one_of(&TEAMS), random.one_of(&REGIONS));
        let entry = format!(
            "{}\n    {{\n      \"id\": {},\n      \"team\": \"{team}\",\n      \"enabled\": {},\n      \
             \"targets\": [\"{region}a\", \"{region}b\"],\n      \"options\": {{ \"timeout\": {}.5, \"path\": \
             \"/srv/{team}/{}\" }}\n    }}",
            if text.ends_with('[') { "" } else { "," },
            random.below(100_000),
            random.below(2) == 0,
            random.below(60),
            random.below(1_000),
        );
        text.push_str(&entry);
    }
    let encryption = if random.below(50) == 0 { "aws:kms" } else { "AES256" };
    text.extend(["\n  ],\n  \"encryption\": \"", encryption, "\"\n}\n"]);
    text
}

/// A small generator of numbers (splitmix64): the same numbers everywhere, and no dependency.
struct Random(u64);

impl Random {
    fn new(seed: usize) -> Self {
        Self(seed as u64)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 up to and without `end`, which is not 0.
    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end as u64).unwrap_or(0)
    }

    fn one_of<'c>(&mut self, choices: &[&'c str]) -> &'c str {
        choices.get(self.below(choices.len())).copied().unwrap_or_default()
    }

    fn account(&mut self) -> String {
        format!("{:012}", 100_000_000_000 + self.below(800_000_000_000))
    }
}

const REGIONS: [&str; 4] = ["eu-west-1", "eu-central-1", "us-east-1", "ap-southeast-2"];
const TEAMS: [&str; 6] = ["payments", "search", "platform", "data-lake", "identity", "web"];

/// The statement that every key policy begins with.
const OWNER: &str = r#"
    {
      "Sid": "Enable IAM User Permissions",
      "Effect": "Allow",
      "Principal": { "AWS": "arn:aws:iam::OWNER:root" },
      "Action": "kms:*",
      "Resource": "*"
    }"#;

/// What else a key policy may have.
const STATEMENTS: [&str; 14] = [
    r#"
    {
      "Sid": "Allow access for Key Administrators",
      "Effect": "Allow",
      "Principal": {
        "AWS": ["arn:aws:iam::OWNER:role/TEAM-admin", "arn:aws:iam::OWNER:user/ci/TEAM-deploy"]
      },
      "Action": [
        "kms:Create*",
        "kms:Describe*",
        "kms:Enable*",
        "kms:List*",
        "kms:Put*",
        "kms:Update*",
        "kms:Revoke*",
        "kms:Disable*",
        "kms:Get*",
        "kms:Delete*",
        "kms:TagResource",
        "kms:UntagResource",
        "kms:ScheduleKeyDeletion",
        "kms:CancelKeyDeletion",
        "kms:RotateKeyOnDemand"
      ],
      "Resource": "*"
    }"#,
    r#"
    {
      "Sid": "Allow use of the key",
      "Effect": "Allow",
      "Principal": { "AWS": "arn:aws:iam::OWNER:role/TEAM/application" },
      "Action": [
        "kms:Encrypt",
        "kms:Decrypt",
        "kms:ReEncrypt*",
        "kms:GenerateDataKey*",
        "kms:DescribeKey"
      ],
      "Resource": "*"
    },
    {
      "Sid": "Allow attachment of persistent resources",
      "Effect": "Allow",
      "Principal": { "AWS": "arn:aws:iam::OWNER:role/TEAM/application" },
      "Action": ["kms:CreateGrant", "kms:ListGrants"],
      "Resource": "*",
      "Condition": { "Bool": { "kms:GrantIsForAWSResource": "true" } }
    }"#,
    r#"
    {
      "Sid": "Allow service-linked role use of the customer managed key",
      "Effect": "Allow",
      "Principal": {
        "AWS": [
          "arn:aws:iam::OWNER:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling"
        ]
      },
      "Action": ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"],
      "Resource": "*"
    },
    {
      "Sid": "Allow service-linked role attachment of persistent resources",
      "Effect": "Allow",
      "Principal": {
        "AWS": [
          "arn:aws:iam::OWNER:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling"
        ]
      },
      "Action": ["kms:CreateGrant"],
      "Resource": "*",
      "Condition": { "Bool": { "kms:GrantIsForAWSResource": true } }
    }"#,
    r#"
    {
      "Sid": "Allow external account OTHER use of the customer managed key",
      "Effect": "Allow",
      "Principal": { "AWS": ["arn:aws:iam::OTHER:root"] },
      "Action": ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"],
      "Resource": "*"
    },
    {
      "Sid": "Allow attachment of persistent resources in external account OTHER",
      "Effect": "Allow",
      "Principal": { "AWS": ["arn:aws:iam::OTHER:root"] },
      "Action": ["kms:CreateGrant"],
      "Resource": "*",
      "Condition": {
        "ArnLike": {
          "kms:GranteePrincipal": "arn:aws:iam::OTHER:role/aws-service-role/autoscaling.amazonaws.com/*"
        }
      }
    }"#,
    r#"
    {
      "Sid": "CloudWatchLogs",
      "Effect": "Allow",
      "Principal": { "Service": "logs.REGION.amazonaws.com" },
      "Action": ["kms:Encrypt*", "kms:Decrypt*", "kms:ReEncrypt*", "kms:GenerateDataKey*"],
      "Resource": "*",
      "Condition": {
        "ArnLike": { "kms:EncryptionContext:aws:logs:arn": "arn:aws:logs:REGION:OWNER:log-group:/TEAM/*" }
      }
    }"#,
    r#"
    {
      "Sid": "Allow through S3",
      "Effect": "Allow",
      "Principal": { "AWS": "*" },
      "Action": ["kms:Decrypt", "kms:GenerateDataKey*", "kms:DescribeKey"],
      "Resource": "*",
      "Condition": {
        "StringEquals": { "kms:CallerAccount": "OWNER", "kms:ViaService": "s3.REGION.amazonaws.com" }
      }
    }"#,
    r#"
    {
      "Sid": "Allow through Secrets Manager and Systems Manager",
      "Effect": "Allow",
      "Principal": { "AWS": "arn:aws:iam::OWNER:role/TEAM/worker" },
      "Action": ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*"],
      "Resource": "*",
      "Condition": {
        "StringEquals": {
          "kms:ViaService": ["secretsmanager.REGION.amazonaws.com", "ssm.REGION.amazonaws.com"]
        },
        "StringLike": { "kms:EncryptionContext:SecretARN": "arn:aws:secretsmanager:REGION:OWNER:secret:TEAM/*" }
      }
    }"#,
    r#"
    {
      "Sid": "AllowNotifications",
      "Effect": "Allow",
      "Principal": { "Service": ["sns.amazonaws.com", "events.amazonaws.com"] },
      "Action": ["kms:GenerateDataKey*", "kms:Decrypt"],
      "Resource": "arn:aws:kms:REGION:OWNER:key/*",
      "Condition": {
        "StringEquals": { "aws:SourceAccount": "OWNER" },
        "ArnLike": { "aws:SourceArn": "arn:aws:*:REGION:OWNER:*" }
      }
    }"#,
    r#"
    {
      "Sid": "AllowCloudTrail",
      "Effect": "Allow",
      "Principal": { "Service": "cloudtrail.amazonaws.com" },
      "Action": ["kms:GenerateDataKey*", "kms:Decrypt"],
      "Resource": "*",
      "Condition": {
        "StringEquals": { "aws:SourceArn": "arn:aws:cloudtrail:REGION:OWNER:trail/KEY" },
        "StringLike": { "kms:EncryptionContext:aws:cloudtrail:arn": "arn:aws:cloudtrail:*:OWNER:trail/*" }
      }
    }"#,
    r#"
    {
      "Sid": "AllowReadersOfTheOrganization",
      "Effect": "Allow",
      "Principal": "*",
      "Action": ["kms:Decrypt", "kms:DescribeKey"],
      "Resource": "*",
      "Condition": {
        "StringEquals": { "aws:PrincipalOrgID": "o-KEY42" },
        "ArnLike": { "aws:PrincipalArn": ["arn:aws:iam::*:role/TEAM/reader", "arn:aws:iam::*:role/audit-*"] }
      }
    }"#,
    r#"
    {
      "Sid": "DenyDeletion",
      "Effect": "Deny",
      "Principal": { "AWS": "*" },
      "Action": ["kms:ScheduleKeyDeletion", "kms:DisableKey"],
      "Resource": "*",
      "Condition": { "ArnNotLike": { "aws:PrincipalArn": "arn:aws:iam::OWNER:role/TEAM-break-glass" } }
    }"#,
    r#"
    {
      "Sid": "DenyWithoutTransportSecurity",
      "Effect": "Deny",
      "Principal": "*",
      "Action": "kms:*",
      "Resource": "*",
      "Condition": { "Bool": { "aws:SecureTransport": "false" } }
    }"#,
    r#"
    {
      "Sid": "AllowPipelineOfAnotherAccount",
      "Effect": "Allow",
      "Principal": {
        "AWS": ["arn:aws:iam::OTHER:role/TEAM-pipeline", "arn:aws:sts::OTHER:assumed-role/TEAM-build/session"]
      },
      "Action": ["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"],
      "Resource": "*",
      "Condition": { "StringEquals": { "kms:EncryptionContext:stage": ["test", "production"] } }
    }"#,
    r#"
    {
      "Sid": "AllowBackups",
      "Effect": "Allow",
      "Principal": { "AWS": "arn:aws:iam::OWNER:role/service-role/TEAM-backup" },
      "Action": ["kms:CreateGrant", "kms:ListGrants"],
      "Resource": "*",
      "Condition": {
        "StringLike": { "kms:ViaService": "*.REGION.amazonaws.com" },
        "Bool": { "kms:GrantIsForAWSResource": "true" }
      }
    }"#,
];

/// Mistakes: what is right, and what becomes of it.
const MISTAKES: [(&str, &str); 8] = [
    ("kms:ReEncrypt*\"", "kms:Reencrpt*\""),
    ("\"kms:GrantIsForAWSResource\": true", "\"kms:GrantIsForAWSResource\": false"),
    ("role/aws-service-role/autoscaling.amazonaws.com/", "role/"),
    ("\"kms:ViaService\"", "\"kms:ViaServices\""),
    ("\"StringEquals\"", "\"StringEqual\""),
    ("\"Effect\": \"Allow\"", "\"Effect\": \"allow\""),
    ("\"Action\": [\"kms:CreateGrant\"]", "\"Action\": [\"kms:*Grant\"]"),
    ("\"Resource\": \"*\"\n", "\"Resource\": \"*\n"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use pretty_assertions::assert_eq;

    #[test]
    fn a_number_always_gives_the_same_file_and_another_number_another() {
        assert_eq!(policy(7), policy(7));
        assert!(policy(7) != policy(8));
        assert_eq!(other_document(7), other_document(7));
    }

    #[test]
    fn files_have_the_sizes_that_are_promised() {
        for number in 0..500 {
            for text in [policy(number), other_document(number)] {
                assert!(SIZES.contains(&text.len()), "{number}: {} bytes", text.len());
            }
        }
    }

    #[test]
    fn every_file_is_json_but_for_the_mistake_that_it_is_not() {
        let is_json = |text: &str| serde_json::from_str::<serde_json::Value>(text).is_ok();
        assert!((0..500).all(|number| is_json(&other_document(number))));
        let broken = (0..3_000).filter(|&number| !is_json(&policy(number))).count();
        assert!((1..60).contains(&broken), "{broken}");
    }
}
