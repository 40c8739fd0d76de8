//! The domain of AWS in the names of services.

use crate::value::{Piece, PieceKind, Text, Value, ValueKind};

/// Names under which templates and modules know the domain of AWS in the partition that they are deployed in.
const OF_TEMPLATES: &str = "${AWS::URLSuffix}";
const OF_MODULES: &str = ".dns_suffix}";

/// Spells the names of services out, as far as they are known: services call themselves `….amazonaws.com` in every
/// partition, or are known by that name too.
pub(crate) fn spell_out_services(policy: &mut Value) {
    each_member(policy, &["Statement"], &mut |statements| {
        each_item(statements, &mut |statement| {
            each_member(statement, &["Principal", "NotPrincipal"], &mut |principal| {
                each_member(principal, &["Service"], &mut |services| {
                    each_item(services, &mut |service| {
                        if let ValueKind::Text(text) = &mut service.kind {
                            spell_out(text);
                        }
                    });
                });
            });
        });
    });
}

fn spell_out(text: &mut Text) {
    for Piece { text, kind, .. } in &mut text.pieces {
        if matches!(kind, PieceKind::Hole) && (text == OF_TEMPLATES || text.ends_with(OF_MODULES)) {
            "amazonaws.com".clone_into(text);
            *kind = PieceKind::Replaced;
        }
    }
}

fn each_member(value: &mut Value, names: &[&str], look: &mut dyn FnMut(&mut Value)) {
    if let ValueKind::Object(members) = &mut value.kind {
        let named = members.iter_mut().filter(|(key, _)| names.iter().any(|name| key.text.is(name)));
        named.for_each(|(_, value)| look(value));
    }
}

/// The items of a list, or a value alone.
fn each_item(value: &mut Value, look: &mut dyn FnMut(&mut Value)) {
    match &mut value.kind {
        ValueKind::List(items) => items.iter_mut().for_each(look),
        _ => look(value),
    }
}
