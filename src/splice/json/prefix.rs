//! What stands before the model in the string that has it.

use super::error::LocateError;
use super::path::JsonPath;
use super::scan::locate;
use super::text;
use crate::splice::place::{Form, Place, Value};
use bytes::Bytes;
use std::fmt;
use std::ops::Range;
use std::str::FromStr;
use std::sync::Arc;

/// Where in the bodies of some requests the model stands. A copy is cheap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonPlace {
    /// The string that has it.
    pub path: JsonPath,
    /// What comes before it there.
    pub prefix: Option<JsonPrefix>,
}

impl JsonPlace {
    /// Finds the model in `body` as [`locate`] does. What stands before it in its string stays if it is the prefix, which is
    /// no part of what is asked for; any other string is the model alone.
    ///
    /// # Errors
    /// As of [`locate`].
    pub fn locate(&self, body: &[u8]) -> Result<Place, LocateError> {
        let place = locate(body, &self.path)?;
        Ok(match &self.prefix {
            Some(prefix) => prefix.kept(body, place),
            None => place,
        })
    }
}

/// A text such as `models/` that comes before the model in a string of JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonPrefix(Arc<str>);

/// Why a text is no prefix.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JsonPrefixError {
    /// There is nothing.
    #[error("a prefix is not empty: leave it out")]
    Empty,
    /// It has a character that no prefix has.
    #[error("the prefix has {0:?}: it has letters, digits, and any of `/:._-@$`")]
    BadCharacter(char),
}

impl FromStr for JsonPrefix {
    type Err = JsonPrefixError;

    fn from_str(text: &str) -> Result<Self, JsonPrefixError> {
        // None of these needs an escape: they are written as they are.
        let fits = |letter: char| letter.is_ascii_alphanumeric() || "/:._-@$".contains(letter);
        match text.chars().find(|letter| !fits(*letter)) {
            Some(found) => Err(JsonPrefixError::BadCharacter(found)),
            None if text.is_empty() => Err(JsonPrefixError::Empty),
            None => Ok(Self(text.into())),
        }
    }
}

impl fmt::Display for JsonPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`", self.path)?;
        match &self.prefix {
            Some(JsonPrefix(prefix)) => write!(f, " after `{prefix}`"),
            None => Ok(()),
        }
    }
}

impl JsonPrefix {
    /// The `place` of whole strings of `body` without what stays of them.
    fn kept(&self, body: &[u8], place: Place) -> Place {
        match place {
            Place::Value { span, asked, .. } => {
                let Value { span, form } = self.value(body, span);
                Place::Value { span, asked: self.without(asked), form }
            }
            Place::Each { mut values, asked } => {
                for value in &mut values {
                    *value = self.value(body, value.span.clone());
                }
                Place::Each { values, asked: self.without(asked) }
            }
            Place::Absent { at, before, after, .. } => {
                let before = [before.as_ref(), b"\"", self.0.as_bytes()].concat();
                let after = Bytes::from([b"\"", after.as_ref()].concat());
                Place::Absent { at, before: before.into(), after, form: Form::InJson }
            }
            Place::Nowhere => Place::Nowhere,
        }
    }

    /// What is replaced of the string whose token is at `span`.
    fn value(&self, body: &[u8], span: Range<usize>) -> Value {
        let inside = span.start + 1..span.end.saturating_sub(1);
        let content = body.get(inside.clone()).unwrap_or_default();
        match text::begins(content, &self.0) {
            Some(rest) => Value { span: inside.end - rest.len()..inside.end, form: Form::InJson },
            None => Value { span, form: Form::Json },
        }
    }

    fn without(&self, asked: Box<str>) -> Box<str> {
        asked.strip_prefix(&*self.0).map(Into::into).unwrap_or(asked)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::splice::{ModelToken, splice, spliced_len};

    /// The body with `new/"model"` in each place, and what it asked for.
    fn spliced(path: &str, body: &str) -> (String, Option<String>) {
        let prefix = Some("models/".parse().unwrap());
        let place = JsonPlace { path: path.parse().unwrap(), prefix }.locate(body.as_bytes()).unwrap();
        let model = ModelToken::new("new/\"model\"");
        let spliced = splice(body.as_bytes(), &place, &model);
        assert_eq!(spliced.len(), spliced_len(body.len(), &place, &model), "{body}");
        (String::from_utf8(spliced.to_vec()).unwrap(), place.asked().map(Into::into))
    }

    #[test]
    fn what_stands_before_the_model_stays_as_it_is_written() {
        for (value, replaced, asked) in [
            (r#""models/a""#, r#""models/new/\"model\"""#, "a"),
            (r#""models/""#, r#""models/new/\"model\"""#, ""),
            (r#""models\/a\/b""#, r#""models\/new/\"model\"""#, "a/b"),
            (r#""\u006dodels\u002Fa\ud83d\ude00""#, r#""\u006dodels\u002Fnew/\"model\"""#, "a😀"),
            (r#""models/models/a""#, r#""models/new/\"model\"""#, "models/a"),
            (r#""a""#, r#""new/\"model\"""#, "a"),
            (r#""""#, r#""new/\"model\"""#, ""),
            (r#""models""#, r#""new/\"model\"""#, "models"),
            (r#""Models/a""#, r#""new/\"model\"""#, "Models/a"),
            (r#""tunedModels/a""#, r#""new/\"model\"""#, "tunedModels/a"),
        ] {
            let body = |value| format!(r#"{{"list":[{{ "model" : {value} }},{{}}], "model":{value} }}"#);
            let each = body(value).replacen(value, replaced, 1);
            assert_eq!(spliced("list[].model", &body(value)), (each, Some(asked.into())), "{value}");
            let alone = format!(r#"{{"n":1,"model":{value}}}"#);
            let expected = alone.replace(value, replaced);
            assert_eq!(spliced("model", &alone), (expected, Some(asked.into())), "{value}");
        }
    }

    #[test]
    fn what_is_added_has_it() {
        for (body, expected) in [
            ("{}", r#"{"a":{"model":"models/new/\"model\""}}"#),
            (r#"{"a":{"n":1}}"#, r#"{"a":{"model":"models/new/\"model\"","n":1}}"#),
        ] {
            assert_eq!(spliced("a.model", body), (expected.to_owned(), None));
        }
        assert_eq!(spliced("a[].model", r#"{"a":[{}]}"#), (r#"{"a":[{}]}"#.to_owned(), None));
    }

    #[test]
    fn some_texts_are_no_prefix() {
        assert_eq!("".parse::<JsonPrefix>(), Err(JsonPrefixError::Empty));
        for (text, found) in [("a b", ' '), ("\"", '"'), ("a\\", '\\'), ("é", 'é'), ("a\n", '\n')] {
            assert_eq!(text.parse::<JsonPrefix>(), Err(JsonPrefixError::BadCharacter(found)));
        }
        assert!("projects/a-b_c.d:e@$/models/".parse::<JsonPrefix>().is_ok());
    }
}
