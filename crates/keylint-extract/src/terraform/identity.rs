//! The ARNs of roles and users that a module makes: their form is known before they are.

use keylint_source::Span;

use super::block::Block;
use super::expression::Evaluator;
use crate::value::{Text, Value, ValueKind};

/// The service-linked roles of services that are given keys of the customer's, by the service's name.
///
/// <https://docs.aws.amazon.com/autoscaling/ec2/userguide/autoscaling-service-linked-role.html>
/// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/service-linked-roles-spot-instance-requests.html>
const SERVICE_LINKED: [(&str, &str); 2] = [
    ("autoscaling.amazonaws.com", "AWSServiceRoleForAutoScaling"),
    ("spot.amazonaws.com", "AWSServiceRoleForEC2Spot"),
];

impl<'m> Evaluator<'m, '_> {
    /// The ARN of an `aws_iam_role`, an `aws_iam_user`, or an `aws_iam_service_linked_role` of the module; nothing where
    /// its form is not known.
    pub(super) fn identity_arn(&mut self, kind: &str, name: &str, at: Span) -> Option<Value> {
        let form = match kind {
            "aws_iam_role" | "aws_iam_service_linked_role" => "role",
            "aws_iam_user" => "user",
            _ => return None,
        };
        let address = format!("{kind}.{name}");
        let module = self.module;
        let block = module.block(&address)?;
        let mut text = Text::default();
        let known = |text: &mut Text, piece: &str| text.push(piece, at, false);
        let partition = module.only("data.aws_partition.", "data.aws_partition.current")?;
        let account = module.only("data.aws_caller_identity.", "data.aws_caller_identity.current")?;
        known(&mut text, "arn:");
        text.pieces.extend(Text::hole(at, &format!("{partition}.partition")).pieces);
        known(&mut text, ":iam::");
        match self.account {
            Some(account) => known(&mut text, account),
            None => text.pieces.extend(Text::hole(at, &format!("{account}.account_id")).pieces),
        }
        known(&mut text, &format!(":{form}"));
        if kind == "aws_iam_service_linked_role" {
            let service = self.known_argument(block, "aws_service_name")?;
            let (_, role) = SERVICE_LINKED.iter().find(|(name, _)| *name == service)?;
            let suffix = match block.argument("custom_suffix") {
                Some(_) => format!("_{}", self.known_argument(block, "custom_suffix")?),
                None => String::new(),
            };
            known(&mut text, &format!("/aws-service-role/{service}/{role}{suffix}"));
            return Some(Value::new(at, ValueKind::Text(text)));
        }
        let path = match block.argument("path") {
            Some(_) => self.known_argument(block, "path")?,
            None => "/".to_owned(),
        };
        known(&mut text, &path);
        match self.known_argument(block, "name") {
            Some(name) => known(&mut text, &name),
            None => text.pieces.extend(Text::hole(at, &format!("{address}.name")).pieces),
        }
        Some(Value::new(at, ValueKind::Text(text)))
    }

    /// The ARN of an alias of a key: whatever its name, it is an alias.
    pub(super) fn alias_arn(&mut self, address: &str, at: Span) -> Value {
        let module = self.module;
        let only = |prefix: &str| {
            let usual = format!("data.{prefix}.current");
            module.only(&format!("data.{prefix}."), &usual).unwrap_or(usual)
        };
        let mut text = Text::default();
        let known = |text: &mut Text, piece: &str| text.push(piece, at, false);
        let open = |text: &mut Text, name: &str| text.pieces.extend(Text::hole(at, name).pieces);
        known(&mut text, "arn:");
        open(&mut text, &format!("{}.partition", only("aws_partition")));
        known(&mut text, ":kms:");
        open(&mut text, &format!("{}.name", only("aws_region")));
        known(&mut text, ":");
        match self.account {
            Some(account) => known(&mut text, account),
            None => open(&mut text, &format!("{}.account_id", only("aws_caller_identity"))),
        }
        known(&mut text, ":");
        text.pieces.extend(self.alias_name_text(address, at).pieces);
        Value::new(at, ValueKind::Text(text))
    }

    /// The name of an alias, which is also the id of its resource: `alias/` and a name, as far as it is known.
    pub(super) fn alias_name(&mut self, address: &str, at: Span) -> Value {
        Value::new(at, ValueKind::Text(self.alias_name_text(address, at)))
    }

    fn alias_name_text(&mut self, address: &str, at: Span) -> Text {
        let mut text = Text::default();
        let block = self.module.block(address);
        match block.and_then(|block| self.known_argument(block, "name")) {
            Some(name) => text.push(&name, at, false),
            None => {
                text.push("alias/", at, false);
                text.pieces.extend(Text::hole(at, &format!("{address}.name")).pieces);
            }
        }
        text
    }

    fn known_argument(&mut self, block: Block<'m>, name: &str) -> Option<String> {
        let argument = block.argument(name)?;
        self.expression(argument.value, &[]).known_text()
    }
}
