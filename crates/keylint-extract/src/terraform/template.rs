//! Strings and templates: escapes, `${…}` and `%{…}`.
//!
//! <https://developer.hashicorp.com/terraform/language/expressions/strings>

use hcl_edit::Span as _;
use hcl_edit::parser;
use hcl_edit::template::{Directive, Element};
use keylint_source::Span;

use super::expression::{Evaluator, Scope, each};
use crate::value::{Piece, PieceKind, Text, Value, ValueKind, hole_name};
use crate::within::{Indexed, Within};

impl Evaluator<'_, '_> {
    /// The text that a template gives. A template that is one `${…}` and nothing else is the value in it.
    pub(super) fn template<'e>(
        &mut self,
        elements: impl Iterator<Item = &'e Element>,
        is_quoted: bool,
        scope: &Scope<'_>,
        at: Span,
    ) -> Value {
        let elements: Vec<&Element> = elements.collect();
        if let [Element::Interpolation(only)] = elements.as_slice() {
            let value = self.evaluate(&only.expr, scope);
            return Value { at, ..value };
        }
        let mut text = Text::default();
        self.elements(elements.into_iter(), is_quoted, scope, &mut text);
        Value::new(at, ValueKind::Text(text))
    }

    fn elements<'e>(
        &mut self,
        elements: impl Iterator<Item = &'e Element>,
        is_quoted: bool,
        scope: &Scope<'_>,
        text: &mut Text,
    ) {
        for element in elements {
            let place = element.span().unwrap_or_default();
            match element {
                Element::Literal(_) => {
                    for piece in literal(place, is_quoted, scope).pieces {
                        match piece.kind {
                            PieceKind::Exact => text.push(&piece.text, piece.at, true),
                            _ => text.pieces.push(piece),
                        }
                    }
                }
                Element::Interpolation(interpolation) => {
                    let at = scope.span(place);
                    let value = self.evaluate(&interpolation.expr, scope);
                    let name = scope.source(&interpolation.expr);
                    text.pieces.extend(value.into_pieces(at, name));
                }
                Element::Directive(directive) => self.directive(directive, is_quoted, scope, text, place),
            }
        }
    }

    fn directive(
        &mut self,
        directive: &Directive,
        is_quoted: bool,
        scope: &Scope<'_>,
        text: &mut Text,
        place: std::ops::Range<usize>,
    ) {
        match directive {
            Directive::If(directive) => {
                let first = Some(&directive.if_expr.template);
                let second = directive.else_expr.as_ref().map(|other| &other.template);
                let (chosen, other) = if self.decide(&directive.if_expr.cond_expr, scope) {
                    (first, second)
                } else {
                    (second, first)
                };
                if let Some(place) = other.and_then(hcl_edit::Span::span) {
                    self.choices.leave_out(scope.span(place));
                }
                if let Some(template) = chosen {
                    self.choices.take(scope.span(template.span().unwrap_or_default()));
                    self.elements(template.iter(), is_quoted, scope, text);
                }
            }
            Directive::For(directive) => {
                let collection = self.evaluate(&directive.for_expr.collection_expr, scope);
                let name = scope.source(&directive.for_expr.collection_expr);
                for (key, value, is_certain) in each(collection, name) {
                    if !is_certain {
                        // How often the text is there decides on commas, so on the form of the whole.
                        text.pieces.push(Piece {
                            text: format!("${{%for {}}}", hole_name(name)),
                            at: scope.span(place.clone()),
                            kind: PieceKind::Hole,
                        });
                        return;
                    }
                    let mut inner = scope.with(directive.for_expr.value_var.as_str(), value);
                    if let Some(name) = &directive.for_expr.key_var {
                        inner = inner.with(name.as_str(), key);
                    }
                    self.elements(directive.for_expr.template.iter(), is_quoted, &inner, text);
                }
            }
        }
    }

    /// The text of a template that stands in another text: a string of JSON, a file.
    pub(super) fn template_text(&mut self, outer: &Text, at: Span, variables: &[(String, Value)]) -> Value {
        let decoded = outer.decoded();
        if !decoded.contains("${") && !decoded.contains("%{") {
            return Value::new(at, ValueKind::Text(outer.clone()));
        }
        match parser::parse_template(&decoded) {
            Ok(template) => {
                let variables = variables.to_vec();
                let indexed = Indexed::new(outer);
                let scope = Scope { text: &decoded, within: Within::Text(&indexed), variables };
                self.template(template.iter(), false, &scope, at)
            }
            Err(_) => Value::unknown(at, &decoded),
        }
    }
}

/// The text that is written between two offsets, without the quotation marks. Outside of quotation marks only `$${`
/// and `%%{` are escapes.
pub(super) fn literal(place: std::ops::Range<usize>, is_quoted: bool, scope: &Scope<'_>) -> Text {
    let written = scope.text.get(place.clone()).unwrap_or_default();
    let mut text = Text::default();
    let mut at = 0;
    let add = |text: &mut Text, piece: &str, from: usize, to: usize, exact: bool| {
        let offset = |at: usize| u32::try_from(place.start + at).unwrap_or(u32::MAX);
        scope.within.add(text, piece, Span::new(offset(from), offset(to)), exact);
    };
    while let Some(rest) = written.get(at..).filter(|rest| !rest.is_empty()) {
        let special = |(index, character): (usize, char)| match character {
            '\\' => is_quoted.then_some(index),
            '$' | '%' => rest.get(index..).and_then(escaped_marker).map(|_| index),
            _ => None,
        };
        let plain = rest.char_indices().find_map(special).unwrap_or(rest.len());
        if plain > 0 {
            add(&mut text, rest.get(..plain).unwrap_or_default(), at, at + plain, true);
            at += plain;
            continue;
        }
        let (length, piece) = match escaped_marker(rest) {
            Some(marker) => (3, marker.to_owned()),
            None => escape(rest),
        };
        add(&mut text, &piece, at, at + length, false);
        at += length;
    }
    text
}

/// `$${` and `%%{`.
fn escaped_marker(text: &str) -> Option<&'static str> {
    if text.starts_with("$${") {
        Some("${")
    } else if text.starts_with("%%{") {
        Some("%{")
    } else {
        None
    }
}

/// The length of an escape sequence, and what it stands for.
fn escape(text: &str) -> (usize, String) {
    let Some(letter) = text.chars().nth(1) else { return (text.len(), text.to_owned()) };
    let code = |digits: usize| {
        let value = text.get(2..2 + digits).and_then(|digits| u32::from_str_radix(digits, 16).ok());
        let character = value.and_then(char::from_u32).unwrap_or(char::REPLACEMENT_CHARACTER);
        (text.len().min(2 + digits), character.to_string())
    };
    match letter {
        'n' => (2, "\n".to_owned()),
        'r' => (2, "\r".to_owned()),
        't' => (2, "\t".to_owned()),
        'u' => code(4),
        'U' => code(8),
        other => (1 + other.len_utf8(), other.to_string()),
    }
}
