//! Finds the key policies in a file, whatever it is: a policy, a template, a module, a plan.
//!
//! | module | reads |
//! | --- | --- |
//! | `key_policy` | the policy itself as JSON, told from the other policies that look like it |
//! | `documents` | what the AWS CLI prints and takes, and Terraform's plans and states: a policy as a text in JSON |
//! | `cloudformation` | templates in JSON and YAML |
//! | `terraform` | modules: the files of a folder |
//!
//! A policy that is written out is found where it stands in the tree. One that is put together is first resolved to a
//! `value`, in each way in which its conditions can turn out (`choices`), and then written into the same arena: to its
//! readers all policies look alike.

mod choices;
mod cloudformation;
mod key_policy;
mod nested;
mod value;

pub use key_policy::{Found, forget_intrinsics, is_json, is_output_tail, key_policies, looks_like_policy};

use keylint_source::{Problem, Span};

use crate::value::Value;

/// A policy that was put together, before it is written into an arena.
#[derive(Debug)]
pub(crate) struct Resolved {
    /// The resource that it belongs to.
    pub(crate) resource: Resource,
    pub(crate) facts: KeyFacts,
    /// The policy in each way in which conditions can turn out. Ways in which there is none are left out.
    pub(crate) ways: Vec<Way>,
    /// For names of what is not known: the value that it has where nothing else is said.
    pub(crate) defaults: Vec<(String, String)>,
    /// What is wrong with a text that should be a policy.
    pub(crate) problems: Vec<Problem>,
    /// Whether it is a key policy because of where it stands. Otherwise it has to look like one.
    pub(crate) is_certain: bool,
    /// Whether it is written in the blocks of a policy document.
    pub(crate) is_in_blocks: bool,
}

/// A policy as it is in one way in which conditions can turn out.
#[derive(Debug)]
pub(crate) struct Way {
    pub(crate) policy: Value,
    /// The bytes that are not there in this way.
    pub(crate) left_out: Vec<Span>,
}

/// A resource of a template or a module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    /// Its logical id, or its address.
    pub name: String,
    /// Where it is declared: its name, or its first words.
    pub at: Span,
}

/// What a template or a module says of a key, as far as it is known before deployment.
///
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-kms-key.html>
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyFacts {
    /// `SYMMETRIC_DEFAULT`, `RSA_4096`, ….
    pub spec: Option<String>,
    /// `ENCRYPT_DECRYPT`, `SIGN_VERIFY`, ….
    pub usage: Option<String>,
    /// `AWS_KMS`, `EXTERNAL`, ….
    pub origin: Option<String>,
    /// Whether it is a multi-Region key.
    pub multi_region: Option<bool>,
    /// Whether its key material is rotated automatically.
    pub rotation: Option<bool>,
    /// Whether KMS is told not to check that the policy keeps the key manageable.
    pub bypasses_lockout_check: Option<bool>,
}
