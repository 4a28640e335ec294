//! Where the model stands in a query: `name=value` between `&`, as forms are written into URLs.
//!
//! Names are compared decoded. A query is given and returned without its `?`.

use super::percent::{self, Undecodable};
use percent_encoding::percent_decode_str;
use std::borrow::Cow;
use std::ops::Range;

/// A parameter in a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InQuery {
    /// Where its value stands, in bytes of the query.
    pub span: Range<usize>,
    /// Its value, decoded.
    pub asked: Box<str>,
    /// It has a name alone, and no `=`.
    is_bare: bool,
}

/// Why a query's parameter cannot be read. Offsets are in bytes from the query's start.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    /// It is there twice, and readers may take either.
    #[error("the query has \"{name}\" twice, at bytes {first} and {second}: send it once")]
    Twice {
        /// The parameter's name.
        name: Box<str>,
        /// Where the first begins.
        first: usize,
        /// Where the second begins.
        second: usize,
    },
    /// A `%` without two hexadecimal digits.
    #[error(
        "the value of \"{name}\" in the query is not percent-encoded right: two hexadecimal digits must follow the `%` at \
         byte {at}"
    )]
    BadEncoding {
        /// The parameter's name.
        name: Box<str>,
        /// The `%`.
        at: usize,
    },
    /// Bytes that are no text.
    #[error("the value of \"{name}\" in the query, at byte {at}, is not UTF-8 when it is decoded")]
    InvalidUtf8 {
        /// The parameter's name.
        name: Box<str>,
        /// Where the value begins.
        at: usize,
    },
}

/// The parameter `name` of a query, if it is there.
///
/// # Errors
/// It is there twice, or its value cannot be decoded.
pub fn find(query: &str, name: &str) -> Result<Option<InQuery>, QueryError> {
    let mut named = pairs(query).filter(|(_, pair)| is_named(pair, name));
    let Some((start, pair)) = named.next() else {
        return Ok(None);
    };
    if let Some((second, _)) = named.next() {
        return Err(QueryError::Twice { name: name.into(), first: start, second });
    }
    let end = start + pair.len();
    let (at, raw) = match pair.split_once('=') {
        Some((_, value)) => (end - value.len(), value),
        None => (end, ""),
    };
    // As long as it was, so that offsets stay.
    let spaced = raw.replace('+', " ");
    let asked = percent::decode(&spaced).map_err(|error| match error {
        Undecodable::Percent(offset) => QueryError::BadEncoding { name: name.into(), at: at + offset },
        Undecodable::Utf8 => QueryError::InvalidUtf8 { name: name.into(), at },
    })?;
    Ok(Some(InQuery { span: at..end, asked: asked.into(), is_bare: !pair.contains('=') }))
}

/// The query with `value` in the place of what was found in it, and every other byte as it was.
#[must_use]
pub fn replace(query: &str, found: &InQuery, value: &str) -> String {
    let (before, after) = (query.get(..found.span.start), query.get(found.span.end..));
    let equals = if found.is_bare { "=" } else { "" };
    [before.unwrap_or_default(), equals, &percent::encode(value), after.unwrap_or_default()].concat()
}

/// The query with one parameter more at its end.
#[must_use]
pub fn append(query: &str, name: &str, value: &str) -> String {
    let and = if query.is_empty() || query.ends_with('&') { "" } else { "&" };
    [query, and, &percent::encode(name), "=", &percent::encode(value)].concat()
}

/// The query with the parameter `name`, of this value where it has none.
#[must_use]
pub fn with_default<'query>(query: &'query str, name: &str, value: &str) -> Cow<'query, str> {
    if pairs(query).any(|(_, pair)| is_named(pair, name)) {
        return Cow::Borrowed(query);
    }
    Cow::Owned(append(query, name, value))
}

/// The query without the parameters of these names, the others as they were.
#[must_use]
pub fn without<'query>(query: &'query str, names: &[impl AsRef<str>]) -> Cow<'query, str> {
    let stays = |pair: &str| !names.iter().any(|name| is_named(pair, name.as_ref()));
    if pairs(query).all(|(_, pair)| stays(pair)) {
        return Cow::Borrowed(query);
    }
    let staying: Vec<&str> = pairs(query).map(|(_, pair)| pair).filter(|pair| stays(pair)).collect();
    Cow::Owned(staying.join("&"))
}

/// What stands between the `&`, and where.
fn pairs(query: &str) -> impl Iterator<Item = (usize, &str)> {
    query.split('&').scan(0, |next, pair| {
        let start = *next;
        *next += pair.len() + 1;
        Some((start, pair))
    })
}

fn is_named(pair: &str, name: &str) -> bool {
    let raw = pair.split_once('=').map_or(pair, |(name, _)| name);
    if !raw.contains(['%', '+']) {
        return raw == name;
    }
    percent_decode_str(&raw.replace('+', " ")).eq(name.bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_replaced_where_it_stands() {
        let table = [
            ("model=a", "a", "model=x%2Fy%20z"),
            ("a=1&model=a%2Fb+c&b", "a/b c", "a=1&model=x%2Fy%20z&b"),
            ("a=model&mo%64el=%C3%A9=&&", "é=", "a=model&mo%64el=x%2Fy%20z&&"),
            ("&model&b=%", "", "&model=x%2Fy%20z&b=%"),
            ("model=", "", "model=x%2Fy%20z"),
        ];
        for (query, asked, expected) in table {
            let found = find(query, "model").unwrap().expect(query);
            assert_eq!(&*found.asked, asked, "{query}");
            assert_eq!(replace(query, &found, "x/y z"), expected);
        }
        for query in ["", "&", "=", "Model=a", "models=a", "a=model", "mod+el=a", "%ff=a"] {
            assert_eq!(find(query, "model"), Ok(None), "{query}");
        }
        assert!(find("mod+el=a", "mod el").unwrap().is_some());
    }

    #[test]
    fn what_cannot_be_read_is_refused() {
        let table = [
            ("model=a&b=1&mo%64el=a", "the query has \"model\" twice, at bytes 0 and 12: send it once"),
            (
                "b&model=a%2",
                "the value of \"model\" in the query is not percent-encoded right: two hexadecimal digits must \
              follow the `%` at byte 9",
            ),
            (
                "b&model=a%ff",
                "the value of \"model\" in the query, at byte 8, is not UTF-8 when it is decoded",
            ),
        ];
        for (query, message) in table {
            assert_eq!(find(query, "model").unwrap_err().to_string(), message);
        }
    }

    #[test]
    fn parameters_are_added_and_taken_off() {
        assert_eq!(append("", "a b", "c&d"), "a%20b=c%26d");
        assert_eq!(append("x", "a", "b"), "x&a=b");
        assert_eq!(append("x&", "a", "b"), "x&a=b");
        assert_eq!(with_default("a=1", "v", "2"), "a=1&v=2");
        assert_eq!(with_default("a=1&%76", "v", "2"), "a=1&%76");
        assert_eq!(without("a=1&v=2&b=%&v=3&c", &["v", "c"]), "a=1&b=%");
        assert_eq!(without("v=2", &["v"]), "");
        assert_eq!(without("a&&b", &["v"]), "a&&b");
    }
}
