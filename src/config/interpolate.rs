//! `${VAR}`, `${VAR:-default}` and `${file:PATH}` in texts.
//!
//! Done on the values of the tree, after parsing: what comes from outside is a value and never syntax, so that a secret
//! with a `:` or a quote in it cannot change the meaning of a file. `$${` stands for `${` itself.

use super::findings::{Finding, Findings, Spot};
use super::outside::Outside;
use super::report::Severity;
use super::tree::{Kind, NodeId, Text, Tree};
use super::{plain, secret};
use std::env::VarError;
use std::path::Path;

/// Fills in all texts of `tree`. One that cannot be filled in is reported, and broken from then on.
pub(super) fn interpolate(tree: &mut Tree, outside: &dyn Outside, findings: &Findings) {
    for node in tree.ids() {
        let Kind::Text(Text { value: written, .. }) = tree.kind(node) else {
            continue;
        };
        if !written.contains("${") {
            continue;
        }
        let is_secret = secret::is_secret_at(&tree.steps(node));
        let kind = match fill_in(written, outside, is_secret) {
            Ok(value) => Kind::Text(Text { value, written: Some(written.clone()) }),
            Err(problem) => {
                findings.add(problem.finding(node));
                Kind::Broken
            }
        };
        tree.replace(node, kind);
    }
}

/// Why a text cannot be filled in. Holds parts of the text as written, never of what is outside.
#[derive(Debug, PartialEq, Eq)]
struct Problem {
    message: String,
    help: Option<&'static str>,
    /// The `${…}` that is meant.
    focus: String,
}

impl Problem {
    fn finding(self, node: NodeId) -> Finding {
        let finding = Finding::new(Severity::Error, Spot::Value(node), self.message).focus(self.focus);
        match self.help {
            Some(help) => finding.help(help),
            None => finding,
        }
    }
}

/// The text that `written` stands for. `is_secret`: what is written may be a secret itself, where only a reference should be.
fn fill_in(written: &str, outside: &dyn Outside, is_secret: bool) -> Result<String, Problem> {
    let mut value = String::with_capacity(written.len());
    let mut rest = written;
    while let Some((before, after)) = rest.split_once("${") {
        if let Some(before) = before.strip_suffix('$') {
            value.push_str(before);
            value.push_str("${");
            rest = after;
            continue;
        }
        value.push_str(before);
        let Some((expression, after)) = after.split_once('}') else {
            return Err(Problem {
                message: "this `${` has no closing `}`".to_owned(),
                help: Some("for a literal `${` write `$${`"),
                focus: "${".to_owned(),
            });
        };
        value.push_str(&evaluate(expression, outside, is_secret)?);
        rest = after;
    }
    value.push_str(rest);
    Ok(value)
}

fn evaluate(expression: &str, outside: &dyn Outside, is_secret: bool) -> Result<String, Problem> {
    let shown = |name: &str| match is_secret && !plain::is_expression(expression) {
        true => "(not shown)".to_owned(),
        false => format!("`{}`", name.escape_debug()),
    };
    let problem = |message: String, help: Option<&'static str>| Problem {
        message,
        help,
        focus: format!("${{{expression}"),
    };
    if expression.contains("${") {
        return Err(problem("one `${…}` cannot stand inside another".to_owned(), None));
    }
    if let Some(path) = expression.strip_prefix("file:") {
        return read_file(path, &shown(path), outside).map_err(|message| problem(message, None));
    }
    let (name, default) = match expression.split_once(":-") {
        Some((name, default)) => (name, Some(default)),
        None => (expression, None),
    };
    if !is_variable_name(name) {
        let message =
            "the name of an environment variable has letters, digits and `_`, and begins with no digit";
        return Err(problem(
            message.to_owned(),
            Some(
                "the forms are `${VAR}`, `${VAR:-default}` and `${file:PATH}`; for a literal `${` write `$${`",
            ),
        ));
    }
    match (outside.variable(name), default) {
        (Ok(value), None) => Ok(value),
        (Ok(value), Some(_)) if !value.is_empty() => Ok(value),
        (Ok(_) | Err(VarError::NotPresent), Some(default)) => Ok(default.to_owned()),
        (Err(VarError::NotPresent), None) => Err(problem(
            format!("the environment variable {} is not set", shown(name)),
            Some("set it where the gateway is started, or give a default: `${VAR:-default}`"),
        )),
        (Err(VarError::NotUnicode(_)), _) => {
            Err(problem(format!("the environment variable {} does not hold UTF-8 text", shown(name)), None))
        }
    }
}

/// The content of a file, without the newline that editors and `echo` put at the end.
fn read_file(path: &str, shown: &str, outside: &dyn Outside) -> Result<String, String> {
    if path.is_empty() {
        return Err("`${file:…}` names no file".to_owned());
    }
    let bytes = outside.file(Path::new(path)).map_err(|error| format!("cannot read {shown}: {error}"))?;
    let mut text = String::from_utf8(bytes).map_err(|_| format!("{shown} does not hold UTF-8 text"))?;
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    Ok(text)
}

fn is_variable_name(name: &str) -> bool {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    name.chars().all(word) && name.starts_with(|c: char| !c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;

    struct Fake;

    impl Outside for Fake {
        fn variable(&self, name: &str) -> Result<String, VarError> {
            match name {
                "KEY" => Ok("sk-1: \"x\" }".into()),
                "EMPTY" => Ok(String::new()),
                "DOLLAR" => Ok("${KEY}".into()),
                "BINARY" => Err(VarError::NotUnicode("?".into())),
                _ => Err(VarError::NotPresent),
            }
        }

        fn file(&self, path: &Path) -> io::Result<Vec<u8>> {
            match path.to_str() {
                Some("/unix") => Ok(b"secret\n".to_vec()),
                Some("/dos") => Ok(b"secret\r\n".to_vec()),
                Some("/lines") => Ok(b"a\nb\n\n".to_vec()),
                Some("/binary") => Ok(vec![0xff]),
                _ => Err(io::ErrorKind::NotFound.into()),
            }
        }
    }

    #[test]
    fn what_is_outside_is_filled_in() {
        let table = [
            ("plain $ { } $KEY", "plain $ { } $KEY"),
            ("${KEY}", "sk-1: \"x\" }"),
            ("a ${KEY} b ${EMPTY}c", "a sk-1: \"x\" } b c"),
            ("${NONE:-some default}", "some default"),
            ("${NONE:-}", ""),
            ("${EMPTY:-default}", "default"),
            ("${KEY:-default}", "sk-1: \"x\" }"),
            ("${NONE:-a:-b}", "a:-b"),
            ("${file:/unix}", "secret"),
            ("${file:/dos}!", "secret!"),
            ("${file:/lines}", "a\nb\n"),
            ("$${KEY}", "${KEY}"),
            ("$${", "${"),
            ("$$${KEY}", "$${KEY}"),
            ("${DOLLAR}", "${KEY}"),
        ];
        for (written, expected) in table {
            assert_eq!(fill_in(written, &Fake, false).as_deref(), Ok(expected), "{written}");
        }
    }

    #[test]
    fn what_cannot_be_filled_in_is_told() {
        let table = [
            ("${NONE}", "the environment variable `NONE` is not set"),
            ("${BINARY}", "the environment variable `BINARY` does not hold UTF-8 text"),
            ("x ${KEY", "this `${` has no closing `}`"),
            ("${A:-${KEY}}", "one `${…}` cannot stand inside another"),
            ("${file:}", "`${file:…}` names no file"),
            ("${file:/none}", "cannot read `/none`: entity not found"),
            ("${file:/binary}", "`/binary` does not hold UTF-8 text"),
        ];
        for (written, expected) in table {
            assert_eq!(fill_in(written, &Fake, false).unwrap_err().message, expected, "{written}");
        }
        let table = [
            ("${NONE}", "the environment variable `NONE` is not set"),
            ("${sk_1}", "the environment variable `sk_1` is not set"),
            ("${sk_0f3a9c1b2d4e5f60}", "the environment variable (not shown) is not set"),
            ("${file:/none}", "cannot read `/none`: entity not found"),
            ("${file:sk-openai}", "cannot read `sk-openai`: entity not found"),
            ("${file:sk-proj-abc123def456}", "cannot read (not shown): entity not found"),
        ];
        for (written, expected) in table {
            assert_eq!(fill_in(written, &Fake, true).unwrap_err().message, expected, "{written}");
        }
        for written in ["${}", "${1A}", "${A-B}", "${A B}", "${ä}", "${:-x}", "${env:KEY}"] {
            let message = fill_in(written, &Fake, false).unwrap_err().message;
            assert!(message.starts_with("the name of an environment variable"), "{written}: {message}");
        }
    }
}
