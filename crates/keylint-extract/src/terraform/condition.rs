//! Conditions: what is known of them, and how they turn out where it is not.

use hcl_edit::expr::{BinaryOp, BinaryOperator, Expression, UnaryOperator};

use super::expression::{Evaluator, Scope};
use crate::value::{PieceKind, Value, ValueKind};

impl Evaluator<'_, '_> {
    /// How a condition turns out: as it is known, or as this way has it.
    pub(super) fn decide(&mut self, condition: &Expression, scope: &Scope<'_>) -> bool {
        match condition {
            Expression::Parenthesis(inner) => self.decide(inner.inner(), scope),
            Expression::UnaryOp(operation) if *operation.operator.value() == UnaryOperator::Not => {
                !self.decide(&operation.expr, scope)
            }
            Expression::BinaryOp(operation) => match operation.operator.value() {
                BinaryOperator::And => {
                    self.decide(&operation.lhs_expr, scope) && self.decide(&operation.rhs_expr, scope)
                }
                BinaryOperator::Or => {
                    self.decide(&operation.lhs_expr, scope) || self.decide(&operation.rhs_expr, scope)
                }
                BinaryOperator::Eq | BinaryOperator::NotEq => {
                    let is_equal = match self.compared(operation, scope) {
                        Ok(known) => known,
                        Err(name) => self.choices.decide(&name),
                    };
                    is_equal == (*operation.operator.value() == BinaryOperator::Eq)
                }
                _ => match self.known_condition(condition, scope) {
                    Some(known) => known,
                    None => {
                        let name = self.name(condition, scope);
                        self.choices.decide(&name)
                    }
                },
            },
            _ => {
                let value = self.evaluate(condition, scope);
                match known_bool(&value) {
                    Some(known) => known,
                    None => {
                        let name = match &value.kind {
                            ValueKind::Unknown(name) if !name.is_empty() => name.clone(),
                            _ => self.name(condition, scope),
                        };
                        self.choices.decide(&name)
                    }
                }
            }
        }
    }

    /// The value of a condition that does not depend on what is not known.
    pub(super) fn known_condition(&mut self, condition: &Expression, scope: &Scope<'_>) -> Option<bool> {
        match condition {
            Expression::Parenthesis(inner) => self.known_condition(inner.inner(), scope),
            Expression::UnaryOp(operation) if *operation.operator.value() == UnaryOperator::Not => {
                self.known_condition(&operation.expr, scope).map(|value| !value)
            }
            Expression::BinaryOp(operation) => {
                let operator = *operation.operator.value();
                match operator {
                    BinaryOperator::And | BinaryOperator::Or => {
                        let left = self.known_condition(&operation.lhs_expr, scope);
                        let right = self.known_condition(&operation.rhs_expr, scope);
                        let decisive = operator == BinaryOperator::Or;
                        if left == Some(decisive) || right == Some(decisive) {
                            return Some(decisive);
                        }
                        left.and(right)
                    }
                    BinaryOperator::Eq => self.compared(operation, scope).ok(),
                    BinaryOperator::NotEq => self.compared(operation, scope).ok().map(|equal| !equal),
                    _ => {
                        let left = number(&self.evaluate(&operation.lhs_expr, scope))?;
                        let right = number(&self.evaluate(&operation.rhs_expr, scope))?;
                        match operator {
                            BinaryOperator::Less => Some(left < right),
                            BinaryOperator::LessEq => Some(left <= right),
                            BinaryOperator::Greater => Some(left > right),
                            BinaryOperator::GreaterEq => Some(left >= right),
                            _ => None,
                        }
                    }
                }
            }
            Expression::UnaryOp(_) => None,
            _ => known_bool(&self.evaluate(condition, scope)),
        }
    }

    /// Whether both sides are equal; where that is not known, the name of the question, whichever side comes first.
    fn compared(&mut self, operation: &BinaryOp, scope: &Scope<'_>) -> Result<bool, String> {
        let left = self.evaluate(&operation.lhs_expr, scope);
        let right = self.evaluate(&operation.rhs_expr, scope);
        let name = |value: &Value, expression: &Expression| {
            value.known_text().unwrap_or_else(|| self.name(expression, scope))
        };
        match (&left.kind, &right.kind) {
            (ValueKind::Null, ValueKind::Null) => return Ok(true),
            (ValueKind::Null, other) | (other, ValueKind::Null) if is_something(other) => return Ok(false),
            _ => {}
        }
        if let (Some(left), Some(right)) = (number(&left), number(&right)) {
            return Ok((left - right).abs() < f64::EPSILON);
        }
        let is_number = |value: &Value| matches!(value.kind, ValueKind::Number(_));
        if let (Some(known), Some(other)) = (left.known_text(), right.known_text()) {
            // A number and a text are never equal.
            return Ok(known == other && is_number(&left) == is_number(&right));
        }
        let mut sides = [name(&left, &operation.lhs_expr), name(&right, &operation.rhs_expr)];
        sides.sort();
        Err(sides.join(" == "))
    }
}

pub(super) fn known_bool(value: &Value) -> Option<bool> {
    match value.known_text()?.as_str() {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

/// Whether a value is certainly not null. A variable can be, whatever its type.
pub(super) fn is_something(kind: &ValueKind) -> bool {
    match kind {
        ValueKind::Unknown(_) | ValueKind::Several(_) => false,
        ValueKind::Text(text) => {
            !matches!(text.pieces.as_slice(), [only] if matches!(only.kind, PieceKind::Hole))
        }
        _ => true,
    }
}

pub(super) fn number(value: &Value) -> Option<f64> {
    match &value.kind {
        ValueKind::Number(number) => number.parse().ok(),
        _ => None,
    }
}
