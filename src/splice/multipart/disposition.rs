//! What a part's Content-Disposition says.
//!
//! Names of files are often sent as they are, with quotation marks, backslashes and semicolons that no parameter may have.
//! They are passed over, as nothing depends on them, unless another reader could find another name of the field in them.

use super::error::FormError;
use super::parameters::{Malformed, Parameters};
use memchr::memmem;
use std::borrow::Cow;
use std::fmt;

/// Whose part it is.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Disposition<'body> {
    /// The name of the field.
    pub(super) field: Cow<'body, [u8]>,
    /// It has a file name.
    pub(super) is_file: bool,
}

/// A parameter of a Content-Disposition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parameter {
    /// `name`, or a form of it that only some readers know: `name*`, `name*0`, `name*0*` (RFC 2231).
    Name,
    /// `filename`, or such a form of it.
    FileName,
    /// Any other.
    Other,
}

/// What is wrong with one.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// It cannot be read from this parameter on.
    Unreadable(Parameter),
    /// It gives two names, or something that readers may take for another one.
    TwoNames,
    /// It gives a name that readers decode differently.
    DoubtfulName,
}

impl Fault {
    /// As it is told of the header at `at`.
    pub(super) fn at(self, at: usize) -> FormError {
        match self {
            Self::Unreadable(parameter) => FormError::BadDisposition { at, parameter },
            Self::TwoNames => FormError::TwoNames { at },
            Self::DoubtfulName => FormError::DoubtfulName { at },
        }
    }
}

/// Reads the value of a Content-Disposition; `None` if it is not that of a named field.
pub(super) fn read(value: &[u8]) -> Result<Option<Disposition<'_>>, Fault> {
    // Not every reader knows escapes: to one that does not, other text is within quotation marks from here on.
    if memmem::find(value, b"\\\"").and_then(|at| value.get(at..)).is_some_and(may_name) {
        return Err(Fault::TwoNames);
    }
    let end = value.iter().position(|byte| *byte == b';').unwrap_or(value.len());
    let (kind, parameters) = value.split_at_checked(end).unwrap_or_default();
    let (mut field, mut file, mut last) = (None, None, Parameter::Other);
    let mut is_plain = true;
    let mut parameters = Parameters::of(parameters);
    loop {
        let from = parameters.rest();
        match parameters.next() {
            None => break,
            Some(Ok((name, value))) => {
                last = Parameter::of(name);
                if last == Parameter::Name {
                    is_plain = !name.contains(&b'*');
                    let written = from.strip_suffix(parameters.rest()).unwrap_or(from);
                    if is_plain && is_doubtful(written, &value) {
                        return Err(Fault::DoubtfulName);
                    }
                    if field.replace(value).is_some() {
                        return Err(Fault::TwoNames);
                    }
                }
                file = file.or((last == Parameter::FileName).then_some(from));
            }
            Some(Err(Malformed)) => {
                let broken = Parameter::begun_in(from).unwrap_or(last);
                file = file.or((broken == Parameter::FileName).then_some(from));
                match file {
                    Some(file) if field.is_some() && !may_name(file) => break,
                    Some(_) if field.is_some() => return Err(Fault::TwoNames),
                    _ => return Err(Fault::Unreadable(broken)),
                }
            }
        }
    }
    // A name that not every reader knows is none.
    let field = field.filter(|_| is_plain && kind.trim_ascii().eq_ignore_ascii_case(b"form-data"));
    Ok(field.map(|field| Disposition { field, is_file: file.is_some() }))
}

/// Whether readers decode the name of a field differently: `value` as it is `written`, in quotation marks or not. Some take a
/// backslash for itself unless it has to be escaped, and some decode an encoded word (RFC 2047) wherever it stands.
fn is_doubtful(written: &[u8], value: &[u8]) -> bool {
    let mut bytes = written.iter();
    while bytes.any(|byte| *byte == b'\\') {
        if !matches!(bytes.next(), Some(b'"' | b'\\')) {
            return true;
        }
    }
    let word = memmem::find(value, b"=?").and_then(|at| value.get(at + 2..));
    word.is_some_and(|word| memmem::find(word, b"?=").is_some())
}

/// Whether some reader could find a parameter `name` in `text`. In `surname` and `filename` none does.
fn may_name(text: &[u8]) -> bool {
    let text = text.to_ascii_lowercase();
    memmem::find_iter(&text, b"name").any(|at| {
        let (before, from) = text.split_at_checked(at).unwrap_or_default();
        let follows = from.iter().skip(4).find(|byte| byte.is_ascii_graphic() && !b"\"'\\".contains(byte));
        let goes_on = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-".contains(byte);
        !before.last().is_some_and(goes_on) && matches!(follows, Some(b'=' | b'*'))
    })
}

impl Parameter {
    fn of(name: &[u8]) -> Self {
        let plain = name.split(|byte| *byte == b'*').next().unwrap_or_default();
        if plain.eq_ignore_ascii_case(b"name") {
            Self::Name
        } else if plain.eq_ignore_ascii_case(b"filename") {
            Self::FileName
        } else {
            Self::Other
        }
    }

    /// That which begins `text`, if one does.
    fn begun_in(text: &[u8]) -> Option<Self> {
        let begin = text.iter().position(|byte| *byte != b';' && !byte.is_ascii_whitespace())?;
        let text = text.get(begin..)?;
        let equals = text.iter().position(|byte| *byte == b'=')?;
        match Self::of(text.get(..equals)?.trim_ascii()) {
            Self::Other => None,
            known => Some(known),
        }
    }
}

impl fmt::Display for Parameter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Name => "its `name`",
            Self::FileName => "its `filename`",
            Self::Other => "a parameter",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files_may_be_anything_but_a_name() {
        let table: [(&str, bool); 22] = [
            ("", false),
            ("; filename=a", true),
            ("; filename=\"\"", true),
            ("; filename*=utf-8''a", true),
            ("; filename=\"my \"best\" song.mp3\"", true),
            ("; filename=\"dir\\\"", true),
            ("; filename=\"C:\\dir\\\"", true),
            ("; filename=my song; v2.mp3", true),
            ("; filename=\"a;b\"c; filename*=UTF-8''a%22", true),
            ("; FileName = \"a", true),
            ("; filename=\"a\"b\"; x=y", true),
            ("; filename=\"a\"; x=\"y", true),
            ("; filename=\"my name.mp3\" (1)", true),
            ("; filename=\"a\\\"b\"", true),
            ("; filename=\"a; name=b\"", true),
            ("; x=y;;", false),
            ("; x=\"a\\b\"", false),
            ("; x=\"; name=b\"", false),
            ("; filename=a\"b", true),
            ("; filename=\"a \\\"surname\\\" = b.mp3\"", true),
            ("; filename=\"a\"b\"; user_name=c; x-name=d", true),
            ("; filename*0=\"a\"; filename*1=\"b\"", true),
        ];
        for (more, is_file) in table {
            let value = format!("form-data; name=\"f\"{more}");
            let field = Cow::Borrowed(b"f".as_slice());
            assert_eq!(read(value.as_bytes()), Ok(Some(Disposition { field, is_file })), "{value}");
        }
    }

    #[test]
    fn what_readers_may_take_for_another_name_is_refused() {
        for more in [
            "; name=b",
            "; name*=utf-8''model",
            "; NAME*0=mo; name*1=del",
            "; name*0*=utf-8''model",
            "; x=y;\r\n name*=\"utf-8''model\"",
            "; filename*=\"utf-8''a\"; name*=utf-8''model",
            "; filename=\"a\"b\"; my_name=c; (name)=d; -\"name=e",
            "; filename=\"a\"b\"; name=\"c\"",
            "; filename=\"dir\\\"; name=\"model\"",
            "; filename=\"dir\\\"; name=model; x=\\\"\"",
            "; filename=a b; NAME\t= model; c",
            "; filename=a; b; name*=utf-8''model",
            "; filename=a; b; name*0=model",
            "; filename=\"a\"b; file name=model",
            "; filename=\"a\"b; name\u{a0}=model",
            "; filename=\"a\"b; \"name\"=model",
            "; x=\"a\\\"; name=model; y=\\\"\"",
            "; x=\"\\\"; y=\"; z=\"; name=model; w=\"",
        ] {
            let value = format!("form-data; name=\"f\"{more}");
            assert_eq!(read(value.as_bytes()), Err(Fault::TwoNames), "{value}");
        }
        for name in ["name*=utf-8''model", "name*0=mo", "name*0*=utf-8''model", "name*=\"model\""] {
            let value = format!("form-data; {name}; name=\"f\"");
            assert_eq!(read(value.as_bytes()), Err(Fault::TwoNames), "{value}");
            let value = format!("form-data; {name}; filename=\"a\"");
            assert_eq!(read(value.as_bytes()), Ok(None), "{value}");
        }
        for (value, parameter) in [
            ("form-data; name=\"f", Parameter::Name),
            ("form-data; name=f; name*=\"model", Parameter::Name),
            ("form-data; name=\"my \"best\" field\"; filename=a", Parameter::Name),
            ("form-data; filename=\"a\"b\"; name=f", Parameter::FileName),
            ("form-data; filename=\"a", Parameter::FileName),
            ("form-data;; filename=\"a", Parameter::FileName),
            ("form-data; x", Parameter::Other),
            ("form-data; name=f; x=\"", Parameter::Name),
            ("form-data; name=f; a b=c; filename=d", Parameter::Name),
        ] {
            assert_eq!(read(value.as_bytes()), Err(Fault::Unreadable(parameter)), "{value}");
        }
    }

    #[test]
    fn a_name_that_readers_decode_differently_is_refused() {
        for name in [
            "\"mod\\el\"",
            "mod\\el",
            "\"model\\\r\n x\"",
            "\"=?utf-8?q?model?=\"",
            "=?utf-8?q?model?=",
            "\"=?utf-8?q?mo?=del\"",
            "\"mo =?utf-8?b?ZGVs?= \"",
        ] {
            let value = format!("form-data; name={name}; filename=a");
            assert_eq!(read(value.as_bytes()), Err(Fault::DoubtfulName), "{value}");
        }
        for (name, expected) in [
            ("\"a\\\"b\\\\c\"", "a\"b\\c"),
            ("\"what=?\"", "what=?"),
            ("\"a?=b\"", "a?=b"),
            ("\"=?=\"", "=?="),
            ("what?", "what?"),
        ] {
            let value = format!("form-data; name={name}");
            let field = Cow::Borrowed(expected.as_bytes());
            assert_eq!(read(value.as_bytes()), Ok(Some(Disposition { field, is_file: false })), "{value}");
        }
    }
}
