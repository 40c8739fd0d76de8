//! Finds the key policies in a file.
//!
//! So far a file is one key policy in JSON, as `aws kms put-key-policy` takes it; with
//! `aws kms get-key-policy --output text` the policy's name follows behind a tab.

mod key_policy;

pub use key_policy::{Found, forget_intrinsics, is_json, is_output_tail, key_policies, looks_like_policy};
