//! What is wrong with a text that is not YAML, in plainer words than the parser's.

use super::locate::Location;
use super::report::{Diagnostic, Report, Severity};
use super::snippet::{Marked, Source};

/// A report of the one error at which the parser stopped.
pub(super) fn report(name: &str, text: &str, error: &serde_yaml::Error) -> Report {
    let source = Source::new(text);
    let message = error.to_string();
    let stopped = error.location().map(Location::from);
    let location = opened(&message).or(stopped).or_else(|| second_document(&source, &message));
    let location = location.map(|location| source.clamp(location));
    let next = location.and_then(|at| source.line(at.line).chars().nth(at.column - 1));
    let (message, help) = plain(&message, next);
    let diagnostic = Diagnostic {
        severity: Severity::Error,
        path: String::new(),
        location: location.map(|at| (at.line, at.column)),
        message,
        help: help.map(str::to_owned),
        snippet: location.and_then(|at| source.snippet(at, Marked::Point, None)),
    };
    Report::new(name, vec![diagnostic], 0)
}

/// Where the quote or bracket begins that is not closed: the parser tells it in words only.
fn opened(message: &str) -> Option<Location> {
    let context = ["while scanning a quoted scalar at line ", "while parsing a flow mapping at line "];
    let context = context.into_iter().chain(["while parsing a flow sequence at line "]);
    let at = context.into_iter().find_map(|context| message.split_once(context))?.1;
    let (line, column) = at.split_once(" column ")?;
    Some(Location { line: line.parse().ok()?, column: column.parse().ok()? })
}

/// Where the second document of a file begins, of which the parser tells no place.
fn second_document(source: &Source<'_>, message: &str) -> Option<Location> {
    let line = source.last_line_with("---").filter(|_| message.contains(SECOND_DOCUMENT))?;
    Some(Location { line, column: 1 })
}

const SECOND_DOCUMENT: &str = "more than one document";

/// What the parser says, what may have caused it, and what to do.
const KNOWN: &[(&str, &str, &str)] = &[
    (
        "mapping values are not allowed",
        "a `:` cannot stand here",
        "is the line indented too far, is a `:` missing in the line above, or does a text with `: ` in it want quotes?",
    ),
    (
        "did not find expected key",
        "a key of the mapping above was expected here",
        "is the indentation that of the keys above, and are all quotes and brackets above closed?",
    ),
    (
        "did not find expected '-' indicator",
        "an item of the list above was expected here",
        "an item begins with `- `, indented as the items above",
    ),
    (
        "did not find expected ',' or '}'",
        "the `{` here is not closed, or a `,` is missing within it",
        "a text with `{`, `}`, `,` or `: ` in it wants quotes",
    ),
    (
        "did not find expected ',' or ']'",
        "the `[` here is not closed, or a `,` is missing within it",
        "a text with `[`, `]`, `,` or `: ` in it wants quotes",
    ),
    (
        "could not find expected ':'",
        "a `:` after a key was expected here",
        "a key and its value are written `key: value`",
    ),
    (
        "found unexpected end of stream",
        "the quote here is not closed",
        "a quote within a text in quotes is written `\\\"`",
    ),
    (
        "did not find expected alphabetic or numeric character",
        "a `*` or `&` begins an alias or anchor of YAML here, and its name is missing",
        "for the character itself use quotes: `\"*\"`",
    ),
    ("unknown anchor", "there is no anchor of this name above", "`*name` refers to an `&name` before it"),
    (
        SECOND_DOCUMENT,
        "there is more than one document in the file",
        "leave out the second `---` and what follows it",
    ),
    ("recursion limit exceeded", "values are nested too deep here", "no key of a configuration is so deep"),
    ("repetition limit exceeded", "aliases repeat too many values", "write the values out"),
    ("it has more than", "the file has too many values", "are aliases repeated within aliases?"),
    ("invalid value", "a value does not fit its tag (`!!int` and the like)", "leave the tag out"),
    ("invalid type", "a value does not fit its tag (`!!int` and the like)", "leave the tag out"),
    (
        "control characters are not allowed",
        "there is a control character in the file",
        "is it a text file, in UTF-8?",
    ),
];

fn plain(message: &str, next: Option<char>) -> (String, Option<&'static str>) {
    match next {
        Some('\t') => {
            return ("a tab cannot stand here".to_owned(), Some("YAML is indented with spaces only"));
        }
        Some(c @ ('@' | '`' | '%')) if message.contains("cannot start any token") => {
            let message = format!("a text that begins with `{c}` wants quotes");
            return (message, None);
        }
        _ => {}
    }
    for &(known, plain, help) in KNOWN {
        if message.contains(known) {
            return (plain.to_owned(), Some(help));
        }
    }
    // Any other message is one of the parser's own constant texts: what it found stands in none of them.
    let plain = message.split(" at line ").next().unwrap_or(message);
    (format!("this is not YAML: {plain}"), None)
}
