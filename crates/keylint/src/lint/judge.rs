//! What there is to say about the documents of a file or a module.

use keylint_extract::{Document, DocumentKind, Extracted};
use keylint_policy::grant::Grant;
use keylint_policy::model::{Policy, Text};
use keylint_report::Unknown;
use keylint_rules::{Access, KeyKnowledge, Part};
use keylint_source::{Diagnostic, FileId, Location, Span};
use keylint_syntax::{Kind, Node, Tree};

use super::{Linted, Linter, diagnostic};
use crate::ways;

impl Linter {
    /// Checks the documents that were found. `path_of` tells the path of the file that has a place, `place` leads from a
    /// place of the tree to the file, and `is_asked` tells whether something at a place is to be reported.
    pub(super) fn check<'k>(
        &'k self,
        extracted: &'k Extracted,
        tree: Tree<'_>,
        file: FileId,
        path_of: &dyn Fn(Location) -> &'k str,
        place: &dyn Fn(Location) -> Location,
        is_asked: &dyn Fn(Location) -> bool,
    ) -> Linted {
        let mut linted = Linted::default();
        for problem in &extracted.problems {
            let mut found = diagnostic("invalid-syntax", file, problem.clone());
            found.move_to(place);
            if is_asked(found.primary.at) {
                linted.diagnostics.push(found);
            }
        }
        let grants = grants(extracted, tree);
        for document in &extracted.documents {
            let resource = document.resource.as_ref();
            let declared = place(Location { file, span: document.at.unwrap_or(Span::empty(0)) });
            let is_of_asked = document.at.is_none() || is_asked(declared);
            let name = resource.map(|resource| resource.name.as_str());
            let path = path_of(declared);
            let mut found = match document.kind {
                DocumentKind::KeyPolicy => {
                    let mut known = self.known(path, name);
                    complete(&mut known, document);
                    let mut found = self.policy(document, tree, file, &known);
                    found.extend(self.granted(document, &grants, tree, file, &known));
                    found
                }
                DocumentKind::Grant => {
                    let mut known = self.known_of_grants(path);
                    complete(&mut known, document);
                    if let Some(key) = document_of_key(document, extracted, tree) {
                        complete(&mut known, key);
                    }
                    self.grant(document, &grants, tree, file, &known)
                }
                DocumentKind::IdentityPolicy => self.identity_policy(document, tree, file),
            };
            for diagnostic in &mut found {
                diagnostic.resource = resource.map(|resource| resource.name.clone());
                diagnostic.move_to(place);
                if document.is_in_blocks {
                    diagnostic.reword(keylint_extract::in_words_of_blocks);
                }
            }
            found.retain(|found| is_of_asked || is_asked(found.primary.at));
            let is_known = document.ways.iter().any(|way| tree.get(way.node).kind() == Kind::Object);
            if (is_of_asked || !found.is_empty()) && is_known {
                *match document.kind {
                    DocumentKind::KeyPolicy => &mut linted.policies,
                    DocumentKind::Grant => &mut linted.grants,
                    DocumentKind::IdentityPolicy => &mut linted.identity_policies,
                } += 1;
            }
            linted.diagnostics.append(&mut found);
            // What an IAM policy says of other services does not matter here.
            if document.kind != DocumentKind::IdentityPolicy {
                let named = document.unknown.iter().filter(|unknown| !unknown.name.is_empty());
                let unknown = named.map(|unknown| Unknown {
                    at: place(Location { file, span: unknown.at }),
                    name: unknown.name.clone(),
                    default: unknown.default.clone(),
                    resource: resource.map(|resource| resource.name.clone()),
                });
                linted.unknown.extend(unknown.filter(|unknown| is_of_asked || is_asked(unknown.at)));
            }
        }
        // What several keys share is told once.
        linted.diagnostics.sort_by(Diagnostic::order);
        linted.diagnostics.dedup_by(|later, earlier| later.repeats(earlier));
        linted
    }

    /// What there is to say about a key policy, whichever way its conditions turn out.
    fn policy(
        &self,
        document: &Document,
        tree: Tree<'_>,
        file: FileId,
        known: &KeyKnowledge<'_>,
    ) -> Vec<Diagnostic> {
        in_all_ways(document, tree, |node| {
            self.rules.check(&self.selection, node, &keylint_policy::lower(node), known, file)
        })
    }

    /// What there is to say about a grant.
    fn grant(
        &self,
        document: &Document,
        others: &[Grant<'_>],
        tree: Tree<'_>,
        file: FileId,
        known: &KeyKnowledge<'_>,
    ) -> Vec<Diagnostic> {
        in_all_ways(document, tree, |node| {
            let grant = grant_of(document, node);
            self.rules.check_grant(&self.selection, &grant, alike(others, &grant), known, file)
        })
    }

    /// What there is to say about an IAM policy.
    fn identity_policy(&self, document: &Document, tree: Tree<'_>, file: FileId) -> Vec<Diagnostic> {
        in_all_ways(document, tree, |node| {
            self.rules.check_identity_policy(&self.selection, &keylint_policy::lower(node), file)
        })
    }

    /// What there is to say about a key policy and the grants of the same file that refer to its key.
    fn granted(
        &self,
        document: &Document,
        grants: &[Grant<'_>],
        tree: Tree<'_>,
        file: FileId,
        known: &KeyKnowledge<'_>,
    ) -> Vec<Diagnostic> {
        let of_key: Vec<&Grant<'_>> =
            grants.iter().filter(|grant| refers_to(grant, document) || is_for(grant, known)).collect();
        let Some(first) = of_key.first() else { return Vec::new() };
        let declared = Location { file, span: first.heading };
        in_all_ways(document, tree, |node| {
            let policy: Policy<'_> = keylint_policy::lower(node);
            let access = Access {
                service: None,
                account: None,
                declared,
                key: known.clone(),
                policy: Part { document: &policy, file },
                grants: Some(of_key.iter().map(|&grant| Part { document: grant, file }).collect()),
                identity_policies: None,
                lists_identity_policies: false,
            };
            self.rules.check_access(&self.selection, &access).0
        })
    }
}

/// Adds what the resource says of the key: that is what will be deployed.
fn complete<'k>(known: &mut KeyKnowledge<'k>, document: &'k Document) {
    let facts = &document.facts;
    known.spec = facts.spec.as_deref().or(known.spec);
    known.usage = facts.usage.as_deref().or(known.usage);
    known.multi_region = facts.multi_region.or(known.multi_region);
    known.bypasses_lockout_check = facts.bypasses_lockout_check == Some(true);
    known.is_written_out = document.is_written_out;
    known.literal_references.clone_from(&document.literal_references);
}

/// The grants of a file that are there whichever way conditions turn out.
fn grants<'t>(extracted: &Extracted, tree: Tree<'t>) -> Vec<Grant<'t>> {
    let all = extracted.documents.iter().filter(|document| document.kind == DocumentKind::Grant);
    let one = |document: &Document| match document.ways.as_slice() {
        [only] => {
            let node = tree.get(only.node);
            (node.kind() == Kind::Object).then(|| grant_of(document, node))
        }
        _ => None,
    };
    let mut grants: Vec<Grant<'t>> = all.filter_map(one).collect();
    grants.sort_by(|left, right| {
        key_and_grantee(left).cmp(&key_and_grantee(right)).then(left.span.cmp(&right.span))
    });
    grants
}

/// Grants for the same key and grantee that are looked at together; a script that has more is no script of a person's.
const ALIKE: usize = 40;

/// Of the grants of a file, those for the same key and grantee as one.
fn alike<'g, 't>(grants: &'g [Grant<'t>], grant: &Grant<'_>) -> &'g [Grant<'t>] {
    let wanted = key_and_grantee(grant);
    let start = grants.partition_point(|other| key_and_grantee(other) < wanted);
    let rest = grants.get(start..).unwrap_or_default();
    let count = rest.iter().take(ALIKE).take_while(|other| key_and_grantee(other) == wanted).count();
    rest.get(..count).unwrap_or_default()
}

fn key_and_grantee<'t>(grant: &Grant<'t>) -> [&'t str; 3] {
    [grant.key, grant.grantee, grant.grantee_service].map(|given| given.text().map_or("", Text::as_str))
}

/// The grant that a document is.
fn grant_of<'t>(document: &Document, node: Node<'t>) -> Grant<'t> {
    Grant { always: !document.is_optional, ..Grant::of(node, document.at) }
}

/// The key policy of the key that a grant refers to, in the same file.
fn document_of_key<'e>(grant: &Document, extracted: &'e Extracted, tree: Tree<'_>) -> Option<&'e Document> {
    let grant = Grant::of(tree.get(grant.ways.first()?.node), grant.at);
    let policies = extracted.documents.iter().filter(|document| document.kind == DocumentKind::KeyPolicy);
    let mut of_key = policies.filter(|document| refers_to(&grant, document));
    of_key.next()
}

/// Whether a grant names its key by a reference to the resource that a policy belongs to.
pub(super) fn refers_to(grant: &Grant<'_>, policy: &Document) -> bool {
    let key = policy.facts.key.as_deref().or(policy.resource.as_ref().map(|resource| resource.name.as_str()));
    let reference = grant.key.text().and_then(|text| text.as_str().strip_prefix("${")?.strip_suffix('}'));
    let Some((key, reference)) = key.zip(reference) else { return false };
    let rest = reference.strip_prefix(key);
    let attribute = rest.map(|rest| rest.trim_start_matches(|character| character != '.'));
    let is_direct = rest.is_some_and(|rest| rest.starts_with(['.', '[']));
    is_direct && matches!(attribute, Some(".arn" | ".key_id" | ".id"))
}

/// Whether a grant names the key by the ARN that the user gives.
fn is_for(grant: &Grant<'_>, known: &KeyKnowledge<'_>) -> bool {
    known.arn.is_some() && grant.key.known().map(Text::as_str) == known.arn
}

/// What is found in a document whichever way its conditions turn out, given what is found in the object of each way.
fn in_all_ways<'t>(
    document: &Document,
    tree: Tree<'t>,
    find: impl Fn(Node<'t>) -> Vec<Diagnostic>,
) -> Vec<Diagnostic> {
    let ways = document.ways.iter().map(|way| (tree.get(way.node), &way.presence));
    let known = ways.filter(|(node, _)| node.kind() == Kind::Object);
    ways::in_all(known.map(|(node, presence)| (find(node), presence)).collect())
}
