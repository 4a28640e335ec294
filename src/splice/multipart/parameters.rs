//! The parameters of a header: `; name=value; other="quoted"`.

use std::borrow::Cow;

/// What follows the parameters read so far.
pub(super) struct Parameters<'text> {
    rest: &'text [u8],
}

/// A name, and a value without its quotes.
pub(super) type Parameter<'text> = (&'text [u8], Cow<'text, [u8]>);

/// The text follows no grammar of parameters.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Malformed;

impl<'text> Parameters<'text> {
    /// Those of `text`, which begins with the first one's semicolon.
    pub(super) fn of(text: &'text [u8]) -> Self {
        Self { rest: text }
    }

    /// What has not been read yet.
    pub(super) fn rest(&self) -> &'text [u8] {
        self.rest
    }

    fn parameter(&mut self, text: &'text [u8]) -> Option<Parameter<'text>> {
        let equals = text.iter().position(|byte| *byte == b'=')?;
        let (name, value) = text.split_at_checked(equals)?;
        let (name, value) = (name.trim_ascii(), value.get(1..)?.trim_ascii_start());
        if name.is_empty() || name.iter().any(|byte| byte.is_ascii_whitespace() || b";\"".contains(byte)) {
            return None;
        }
        if let Some(quoted) = value.strip_prefix(b"\"") {
            let (value, rest) = unquote(quoted)?;
            self.rest = rest;
            return Some((name, value));
        }
        // Not only the characters that the grammar has: boundaries with others in them are often sent without quotes.
        let end = value.iter().position(|byte| *byte == b';').unwrap_or(value.len());
        let (value, rest) = value.split_at_checked(end)?;
        self.rest = rest;
        Some((name, Cow::Borrowed(value.trim_ascii_end())))
    }
}

impl<'text> Iterator for Parameters<'text> {
    type Item = Result<Parameter<'text>, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = std::mem::take(&mut self.rest).trim_ascii_start();
        let [first, text @ ..] = rest else {
            return None;
        };
        if *first != b';' {
            return Some(Err(Malformed));
        }
        // An empty one is none: RFC 9110, section 5.6.6.
        let begin = text.iter().position(|byte| *byte != b';' && !byte.is_ascii_whitespace());
        let text = text.get(begin.unwrap_or(text.len())..).unwrap_or_default();
        match text {
            [] => None,
            _ => Some(self.parameter(text).ok_or(Malformed)),
        }
    }
}

/// What stands before the quote that ends `text`, its escapes decoded, and what stands after that quote.
fn unquote(text: &[u8]) -> Option<(Cow<'_, [u8]>, &[u8])> {
    let end = text.iter().position(|byte| matches!(byte, b'"' | b'\\'))?;
    if text.get(end) == Some(&b'"') {
        return Some((Cow::Borrowed(text.get(..end)?), text.get(end + 1..)?));
    }
    let mut value = Vec::new();
    let mut bytes = text.iter().copied().enumerate();
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'"' => return Some((Cow::Owned(value), text.get(at + 1..)?)),
            b'\\' => value.push(bytes.next()?.1),
            _ => value.push(byte),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<Vec<(String, String)>> {
        let owned = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Parameters::of(text.as_bytes())
            .map(|parameter| parameter.ok().map(|(name, value)| (owned(name), owned(&value))))
            .collect()
    }

    #[test]
    fn they_are_told_apart() {
        let table: [(&str, &[(&str, &str)]); 10] = [
            ("", &[]),
            (" ; ", &[]),
            (";; ;", &[]),
            (";;a=b; ;\t;c=d;;", &[("a", "b"), ("c", "d")]),
            (";a=b", &[("a", "b")]),
            (" ; a = b ;c= \"d;e=\\\"f\\\\\" ; g=", &[("a", "b"), ("c", "d;e=\"f\\"), ("g", "")]),
            (";a=\"\"", &[("a", "")]),
            ("; name=\"x\";\r\n filename=\"y\"", &[("name", "x"), ("filename", "y")]),
            ("; filename*=UTF-8''%e2%82%ac", &[("filename*", "UTF-8''%e2%82%ac")]),
            ("; a=é", &[("a", "é")]),
        ];
        for (text, expected) in table {
            let read = read(text).expect(text);
            let read: Vec<_> = read.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            assert_eq!(read, expected, "{text}");
        }
        for text in ["a=b", ";a", ";=b", ";a=\"b", ";a=\"b\\", ";a=\"b\\\"", ";a=\"b\"c", ";a b=c"] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
