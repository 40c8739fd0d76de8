//! What a template says of a key besides its policy.

use keylint_syntax::Node;

use crate::KeyFacts;
use crate::cloudformation::resolver::Resolver;
use crate::cloudformation::template::{Template, member};
use crate::value::ValueKind;

/// The facts in the properties of a key. What depends on a condition or a parameter is not known.
pub(super) fn of<'t>(
    properties: Node<'t>,
    is_replica: bool,
    template: &Template<'t>,
    identifiers: &[&'t str],
) -> KeyFacts {
    let properties = Properties { node: properties, template, identifiers };
    // A replica has the spec and the usage of its primary key, which is in another Region.
    let primary = |name: &str, default: &str| {
        if is_replica { None } else { properties.text(name, Some(default)) }
    };
    KeyFacts {
        key: None,
        spec: primary("KeySpec", "SYMMETRIC_DEFAULT"),
        usage: primary("KeyUsage", "ENCRYPT_DECRYPT"),
        origin: properties.text("Origin", None),
        multi_region: if is_replica { Some(true) } else { properties.is_true("MultiRegion") },
        rotation: properties.is_true("EnableKeyRotation"),
        bypasses_lockout_check: properties.is_true("BypassPolicyLockoutSafetyCheck"),
    }
}

struct Properties<'p, 't> {
    node: Node<'t>,
    template: &'p Template<'t>,
    identifiers: &'p [&'t str],
}

impl Properties<'_, '_> {
    fn text(&self, name: &str, default: Option<&str>) -> Option<String> {
        let mut resolver = Resolver::new(self.template, self.identifiers);
        let value = member(self.node, name).and_then(|node| resolver.value(node));
        match value.filter(|value| !matches!(value.kind, ValueKind::Null)) {
            Some(value) => value.known_text().filter(|text| !text.contains("{{resolve:")),
            // What is included may say it.
            None if member(self.node, "Fn::Transform").is_some() => None,
            None => default.map(str::to_owned),
        }
    }

    fn is_true(&self, name: &str) -> Option<bool> {
        match self.text(name, None)?.to_ascii_lowercase().as_str() {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        }
    }
}
