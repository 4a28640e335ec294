//! Where the model stands in a vendor's requests, as a file says it.

use super::super::super::document::Document;
use super::super::super::file::List;
use super::super::super::findings::Spot;
use super::super::super::located::Located;
use super::super::super::vendor_entry::{RequestEntry, SlashName};
use super::super::header::Purpose;
use crate::splice::template::{Prefix, Slash, Template, TemplateError};
use crate::splice::{JsonPath, JsonPathError, JsonPlace, JsonPrefix, JsonPrefixError};
use crate::vendor::RequestRule;

/// The rules of `list`, unless something is wrong with one of them.
pub(super) fn read(document: &Document, list: &List<RequestEntry>) -> Option<Vec<RequestRule>> {
    let entries = list.value()?;
    if entries.is_empty() {
        let message = "the list is empty: no policy could name a model";
        document.findings.error(Spot::Value(list.node()), message);
    }
    let rules = entries.iter().map(|entry| rule(document, entry));
    rules.collect::<Vec<_>>().into_iter().collect()
}

fn rule(document: &Document, located: &Located<RequestEntry>) -> Option<RequestRule> {
    let entry = located.value()?;
    let slash = match entry.slash.as_ref().and_then(Located::value).copied().unwrap_or_default() {
        SlashName::Refused => Slash::Refused,
        SlashName::Encoded => Slash::Encoded,
        SlashName::Kept => Slash::Kept,
    };
    let path = parsed(document, &entry.path, |text| Template::parse(text, slash), is_of_a_character);
    let json = json(document, entry);
    let form = optional(&entry.multipart, |given| text(document, given));
    let header = optional(&entry.header, |given| Purpose::Model.name(document, given));
    let query = optional(&entry.query, |given| parameter(document, given));
    let rule = RequestRule { path: path?, json: json?, form: form?, header: header?, query: query? };
    let elsewhere = [rule.json.is_some(), rule.form.is_some(), rule.header.is_some(), rule.query.is_some()];
    if !rule.is_by_path() && elsewhere == [false; 4] {
        let message = "nothing says where the model stands";
        let help = "write `{model}` in `path`, or add `json`, `multipart`, `header` or `query`";
        document.findings.error_with_help(Spot::Value(located.node()), message, help);
        return None;
    }
    if let (false, Some(json), Some(given)) = (rule.is_by_path(), &rule.json, &entry.json)
        && json.path.is_each()
    {
        let message = "a JSON path with `[]` can only follow a model that stands in the path";
        let help = "write `{model}` in `path`, or a JSON path without `[]`";
        document.findings.error_with_help(Spot::Value(given.node()), message, help);
        return None;
    }
    if let (false, Some(slash)) = (rule.is_by_path(), &entry.slash) {
        let message = "`slash` has no meaning here: the path has no `{model}`";
        document.findings.error(Spot::Key(slash.node()), message);
        return None;
    }
    Some(rule)
}

/// The place in a JSON body, if there is one. The outer `None` if something is wrong with it.
fn json(document: &Document, entry: &RequestEntry) -> Option<Option<JsonPlace>> {
    let path = optional(&entry.json, |given| {
        let is_of_a_character = |error: &_| matches!(error, JsonPathError::BadCharacter(_));
        parsed(document, given, str::parse::<JsonPath>, is_of_a_character)
    });
    let prefix = optional(&entry.prefix, |given| {
        let is_of_a_character = |error: &_| matches!(error, JsonPrefixError::BadCharacter(_));
        parsed(document, given, str::parse::<JsonPrefix>, is_of_a_character)
    });
    if let (None, Some(given)) = (&entry.json, &entry.prefix) {
        let message = "`prefix` has no meaning here: it stands before the model in a JSON body";
        let help = "add `json`, or leave `prefix` out";
        document.findings.error_with_help(Spot::Key(given.node()), message, help);
        return None;
    }
    let (path, prefix) = (path?, prefix?);
    Some(path.map(|path| JsonPlace { path, prefix }))
}

/// The prefix that `given` is.
pub(super) fn prefix(document: &Document, given: &Located<String>) -> Option<Prefix> {
    parsed(document, given, Prefix::parse, is_of_a_character)
}

fn is_of_a_character(error: &TemplateError) -> bool {
    matches!(error, TemplateError::BadCharacter(_))
}

/// What is given, read. The outer `None` if something is wrong with it.
fn optional<T>(
    given: &Option<Located<String>>,
    read: impl FnOnce(&Located<String>) -> Option<T>,
) -> Option<Option<T>> {
    match given {
        Some(given) => read(given).map(Some),
        None => Some(None),
    }
}

/// What `parse` makes of a text. `is_of_a_character`: its error shows a character of it.
fn parsed<T, E: std::fmt::Display>(
    document: &Document,
    given: &Located<String>,
    parse: impl FnOnce(&str) -> Result<T, E>,
    is_of_a_character: impl FnOnce(&E) -> bool,
) -> Option<T> {
    let error = match parse(given.value()?) {
        Ok(value) => return Some(value),
        Err(error) => error,
    };
    let found = document.found(given.node());
    let reason = if document.is_interpolated(given.node()) && is_of_a_character(&error) {
        "it has a character that cannot stand there".to_owned()
    } else {
        error.to_string()
    };
    document.findings.error(Spot::Value(given.node()), format!("{found} cannot be used: {reason}"));
    None
}

fn text(document: &Document, given: &Located<String>) -> Option<Box<str>> {
    let name = given.value()?.as_str();
    if name.is_empty() || name.chars().any(char::is_control) {
        let message = "a name is not empty and has no control characters";
        document.findings.error(Spot::Value(given.node()), message);
        return None;
    }
    Some(name.into())
}

/// The name of a query parameter. Names are compared decoded, so one that could only be a mistake for more than a name is
/// refused.
fn parameter(document: &Document, given: &Located<String>) -> Option<Box<str>> {
    let name = given.value()?.as_str();
    if let Some(message) = no_parameter(name) {
        let help = "write the name alone, as it is when it is decoded";
        document.findings.error_with_help(Spot::Value(given.node()), message, help);
        return None;
    }
    Some(name.into())
}

/// Why `name` is no name of a query parameter, if it is none.
pub(super) fn no_parameter(name: &str) -> Option<&'static str> {
    let is_wrong = |c: char| "&=#+%".contains(c) || c.is_whitespace() || c.is_control();
    (name.is_empty() || name.contains(is_wrong)).then_some(
        "the name of a query parameter is not empty and has no `&`, `=`, `#`, `+` or `%`, white space or control characters",
    )
}

#[cfg(test)]
mod tests;
