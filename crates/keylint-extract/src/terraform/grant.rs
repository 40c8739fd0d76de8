//! The resource `aws_kms_grant`.
//!
//! <https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/kms_grant>

use super::block::Block;
use super::document::Variables;
use super::expression::Evaluator;
use crate::grant::{CONSTRAINTS, IN_CONSTRAINTS, MEMBERS, means};
use crate::value::{Key, Value, ValueKind};

impl<'m> Evaluator<'m, '_> {
    /// The grant that a resource asks for, in the form of the request that creates it.
    pub(super) fn grant(&mut self, resource: Block<'m>) -> Value {
        let mut members = self.members(resource, &MEMBERS, &Vec::new());
        let mut constraints: Option<(Key, Value)> = None;
        for (block, variables) in self.blocks(resource, "constraints", &Vec::new()) {
            let inside = self.members(block, &IN_CONSTRAINTS, &variables);
            match &mut constraints {
                // The provider puts several into one.
                Some((_, Value { kind: ValueKind::Object(members), .. })) => members.extend(inside),
                _ => {
                    let value = Value::new(block.at(), ValueKind::Object(inside));
                    constraints = Some((Key::named(CONSTRAINTS, block.heading()), value));
                }
            }
        }
        members.extend(constraints);
        if let Some(provider) = resource.argument("provider") {
            // A reference to something that has no value.
            let text = Value::text(provider.key, provider.value.source());
            members.push((Key::named("Provider", provider.key), text));
        }
        Value::new(resource.at(), ValueKind::Object(members))
    }

    /// The members of a request that a block has as arguments.
    fn members(&mut self, block: Block<'m>, names: &[&str], variables: &Variables) -> Vec<(Key, Value)> {
        let arguments = block.arguments();
        let mut members = Vec::new();
        for name in names {
            let argument = arguments.iter().find(|argument| means(argument, name));
            let Some(argument) = argument.and_then(|argument| block.argument(argument)) else { continue };
            let value = self.expression(argument.value, variables);
            // An argument without a value is not given.
            if !matches!(value.kind, ValueKind::Null) {
                members.push((Key::named(name, argument.key), value));
            }
        }
        members
    }
}
