//! Names of fields, held against readers of forms that read otherwise.

use evenkeel::splice::{Boundary, Place, locate_in_form};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

/// What a reader does with a backslash within quotation marks.
#[derive(Debug, Clone, Copy)]
enum Escapes {
    /// The next character is meant.
    All,
    /// The next character is meant, if it is a quotation mark.
    Quotes,
    /// Nothing.
    None,
}

/// All that a careless reader takes for the field's name: it goes on behind what it does not understand. One that knows the
/// forms of RFC 2231 decodes them, and joins those with a number in whatever order it meets them.
fn names(text: &str, escapes: Escapes) -> Vec<String> {
    let (mut found, mut joined) = (Vec::new(), String::new());
    let mut rest = text;
    while let Some((_, after)) = rest.split_once(';') {
        rest = after;
        let Some((name, value)) = after.split_once('=') else { break };
        if name.contains(';') {
            continue;
        }
        let value = value.trim_start();
        let (value, after) = match value.strip_prefix('"') {
            Some(quoted) => unquote(quoted, escapes),
            None => {
                let end = value.find(';').unwrap_or(value.len());
                (value[..end].trim_end().to_owned(), &value[end..])
            }
        };
        rest = after;
        match name.trim().to_ascii_lowercase().strip_prefix("name") {
            Some("") => found.push(value),
            Some("*") => found.push(decoded(&value)),
            Some(number) if number.starts_with('*') => joined.push_str(&decoded(&value)),
            _ => {}
        }
    }
    found.push(joined);
    found
}

/// The value without what tells its character set and language.
fn decoded(value: &str) -> String {
    value.rsplit_once('\'').map_or(value, |(_, value)| value).replace("%64", "d")
}

fn unquote(text: &str, escapes: Escapes) -> (String, &str) {
    let mut value = String::new();
    let mut letters = text.char_indices().peekable();
    while let Some((at, letter)) = letters.next() {
        let next = letters.peek().map(|(_, next)| *next);
        match (letter, escapes, next) {
            ('"', ..) => return (value, &text[at + 1..]),
            ('\\', Escapes::All, Some(next)) | ('\\', Escapes::Quotes, Some(next @ '"')) => {
                value.push(next);
                letters.next();
            }
            _ => value.push(letter),
        }
    }
    (value, "")
}

fn disposition() -> impl Strategy<Value = String> {
    let token = select(vec![
        "; name=",
        "; name=\"",
        "; filename=\"",
        "; filename=",
        "; x=\"",
        ";",
        "=",
        "\"",
        "\"",
        "\\",
        "\\\"",
        " ",
        "model",
        "model\"",
        "f",
        "name",
        "name=model",
        "*",
        "file",
        "; name*=",
        "; name*0=",
        "; name*1*=",
        "utf-8''mo%64el",
        "mo",
        "del",
        "sur",
    ]);
    let open = select(vec!["; name=f", "; name=\"f\"", "; name=\"f\"; filename=\"", "; name*=\"f\"", ""]);
    (open, vec(token, 0..9)).prop_map(|(open, tokens)| format!("form-data{open}{}", tokens.concat()))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(ProptestConfig::default().cases * 64))]

    /// A part that any reader takes for the model's is that, or the form is refused.
    #[test]
    fn no_reader_finds_a_model_where_ours_finds_none(value in disposition()) {
        let body = format!("--b\r\nContent-Disposition: {value}\r\n\r\nx\r\n--b--\r\n");
        let boundary = Boundary::of(b"multipart/form-data; boundary=b").unwrap();
        if let Ok(Place::Absent { .. }) = locate_in_form(body.as_bytes(), &boundary, "model") {
            for escapes in [Escapes::All, Escapes::Quotes, Escapes::None] {
                let names = names(&value, escapes);
                prop_assert!(!names.iter().any(|name| name == "model"), "{:?} {:?}", escapes, names);
            }
        }
    }
}
