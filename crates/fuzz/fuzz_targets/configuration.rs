//! Whatever a configuration, a rule file or a service file holds: no panic, and every place lies in the file.
#![no_main]

use keylint_rules::{Config, RuleSet};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let mut rules = RuleSet::default();
    let (_, mut problems) = Config::parse(text);
    problems.extend(rules.add_rule("fuzz", text));
    problems.extend(rules.add_service("fuzz", text));
    for problem in problems {
        assert!(text.get(problem.at.range()).is_some(), "{problem:?} is not a part of the file");
    }
});
