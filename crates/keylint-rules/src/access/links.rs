//! The chain as it is shown: each document, with what it does or lacks.

use keylint_policy::Answer;
use keylint_policy::grant::{Given, Grant};
use keylint_policy::vocabulary::Operation;
use keylint_source::{Location, Span};

use super::{Chain, Link, Part};
use crate::finding::grant_operation_list;
use crate::grant_facts::{is_alias, is_key_id, lacking, misplaced_grantee, regions_differ};

impl<'p> Chain<'_, 'p> {
    /// The documents in their order, with what each does.
    pub(crate) fn links(&self) -> Vec<Link> {
        let mut links = vec![self.link_of_policy()];
        links.extend(self.links_of_grants());
        links.push(self.link_of_identity_policy());
        links
    }

    fn link_of_policy(&self) -> Link {
        let policy = self.access.policy;
        let link = |holds, span, says: String| Link {
            document: "key policy",
            holds,
            at: Some(policy.at(span)),
            says,
        };
        let account = self.account().unwrap_or("?").to_owned();
        let heading = self.facts.policy().heading;
        let grant = self.grants.first().map(|part| part.document);
        let (may, cause) = self.may_create(grant);
        match (may, cause) {
            (Answer::No, Some(cause)) => {
                let span = cause.place().unwrap_or(heading);
                link(Answer::No, span, format!("does not let account {account} create the grant"))
            }
            (Answer::Maybe | Answer::No, _) => {
                link(Answer::Maybe, heading, "whether it lets the grant be created is not known".to_owned())
            }
            (Answer::Yes, _) => {
                if let Some((denial, _)) = self.denied_to_role() {
                    let says = "denies the service what it needs, with or without a grant".to_owned();
                    return link(Answer::No, denial.actions.value, says);
                }
                let unshared = self.unshared();
                if unshared.is_empty() {
                    let creates = match self.creators.as_slice() {
                        [_, _] if self.access.account.is_some() => ", and the grant be created",
                        _ => " and create the grant",
                    };
                    link(Answer::Yes, heading, format!("lets account {account} use the key{creates}"))
                } else {
                    let lacking = crate::finding::operation_list(&unshared);
                    link(Answer::No, heading, format!("does not let account {account} call {lacking}"))
                }
            }
        }
    }

    fn links_of_grants(&self) -> Vec<Link> {
        let link = |holds, at, says: String| Link { document: "grant", holds, at, says };
        if let Some((part, mismatch)) = &self.nearest {
            let given = mismatch.member(part.document);
            let says = format!("is for another {}", mismatch.word());
            let span = given.text().map_or(part.document.heading, keylint_policy::model::Text::span);
            return vec![link(Answer::No, Some(part.at(span)), says)];
        }
        if self.grants.is_empty() {
            let listed = self.access.grants.is_some();
            let says = if listed { "there is none" } else { "none is listed" };
            let holds = if listed { Answer::No } else { Answer::Maybe };
            return vec![link(holds, None, says.to_owned())];
        }
        let others: Vec<Grant<'_>> = self.grants.iter().map(|part| part.document.clone()).collect();
        let one = |part: &Part<&'p Grant<'p>>| {
            if let Some((span, says)) = self.flaw(part.document) {
                return link(Answer::No, Some(part.at(span)), says);
            }
            let lacking =
                self.service.map(|service| lacking(part.document, &others, service)).unwrap_or_default();
            if lacking.is_empty() {
                let at = Some(part.at(part.document.heading));
                return match open_part(part.document) {
                    Some(open) => link(Answer::Maybe, at, format!("{open} is not known")),
                    None => link(Answer::Yes, at, "gives the role what it needs".to_owned()),
                };
            }
            let at = Some(part.at(part.document.operations.span));
            link(Answer::No, at, format!("lacks {}", grant_operation_list(&lacking)))
        };
        self.grants.iter().map(one).collect()
    }

    fn link_of_identity_policy(&self) -> Link {
        let link = |holds, at, says: &str| Link { document: "IAM policy", holds, at, says: says.to_owned() };
        let grant = self.grants.first().map(|part| part.document);
        match self.creator_may(grant) {
            None => link(Answer::Maybe, None, "none is listed"),
            Some((Answer::Yes, _)) => {
                let policies = self.access.identity_policies.iter().flatten().next();
                let at = policies.map(|part| part.at(part.document.heading));
                link(Answer::Yes, at, "lets its holder create the grant")
            }
            Some((Answer::Maybe, _)) => {
                link(Answer::Maybe, None, "whether it lets its holder create the grant is not known")
            }
            Some((Answer::No, None)) => link(Answer::No, None, "there is none"),
            Some((Answer::No, Some(cause))) => {
                let at = Location { file: cause.file, span: cause.place() };
                link(Answer::No, Some(at), "does not let its holder create the grant")
            }
        }
    }

    /// What is wrong with a grant in itself, with the place: the rules about grants say it in full.
    fn flaw(&self, grant: &Grant<'_>) -> Option<(Span, String)> {
        if let Some(text) = grant.key.text() {
            let written = text.as_str();
            if is_alias(written) {
                return Some((text.span(), format!("names the key by the alias `{written}`")));
            }
            if self.access.account.is_some() && is_key_id(written) {
                return Some((text.span(), "names the key without its account".to_owned()));
            }
        }
        if let Some((region, of_key)) = regions_differ(grant) {
            return Some((
                region.span(),
                format!("is asked for in another Region than the key's, `{of_key}`"),
            ));
        }
        for (given, name) in [(grant.key, "key"), (grant.grantee, "grantee")] {
            if given.is_absent() && grant.grantee_service.is_absent() {
                return Some((grant.heading, format!("names no {name}")));
            }
        }
        let unknown = grant.operations.items.iter().find(|item| item.operation.is_none());
        if let Some(item) = unknown {
            return Some((item.text.span(), format!("has `{}`, which is no operation", item.text.as_str())));
        }
        let (spec, usage) = (self.access.key.spec, self.access.key.usage);
        let is_refused = |operation: Operation| !operation.in_grants() || !operation.works_on(spec, usage);
        let refused = grant.operations.items.iter().find(|item| item.operation.is_some_and(is_refused));
        if let Some(item) = refused {
            let says = format!("has `{}`, which KMS refuses for this key", item.text.as_str());
            return Some((item.text.span(), says));
        }
        let text = grant.grantee.text()?;
        if let Some(kind) = misplaced_grantee(grant) {
            return Some((text.span(), format!("is for {kind}")));
        }
        let is_misspelt = self.meant_grantee(grant).is_some();
        is_misspelt.then(|| (text.span(), "is for a role whose ARN is written wrongly".to_owned()))
    }
}

/// What of a grant is not known before it is created, so that it is not sure to be what the service needs.
fn open_part(grant: &Grant<'_>) -> Option<&'static str> {
    let is_open = |given: Given<'_>| !given.is_absent() && given.known().is_none();
    if is_open(grant.key) && !grant.refers_to_key {
        Some("its key")
    } else if is_open(grant.grantee) {
        Some("its grantee")
    } else if grant.operations.open {
        Some("what it permits")
    } else if grant.constraints.open || !grant.constraints.items.is_empty() {
        Some("whether the service meets its constraints")
    } else {
        None
    }
}
