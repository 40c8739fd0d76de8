//! What the environment says about how output should look.

use std::io::IsTerminal;

use clap::ColorChoice;
use keylint_report::Style;

/// Reads an environment variable; one that is empty counts as not set.
pub(crate) type Environment<'e> = &'e dyn Fn(&str) -> Option<String>;

/// The environment of this process.
pub(crate) fn environment(name: &str) -> Option<String> {
    std::env::var_os(name).map(|value| value.to_string_lossy().into_owned()).filter(|value| !value.is_empty())
}

/// How files look: the same everywhere.
pub(crate) const PLAIN: Style = Style { color: false, width: 0, unicode: true };

/// How standard output is to look.
pub(crate) fn style(choice: ColorChoice, environment: Environment<'_>) -> Style {
    let is_terminal = std::io::stdout().is_terminal();
    let width =
        terminal_size::terminal_size_of(std::io::stdout()).map_or(0, |(width, _)| usize::from(width.0));
    Style {
        color: is_colored(choice, is_terminal, environment),
        width: if is_terminal { width } else { PLAIN.width },
        unicode: !is_terminal || knows_unicode(environment),
    }
}

/// Whether progress may be shown: only to somebody who watches.
///
/// pre-commit gives its hooks a terminal although nobody does, and keeps what they write.
pub(crate) fn may_show_progress(environment: Environment<'_>) -> bool {
    std::io::stderr().is_terminal()
        && environment("PRE_COMMIT").is_none()
        && environment("CI").is_none()
        && !is_dumb(environment)
}

/// The option wins, then the variables that say no, then those that say yes, then what the terminal is.
fn is_colored(choice: ColorChoice, is_terminal: bool, environment: Environment<'_>) -> bool {
    let is_on = |name| environment(name).is_some_and(|value| value != "0");
    match choice {
        ColorChoice::Always => true,
        ColorChoice::Never => false,
        ColorChoice::Auto => {
            let no = environment("NO_COLOR").is_some();
            let yes = is_on("CLICOLOR_FORCE") || is_on("FORCE_COLOR");
            let off = environment("CLICOLOR").is_some_and(|value| value == "0") || is_dumb(environment);
            !no && (yes || (is_terminal && !off))
        }
    }
}

fn is_dumb(environment: Environment<'_>) -> bool {
    environment("TERM").is_some_and(|value| value == "dumb")
}

/// Whether the terminal's locale is a Unicode one. Windows has no such variable, and terminals that know Unicode.
fn knows_unicode(environment: Environment<'_>) -> bool {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(environment);
    let locale = locale.map(|locale| locale.to_ascii_lowercase().replace('-', ""));
    cfg!(windows) || locale.is_some_and(|locale| locale.contains("utf8"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use pretty_assertions::assert_eq;

    fn of(variables: &[(&str, &str)]) -> impl Fn(&str) -> Option<String> {
        move |name| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
    }

    #[test]
    fn colour_follows_option_then_environment_then_terminal() {
        let colored =
            |choice, terminal, variables: &[(&str, &str)]| is_colored(choice, terminal, &of(variables));
        let auto = |terminal, variables: &[(&str, &str)]| colored(ColorChoice::Auto, terminal, variables);
        assert_eq!([auto(true, &[]), auto(false, &[])], [true, false]);
        assert!(!auto(true, &[("NO_COLOR", "1")]));
        assert!(!auto(true, &[("TERM", "dumb")]));
        assert!(!auto(true, &[("CLICOLOR", "0")]));
        assert!(auto(false, &[("FORCE_COLOR", "1")]));
        assert!(auto(false, &[("CLICOLOR_FORCE", "1"), ("TERM", "dumb")]));
        assert!(!auto(false, &[("CLICOLOR_FORCE", "0")]));
        assert!(!auto(true, &[("FORCE_COLOR", "1"), ("NO_COLOR", "1")]));
        assert!(colored(ColorChoice::Always, false, &[("NO_COLOR", "1")]));
        assert!(!colored(ColorChoice::Never, true, &[("FORCE_COLOR", "1")]));
    }

    #[test]
    #[cfg(not(windows))]
    fn the_first_locale_that_is_set_decides() {
        assert!(knows_unicode(&of(&[("LANG", "en_US.UTF-8")])));
        assert!(knows_unicode(&of(&[("LANG", "C"), ("LC_ALL", "C.utf8")])));
        assert!(!knows_unicode(&of(&[("LANG", "C")])));
        assert!(!knows_unicode(&of(&[])));
    }
}
