//! What names refer to: locals, variables, data sources, resources.
//!
//! <https://developer.hashicorp.com/terraform/language/expressions/references>

use hcl_edit::expr::{Expression, Traversal, TraversalOperator};
use keylint_source::Span;

use super::block::Expr;
use super::expression::{Evaluator, Scope};
use crate::value::{Text, Value, ValueKind};

/// The type of the data source that is a policy document.
pub(super) const DOCUMENT: &str = "aws_iam_policy_document";

/// Attributes of data sources and resources of the AWS provider that are one text, whatever they belong to.
const TEXTS: [&str; 12] = [
    "account_id",
    "arn",
    "dns_suffix",
    "id",
    "key_arn",
    "key_id",
    "name",
    "partition",
    "region",
    "unique_id",
    "user_id",
    "url_suffix",
];

impl Evaluator<'_, '_> {
    /// The value that a reference leads to.
    pub(super) fn traversal(&mut self, traversal: &Traversal, scope: &Scope<'_>, at: Span) -> Value {
        let operators: Vec<&TraversalOperator> =
            traversal.operators.iter().map(hcl_edit::Decorated::value).collect();
        let source = scope.text.get(hcl_edit::Span::span(traversal).unwrap_or_default()).unwrap_or_default();
        let name = &self.name_of(source, scope);
        let Expression::Variable(root) = &traversal.expr else {
            let value = self.evaluate(&traversal.expr, scope);
            return self.steps_into(value, &operators, scope, name, at);
        };
        if let Some(value) = scope.variable(root.as_str()) {
            let value = value.clone();
            return self.steps_into(value, &operators, scope, name, at);
        }
        let mut attributes = Vec::new();
        for operator in &operators {
            let TraversalOperator::GetAttr(attribute) = operator else { break };
            attributes.push(attribute.as_str());
        }
        let rest = |from: usize| operators.get(from..).unwrap_or_default();
        match (root.as_str(), attributes.as_slice()) {
            ("local", [local, ..]) => {
                let value = self.local(local, at, name);
                self.steps_into(value, rest(1), scope, name, at)
            }
            ("var", [variable, ..]) => {
                let value = self.variable(variable, at);
                if rest(1).is_empty() { value } else { Value::unknown(at, name) }
            }
            ("path", ["module"]) => Value::text(at, "."),
            ("data", [DOCUMENT, document]) if gives_list_of_json(rest(2)) => {
                let value = self.document(&format!("data.{DOCUMENT}.{document}"), at, name);
                Value::new(at, ValueKind::List(vec![value]))
            }
            ("data", [DOCUMENT, document, ..]) if gives_json(rest(2)) => {
                self.document(&format!("data.{DOCUMENT}.{document}"), at, name)
            }
            ("data", ["aws_caller_identity", source, "account_id" | "id"])
                if self.account.is_some() && self.is_of_own_provider(source) =>
            {
                Value::text(at, self.account.unwrap_or_default())
            }
            (kind, [resource, "arn"]) if kind.starts_with("aws_iam_") && rest(2).is_empty() => {
                self.identity_arn(kind, resource, at).unwrap_or_else(|| Value::hole(at, name))
            }
            ("aws_kms_alias", [alias, "arn"]) | ("data", ["aws_kms_alias", alias, "arn"])
                if rest(attributes.len()).is_empty() =>
            {
                let address = if root.as_str() == "data" {
                    format!("data.aws_kms_alias.{alias}")
                } else {
                    format!("aws_kms_alias.{alias}")
                };
                self.alias_arn(&address, at)
            }
            ("aws_kms_alias", [alias, "name" | "id"]) if rest(2).is_empty() => {
                self.alias_name(&format!("aws_kms_alias.{alias}"), at)
            }
            ("data", ["aws_kms_alias", alias, "name"]) if rest(3).is_empty() => {
                self.alias_name(&format!("data.aws_kms_alias.{alias}"), at)
            }
            ("data", [_, _, attribute]) | (_, [_, attribute]) if rest(attributes.len()).is_empty() => {
                let is_text =
                    TEXTS.contains(attribute) && !matches!(root.as_str(), "module" | "each" | "self");
                if is_text { Value::hole(at, name) } else { Value::unknown(at, name) }
            }
            // An instance of a resource with `count` or `for_each`: its attributes are like any other's.
            _ => {
                let last = operators.last().and_then(|operator| match operator {
                    TraversalOperator::GetAttr(attribute) => Some(attribute.as_str()),
                    _ => None,
                });
                let is_splat = operators.iter().any(|operator| {
                    matches!(operator, TraversalOperator::AttrSplat(_) | TraversalOperator::FullSplat(_))
                });
                let is_aws = root.as_str() == "data" || root.as_str().starts_with("aws_");
                match last {
                    Some(last) if is_aws && !is_splat && TEXTS.contains(&last) => Value::hole(at, name),
                    _ => Value::unknown(at, name),
                }
            }
        }
    }

    /// Follows attributes and indices into a value.
    fn steps_into(
        &mut self,
        value: Value,
        operators: &[&TraversalOperator],
        scope: &Scope<'_>,
        name: &str,
        at: Span,
    ) -> Value {
        let mut value = value;
        for (index, operator) in operators.iter().enumerate() {
            let next = match operator {
                TraversalOperator::GetAttr(attribute) => value.get(attribute.as_str()).cloned(),
                TraversalOperator::Index(index) => {
                    let key = self.evaluate(index, scope).known_text();
                    key.and_then(|key| element(&value, &key))
                }
                TraversalOperator::LegacyIndex(index) => element(&value, &index.value().to_string()),
                TraversalOperator::AttrSplat(_) | TraversalOperator::FullSplat(_) => {
                    let rest = operators.get(index + 1..).unwrap_or_default();
                    return match value.kind {
                        ValueKind::List(items) => {
                            let items = items
                                .into_iter()
                                .map(|item| self.steps_into(item, rest, scope, name, at))
                                .collect();
                            Value::new(at, ValueKind::List(items))
                        }
                        _ => Value::unknown(at, name),
                    };
                }
            };
            match next {
                Some(next) => value = next,
                None => return Value::unknown(at, name),
            }
        }
        value
    }

    /// Whether a data source asks with the credentials that the module itself is applied with.
    fn is_of_own_provider(&self, source: &str) -> bool {
        let block = self.module.block(&format!("data.aws_caller_identity.{source}"));
        block.is_none_or(|block| block.argument("provider").is_none())
    }

    fn local(&mut self, local: &str, at: Span, name: &str) -> Value {
        let module = self.module;
        let Some(expression) = module.local(local) else { return Value::unknown(at, name) };
        self.choices.look_into(expression.at());
        self.guarded(format!("local.{local}"), at, name, |evaluator| evaluator.expression(expression, &[]))
    }

    /// Evaluates something that can be referred to, unless that is what is being done already.
    pub(super) fn guarded(
        &mut self,
        address: String,
        at: Span,
        name: &str,
        work: impl FnOnce(&mut Self) -> Value,
    ) -> Value {
        if self.open.contains(&address) {
            return Value::unknown(at, name);
        }
        self.open.push(address);
        let value = work(self);
        self.open.pop();
        value
    }

    /// A variable is not known, whatever its default: that is what holds if nobody says otherwise.
    fn variable(&mut self, variable: &str, at: Span) -> Value {
        let name = format!("var.{variable}");
        let module = self.module;
        let Some(block) = module.block(&name) else { return Value::unknown(at, &name) };
        if let Some(default) = block.argument("default")
            && !self.defaults.iter().any(|(known, _)| *known == name)
        {
            let source = default.value.source();
            let text = source.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(&source);
            let words: Vec<&str> = text.split_whitespace().collect();
            self.defaults.push((name.clone(), words.join(" ")));
        }
        let kind = block.argument("type").map(|argument| match argument.value {
            Expr::Hcl(..) | Expr::Json(..) => argument.value.source(),
        });
        match kind.as_deref() {
            Some("string" | "number") => Value::hole(at, &name),
            _ => Value::unknown(at, &name),
        }
    }

    /// A policy document, as the JSON that it gives.
    fn document(&mut self, address: &str, at: Span, name: &str) -> Value {
        self.documents.insert(address.to_owned());
        let module = self.module;
        let Some(block) = module.block(address) else { return Value::unknown(at, name) };
        self.choices.look_into(block.at());
        self.guarded(address.to_owned(), at, name, |evaluator| {
            let outer = std::mem::replace(&mut evaluator.address, address.to_owned());
            let policy = evaluator.policy_document(block);
            evaluator.address = outer;
            Value::new(at, ValueKind::Json(Box::new(policy)))
        })
    }
}

/// Whether what follows the name of a document asks for the JSON of all its instances: `.*.json`, or `[*].json`. With
/// `count` there is one, or none.
fn gives_list_of_json(operators: &[&TraversalOperator]) -> bool {
    match operators {
        [TraversalOperator::AttrSplat(_) | TraversalOperator::FullSplat(_), last] => gives_json(&[last]),
        _ => false,
    }
}

/// Whether what follows the name of a document asks for its JSON: `.json`, or `[0].json`.
fn gives_json(operators: &[&TraversalOperator]) -> bool {
    let is_json = |operator: &&TraversalOperator| matches!(operator, TraversalOperator::GetAttr(name) if matches!(name.as_str(), "json" | "minified_json"));
    match operators {
        [only] => is_json(only),
        [TraversalOperator::Index(_) | TraversalOperator::LegacyIndex(_), last] => is_json(last),
        _ => false,
    }
}

/// The element of a list or an object at a known index or key. A set has no order, and no index.
pub(super) fn element(value: &Value, key: &str) -> Option<Value> {
    match &value.kind {
        ValueKind::List(items) => {
            let index = key.parse::<usize>().ok()?;
            let before = items.get(..=index)?;
            if before.iter().any(|item| matches!(item.kind, ValueKind::Several(_))) {
                return None;
            }
            items.get(index).cloned()
        }
        ValueKind::Object(_) => value.get(key).cloned(),
        _ => None,
    }
}

/// `&{aws:username}` is how a document writes a policy variable, since `${…}` is the module's own.
pub(super) fn policy_variables(value: Value) -> Value {
    let kind = match value.kind {
        ValueKind::Text(text) if text.pieces.iter().any(|piece| piece.text.contains("&{")) => {
            ValueKind::Text(with_variables(&text))
        }
        ValueKind::List(items) => ValueKind::List(items.into_iter().map(policy_variables).collect()),
        ValueKind::Set(items) => ValueKind::Set(items.into_iter().map(policy_variables).collect()),
        kind => kind,
    };
    Value::new(value.at, kind)
}

fn with_variables(text: &Text) -> Text {
    let decoded = text.decoded();
    let mut result = Text::default();
    let mut from = 0;
    for (start, marker) in decoded.match_indices("&{") {
        for piece in text.slice(from, start).pieces {
            result.pieces.push(piece);
        }
        result.push("${", text.span(start, start + marker.len()), false);
        from = start + marker.len();
    }
    result.pieces.extend(text.slice(from, decoded.len()).pieces);
    result
}
