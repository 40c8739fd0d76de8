//! What the selected rules find in a document: a key policy, a grant, an IAM policy, or several that have to agree.

use std::borrow::Cow;

use keylint_policy::grant::Grant;
use keylint_policy::model::Policy;
use keylint_policy::{Answer, grammar};
use keylint_source::{Diagnostic, FileId, Label, Location, Problem};
use keylint_syntax::Node;

use crate::access::{Access, Chain, Link};
use crate::checks::Check;
use crate::facts::Facts;
use crate::finding::Finding;
use crate::grant_facts::GrantFacts;
use crate::identity_policy::{HeldPolicy, is_about_kms};
use crate::owner::key_of;
use crate::rule::{Decision, Rule};
use crate::rule_set::{KeyKnowledge, RuleSet, Selection};
use crate::{ask, ask_owner, integration, matching};

impl RuleSet {
    /// What the selected rules find in a key policy.
    ///
    /// `node` is the object that `policy` was lowered from.
    pub fn check(
        &self,
        selection: &Selection,
        node: Node<'_>,
        policy: &Policy<'_>,
        known: &KeyKnowledge<'_>,
        file: FileId,
    ) -> Vec<Diagnostic> {
        let (mut key, owner) = key_of(policy, known.account, known.arn);
        key.organization = known.organization.map(Cow::Borrowed);
        let facts = Facts::new(policy, &key, owner, known);
        let asking = ask::Asking::new(&facts);
        self.find(selection, file, |rule, found| {
            let problems = |problems: Vec<Problem>| problems.into_iter().map(|p| said(rule, p, file));
            match &rule.decision {
                Decision::Ask(questions) => {
                    let with_possible = found.perhaps;
                    let mut all = ask::ask(questions, &asking);
                    all.extend(ask_owner::ask_owner(questions, &facts));
                    all.extend(integration::ask_services(
                        questions,
                        &facts,
                        &self.services,
                        &known.serves,
                        &found.yielded_to(rule),
                        with_possible,
                    ));
                    all
                }
                Decision::Match(form) => matching::find(form, rule.info.severity, &facts),
                Decision::Check(Check::Policy(check)) => check(&facts, &self.services, rule.info.severity),
                Decision::Check(Check::Text(check)) => check(node, &facts, rule.info.severity),
                Decision::Grammar => {
                    found.diagnostics.extend(problems(grammar::problems(node)));
                    Vec::new()
                }
                Decision::Schema(schema) => {
                    let violations = schema.violations(node).into_iter();
                    let violations = violations.map(|violation| violation.problem).collect();
                    found.diagnostics.extend(problems(violations));
                    Vec::new()
                }
                Decision::Check(_) | Decision::BuiltIn => Vec::new(),
            }
        })
    }

    /// What the selected rules find in a grant. `others` are the grants of its file, itself among them or not.
    pub fn check_grant(
        &self,
        selection: &Selection,
        grant: &Grant<'_>,
        others: &[Grant<'_>],
        known: &KeyKnowledge<'_>,
        file: FileId,
    ) -> Vec<Diagnostic> {
        let facts = GrantFacts { grant, others, known };
        self.find(selection, file, |rule, _| match &rule.decision {
            Decision::Check(Check::Grant(check)) => check(&facts, &self.services, rule.info.severity),
            _ => Vec::new(),
        })
    }

    /// What the selected rules find in an IAM policy that is attached to a user, a group, or a role.
    pub fn check_identity_policy(
        &self,
        selection: &Selection,
        policy: &Policy<'_>,
        file: FileId,
    ) -> Vec<Diagnostic> {
        let held = HeldPolicy::new(policy);
        let (key, owner) = key_of(policy, None, None);
        let known = KeyKnowledge::default();
        let facts = Facts::new(policy, &key, owner, &known);
        self.find(selection, file, |rule, _| match &rule.decision {
            Decision::Check(Check::Identity(check)) => check(&held, rule.info.severity),
            Decision::Check(Check::Policy(check)) if rule.also_for_identity_policies => {
                let mut found = check(&facts, &self.services, rule.info.severity);
                found.retain(is_about_kms);
                found
            }
            _ => Vec::new(),
        })
    }

    /// What the selected rules find in documents that have to agree, and how they hang together.
    pub fn check_access(&self, selection: &Selection, access: &Access<'_>) -> (Vec<Diagnostic>, Vec<Link>) {
        let (mut key, owner) = key_of(access.policy.document, access.key.account, access.arn());
        key.organization = access.key.organization.map(Cow::Borrowed);
        let facts = Facts::new(access.policy.document, &key, owner, &access.key);
        let service = self.services.iter().find(|service| Some(service.name.as_str()) == access.service);
        let chain = Chain::new(access, &facts, service, &self.services);
        let found = self.find(selection, access.policy.file, |rule, _| match &rule.decision {
            Decision::Check(Check::Access(check)) => check(&chain, rule.info.severity),
            _ => Vec::new(),
        });
        (found, chain.links())
    }

    /// Goes through the selected rules. What a rule finds that another has said already is left out.
    fn find<'s, 'p>(
        &'s self,
        selection: &Selection,
        file: FileId,
        mut look: impl FnMut(&'s Rule, &mut Found<'s, 'p>) -> Vec<Finding<'p>>,
    ) -> Vec<Diagnostic> {
        let mut found = Found { diagnostics: Vec::new(), findings: Vec::new(), perhaps: false };
        let chosen = selection.certain.iter().zip(&selection.perhaps);
        for (rule, (&certain, &perhaps)) in self.rules.iter().zip(chosen) {
            if certain || perhaps {
                found.perhaps = perhaps;
                let mut by_rule = look(rule, &mut found);
                by_rule.retain(|finding| if finding.certain == Answer::Yes { certain } else { perhaps });
                found.add(rule, by_rule);
            }
        }
        let Found { mut diagnostics, findings, .. } = found;
        diagnostics.extend(findings.into_iter().map(|(rule, finding)| {
            let texts = match (&rule.decision, finding.question) {
                (Decision::Ask(questions), Some(index)) => {
                    questions.get(index).map(|question| &question.texts)
                }
                _ => None,
            };
            finding.into_diagnostic(rule, texts, file)
        }));
        diagnostics
    }
}

/// What has been found so far.
struct Found<'s, 'p> {
    diagnostics: Vec<Diagnostic>,
    findings: Vec<(&'s Rule, Finding<'p>)>,
    /// Whether the rule that is at work is asked for what is not certain, too.
    perhaps: bool,
}

impl<'p> Found<'_, 'p> {
    /// The findings of the rules that a rule yields to.
    fn yielded_to(&self, rule: &Rule) -> Vec<&Finding<'p>> {
        let of_others = self.findings.iter().filter(|(other, _)| rule.yields_to.contains(&other.info.name));
        of_others.map(|(_, finding)| finding).collect()
    }
}

impl<'s, 'p> Found<'s, 'p> {
    fn add(&mut self, rule: &'s Rule, mut by_rule: Vec<Finding<'p>>) {
        if !rule.yields_to.is_empty() {
            by_rule.retain(|finding| {
                let yields_to = |name: &str| rule.yields_to.iter().any(|other| other == name);
                let by_finding = self
                    .findings
                    .iter()
                    .any(|(other, reported)| yields_to(&other.info.name) && covers(reported, finding));
                let by_problem = self
                    .diagnostics
                    .iter()
                    .any(|other| yields_to(&other.rule) && other.primary.at.span.overlaps(finding.primary));
                !by_finding && !by_problem
            });
        }
        self.findings.extend(by_rule.into_iter().map(|finding| (rule, finding)));
    }
}

/// Whether a finding says already what another says: about the same statement and operation, or of the same place.
fn covers(reported: &Finding<'_>, finding: &Finding<'_>) -> bool {
    let same_file = reported.file == finding.file;
    let same = reported.statement.zip(finding.statement).is_some_and(|(one, other)| one.index == other.index);
    let same_operation = same && !reported.about.1.intersection(finding.about.1).is_empty();
    let mut places = std::iter::once(&reported.primary).chain(&reported.related);
    let same_place = places.any(|place| place.overlaps(finding.primary));
    reported.certain == Answer::Yes && same_file && (same_operation || same_place)
}

fn said(rule: &Rule, problem: Problem, file: FileId) -> Diagnostic {
    let at = Location { file, span: problem.at };
    let mut diagnostic = Diagnostic::new(rule.info.name.clone(), rule.info.severity, problem.message, at);
    diagnostic.primary = Label::new(at, problem.label);
    diagnostic.help = problem.help;
    diagnostic
}
