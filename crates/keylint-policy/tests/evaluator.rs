//! The two evaluators, held against each other on random policies and requests.

#[cfg(test)]
mod ask;
#[cfg(test)]
mod decide;
#[cfg(test)]
mod random;

#[cfg(test)]
mod tests {
    use keylint_policy::Answer;
    use keylint_policy::evaluate::{self, State};
    use keylint_policy::vocabulary::Operation;
    use proptest::prelude::*;
    use proptest::sample::select;
    use serde_json::{Value, json};

    use crate::ask::{ask, caller_of, complete, key, of_evaluator};
    use crate::decide::{Caller, Context, Decision, Kind, Reading, Request, decide};
    use crate::random::{self, Grammar, KEYS, Pool, RESTRICTED, completion_values};

    type Completion = Option<Vec<String>>;

    /// Asks the plain evaluator: whether the caller may, for each way its identity policies can be.
    fn readings(
        policy: &Value,
        caller: &Caller,
        policies: Answer,
        operation: &str,
        context: &Context,
    ) -> Vec<Reading> {
        let outcome = decide(policy, Request { caller, operation, key: &key(), context });
        match policies {
            Answer::Yes => vec![outcome.may(true)],
            Answer::No => vec![outcome.may(false)],
            Answer::Maybe => vec![outcome.may(true), outcome.may(false)],
        }
    }

    /// Whether an answer is right if the truth is one of these.
    fn is_right(answer: Answer, readings: &[Reading]) -> bool {
        let is_sound = is_sound(answer, readings);
        let has = |reading| readings.contains(&reading);
        is_sound && (answer != Answer::Maybe || has(Reading::Open) || (has(Reading::Yes) && has(Reading::No)))
    }

    /// Whether an answer claims nothing that is not so.
    fn is_sound(answer: Answer, readings: &[Reading]) -> bool {
        match answer {
            Answer::Yes => !readings.contains(&Reading::No),
            Answer::No => !readings.contains(&Reading::Yes),
            Answer::Maybe => true,
        }
    }

    /// The policy with only those of its statements.
    fn only(policy: &Value, keep: impl Fn(usize, &Value) -> bool) -> Value {
        let mut policy = policy.clone();
        let statements = policy["Statement"].as_array().unwrap().iter().enumerate();
        policy["Statement"] =
            statements.filter(|(index, one)| keep(*index, one)).map(|(_, one)| one.clone()).collect();
        policy
    }

    /// The pools of the keys that a policy speaks of.
    fn mentioned(policy: &Value, pools: &'static [Pool]) -> Vec<&'static Pool> {
        let text = policy.to_string().to_lowercase();
        pools.iter().filter(|pool| text.contains(&pool.key.to_lowercase())).collect()
    }

    /// All combinations of the values of some keys, added to a context; of very many, an even choice of so many.
    fn completions(base: &Context, keys: &[(&str, Vec<Completion>)], at_most: usize) -> Vec<Context> {
        let total: usize = keys.iter().map(|(_, values)| values.len()).product();
        let step = total.div_ceil(at_most);
        let complete = |mut number: usize| {
            let mut context = base.clone();
            for (key, values) in keys {
                let value = &values[number % values.len()];
                number /= values.len();
                match value {
                    Some(value) => context.insert(key.to_lowercase(), value.clone()),
                    None => context.remove(&key.to_lowercase()),
                };
            }
            context
        };
        (0..total).step_by(step).map(complete).collect()
    }

    fn config(cases: u32) -> ProptestConfig {
        // For a longer search: PROPTEST_CASES=100000.
        let cases = std::env::var("PROPTEST_CASES").map_or(cases, |cases| cases.parse().unwrap());
        ProptestConfig {
            cases,
            max_shrink_iters: 20_000,
            failure_persistence: None,
            ..ProptestConfig::default()
        }
    }

    /// How much is known of a key.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    enum Knowledge {
        Known,
        Unknown,
        Free,
    }

    fn knowledge(keys: usize, openness: &[Knowledge]) -> impl Strategy<Value = Vec<Knowledge>> + use<> {
        prop::collection::vec(select(openness.to_vec()), keys)
    }

    /// A context in which some keys of the pools are open.
    fn partly_open<'c>(base: &'c Context, pools: &[Pool], knowledge: &[Knowledge]) -> evaluate::Context<'c> {
        let mut context = evaluate::Context { complete: true, ..evaluate::Context::open() };
        for (pool, knowledge) in pools.iter().zip(knowledge) {
            context = match knowledge {
                Knowledge::Unknown => context.with(pool.key, State::Unknown),
                Knowledge::Free => context.with(pool.key, State::Free),
                Knowledge::Known => context,
            };
        }
        context.entries.extend(complete(base).entries);
        context
    }

    fn values_of<'p>(
        policy: &Value,
        pools: &'static [Pool],
        knowledge: &[Knowledge],
        wanted: Knowledge,
    ) -> Vec<(&'p str, Vec<Completion>)> {
        let mentioned = mentioned(policy, pools);
        let open = pools.iter().zip(knowledge).filter(|(_, knowledge)| **knowledge == wanted);
        let open = open.filter(|(pool, _)| mentioned.iter().any(|one| one.key == pool.key));
        open.map(|(pool, _)| (pool.key, completion_values(pool))).collect()
    }

    proptest! {
        #![proptest_config(config(1500))]

        /// Where everything is known, the fast evaluator says what AWS documents, and never maybe.
        #[test]
        fn nothing_is_open_when_everything_is_known(
            policy in random::policy(Grammar::Full),
            (caller, policies) in random::caller(),
            operation in random::operation(),
            context in random::context(),
        ) {
            let verdict = ask(&policy.to_string(), &caller_of(&caller, policies), operation, &complete(&context));
            let request = Request { caller: &caller, operation, key: &key(), context: &context };
            let plain = decide(&policy, request);
            let decision = plain.decision();
            let case = || format!("{policy:#}\n{caller:#?} {policies:?}\n{operation} {context:#?}\n{plain:?} {verdict:?}");

            prop_assert!(is_right(verdict.answer, &readings(&policy, &caller, policies, operation, &context)), "{}", case());

            // The evidence: what decided, alone, decides the same.
            let allowing = only(&policy, |_, statement| statement["Effect"] == "Allow");
            let without = readings(&allowing, &caller, policies, operation, &context);
            prop_assert!(is_right(verdict.without_denials, &without), "without denials: {}", case());
            let by = |which: Option<usize>| decide(&only(&policy, |index, _| Some(index) == which), request).decision();
            if verdict.answer == Answer::Yes {
                let alone = by(verdict.allowed_by);
                let is_open = [alone, decision].contains(&Decision::Undocumented);
                prop_assert!(is_open || alone == decision, "allowed by: {}", case());
            }
            if verdict.denied_by.is_some() {
                let denies = [Decision::ExplicitDeny, Decision::Undocumented].contains(&by(verdict.denied_by));
                prop_assert!(denies, "denied by: {}", case());
            }
            if verdict.answer == Answer::Yes && decision != Decision::Undocumented {
                prop_assert_eq!(verdict.delegated, decision == Decision::Delegated, "delegated: {}", case());
            }
            if verdict.without_denials == Answer::Yes && decision == Decision::ExplicitDeny {
                prop_assert_eq!(by(verdict.denied_by), Decision::ExplicitDeny, "denied by: {}", case());
            }
        }

        /// A certain answer about a context with open keys holds for each completion of it.
        #[test]
        fn certainty_holds_for_each_completion(
            policy in random::policy(Grammar::Full),
            (caller, policies) in random::caller(),
            operation in random::operation(),
            base in random::context(),
            knowledge in knowledge(KEYS.len(), &[Knowledge::Known, Knowledge::Unknown]),
        ) {
            let context = partly_open(&base, KEYS, &knowledge);
            let verdict = ask(&policy.to_string(), &caller_of(&caller, policies), operation, &context);
            let open = values_of(&policy, KEYS, &knowledge, Knowledge::Unknown);
            for completion in completions(&base, &open, 60) {
                let readings = readings(&policy, &caller, policies, operation, &completion);
                prop_assert!(
                    is_sound(verdict.answer, &readings),
                    "{policy:#}\n{caller:#?} {policies:?}\n{operation} {:?}\n{completion:#?} {readings:?}\n{verdict:?}",
                    context.entries
                );
            }
        }

        /// Nobody may what no choice of the free keys allows.
        #[test]
        fn a_no_holds_for_each_choice(
            policy in random::policy(Grammar::Full),
            (caller, policies) in random::caller(),
            operation in random::operation(),
            base in random::context(),
            knowledge in knowledge(KEYS.len(), &[Knowledge::Known, Knowledge::Unknown, Knowledge::Free]),
        ) {
            let context = partly_open(&base, KEYS, &knowledge);
            let verdict = ask(&policy.to_string(), &caller_of(&caller, policies), operation, &context);
            if verdict.answer == Answer::No {
                let mut open = values_of(&policy, KEYS, &knowledge, Knowledge::Unknown);
                open.extend(values_of(&policy, KEYS, &knowledge, Knowledge::Free));
                for completion in completions(&base, &open, 60) {
                    let readings = readings(&policy, &caller, policies, operation, &completion);
                    prop_assert!(
                        is_sound(verdict.answer, &readings),
                        "{policy:#}\n{caller:#?} {policies:?}\n{operation} {:?}\n{completion:#?}\n{verdict:?}",
                        context.entries
                    );
                }
            }
        }

        /// A statement that applies in some completion can apply, and one that always applies does so in each.
        #[test]
        fn what_applies_in_a_completion_can_apply(
            policy in random::policy(Grammar::Full),
            (caller, policies) in random::caller(),
            operation in random::operation(),
            base in random::context(),
            knowledge in knowledge(KEYS.len(), &[Knowledge::Known, Knowledge::Unknown, Knowledge::Free]),
        ) {
            let context = partly_open(&base, KEYS, &knowledge);
            let mut open = values_of(&policy, KEYS, &knowledge, Knowledge::Unknown);
            open.extend(values_of(&policy, KEYS, &knowledge, Knowledge::Free));
            let completions = completions(&base, &open, 60);
            for index in 0..policy["Statement"].as_array().unwrap().len() {
                let (can_apply, applies) = of_evaluator(&policy.to_string(), |evaluator| {
                    let operation = Operation::from_name(operation).unwrap();
                    let caller = caller_of(&caller, policies);
                    let about = evaluator.about(&caller);
                    (about.can_apply(index, operation, &context), about.applies(index, operation, &context).at_all())
                });
                let alone = only(&policy, |other, _| other == index);
                let applying = completions.iter().find(|completion| {
                    let request = Request { caller: &caller, operation, key: &key(), context: completion };
                    let silent = [Decision::ImplicitDeny, Decision::Undocumented];
                    !silent.contains(&decide(&alone, request).decision())
                });
                // Where it always applies, it denies each time.
                let idle = completions.iter().find(|completion| {
                    let request = Request { caller: &caller, operation, key: &key(), context: completion };
                    decide(&alone, request).decision() == Decision::ImplicitDeny
                });
                let denies = policy["Statement"][index]["Effect"] == "Deny";
                prop_assert!(
                    applies != Answer::Yes || !denies || idle.is_none(),
                    "{index} {policy:#}\n{caller:#?}\n{operation} {:?}\n{idle:#?}",
                    context.entries
                );
                prop_assert!(
                    (can_apply != Answer::No && applies != Answer::No) || applying.is_none(),
                    "{index} {policy:#}\n{caller:#?}\n{operation} {:?}\n{applying:#?}",
                    context.entries
                );
            }
        }

        /// Where all completions can be tried, the answer is exactly what they say: for all that is not known, there
        /// is a choice that allows (yes), there is none (no), or it depends (maybe).
        #[test]
        fn maybe_means_that_completions_differ(
            policy in random::policy(Grammar::Restricted),
            (caller, policies) in random::caller(),
            operation in random::operation(),
            knowledge in knowledge(RESTRICTED.len(), &[Knowledge::Unknown, Knowledge::Free]),
        ) {
            let base = Context::new();
            let context = partly_open(&base, RESTRICTED, &knowledge);
            let verdict = ask(&policy.to_string(), &caller_of(&caller, policies), operation, &context);
            let unknown = values_of(&policy, RESTRICTED, &knowledge, Knowledge::Unknown);
            let free = values_of(&policy, RESTRICTED, &knowledge, Knowledge::Free);
            let mut truths = Vec::new();
            for world in completions(&base, &unknown, usize::MAX) {
                let choices: Vec<_> = completions(&world, &free, usize::MAX)
                    .iter()
                    .map(|choice| readings(&policy, &caller, policies, operation, choice))
                    .collect();
                for which in 0..choices[0].len() {
                    truths.push(choices.iter().map(|choice| choice[which]).max().unwrap());
                }
            }
            prop_assert!(
                is_right(verdict.answer, &truths),
                "{policy:#}\n{caller:#?} {policies:?}\n{operation} {:?}\n{verdict:?} {truths:?}",
                context.entries
            );
        }

        /// What follows from the caller and from the tables is known without being told.
        #[test]
        fn facts_follow_from_the_caller_and_the_tables(
            policy in random::policy(Grammar::Full),
            (caller, policies) in random::caller(),
            operation in random::operation(),
        ) {
            let verdict = ask(&policy.to_string(), &caller_of(&caller, policies), operation, &evaluate::Context::open());
            let keys: Vec<_> = mentioned(&policy, KEYS).iter().map(|pool| (pool.key, facts(pool, &caller, operation))).collect();
            // Who may do anything in the account can also give itself tags.
            let tags_itself = policies == Answer::Yes && keys.iter().any(|(key, _)| key.contains("Tag"));
            let mut all = Vec::new();
            for completion in completions(&Context::new(), &keys, 60) {
                all.extend(readings(&policy, &caller, policies, operation, &completion));
            }
            let case = || format!("{policy:#}\n{caller:#?} {policies:?}\n{operation} {keys:?}\n{verdict:?} {all:?}");
            if !tags_itself || verdict.answer == Answer::No {
                prop_assert!(is_sound(verdict.answer, &all), "{}", case());
            }
            if keys.iter().all(|(_, values)| values.len() == 1) {
                prop_assert!(is_right(verdict.answer, &all), "{}", case());
            }
        }

        /// The same policy in another spelling gets the same answers.
        #[test]
        fn spelling_does_not_matter(
            policy in random::policy(Grammar::Full),
            (caller, policies) in random::caller(),
            operation in random::operation(),
            base in random::context(),
            knowledge in knowledge(KEYS.len(), &[Knowledge::Known, Knowledge::Known, Knowledge::Unknown, Knowledge::Free]),
        ) {
            let context = partly_open(&base, KEYS, &knowledge);
            let answers = |json: &str| {
                let verdict = ask(json, &caller_of(&caller, policies), operation, &context);
                (verdict.answer, verdict.without_denials)
            };
            let text = policy.to_string();
            let expected = answers(&text);
            let respelt = respelt(&policy);
            prop_assert_eq!(answers(&respelt), expected, "{}\n{}\n{:#?} {:?} {:?}", text, respelt, caller, operation, context.entries);
        }
    }

    /// What a key can be in a request of which only the caller and the operation are known.
    ///
    /// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html> and
    /// <https://docs.aws.amazon.com/service-authorization/latest/reference/list_awskeymanagementservice.html>
    fn facts(pool: &Pool, caller: &Caller, operation: &str) -> Vec<Completion> {
        let service = caller.kind == Kind::Service;
        let is = |value: &str| vec![Some(vec![value.to_owned()])];
        let open = || completion_values(pool);
        let present = || open().into_iter().flatten().map(Some).collect();
        let sent_with = |operations: &[&str], otherwise: Vec<Completion>| {
            if operations.contains(&operation) { otherwise } else { vec![None] }
        };
        match pool.key {
            "aws:PrincipalIsAWSService" => is(if service { "true" } else { "false" }),
            "aws:PrincipalArn" if !service => is(&caller.arn),
            // If it has one, it is no user's and no role's.
            "aws:PrincipalArn" => vec![None, Some(vec!["arn:a:b:c:d:e".to_owned()])],
            "kms:CallerAccount" if !service => is(&caller.account),
            "aws:SourceArn" if !service => vec![None],
            "aws:PrincipalOrgID" if service => vec![None],
            "aws:SecureTransport" | "aws:CurrentTime" => present(),
            "kms:GrantIsForAWSResource" => {
                sent_with(&["CreateGrant", "ListGrants", "RevokeGrant"], present())
            }
            "kms:GrantOperations" => sent_with(&["CreateGrant"], open()),
            "kms:ScheduleKeyDeletionPendingWindowInDays" => sent_with(&["ScheduleKeyDeletion"], open()),
            "kms:EncryptionContext:x" | "kms:EncryptionContextKeys" => sent_with(
                &["CreateGrant", "Decrypt", "Encrypt", "GenerateDataKey", "ReEncryptTo", "RetireGrant"],
                open(),
            ),
            _ => open(),
        }
    }

    /// The policy spelled otherwise: lists for single texts and the other way round, members and statements in
    /// reverse order, other letter case, the other forms of principals.
    fn respelt(policy: &Value) -> String {
        let mut policy = policy.clone();
        let statements = policy["Statement"].as_array_mut().unwrap();
        statements.reverse();
        for statement in &mut *statements {
            for (name, value) in statement.as_object_mut().unwrap() {
                match name.as_str() {
                    "Principal" | "NotPrincipal" => respell_principals(value),
                    "Action" | "NotAction" => respell_list(value, str::to_uppercase),
                    "Resource" | "NotResource" => respell_list(value, str::to_owned),
                    "Condition" => respell_conditions(value),
                    _ => {}
                }
            }
        }
        if statements.len() == 1 {
            policy["Statement"] = policy["Statement"][0].clone();
        }
        reversed(&policy)
    }

    fn respell_list(value: &mut Value, respell: impl Fn(&str) -> String) {
        *value = match &*value {
            Value::Array(items) if items.len() == 1 => respelt_text(&items[0], &respell),
            Value::Array(items) => items.iter().rev().map(|item| respelt_text(item, &respell)).collect(),
            one => json!([respelt_text(one, &respell)]),
        };
    }

    fn respelt_text(value: &Value, respell: impl Fn(&str) -> String) -> Value {
        match value {
            Value::String(text) => json!(respell(text)),
            // `true` and `"true"`
            other => json!(other.to_string()),
        }
    }

    fn respell_principals(value: &mut Value) {
        if *value == json!("*") {
            *value = json!({ "AWS": "*" });
        } else if *value == json!({ "AWS": "*" }) {
            *value = json!("*");
        } else {
            for (_, list) in value.as_object_mut().unwrap() {
                respell_list(list, |text| {
                    match text.strip_prefix("arn:aws:iam::").and_then(|text| text.strip_suffix(":root")) {
                        Some(account) => account.to_owned(),
                        None if text.len() == 12 => format!("arn:aws:iam::{text}:root"),
                        None => text.to_owned(),
                    }
                });
            }
        }
    }

    fn respell_conditions(value: &mut Value) {
        for (_, keys) in value.as_object_mut().unwrap() {
            let respelt = keys.as_object().unwrap().iter().map(|(key, values)| {
                let mut values = values.clone();
                respell_list(&mut values, str::to_owned);
                let same_key_twice =
                    keys.as_object().unwrap().keys().filter(|other| other.eq_ignore_ascii_case(key)).count()
                        > 1;
                (if same_key_twice { key.clone() } else { key.to_uppercase() }, values)
            });
            *keys = Value::Object(respelt.collect());
        }
    }

    /// JSON with the members of each object in reverse order, and blanks.
    fn reversed(value: &Value) -> String {
        match value {
            Value::Object(members) => {
                let members: Vec<_> = members
                    .iter()
                    .rev()
                    .map(|(name, value)| format!("{} :\n{}", json!(name), reversed(value)))
                    .collect();
                format!("{{ {} }}", members.join("\t,\r\n"))
            }
            Value::Array(items) => {
                format!("[ {} ]", items.iter().map(reversed).collect::<Vec<_>>().join(" , "))
            }
            other => other.to_string(),
        }
    }
}
