//! The tags by which templates of CloudFormation call functions.
//!
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html>

use granit_parser::Tag;

/// The functions, as they are called in full.
const FUNCTIONS: [&str; 19] = [
    "Fn::And",
    "Fn::Base64",
    "Fn::Cidr",
    "Fn::Equals",
    "Fn::FindInMap",
    "Fn::ForEach",
    "Fn::GetAZs",
    "Fn::GetAtt",
    "Fn::If",
    "Fn::ImportValue",
    "Fn::Join",
    "Fn::Length",
    "Fn::Not",
    "Fn::Or",
    "Fn::Select",
    "Fn::Split",
    "Fn::Sub",
    "Fn::ToJsonString",
    "Fn::Transform",
];

/// What has the same name in both forms.
const REFERENCES: [&str; 2] = ["Condition", "Ref"];

/// The name in full of the function that a tag is the short form of.
pub(super) fn function(tag: &Tag) -> Option<&'static str> {
    let ("!", name) = tag.parts() else { return None };
    let in_full = FUNCTIONS.into_iter().find(|function| function.strip_prefix("Fn::") == Some(name));
    in_full.or_else(|| REFERENCES.into_iter().find(|reference| *reference == name))
}
