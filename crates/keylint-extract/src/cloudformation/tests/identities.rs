//! IAM policies of templates.

use keylint_syntax::Arena;
use pretty_assertions::assert_eq;

use super::resolved;
use crate::testing::written;
use crate::{DocumentKind, Language, Resolved, extract};

/// The name of each policy, what is written where its resource is, and what it is in each way.
fn seen(source: &str) -> Vec<(String, Vec<String>)> {
    let of = |found: &Resolved| {
        assert_eq!(found.kind, DocumentKind::IdentityPolicy);
        assert!(!found.is_certain);
        assert_eq!(&source[found.resource.at.range()], found.resource.name);
        let ways = found.ways.iter().map(|way| written(&way.value, source)).collect();
        (found.resource.name.clone(), ways)
    };
    resolved(source).iter().map(of).collect()
}

fn names(source: &str) -> Vec<String> {
    seen(source).into_iter().map(|(name, _)| name).collect()
}

/// The kinds and the names of what is found in a file.
fn extracted(source: &str) -> Vec<(DocumentKind, String)> {
    let language = if source.starts_with('{') { Language::Json } else { Language::Yaml };
    let found = extract(language, source, None, &mut Arena::default());
    assert_eq!(found.problems, [], "{source}");
    let documents = found.documents.into_iter();
    documents.map(|document| (document.kind, document.resource.unwrap_or_default().name)).collect()
}

const STATEMENT: &str = "{Statement: [{Effect: Allow, Action: 'kms:Decrypt', Resource: '*'}]}";

#[test]
fn every_resource_that_takes_an_iam_policy_has_one() {
    let holder = |kind: &str, property: &str| {
        format!("Resources:\n  It:\n    Type: {kind}\n    Properties:\n      {property}\n")
    };
    for kind in ["Policy", "ManagedPolicy", "RolePolicy", "UserPolicy", "GroupPolicy"] {
        let source = holder(&format!("AWS::IAM::{kind}"), &format!("PolicyDocument: {STATEMENT}"));
        assert_eq!(names(&source), ["It"], "{source}");
    }
    for kind in ["Role", "User", "Group"] {
        let policies = format!("Policies: [{{PolicyName: a, PolicyDocument: {STATEMENT}}}]");
        let source = holder(&format!("AWS::IAM::{kind}"), &policies);
        assert_eq!(names(&source), ["It"], "{source}");
    }
    let source = holder("AWS::SSO::PermissionSet", &format!("InlinePolicy: {STATEMENT}"));
    assert_eq!(names(&source), ["It"]);
    let text = "InlinePolicy: '{\"Statement\": [{\"Effect\": \"Allow\", \"Action\": \"kms:Decrypt\"}]}'";
    let source = holder("AWS::SSO::PermissionSet", text);
    let way = r#"{"Statement": [{"Effect": "Allow","Action": "kms:Decrypt"}]}"#;
    assert_eq!(seen(&source), [("It".to_owned(), vec![way.to_owned()])]);
    // What trusts a role, and what bounds it, is something else.
    let source = holder("AWS::IAM::Role", &format!("AssumeRolePolicyDocument: {STATEMENT}"));
    assert_eq!(names(&source), Vec::<String>::new());
}

#[test]
fn policies_of_keys_and_of_identities_are_told_apart() {
    let source = "
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      Policies:
        - PolicyName: first
          PolicyDocument: {Statement: [{Effect: Allow, Action: 'kms:Decrypt', Resource: !GetAtt Key.Arn}]}
        - PolicyName: second
          PolicyDocument: {Statement: {Effect: Allow, Action: ['s3:*', 'KMS:*'], Resource: '*'}}
        - PolicyName: third
          PolicyDocument: {Statement: {Effect: Allow, Action: 's3:GetObject', Resource: 'arn:aws:kms:*'}}
  Key:
    Type: AWS::KMS::Key
    Properties:
      KeyPolicy: {Statement: [{Effect: Allow, Principal: '*', Action: 'kms:*', Resource: '*'}]}
";
    let identity = (DocumentKind::IdentityPolicy, "Role".to_owned());
    let key = (DocumentKind::KeyPolicy, "Key".to_owned());
    assert_eq!(extracted(source), [identity.clone(), identity, key]);
    let first = resolved(source).remove(0);
    assert_eq!(
        written(&first.ways[0].value, source),
        r#"{"Statement": [{"Effect": "Allow","Action": "kms:Decrypt","Resource": "${Key.Arn}"}]}"#
    );
}

#[test]
fn json_has_them_too_and_so_have_resources_alone() {
    let policy = r#"{"Statement": {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": {"Fn::GetAtt": ["Key", "Arn"]}}}"#;
    let resource =
        format!(r#"{{"It": {{"Type": "AWS::IAM::Policy", "Properties": {{"PolicyDocument": {policy}}}}}}}"#);
    for source in [format!(r#"{{"Resources": {resource}}}"#), resource] {
        assert_eq!(extracted(&source), [(DocumentKind::IdentityPolicy, "It".to_owned())]);
        let way = r#"{"Statement": {"Effect": "Allow","Action": "kms:Decrypt","Resource": "${Key.Arn}"}}"#;
        assert_eq!(seen(&source), [("It".to_owned(), vec![way.to_owned()])]);
    }
}

#[test]
fn conditions_around_a_policy_decide_whether_it_is_there_and_those_in_it_what_it_is() {
    let source = "
Conditions:
  IsProd: !Equals [!Ref Env, prod]
  Never: !Equals [a, b]
Resources:
  Role:
    Type: AWS::IAM::Role
    Condition: IsProd
    Properties:
      Policies:
        - !If [IsProd, {PolicyDocument: {a: 'kms:1'}}, {PolicyDocument: {a: 'kms:2'}}]
        - !If [Never, {PolicyDocument: {a: 'kms:3'}}, !Ref AWS::NoValue]
        - !If
          - Unsaid
          - {PolicyDocument: {a: 'kms:4', b: !If [IsProd, x, y]}}
          - !If [Unsaid, {PolicyDocument: {a: 'kms:5'}}, {PolicyDocument: {a: 'kms:6'}}]
        - !Ref AWS::NoValue
";
    let ways: Vec<_> = seen(source).into_iter().map(|(_, ways)| ways.join(" | ")).collect();
    assert_eq!(ways, [r#"{"a": "kms:1"}"#, r#"{"a": "kms:4","b": "x"}"#, r#"{"a": "kms:6"}"#]);
    let source = "
Resources:
  Group:
    Type: AWS::IAM::Group
    Properties:
      Policies: !If [C, [{PolicyDocument: {a: 'kms:1'}}, {PolicyDocument: {a: 'kms:2'}}], !Ref AWS::NoValue]
";
    let ways: Vec<_> = seen(source).into_iter().map(|(_, ways)| ways.join(" | ")).collect();
    assert_eq!(ways, [r#"{"a": "kms:1"}"#, r#"{"a": "kms:2"}"#]);
}

#[test]
fn resources_that_are_written_as_one_have_one_policy() {
    let source = "
Resources:
  Fn::ForEach::Users:
  - Name
  - [a, b]
  - User${Name}:
      Type: AWS::IAM::User
      Properties:
        Policies: [{PolicyDocument: {a: !Sub 'kms:${Name}'}}]
";
    assert_eq!(seen(source), [("User${Name}".to_owned(), vec![r#"{"a": "kms:${Name}"}"#.to_owned()])]);
}

#[test]
fn a_mistake_in_yaml_matters_where_a_resource_and_kms_are_named() {
    let problems = |source: &str| extract(Language::Yaml, source, None, &mut Arena::default()).problems.len();
    let broken = "Role:\n  Type: AWS::IAM::Role\n  Action: 'kms:Decrypt'\n  a: [";
    assert_eq!(problems(broken), 1);
    assert_eq!(problems(&broken.replace("kms:", "s3:")), 0);
    assert_eq!(problems(&broken.replace("Type", "Kind")), 0);
    // A text that is to be a policy and is no JSON is not known to be about KMS.
    let source = "R: {Type: AWS::IAM::Policy, Properties: {PolicyDocument: '{\"a\": kms:x}'}}";
    assert_eq!(problems(source), 0);
}

#[test]
fn templates_that_do_not_name_kms_are_not_parsed() {
    use super::super::has_sign;
    assert!(has_sign("Type: AWS::IAM::Policy, Action: KMS:Decrypt"));
    assert!(has_sign("Type: AWS::SSO::PermissionSet, Action: kms:Decrypt"));
    assert!(!has_sign("Type: AWS::IAM::Policy, Action: s3:GetObject"));
    assert!(!has_sign("Type: AWS::S3::Bucket, Action: kms:Decrypt"));
}

#[test]
fn many_conditions_inside_one_another_come_to_an_end() {
    let mut item = "{PolicyDocument: {a: 'kms:1'}}".to_owned();
    for index in 0..50 {
        item = format!("!If [C{index}, {item}, {{PolicyDocument: {{a: 'kms:2'}}}}]");
    }
    let source = format!("Resources: {{R: {{Type: AWS::IAM::Role, Properties: {{Policies: [{item}]}}}}}}");
    let found = seen(&source);
    assert_eq!(found.first().map(|(_, ways)| ways.join(" | ")), Some(r#"{"a": "kms:1"}"#.to_owned()));
}
