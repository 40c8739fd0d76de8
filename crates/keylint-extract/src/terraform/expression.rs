//! Expressions, as far as they are known before deployment.
//!
//! <https://developer.hashicorp.com/terraform/language/expressions>

use std::collections::BTreeSet;

use hcl_edit::Span as _;
use hcl_edit::expr::{BinaryOperator, Conditional, Expression, ForExpr, Object, ObjectKey};
use keylint_source::{Problem, Span};
use keylint_syntax::{Kind, Node};

use super::block::{Expr, Place};
use super::condition::number;
use super::module::{Module, range};
use crate::choices::Choices;
use crate::value::{Key, Text, Value, ValueKind, hole_name};
use crate::within::Within;

/// Expressions inside one another, through references; what is deeper is not known.
const DEPTH: usize = 150;
/// Expressions that are evaluated for one policy, at most: references can multiply.
const STEPS: usize = 50_000;

/// Evaluates expressions of a module, in one way in which its conditions can turn out.
pub(super) struct Evaluator<'m, 'c> {
    pub(super) module: &'m Module<'m>,
    pub(super) choices: &'c mut Choices,
    pub(super) files: &'c mut super::file::Files<'m>,
    /// The address of the block that is evaluated.
    pub(super) address: String,
    /// The account in which the module is applied, if the user says so.
    pub(super) account: Option<&'m str>,
    /// What is wrong with texts that should be policies.
    pub(super) problems: Vec<Problem>,
    /// The policy documents that were referred to.
    pub(super) documents: BTreeSet<String>,
    /// Whether a policy document was evaluated.
    pub(super) has_blocks: bool,
    /// The defaults of the variables that were referred to.
    pub(super) defaults: Vec<(String, String)>,
    /// The values that are being evaluated: one of them inside of itself is a mistake of the user's.
    pub(super) open: Vec<String>,
    depth: usize,
    steps: usize,
}

/// What names mean in an expression, and where its bytes are.
#[derive(Clone)]
pub(super) struct Scope<'s> {
    /// The text that places of the expression count in.
    pub(super) text: &'s str,
    pub(super) within: Within<'s>,
    /// The variables of `for`, `dynamic` and templates, the innermost last.
    pub(super) variables: Vec<(String, Value)>,
}

impl<'s> Scope<'s> {
    /// The scope of a file.
    pub(super) fn of(file: Place<'s>) -> Self {
        Self { text: file.text, within: Within::File(file.offset), variables: Vec::new() }
    }

    pub(super) fn with(&self, name: &str, value: Value) -> Self {
        let mut scope = self.clone();
        scope.variables.push((name.to_owned(), value));
        scope
    }

    pub(super) fn variable(&self, name: &str) -> Option<&Value> {
        self.variables.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    pub(super) fn span(&self, range: std::ops::Range<usize>) -> Span {
        let at = |offset: usize| u32::try_from(offset).unwrap_or(u32::MAX);
        self.within.span(Span::new(at(range.start), at(range.end)))
    }

    pub(super) fn at(&self, expression: &Expression) -> Span {
        self.span(range(expression))
    }

    /// An expression as it is written.
    pub(super) fn source(&self, expression: &Expression) -> &'s str {
        self.text.get(range(expression)).unwrap_or_default()
    }
}

impl<'m, 'c> Evaluator<'m, 'c> {
    pub(super) fn new(
        module: &'m Module<'m>,
        account: Option<&'m str>,
        choices: &'c mut Choices,
        files: &'c mut super::file::Files<'m>,
    ) -> Self {
        Self {
            module,
            choices,
            files,
            address: String::new(),
            account,
            problems: Vec::new(),
            documents: BTreeSet::new(),
            has_blocks: false,
            defaults: Vec::new(),
            open: Vec::new(),
            depth: 0,
            steps: 0,
        }
    }

    /// The value of an expression of a block; `variables` are those of the blocks around it.
    pub(super) fn expression(&mut self, expression: Expr<'m>, variables: &[(String, Value)]) -> Value {
        match expression {
            Expr::Hcl(expression, file) => {
                let scope = Scope { variables: variables.to_vec(), ..Scope::of(file) };
                self.evaluate(expression, &scope)
            }
            Expr::Json(node, file) => self.json(node, file, variables),
        }
    }

    /// In JSON, texts are templates and everything else is itself.
    fn json(&mut self, node: Node<'m>, file: Place<'m>, variables: &[(String, Value)]) -> Value {
        let within = Within::File(file.offset);
        let at = within.span(node.span());
        if !self.may_go_on() {
            return Value::unknown(at, "");
        }
        self.depth += 1;
        let kind = match node.kind() {
            Kind::String => {
                self.depth -= 1;
                return self.template_text(&within.text(node), at, variables);
            }
            Kind::Array => {
                ValueKind::List(node.items().map(|item| self.json(item, file, variables)).collect())
            }
            Kind::Object => ValueKind::Object(
                node.members()
                    .map(|member| {
                        let key = Key { at: within.span(member.key.span()), text: within.text(member.key) };
                        (key, self.json(member.value, file, variables))
                    })
                    .collect(),
            ),
            _ => Value::of(node, within).kind,
        };
        self.depth -= 1;
        Value::new(at, kind)
    }

    fn may_go_on(&mut self) -> bool {
        self.steps += 1;
        self.depth < DEPTH && self.steps < STEPS
    }

    /// The value of an expression.
    pub(super) fn evaluate(&mut self, expression: &Expression, scope: &Scope<'_>) -> Value {
        let at = scope.at(expression);
        if !self.may_go_on() {
            return Value::unknown(at, scope.source(expression));
        }
        self.depth += 1;
        let value = self.by_kind(expression, scope, at);
        self.depth -= 1;
        value
    }

    fn by_kind(&mut self, expression: &Expression, scope: &Scope<'_>, at: Span) -> Value {
        match expression {
            Expression::Null(_) => Value::new(at, ValueKind::Null),
            Expression::Bool(value) => Value::new(at, ValueKind::Bool(*value.value())),
            Expression::Number(written) => Value::new(at, ValueKind::Number(written.value().to_string())),
            Expression::String(_) => {
                let content = range(expression);
                let content = content.start + 1..content.end.saturating_sub(1).max(content.start + 1);
                Value::new(at, ValueKind::Text(super::template::literal(content, true, scope)))
            }
            Expression::StringTemplate(template) => self.template(template.iter(), true, scope, at),
            Expression::HeredocTemplate(heredoc) => {
                let elements = heredoc.template.iter();
                self.template(elements, false, scope, at)
            }
            Expression::Array(array) => {
                Value::new(at, ValueKind::List(array.iter().map(|item| self.evaluate(item, scope)).collect()))
            }
            Expression::Object(object) => self.object(object, scope, at),
            Expression::Parenthesis(inner) => self.evaluate(inner.inner(), scope),
            Expression::Variable(name) => match scope.variable(name.as_str()) {
                Some(value) => value.clone(),
                None => self.not_known(expression, scope),
            },
            Expression::Conditional(conditional) => self.conditional(conditional, scope),
            Expression::FuncCall(call) => self.call(call, scope, at),
            Expression::Traversal(traversal) => self.traversal(traversal, scope, at),
            Expression::BinaryOp(operation)
                if matches!(operation.operator.value(), BinaryOperator::Plus | BinaryOperator::Minus) =>
            {
                let left = number(&self.evaluate(&operation.lhs_expr, scope));
                let right = number(&self.evaluate(&operation.rhs_expr, scope));
                match left.zip(right) {
                    Some((left, right)) => {
                        let is_sum = *operation.operator.value() == BinaryOperator::Plus;
                        let result = if is_sum { left + right } else { left - right };
                        Value::new(at, ValueKind::Number(result.to_string()))
                    }
                    None => self.not_known(expression, scope),
                }
            }
            Expression::UnaryOp(_) | Expression::BinaryOp(_) => {
                match self.known_condition(expression, scope) {
                    Some(value) => Value::new(at, ValueKind::Bool(value)),
                    None => self.not_known(expression, scope),
                }
            }
            Expression::ForExpr(for_each) => self.for_expression(for_each, scope, at),
        }
    }

    fn not_known(&self, expression: &Expression, scope: &Scope<'_>) -> Value {
        Value::unknown(scope.at(expression), &self.name(expression, scope))
    }

    /// What an expression is called where its value is not known: as it is written, and, where it speaks of a variable
    /// of `for` or of `dynamic`, for which value of that.
    pub(super) fn name(&self, expression: &Expression, scope: &Scope<'_>) -> String {
        self.name_of(scope.source(expression), scope)
    }

    pub(super) fn name_of(&self, source: &str, scope: &Scope<'_>) -> String {
        let mut name = hole_name(source);
        let has_word = |word: &str| {
            source.split(|c: char| !c.is_alphanumeric() && !matches!(c, '_' | '-')).any(|part| part == word)
        };
        for (variable, value) in &scope.variables {
            if has_word(variable) {
                let value = value.known_text().unwrap_or_else(|| value.name());
                name = format!("{name} with {variable} = {value}");
            }
        }
        if ["each", "count", "self"].iter().any(|word| has_word(word)) {
            name = format!("{name} of {}", self.address);
        }
        hole_name(&name)
    }

    fn object(&mut self, object: &Object, scope: &Scope<'_>, at: Span) -> Value {
        let mut members = Vec::with_capacity(object.len());
        for (key, value) in object {
            let key = match key {
                ObjectKey::Ident(name) => {
                    let span = scope.span(name.span().unwrap_or_default());
                    let mut text = Text::default();
                    scope.within.add(&mut text, name.as_str(), local_span(name.span()), true);
                    Key { at: span, text }
                }
                ObjectKey::Expression(expression) => {
                    let value = self.evaluate(expression, scope);
                    let pieces = value.into_pieces_of_key(scope.source(expression));
                    Key { at: scope.at(expression), text: Text { pieces } }
                }
            };
            members.push((key, self.evaluate(value.expr(), scope)));
        }
        Value::new(at, ValueKind::Object(members))
    }

    /// One branch, and in the other way the other.
    fn conditional(&mut self, conditional: &Conditional, scope: &Scope<'_>) -> Value {
        let outcome = self.decide(&conditional.cond_expr, scope);
        let (taken, other) = if outcome {
            (&conditional.true_expr, &conditional.false_expr)
        } else {
            (&conditional.false_expr, &conditional.true_expr)
        };
        self.choices.leave_out(scope.at(other));
        self.choices.take(scope.at(taken));
        self.evaluate(taken, scope)
    }

    /// A list or an object made of another, item by item.
    fn for_expression(&mut self, expression: &ForExpr, scope: &Scope<'_>, at: Span) -> Value {
        if expression.grouping {
            let source = scope.text.get(expression.span().unwrap_or_default()).unwrap_or_default();
            return Value::unknown(at, &self.name_of(source, scope));
        }
        let collection = self.evaluate(&expression.intro.collection_expr, scope);
        let value_name = expression.intro.value_var.as_str();
        let key_name = expression.intro.key_var.as_ref().map(|name| name.as_str());
        let whole = &scope.source(&expression.intro.collection_expr);
        let mut items = Vec::new();
        let mut members = Vec::new();
        for (key, value, is_certain) in each(collection, &format!("{whole}[*]")) {
            let item = value.at;
            let mut inner = scope.with(value_name, value);
            if let Some(name) = key_name {
                inner = inner.with(name, key);
            }
            if let Some(filter) = &expression.cond {
                let place = scope.at(&expression.value_expr);
                if !self.decide(&filter.expr, &inner) {
                    self.choices.leave_out(place);
                    self.choices.leave_out(item);
                    continue;
                }
                self.choices.take(place);
                self.choices.take(item);
            }
            let made = self.evaluate(&expression.value_expr, &inner);
            if !is_certain && matches!(made.kind, ValueKind::Object(_)) {
                // There may be none: then the statement that it is to become is not there.
                let place = scope.at(&expression.value_expr);
                if !self.choices.decide(&hole_name(whole)) {
                    self.choices.leave_out(place);
                    continue;
                }
                self.choices.take(place);
            }
            match &expression.key_expr {
                None => items.push(made),
                Some(key) => {
                    let key_value = self.evaluate(key, &inner);
                    let text = Text { pieces: key_value.into_pieces_of_key(scope.source(key)) };
                    members.push((Key { at: scope.at(key), text }, made));
                }
            }
            if !is_certain && expression.key_expr.is_none() {
                items.push(Value::new(at, ValueKind::Several(hole_name(whole))));
            }
        }
        Value::new(
            at,
            if expression.key_expr.is_some() { ValueKind::Object(members) } else { ValueKind::List(items) },
        )
    }
}

/// The items of a collection, each with its key, and whether it is certain that there is one. What is not known has
/// one item that stands for all, under the name `name`.
pub(super) fn each(collection: Value, name: &str) -> Vec<(Value, Value, bool)> {
    let at = collection.at;
    match collection.kind {
        ValueKind::List(items) => items
            .into_iter()
            .enumerate()
            .map(|(index, item)| {
                let (item, is_certain) = one_of(item);
                (Value::new(item.at, ValueKind::Number(index.to_string())), item, is_certain)
            })
            .collect(),
        ValueKind::Set(items) => items
            .into_iter()
            .map(|item| {
                let (item, is_certain) = one_of(item);
                (item.clone(), item, is_certain)
            })
            .collect(),
        ValueKind::Object(members) => members
            .into_iter()
            .map(|(key, value)| (Value::new(key.at, ValueKind::Text(key.text)), value, true))
            .collect(),
        ValueKind::Null => Vec::new(),
        _ => {
            vec![(Value::unknown(at, &format!("key of {name}")), Value::unknown(at, name), false)]
        }
    }
}

/// An item in a round of its own, and whether there is one: several that are not known are perhaps none.
fn one_of(item: Value) -> (Value, bool) {
    match item.kind {
        ValueKind::Several(name) => (Value::new(item.at, ValueKind::Unknown(name)), false),
        _ => (item, true),
    }
}

/// A range of the parser's as a span of the same text.
pub(super) fn local_span(range: Option<std::ops::Range<usize>>) -> Span {
    let range = range.unwrap_or_default();
    let at = |offset: usize| u32::try_from(offset).unwrap_or(u32::MAX);
    Span::new(at(range.start), at(range.end))
}
