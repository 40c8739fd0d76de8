//! A table of Markdown: for the summary of a job, or for a comment.

use std::io;

use crate::Report;
use crate::entry::entries;

/// Bytes that are written at most: GitHub drops a whole step summary of more than 1 MiB.
const MOST: usize = 900 << 10;

/// Writes the sentence of the summary, and a table of the findings, as many as fit.
pub(crate) fn write(report: &Report<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    writeln!(out, "### keylint\n\n{}", report.summary)?;
    let entries = entries(report);
    if entries.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n| severity | place | finding | rule |\n| --- | --- | --- | --- |")?;
    let mut written = 0;
    for (index, entry) in entries.iter().enumerate() {
        let start = entry.start();
        let place = format!("{}:{}:{}", entry.path, start.line, start.column);
        let row = format!(
            "| {} | {} | {} | {} |",
            entry.severity(),
            code(&place),
            text(&entry.message),
            code(&entry.rule())
        );
        written += row.len() + 1;
        if written > MOST {
            writeln!(out, "\n{} more findings do not fit here.", entries.len() - index)?;
            break;
        }
        writeln!(out, "{row}")?;
    }
    Ok(())
}

/// Text between backticks, whatever it has in it.
fn code(text: &str) -> String {
    let longest = text.split(|character| character != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    let blank = if longest > 0 { " " } else { "" };
    format!("{fence}{blank}{}{blank}{fence}", text.replace('|', "\\|"))
}

/// A message of ours: the user's own text stands between backticks already, and nothing outside of them is markup.
fn text(message: &str) -> String {
    // With one backtick too many nobody can tell what is code.
    let has_code = message.matches('`').count().is_multiple_of(2);
    let mut shown = String::with_capacity(message.len());
    let mut is_code = false;
    for character in message.chars() {
        is_code ^= has_code && character == '`';
        match character {
            '|' => shown.push_str("\\|"),
            '<' if !is_code => shown.push_str("&lt;"),
            '&' if !is_code => shown.push_str("&amp;"),
            '`' if has_code => shown.push('`'),
            '`' | '*' | '_' | '[' | ']' | '\\' | '~' | '@' | '#' | '!' if !is_code => {
                shown.push('\\');
                shown.push(character);
            }
            _ => shown.push(character),
        }
    }
    shown
}
