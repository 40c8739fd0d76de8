//! Finds what a file says about keys, whatever it is: a policy, a template, a module, a plan, a script.
//!
//! That is a [`Document`]: a key policy, a grant, or an IAM policy.
//!
//! | module | reads |
//! | --- | --- |
//! | `key_policy` | the policy itself as JSON, told from the other policies that look like it |
//! | `documents` | a policy as a text in JSON or YAML: what the AWS CLI prints and takes, and what Kubernetes and Pulumi are given |
//! | `plan` | plans and states of Terraform |
//! | `grant` | grants: the request for one, the list of those that exist, and the words of other tools |
//! | `cloudformation` | templates in JSON and YAML |
//! | `terraform` | modules: the files of a folder |
//! | `command` | commands of the AWS CLI that create a grant, in any text |
//!
//! A policy that is written out is found where it stands in the tree. One that is put together is first resolved to a
//! `value`, in each way in which its conditions can turn out (`choices`), and then written into the same arena: to its
//! readers all policies look alike.

mod choices;
mod cloudformation;
mod command;
mod documents;
mod grant;
mod key_policy;
mod language;
mod nested;
mod plan;
mod suffix;
mod terraform;
#[cfg(test)]
#[expect(clippy::string_slice, reason = "a place that splits a character is to fail the test")]
mod testing;
mod value;
mod within;
mod words;

pub use choices::Presence;
pub use language::Language;
pub use terraform::{ModuleFile, Read, ReadFile, has_sign as is_module_with_keys};
pub use words::in_words_of_blocks;

use keylint_source::{Problem, Span};
use keylint_syntax::{Arena, Node, Tree, json, yaml};

use crate::value::Value;

/// What a file or a module has.
#[derive(Debug, Default)]
pub struct Extracted {
    /// The documents, in the order of the file.
    pub documents: Vec<Document>,
    /// What keeps a document, or a file that has one, from being read.
    pub problems: Vec<Problem>,
    /// The files that a module reads.
    pub read_files: Vec<ReadFile>,
}

/// A key policy, a grant, or an IAM policy, in an arena.
#[derive(Debug)]
pub struct Document {
    /// Which of them.
    pub kind: DocumentKind,
    /// The resource that it belongs to; `None` for a file that is the document.
    pub resource: Option<Resource>,
    /// Where it begins: the name of the resource, the words of a command; `None` for a file that is the document.
    pub at: Option<Span>,
    /// What is known of the key, where it is the policy of one.
    pub facts: KeyFacts,
    /// The document in each way in which the conditions around it can turn out: one, if there are none.
    pub ways: Vec<DocumentWay>,
    /// What is not known before deployment, each once.
    pub unknown: Vec<NotKnown>,
    /// What looks like a reference of the template, and stands where it is text.
    pub literal_references: Vec<Span>,
    /// Whether the file is the policy, as KMS is sent it.
    pub is_written_out: bool,
    /// Whether it is written in the blocks of `aws_iam_policy_document`, whose elements have names of their own.
    pub is_in_blocks: bool,
    /// Whether it takes effect only if a command is run that need not be.
    pub is_optional: bool,
}

/// What a document is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DocumentKind {
    /// The policy of a key.
    #[default]
    KeyPolicy,
    /// A grant that is asked for or that exists, in the form of the request that creates it.
    ///
    /// <https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateGrant.html>
    Grant,
    /// An IAM policy that speaks of KMS: the identity policy of a user, a group, or a role.
    IdentityPolicy,
}

/// A document as it is in one way in which conditions can turn out.
#[derive(Debug)]
pub struct DocumentWay {
    /// The index of its node, for [`Tree::get`]. It is no object if the document as a whole is not known.
    pub node: u32,
    /// The bytes that are there in this way.
    pub presence: Presence,
}

/// A value that is not known before deployment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotKnown {
    /// Its name in the file: a parameter, a reference, an expression.
    pub name: String,
    /// Where the document first depends on it.
    pub at: Span,
    /// The value that it has where nobody says otherwise.
    pub default: Option<String>,
}

/// A resource of a template or a module.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
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
    /// The address of the key, where its policy is a resource of its own.
    pub key: Option<String>,
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

/// A document that was put together, before it is written into an arena.
#[derive(Debug, Default)]
pub(crate) struct Resolved {
    pub(crate) kind: DocumentKind,
    /// What it is if it does not look like that.
    pub(crate) or_else: Option<DocumentKind>,
    /// The resource that it belongs to. Without a name: none.
    pub(crate) resource: Resource,
    pub(crate) facts: KeyFacts,
    /// The document in each way in which conditions can turn out. Ways in which there is none are left out.
    pub(crate) ways: Vec<Way>,
    /// For names of what is not known: the value that it has where nothing else is said.
    pub(crate) defaults: Vec<(String, String)>,
    /// What looks like a reference of the template, and stands where it is text.
    pub(crate) literal_references: Vec<Span>,
    /// What is wrong with a text that should be a policy.
    pub(crate) problems: Vec<Problem>,
    /// Whether it is what it is because of where it stands. Otherwise it has to look like it.
    pub(crate) is_certain: bool,
    /// Whether it is written in the blocks of a policy document.
    pub(crate) is_in_blocks: bool,
    /// Whether it is a command that need not be run.
    pub(crate) is_optional: bool,
}

/// A document as it is in one way in which conditions can turn out.
#[derive(Debug)]
pub(crate) struct Way {
    pub(crate) value: Value,
    /// The bytes that are there in this way.
    pub(crate) presence: Presence,
}

/// The documents of a file. `account` is the account that it is deployed in, if the user says so.
///
/// The arena is cleared first; the documents are nodes of it, with the file's text. A file that has nothing to do with
/// keys is not parsed. One that has, and cannot be parsed, has problems and no documents.
pub fn extract(language: Language, text: &str, account: Option<&str>, arena: &mut Arena) -> Extracted {
    arena.clear();
    match language {
        Language::Json => with_commands(from_json(text, account, arena), text, arena),
        Language::Yaml => with_commands(from_yaml(text, account, arena), text, arena),
        Language::Terraform { is_json } => {
            let path = if is_json { "main.tf.json" } else { "main.tf" };
            extract_module(&[ModuleFile { path, text }], account, &|_| None, arena)
        }
        Language::Other => with_commands(Extracted::default(), text, arena),
    }
}

/// Adds the commands in a text to what it has otherwise: a pipeline's steps, the script of a template.
fn with_commands(mut extracted: Extracted, text: &str, arena: &mut Arena) -> Extracted {
    if extracted.problems.is_empty() && command::has_sign(text) {
        write(grant::in_commands(text), text, arena, &mut extracted);
    }
    extracted
}

/// The documents of a module, given its files. Places are counted through all files in their order, with one byte
/// between two, and on through the files that the module reads; so is the text that the arena's nodes need:
/// [`module_text`].
pub fn extract_module(
    files: &[ModuleFile<'_>],
    account: Option<&str>,
    read: &Read<'_>,
    arena: &mut Arena,
) -> Extracted {
    arena.clear();
    if !files.iter().any(|file| terraform::has_sign(file.text)) {
        return Extracted::default();
    }
    let found = terraform::documents(files, account, read);
    let mut extracted = Extracted { problems: found.problems, ..Extracted::default() };
    let text = module_text(files, &found.read_files);
    write(found.documents, &text, arena, &mut extracted);
    extracted.read_files = found.read_files;
    extracted
}

/// The text that places in a module count in. A module of one file that reads no other is that file.
pub fn module_text<'m>(files: &[ModuleFile<'m>], read_files: &[ReadFile]) -> std::borrow::Cow<'m, str> {
    if let ([only], []) = (files, read_files) {
        return std::borrow::Cow::Borrowed(only.text);
    }
    let texts = files.iter().map(|file| file.text).chain(read_files.iter().map(|file| file.text.as_str()));
    let mut whole = String::new();
    for text in texts {
        whole.push_str(text);
        whole.push('\n');
    }
    std::borrow::Cow::Owned(whole)
}

fn from_json(text: &str, account: Option<&str>, arena: &mut Arena) -> Extracted {
    let mut extracted = Extracted::default();
    json::parse(text, arena, &mut extracted.problems);
    extracted
        .problems
        .retain(|problem| !text.get(problem.at.range()).is_some_and(key_policy::is_output_tail));
    if !extracted.problems.is_empty() {
        // What could be read may be less than what is there: a finding about it might be wrong.
        if !key_policy::looks_like_policy(text) && !language::declares_holder(text) {
            extracted.problems.clear();
        }
        extracted
            .problems
            .dedup_by(|later, earlier| later.message == earlier.message && later.help == earlier.help);
        return extracted;
    }
    let Some(root) = Tree::new(text, arena).root() else { return extracted };
    if cloudformation::is_template(root) {
        let found = cloudformation::documents(Tree::new(text, arena), account);
        write(found, text, arena, &mut extracted);
        return extracted;
    }
    if root.get("Statement").is_none() {
        let found = documents::documents(root);
        if !found.is_empty() {
            write(found, text, arena, &mut extracted);
            return extracted;
        }
    }
    key_policy::forget_intrinsics(text, arena);
    let root = Tree::new(text, arena).root();
    let kinds = [DocumentKind::KeyPolicy, DocumentKind::Grant, DocumentKind::IdentityPolicy];
    let kind = root.and_then(|root| kinds.into_iter().find(|kind| kind.is_that_of(root)));
    extracted.documents.extend(kind.zip(root).map(|(kind, root)| Document::written_out(kind, root)));
    extracted
}

fn from_yaml(text: &str, account: Option<&str>, arena: &mut Arena) -> Extracted {
    let mut extracted = Extracted::default();
    let is_template = cloudformation::has_sign(text);
    let is_object = || ["kms.services.k8s.aws/", "aws:kms"].iter().any(|sign| text.contains(sign));
    let is_of_iam = || text.contains("iam.services.k8s.aws/") && language::names_kms(text);
    let is_request = || text.contains("GranteePrincipal");
    if !is_template && !is_object() && !is_of_iam() && !is_request() {
        return extracted;
    }
    yaml::parse(text, arena, &mut extracted.problems);
    if !extracted.problems.is_empty() {
        if !is_template || !language::declares_holder(text) {
            extracted.problems.clear();
        }
        return extracted;
    }
    let tree = Tree::new(text, arena);
    let mut found = cloudformation::documents(tree, account);
    found.extend(tree.roots().flat_map(documents::documents));
    found.sort_by_key(|found| found.resource.at);
    // What `--cli-input-yaml` takes.
    let root = tree.root().filter(|root| found.is_empty() && grant::is_request(*root));
    extracted.documents.extend(root.map(|root| Document::written_out(DocumentKind::Grant, root)));
    write(found, text, arena, &mut extracted);
    extracted
}

/// The IAM policy that a text in JSON is, whatever it is about: of a file that is said to be one, it matters also that
/// it says nothing of KMS, or everything. The arena is cleared first.
pub fn identity_policy(text: &str, arena: &mut Arena) -> Option<Document> {
    arena.clear();
    let mut problems = Vec::new();
    json::parse(text, arena, &mut problems);
    let root = Tree::new(text, arena).root().filter(|_| problems.is_empty())?;
    key_policy::names_no_principals(root).then(|| Document::written_out(DocumentKind::IdentityPolicy, root))
}

impl DocumentKind {
    /// Whether an object is a document of this kind, by what is in it.
    fn is_that_of(self, node: Node<'_>) -> bool {
        match self {
            Self::KeyPolicy => key_policy::is_key_policy(node),
            Self::Grant => grant::is_request(node),
            Self::IdentityPolicy => key_policy::is_identity_policy(node),
        }
    }
}

impl Document {
    /// A document that is the file.
    fn written_out(kind: DocumentKind, node: Node<'_>) -> Self {
        Self {
            kind,
            resource: None,
            at: None,
            facts: KeyFacts::default(),
            ways: vec![DocumentWay { node: node.id(), presence: Presence::default() }],
            unknown: Vec::new(),
            literal_references: Vec::new(),
            is_written_out: true,
            is_in_blocks: false,
            is_optional: false,
        }
    }
}

/// Writes documents into the arena, behind what is there.
fn write(found: Vec<Resolved>, text: &str, arena: &mut Arena, extracted: &mut Extracted) {
    for resolved in found {
        let mut document = Document {
            kind: resolved.kind,
            at: Some(resolved.resource.at),
            resource: Some(resolved.resource).filter(|resource| !resource.name.is_empty()),
            facts: resolved.facts,
            ways: Vec::with_capacity(resolved.ways.len()),
            unknown: Vec::new(),
            literal_references: resolved.literal_references,
            is_written_out: false,
            is_in_blocks: resolved.is_in_blocks,
            is_optional: resolved.is_optional,
        };
        let kinds = [Some(resolved.kind), resolved.or_else];
        let mut looks_like = kinds.map(|_| resolved.is_certain);
        for mut way in resolved.ways {
            suffix::spell_out_services(&mut way.value);
            let slot = way.value.write(arena);
            for (kind, looks_like) in kinds.iter().zip(&mut looks_like) {
                *looks_like |=
                    kind.is_some_and(|kind| kind.is_that_of(Tree::new(text, arena).get(slot.id())));
            }
            document.ways.push(DocumentWay { node: slot.id(), presence: way.presence });
            way.value.for_each_unknown(&mut |name, at| {
                if !is_symbol(name) && !document.unknown.iter().any(|known| known.name == name) {
                    let default = resolved.defaults.iter().find(|(known, _)| known == name);
                    let default = default.map(|(_, default)| default.clone());
                    document.unknown.push(NotKnown { name: name.to_owned(), at, default });
                }
            });
        }
        let kind = kinds.into_iter().zip(looks_like).find_map(|(kind, is_it)| kind.filter(|_| is_it));
        if let Some(kind) = kind {
            document.kind = kind;
            extracted.problems.extend(resolved.problems);
            extracted.documents.push(document);
        }
    }
    extracted.problems.sort_by(|left, right| (left.at, &left.message).cmp(&(right.at, &right.message)));
    extracted.problems.dedup();
}

/// Whether what is not known is as good as known: the account, the partition and the Region of a deployment are the
/// same wherever they are spoken of.
fn is_symbol(name: &str) -> bool {
    is_pseudo_parameter(name)
        || ["aws_caller_identity.", "aws_partition.", "aws_region."]
            .iter()
            .any(|source| name.contains(source))
}

/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/pseudo-parameter-reference.html>
fn is_pseudo_parameter(name: &str) -> bool {
    const NAMES: [&str; 8] = [
        "AWS::AccountId",
        "AWS::NoValue",
        "AWS::NotificationARNs",
        "AWS::Partition",
        "AWS::Region",
        "AWS::StackId",
        "AWS::StackName",
        "AWS::URLSuffix",
    ];
    NAMES.contains(&name)
}
