//! Values that are not known before deployment.

use keylint_source::{Location, Sources};

use crate::place::Place;
use crate::visible::visible;

/// A value that a policy depends on and that is not known before deployment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unknown {
    /// Where a policy first depends on it.
    pub at: Location,
    /// Its name in the file.
    pub name: String,
    /// The value that it has where nobody says otherwise.
    pub default: Option<String>,
    /// The resource whose policy depends on it.
    pub resource: Option<String>,
}

/// The values that are not known before deployment, a line each: for people who want to know what the answers do not
/// rest on.
pub fn list_unknown(sources: &Sources, unknown: &[Unknown]) -> String {
    unknown.iter().map(|value| line(sources, value)).collect()
}

fn line(sources: &Sources, value: &Unknown) -> String {
    let place = Place::new(sources, value.at);
    let start = place.start();
    let default = match value.default.as_deref() {
        Some("") => ", by default empty".to_owned(),
        Some(default) => format!(", by default `{}`", visible(default)),
        None => String::new(),
    };
    let resource = value.resource.as_deref().map(|resource| format!(", in `{}`", visible(resource)));
    format!(
        "{}:{}:{}: not known before deployment: `{}`{default}{}\n",
        visible(place.file.path()),
        start.line,
        start.column,
        visible(&value.name),
        resource.unwrap_or_default(),
    )
}
