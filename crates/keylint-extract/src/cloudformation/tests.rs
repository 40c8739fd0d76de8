use std::fmt::Write as _;

use keylint_source::Span;
use keylint_syntax::{Arena, json, yaml};
use pretty_assertions::assert_eq;

use super::*;
use crate::KeyFacts;
use crate::testing::{assert_places, written};
use crate::value::Text;
use crate::within::Within;

mod identities;

fn resolved_for(source: &str, account: Option<&str>) -> Vec<Resolved> {
    let mut arena = Arena::default();
    let mut problems = Vec::new();
    if source.starts_with('{') {
        json::parse(source, &mut arena, &mut problems);
    } else {
        yaml::parse(source, &mut arena, &mut problems);
    }
    assert_eq!(problems, [], "{source}");
    let tree = Tree::new(source, &arena);
    let mut found = documents(tree, account);
    for way in found.iter_mut().flat_map(|resolved| &mut resolved.ways) {
        spell_out(&mut way.value, tree);
        assert_places(&way.value, source);
    }
    found
}

/// Objects that stand as they are, as the values that they are.
fn spell_out(value: &mut Value, tree: Tree<'_>) {
    match &mut value.kind {
        ValueKind::AsItStands(slot) => *value = Value::of(tree.get(slot.id()), Within::File(0)),
        ValueKind::List(items) => items.iter_mut().for_each(|item| spell_out(item, tree)),
        ValueKind::Object(members) => members.iter_mut().for_each(|(_, value)| spell_out(value, tree)),
        ValueKind::Json(inner) => spell_out(inner, tree),
        _ => {}
    }
}

fn resolved(source: &str) -> Vec<Resolved> {
    resolved_for(source, None)
}

/// A template with sections before the resources, and a key with this policy.
fn template(sections: &str, policy: &str) -> String {
    let policy = policy.trim_end().replace('\n', "\n        ");
    format!(
        "{sections}\nResources:\n  Key:\n    Type: AWS::KMS::Key\n    Properties:\n      KeyPolicy:\n        {policy}\n"
    )
}

/// What the policy is in each way.
fn ways(sections: &str, policy: &str) -> Vec<String> {
    let source = template(sections, policy);
    resolved(&source)
        .iter()
        .flat_map(|resolved| &resolved.ways)
        .map(|way| written(&way.value, &source))
        .collect()
}

/// What the policy is; there is one way.
fn way(sections: &str, policy: &str) -> String {
    let [way] = ways(sections, policy).try_into().unwrap();
    way
}

/// The pieces of the texts in the policy of a template's only key: what they read, and what is written there.
fn pieces(source: &str) -> Vec<(String, String)> {
    fn add(value: &Value, texts: &mut Vec<Text>) {
        match &value.kind {
            ValueKind::Text(text) => texts.push(text.clone()),
            ValueKind::List(items) => items.iter().for_each(|item| add(item, texts)),
            ValueKind::Object(members) => members.iter().for_each(|(_, value)| add(value, texts)),
            _ => {}
        }
    }
    let mut texts = Vec::new();
    add(&resolved(source)[0].ways[0].value, &mut texts);
    let cut = |at: Span| source[at.range()].to_owned();
    texts.into_iter().flat_map(|text| text.pieces).map(|piece| (piece.text, cut(piece.at))).collect()
}

fn assert_pieces(sections: &str, policy: &str, expected: &[(&str, &str)]) {
    let found = pieces(&template(sections, policy));
    let found: Vec<_> = found.iter().map(|(text, written)| (text.as_str(), written.as_str())).collect();
    assert_eq!(found, expected);
}

const PARAMETERS: &str = "
Parameters:
  Env: {Type: String, Default: dev}
  Admins: {Type: CommaDelimitedList, Default: 'a,b'}
  Stored: {Type: 'AWS::SSM::Parameter::Value<String>', Default: /path}
  StoredList: {Type: 'AWS::SSM::Parameter::Value<List<String>>'}
  Subnet: {Type: 'AWS::EC2::Subnet::Id'}
";

#[test]
fn templates_are_told_from_other_files() {
    let is_template = |source: &str| {
        let mut arena = Arena::default();
        yaml::parse(source, &mut arena, &mut Vec::new());
        Tree::new(source, &arena).root().is_some_and(super::is_template)
    };
    assert!(is_template("Resources: {A: {Type: 'AWS::KMS::Key'}}"));
    assert!(is_template("Resources: {'Fn::ForEach::K': [I, [a], {'K${I}': {Type: 'AWS::KMS::Key'}}]}"));
    assert!(!is_template("Resources: {A: {Type: 1}}") && !is_template("Resources: [a]") && !is_template("a"));
    assert!(has_sign("Type: 'AWS::KMS::ReplicaKey'") && !has_sign("Type: AWS::KMS::Alias"));
}

#[test]
fn keys_of_every_document_are_found_with_their_names() {
    let source = "
Resources:
  First: {Type: AWS::KMS::Key, Properties: {KeyPolicy: {Id: a}}}
  Other: {Type: AWS::KMS::Alias, Properties: {KeyPolicy: {Id: b}}}
  Default: {Type: AWS::KMS::Key, Properties: {KeyPolicy: !Ref AWS::NoValue}}
  None: {Type: AWS::KMS::Key, Properties: {KeyPolicy: null}}
---
a: b
---
Resources:
  Second: {Type: AWS::KMS::ReplicaKey, Condition: Never, Properties: {KeyPolicy: {Id: c}}}
";
    let found = resolved(source);
    let names: Vec<_> =
        found.iter().map(|each| (each.resource.name.as_str(), &source[each.resource.at.range()])).collect();
    assert_eq!(names, [("First", "First"), ("Second", "Second")]);
}

#[test]
fn json_and_yaml_come_to_the_same() {
    let json = r#"{"Resources": {"K": {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy":
        {"a": {"Fn::Join": ["", ["arn:", {"Ref": "AWS::Partition"}, ":iam::1:root"]]}, "b": {"Fn::GetAtt": ["R", "Arn"]}}}}}}"#;
    let found = resolved(json);
    let way = written(&found[0].ways[0].value, json);
    assert_eq!(way, r#"{"a": "arn:${AWS::Partition}:iam::1:root","b": "${R.Arn}"}"#);
    assert_eq!(
        self::way("", "a: !Join ['', ['arn:', !Ref AWS::Partition, ':iam::1:root']]\nb: !GetAtt R.Arn"),
        way
    );
    assert_eq!(
        pieces(json),
        [
            ("arn:", "arn:"),
            ("${AWS::Partition}", r#"{"Ref": "AWS::Partition"}"#),
            (":iam::1:root", ":iam::1:root"),
            ("${R.Arn}", r#"{"Fn::GetAtt": ["R", "Arn"]}"#),
        ]
        .map(|(text, written)| (text.to_owned(), written.to_owned()))
    );
}

#[test]
fn references_keep_their_names_and_parameters_are_not_their_defaults() {
    assert_eq!(
        way(
            PARAMETERS,
            "a: [!Ref Env, !Ref Stored, !Ref Subnet, !Ref Role, !GetAtt Role.Arn, !GetAtt [Role, Arn]]"
        ),
        r#"{"a": ["${Env}", "${Stored}", "${Subnet}", "${Role}", "${Role.Arn}", "${Role.Arn}"]}"#
    );
    // A list may be any number of items.
    assert_eq!(way(PARAMETERS, "a: !Ref Admins\nb: !Ref StoredList"), r#"{"a": null,"b": null}"#);
    let found = resolved(&template(PARAMETERS, "a: [!Sub '${Env}-${Stored}', !Ref Admins]"));
    let defaults = [("Admins", "a,b"), ("Env", "dev")];
    assert_eq!(found[0].defaults, defaults.map(|(name, default)| (name.to_owned(), default.to_owned())));
}

#[test]
fn the_account_is_known_if_the_user_says_it() {
    let source = template("", "a: !Sub 'arn:aws:iam::${AWS::AccountId}:root'\nb: !Ref AWS::AccountId");
    let found = resolved_for(&source, Some("111122223333"));
    let way = written(&found[0].ways[0].value, &source);
    assert_eq!(way, r#"{"a": "arn:aws:iam::111122223333:root","b": "111122223333"}"#);
}

#[test]
fn no_value_takes_away_what_it_is_the_value_of() {
    let policy = "a: !Ref AWS::NoValue\nb: [1, !Ref 'AWS::NoValue', x]\nc: {d: {Ref: AWS::NoValue}}";
    assert_eq!(way("", policy), r#"{"b": ["1", "x"],"c": {}}"#);
}

#[test]
fn substitution_keeps_the_bytes_of_what_it_does_not_replace() {
    assert_pieces(
        PARAMETERS,
        "a: !Sub 'x-${ Env }-${!aws:username}-${R.Arn}${'",
        &[
            ("x-", "x-"),
            ("${Env}", "${ Env }"),
            ("-${", "-${"),
            ("aws:username}-", "aws:username}-"),
            ("${R.Arn}", "${R.Arn}"),
            ("${", "${"),
        ],
    );
    assert_pieces(
        PARAMETERS,
        "a: !Sub ['${A}:${B}', {A: text, B: !Ref Env}]",
        &[("text", "${A}"), (":", ":"), ("${Env}", "${B}")],
    );
    // Without the function, the text is what it is.
    assert_pieces("", "a: x${Env}", &[("x${Env}", "x${Env}")]);
}

#[test]
fn lists_are_joined_as_far_as_they_are_known() {
    assert_pieces(
        "",
        "a: !Join [':', [x, !Ref Y, z]]",
        &[("x", "x"), (":", ""), ("${Y}", "!Ref Y"), (":", ""), ("z", "z")],
    );
    assert_eq!(
        way(PARAMETERS, "a: !Join [',', [x, !Ref Admins]]\nb: !Join [',', !Ref Admins]"),
        r#"{"a": "x,${Admins}","b": "${Fn::Join , Admins}"}"#
    );
    assert_eq!(way("", "a: !Join ['-', !Split ['.', a.b.c]]"), r#"{"a": "a-b-c"}"#);
}

#[test]
fn parts_of_lists_and_texts_are_known_with_their_places() {
    assert_pieces(
        "",
        "a: !Select [1, !Split [':', 'arn:aws:iam']]\nb: !Select ['0', [x, y]]",
        &[("aws", "aws"), ("x", "x")],
    );
    let policy = "a: !Select [0, !Split ['/', !GetAtt Q.Arn]]\nb: !Split [',', !Ref X]\nc: !Select [7, [x]]";
    assert_eq!(
        way("", policy),
        r#"{"a": "${Fn::Select 0 Fn::Split / Q.Arn}","b": null,"c": "${Fn::Select 7 x}"}"#
    );
}

const MAPPINGS: &str = "
Mappings:
  Accounts:
    eu-west-1: {elb: 111122223333, same: x, list: [y, z]}
    us-east-1: {elb: 444455556666, same: x, list: [y, z]}
";

#[test]
fn mappings_are_looked_up_and_agree_or_are_not_known() {
    let policy = "
a: !FindInMap [Accounts, eu-west-1, elb]
b: !FindInMap [Accounts, !Ref AWS::Region, elb]
c: !FindInMap [Accounts, !Ref AWS::Region, same]
d: !FindInMap [Accounts, !Ref AWS::Region, list]
e: !FindInMap [Accounts, eu-west-1, none]
f: !FindInMap [Accounts, eu-west-1, none, {DefaultValue: !Ref Env}]
g: !Sub ['${A}', {A: !FindInMap [Accounts, us-east-1, elb]}]";
    assert_eq!(
        way(MAPPINGS, policy),
        [
            r#"{"a": "111122223333","b": "${Fn::FindInMap Accounts AWS::Region elb}","c": "x","#,
            r#""d": ["y", "z"],"e": null,"f": "${Env}","g": "444455556666"}"#
        ]
        .concat()
    );
    assert_pieces(MAPPINGS, "a: !FindInMap [Accounts, eu-west-1, elb]", &[("111122223333", "111122223333")]);
}

#[test]
fn what_is_included_or_not_understood_is_not_known() {
    let policy = "
a: {x: 1, Fn::Transform: {Name: AWS::Include}}
b: !Transform {Name: AWS::Include}
c: {Fn::Unheard: x}
d: {Fn::Length: [1, 2]}
e: !GetAZs ''
f: !ImportValue
  Fn::Sub: ${Env}-role
g: {'Fn::ForEach::X': [I, [a], {'${I}': b}], h: 1}
i: {Fn::Join: x}
j: {Condition: k}";
    assert_eq!(
        way("", policy),
        [
            r#"{"a": null,"b": null,"c": null,"d": "2","e": null,"f": "${Fn::ImportValue $(Env)-role}","#,
            r#""g": null,"i": "${Fn::Join x}","j": {"Condition": "k"}}"#
        ]
        .concat()
    );
    assert_eq!(ways("", "Fn::Transform: {Name: AWS::Include}\nVersion: x"), ["null"]);
}

const CONDITIONS: &str = "
Conditions:
  IsProd: !Equals [!Ref Env, prod]
  IsProdToo: !Equals [prod, !Ref Env]
  IsDev: !Equals [!Ref Env, dev]
  IsNotProd: !Not [!Condition IsProd]
  IsEither: !Or [!Condition IsProd, !Condition IsDev]
  IsTest: !And [!Equals [a, a], !Equals [!Ref Env, test]]
  Never: !Equals [a, b]
  Round: !Not [!Condition Round]
";

#[test]
fn each_way_of_conditions_has_its_policy_and_what_it_leaves_out() {
    let source = template(CONDITIONS, "Statement:\n- x\n- !If [IsProd, {y: 1}, !Ref AWS::NoValue]");
    let found = resolved(&source);
    let ways: Vec<_> = found[0].ways.iter().map(|way| written(&way.value, &source)).collect();
    assert_eq!(ways, [r#"{"Statement": ["x",{"y": "1"}]}"#, r#"{"Statement": ["x"]}"#]);
    let (first, second) = (&found[0].ways[0].presence, &found[0].ways[1].presence);
    let place = |text: &str| {
        let start = u32::try_from(source.find(text).unwrap()).unwrap();
        Span::new(start, start + 1)
    };
    assert_eq!([first, second].map(|way| way.has(place("{y: 1}"))), [true, false]);
}

#[test]
fn conditions_never_turn_out_as_they_cannot() {
    let policy = |conditions: &str| {
        let items: Vec<_> = conditions.split(' ').map(|name| format!("!If [{name}, {name}, '-']")).collect();
        ways(CONDITIONS, &format!("a: [{}]", items.join(", ")))
    };
    assert_eq!(policy("IsProd IsProdToo"), [r#"{"a": ["IsProd", "IsProdToo"]}"#, r#"{"a": ["-", "-"]}"#]);
    assert_eq!(policy("IsProd IsNotProd"), [r#"{"a": ["IsProd", "-"]}"#, r#"{"a": ["-", "IsNotProd"]}"#]);
    let three = policy("IsProd IsDev IsTest IsEither");
    assert_eq!(three.len(), 4);
    for each in [r#"["IsProd", "-", "-", "IsEither"]"#, r#"["-", "IsDev", "-", "IsEither"]"#] {
        assert!(three.contains(&format!(r#"{{"a": {each}}}"#)), "{three:?}");
    }
    assert!(three.contains(&r#"{"a": ["-", "-", "IsTest", "-"]}"#.to_owned()), "{three:?}");
    assert!(three.contains(&r#"{"a": ["-", "-", "-", "-"]}"#.to_owned()), "{three:?}");
    assert_eq!(policy("Never Never"), [r#"{"a": ["-", "-"]}"#]);
    // What is not said, or is said by itself, may be either.
    assert_eq!(policy("Unsaid").len(), 2);
    assert_eq!(policy("Round").len(), 2);
}

#[test]
fn a_value_is_one_of_those_that_its_parameter_allows() {
    let sections = "Parameters:\n  Env: {Type: String, AllowedValues: [prod, dev]}".to_owned() + CONDITIONS;
    let policy = "a: [!If [IsProd, p, '-'], !If [IsDev, d, '-'], !If [IsTest, t, '-']]";
    assert_eq!(ways(&sections, policy), [r#"{"a": ["-", "d", "-"]}"#, r#"{"a": ["p", "-", "-"]}"#]);
}

#[test]
fn a_policy_may_be_a_text_in_json() {
    let source = template(PARAMETERS, "Fn::Sub: |\n  {\"a\": \"x${Env}\",\n   \"b\": [1, \"y\"]}");
    assert_eq!(written(&resolved(&source)[0].ways[0].value, &source), r#"{"a": "x${Env}","b": [1, "y"]}"#);
    assert_eq!(
        pieces(&source),
        [("x", "x"), ("${Env}", "${Env}"), ("y", "y")].map(|(text, at)| (text.to_owned(), at.to_owned()))
    );
    assert_eq!(way("", "!ToJsonString {a: !Ref B}"), r#"{"a": "${B}"}"#);
    assert_eq!(way("", r#"Fn::Join: ['', ['{"a": "', !Ref B, '"}']]"#), r#"{"a": "${B}"}"#);
    assert_eq!(way("", "!Ref Policy"), "null");
}

#[test]
fn a_text_that_is_no_json_is_a_problem_once() {
    let source = template(CONDITIONS, "!If [IsProd, !Sub '{\"a\": x}', '{\"a\": x}']");
    let found = resolved(&source);
    assert_eq!(found[0].ways.len(), 0);
    let places: Vec<_> = found[0].problems.iter().map(|problem| &source[problem.at.range()]).collect();
    assert_eq!(places, ["x", "x"]);
    let source = template(CONDITIONS, "'{\"a\": !If x}'");
    assert_eq!(resolved(&source)[0].problems.len(), 1);
}

#[test]
fn numbers_are_sent_as_texts_and_dynamic_references_are_not_known() {
    assert_eq!(
        way("", "a: [111122223333, -1, 1.5, true]\nb: 'x{{resolve:ssm:/p}}y'\nVersion: 2012-10-17"),
        r#"{"a": ["111122223333", -1, 1.5, true],"b": "x${resolve:ssm:/p}y","Version": "2012-10-17"}"#
    );
}

#[test]
fn merge_keys_add_what_is_not_there() {
    let sections = "Common: &common {Effect: Allow, Action: x}\nMore: &more {Action: y, Resource: z}";
    assert_eq!(
        way(sections, "<<: [*common, *more]\nEffect: Deny"),
        r#"{"Effect": "Deny","Action": "x","Resource": "z"}"#
    );
}

#[test]
fn resources_that_are_written_as_one_are_resolved_once() {
    let source = "
Resources:
  Fn::ForEach::Keys:
  - Name
  - [a, b]
  - Key${Name}:
      Type: AWS::KMS::Key
      Properties:
        KeyPolicy: {a: !Sub 'x-${Name}', b: !Ref Name, c: 'y&{Name}', d: '${Name}${Other}'}
";
    let found = resolved(source);
    assert_eq!(found.len(), 1);
    assert_eq!(
        (found[0].resource.name.as_str(), &source[found[0].resource.at.range()]),
        ("Key${Name}", "Key${Name}")
    );
    assert_eq!(
        written(&found[0].ways[0].value, source),
        r#"{"a": "x-${Name}","b": "${Name}","c": "y${Name}","d": "${Name}${Other}"}"#
    );
}

#[test]
fn facts_are_what_is_certain() {
    let facts = |kind: &str, properties: &str| {
        let source = format!(
            "Resources: {{K: {{Type: AWS::KMS::{kind}, Properties: {{KeyPolicy: {{}}, {properties}}}}}}}"
        );
        resolved(&source).remove(0).facts
    };
    let text = |text: &str| Some(text.to_owned());
    let absent =
        KeyFacts { spec: text("SYMMETRIC_DEFAULT"), usage: text("ENCRYPT_DECRYPT"), ..KeyFacts::default() };
    assert_eq!(facts("Key", ""), absent);
    assert_eq!(facts("ReplicaKey", ""), KeyFacts { multi_region: Some(true), ..KeyFacts::default() });
    let given = "KeySpec: RSA_2048, KeyUsage: SIGN_VERIFY, Origin: EXTERNAL, MultiRegion: 'true', \
        EnableKeyRotation: false, BypassPolicyLockoutSafetyCheck: true";
    assert_eq!(
        facts("Key", given),
        KeyFacts {
            key: None,
            spec: text("RSA_2048"),
            usage: text("SIGN_VERIFY"),
            origin: text("EXTERNAL"),
            multi_region: Some(true),
            rotation: Some(false),
            bypasses_lockout_check: Some(true),
        }
    );
    let depending =
        "KeySpec: !Ref Spec, KeyUsage: !If [C, ENCRYPT_DECRYPT, SIGN_VERIFY], EnableKeyRotation: !Ref X";
    assert_eq!(facts("Key", depending), KeyFacts::default());
    assert_eq!(facts("Key", "Fn::Transform: {Name: AWS::Include}"), KeyFacts::default());
}

#[test]
fn references_that_multiply_are_bounded() {
    // Each value is the one before it, twice: followed without a bound, this would have no end.
    let mut policy = "!Ref X".to_owned();
    for _ in 0..40 {
        policy = format!("!Sub ['${{A}}${{A}}', {{A: {policy}}}]");
    }
    assert_eq!(ways("", &format!("a: {policy}")).len(), 1);
    let nested = (0..30).fold("x".to_owned(), |inner, _| format!("!Select [!Ref I, [{inner}]]"));
    assert_eq!(ways("", &format!("a: {nested}")).len(), 1);
    let mut sections = "Conditions:\n  C0: !Equals [!Ref X, y]\n".to_owned();
    for index in 1..5_000 {
        writeln!(sections, "  C{index}: !And [!Condition C{0}, !Condition C{0}]", index - 1).unwrap();
    }
    assert_eq!(ways(&sections, "a: !If [C4999, x, y]").len(), 2);
}

#[test]
fn many_keys_are_read_in_time_that_grows_with_them() {
    let mut source = format!("{PARAMETERS}{MAPPINGS}{CONDITIONS}Resources:\n");
    for index in 0..10_000 {
        let policy = "{a: !If [IsTest, !Sub '${Env}', !FindInMap [Accounts, !Ref AWS::Region, elb]]}";
        writeln!(source, "  K{index}: {{Type: AWS::KMS::Key, Properties: {{KeyPolicy: {policy}}}}}").unwrap();
    }
    let mut arena = Arena::default();
    yaml::parse(&source, &mut arena, &mut Vec::new());
    assert_eq!(documents(Tree::new(&source, &arena), None).len(), 10_000);
}
