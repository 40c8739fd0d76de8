//! The options of a command, in the form of the API's request.
//!
//! <https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateGrant.html>

use keylint_source::Span;

use super::shorthand;
use super::words::{Rest, Word};
use crate::nested::json_in;
use crate::value::{Key, Text, Value, ValueKind};

/// The options that say something of the grant, and what the API calls it.
const OPTIONS: [(&str, &str); 12] = [
    ("--key-id", "KeyId"),
    ("--grantee-principal", "GranteePrincipal"),
    ("--retiring-principal", "RetiringPrincipal"),
    ("--grantee-service-principal", "GranteeServicePrincipal"),
    ("--retiring-service-principal", "RetiringServicePrincipal"),
    ("--operations", "Operations"),
    ("--constraints", "Constraints"),
    ("--grant-tokens", "GrantTokens"),
    ("--name", "Name"),
    ("--dry-run", "DryRun"),
    ("--no-dry-run", "DryRun"),
    ("--region", "Region"),
];

/// The options that take no value.
const FLAGS: [&str; 10] = [
    "--cli-auto-prompt",
    "--debug",
    "--dry-run",
    "--no-cli-auto-prompt",
    "--no-cli-pager",
    "--no-dry-run",
    "--no-paginate",
    "--no-sign-request",
    "--no-verify-ssl",
    "--version",
];

/// What may be given where options are not known.
const MEMBERS: [&str; 6] =
    ["KeyId", "GranteePrincipal", "Operations", "RetiringPrincipal", "Constraints", "Name"];

/// Whether the word behind an option belongs to it.
pub(super) fn takes_value(option: &Word) -> bool {
    let written = option.text.decoded();
    !written.contains('=') && !FLAGS.contains(&written.as_str())
}

/// What the options of a command ask for; `None` if it does not create a grant.
pub(super) fn request(words: Vec<Word>, rest: Rest, at: Span) -> Option<Value> {
    let mut request = Request::default();
    let mut words = words.into_iter().peekable();
    while let Some(word) = words.next() {
        if !word.is_option() {
            if word.is_variable() || word.is_several {
                request.is_open_at(&word);
            }
            continue;
        }
        let written = word.text.decoded();
        let (name, mut values) = match written.split_once('=') {
            Some((name, _)) => (name, vec![word.part(name.len() + 1)]),
            None => (written.as_str(), Vec::new()),
        };
        let is_list = matches!(name, "--operations" | "--grant-tokens");
        if !written.contains('=') && takes_value(&word) {
            while let Some(value) = words.next_if(|next| !next.is_option() && (is_list || values.is_empty()))
            {
                values.push(value);
            }
        }
        let option_at = word.text.span(0, name.len());
        match name {
            // It prints a form to fill in.
            "--generate-cli-skeleton" => return None,
            "--cli-input-json" => request.add_input(values.first().unwrap_or(&word)),
            "--cli-input-yaml" => request.is_open_at(values.first().unwrap_or(&word)),
            _ => {
                let Some((_, member)) = OPTIONS.iter().find(|(option, _)| *option == name) else { continue };
                let value = match *member {
                    "DryRun" => Value::new(option_at, ValueKind::Bool(name == "--dry-run")),
                    _ if is_list => request.list(&values, option_at, rest),
                    _ => request.single(member, values.first(), option_at),
                };
                request.options.retain(|(key, _)| !key.text.is(member));
                request
                    .options
                    .push((Key { at: option_at, text: Text::replaced(*member, option_at) }, value));
            }
        }
    }
    let is_trial =
        |(key, value): &(Key, Value)| key.text.is("DryRun") && matches!(value.kind, ValueKind::Bool(true));
    // It only asks whether the call would be allowed.
    let creates = !request.options.iter().chain(&request.input).any(is_trial);
    creates.then(|| request.finish(rest, at))
}

#[derive(Default)]
struct Request {
    /// What `--cli-input-json` gives.
    input: Vec<(Key, Value)>,
    options: Vec<(Key, Value)>,
    /// What may give any member that is not given otherwise.
    open: Option<Value>,
}

impl Request {
    fn is_open_at(&mut self, word: &Word) {
        if self.open.is_none() {
            self.open = Some(unknown(word));
        }
    }

    fn add_input(&mut self, word: &Word) {
        match json_in(&word.text) {
            (Value { kind: ValueKind::Object(members), .. }, _) => self.input = members,
            _ => self.is_open_at(word),
        }
    }

    /// The value of an option that takes one.
    fn single(&mut self, member: &str, value: Option<&Word>, option: Span) -> Value {
        let Some(value) = value else { return Value::unknown(option, "") };
        if value.is_several {
            self.is_open_at(value);
        }
        if is_file(value) {
            return unknown(value);
        }
        if member != "Constraints" {
            return Value::new(value.at, ValueKind::Text(value.text.clone()));
        }
        if value.text.decoded().trim_start().starts_with('{') {
            return match json_in(&value.text).0 {
                Value { kind: kind @ ValueKind::Object(_), .. } => Value::new(value.at, kind),
                _ => unknown(value),
            };
        }
        match shorthand::members(&value.text) {
            Some(members) => Value::new(value.at, ValueKind::Object(members)),
            None => unknown(value),
        }
    }

    /// The value of an option that takes any number of them.
    fn list(&mut self, values: &[Word], option: Span, rest: Rest) -> Value {
        let (Some(first), Some(last)) = (values.first(), values.last()) else {
            return match rest {
                Rest::Nothing => Value::new(option, ValueKind::List(Vec::new())),
                Rest::More | Rest::FilledIn => Value::unknown(option, ""),
            };
        };
        let at = first.at.to(last.at);
        if let [only] = values {
            if is_file(only) {
                return unknown(only);
            }
            if only.text.decoded().trim_start().starts_with('[') {
                return match json_in(&only.text).0 {
                    Value { kind: kind @ ValueKind::List(_), .. } => Value::new(at, kind),
                    _ => unknown(only),
                };
            }
        }
        let items = values.iter().enumerate().map(|(index, value)| {
            // In quotes it may still be a list in JSON, if it is all there is.
            let is_several =
                value.is_several || value.is_variable() || (value.is_hole() && values.len() == 1);
            if !is_several {
                return Value::new(value.at, ValueKind::Text(value.text.clone()));
            }
            if value.is_several && index > 0 {
                self.is_open_at(value);
            }
            match unknown(value) {
                Value { at, kind: ValueKind::Unknown(name) } => Value::new(at, ValueKind::Several(name)),
                other => other,
            }
        });
        let items = items.collect();
        Value::new(at, ValueKind::List(items))
    }

    fn finish(mut self, rest: Rest, at: Span) -> Value {
        if rest != Rest::Nothing && self.open.is_none() {
            self.open = Some(Value::unknown(Span::empty(at.end()), "rest"));
        }
        if rest == Rest::FilledIn {
            for (_, value) in self.input.iter_mut().chain(&mut self.options) {
                *value = Value::unknown(value.at, &value.name());
            }
        }
        let options = self.options;
        let mut members = self.input;
        members.retain(|(key, _)| !options.iter().any(|(option, _)| option.text.is(&key.text.decoded())));
        members.extend(options);
        if let Some(open) = self.open {
            for name in MEMBERS {
                if !members.iter().any(|(key, _)| key.text.is(name)) {
                    let key = Key { at: open.at, text: Text::replaced(name, open.at) };
                    // Each is another value, and the same name would be the same one.
                    let name = format!("{name} of {}", open.name());
                    members.push((key, Value::unknown(open.at, &name)));
                }
            }
        }
        Value::new(at, ValueKind::Object(members))
    }
}

/// A word that says nothing before the command runs.
fn unknown(word: &Word) -> Value {
    let decoded = word.text.decoded();
    let name = decoded.strip_prefix("${").and_then(|name| name.strip_suffix('}')).filter(|_| word.is_hole());
    Value::unknown(word.at, name.unwrap_or(&decoded))
}

/// Whether the value is what a file says.
fn is_file(word: &Word) -> bool {
    let decoded = word.text.decoded();
    ["file://", "fileb://"].iter().any(|scheme| decoded.starts_with(scheme))
}
