//! What parts the parts of a form.

use super::error::FormError;
use super::parameters::Parameters;
use super::{CRLF, Delimiter};
use memchr::memmem::Finder;

/// The longest boundary there is: RFC 2046, section 5.1.1.
const LONGEST: usize = 70;

/// The boundary of a form, ready to be searched for.
#[derive(Debug, Clone)]
pub struct Boundary {
    /// For a line break, two hyphens, and the boundary.
    finder: Finder<'static>,
}

impl Boundary {
    /// The boundary that a request's Content-Type names.
    ///
    /// # Errors
    /// The content type is none of a form, or names no boundary, a bad one, or two.
    pub fn of(content_type: &[u8]) -> Result<Self, FormError> {
        let end = content_type.iter().position(|byte| *byte == b';').unwrap_or(content_type.len());
        let (kind, parameters) = content_type.split_at_checked(end).unwrap_or_default();
        if !kind.trim_ascii().eq_ignore_ascii_case(b"multipart/form-data") {
            return Err(FormError::NotAForm);
        }
        let mut boundary = None;
        for parameter in Parameters::of(parameters) {
            let (name, value) = parameter.map_err(|_| FormError::BadContentType)?;
            if name.eq_ignore_ascii_case(b"boundary") && boundary.replace(value).is_some() {
                return Err(FormError::TwoBoundaries);
            }
        }
        Self::new(&boundary.ok_or(FormError::NoBoundary)?)
    }

    fn new(boundary: &[u8]) -> Result<Self, FormError> {
        let fits = |byte: &u8| byte.is_ascii_alphanumeric() || b"'()+_,-./:=? ".contains(byte);
        if !(1..=LONGEST).contains(&boundary.len()) || !boundary.iter().all(fits) || boundary.ends_with(b" ")
        {
            return Err(FormError::BadBoundary);
        }
        let searched = [CRLF, b"--", boundary].concat();
        Ok(Self { finder: Finder::new(&searched).into_owned() })
    }

    /// The delimiter as it begins a line.
    pub(super) fn delimiter(&self) -> &[u8] {
        self.finder.needle().get(CRLF.len()..).unwrap_or_default()
    }

    /// The first delimiter of `body`, which may begin with it.
    pub(super) fn first_in(&self, body: &[u8]) -> Option<Delimiter> {
        let at_start = body.starts_with(self.delimiter()).then(|| self.judge(body, 0)).flatten();
        at_start.or_else(|| self.next_in(body, 0))
    }

    /// The first delimiter whose line break stands at `from` or after it.
    pub(super) fn next_in(&self, body: &[u8], mut from: usize) -> Option<Delimiter> {
        loop {
            let skipped = self.finder.find(body.get(from..)?)?;
            from += skipped + CRLF.len();
            if let Some(delimiter) = self.judge(body, from) {
                return Some(delimiter);
            }
        }
    }

    /// The delimiter at `at`, where its bytes stand, unless the line goes on: then it belongs to the part, as a form
    /// within the form may have a boundary that only begins like this one.
    fn judge(&self, body: &[u8], at: usize) -> Option<Delimiter> {
        let mut end = at + self.delimiter().len();
        let is_last = body.get(end..)?.starts_with(b"--");
        end += if is_last { 2 } else { 0 };
        let rest = body.get(end..)?;
        let space = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        end += space;
        match rest.get(space..)? {
            [b'\r', b'\n', ..] => Some(Delimiter { line: at..end + CRLF.len(), is_last }),
            // What ends nothing but the body may be ended carelessly.
            [] | [b'\r' | b'\n', ..] if is_last => Some(Delimiter { line: at..end, is_last }),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delimiter(content_type: &str) -> Result<String, String> {
        let boundary = Boundary::of(content_type.as_bytes()).map_err(|error| error.to_string())?;
        Ok(String::from_utf8(boundary.delimiter().to_vec()).unwrap())
    }

    #[test]
    fn the_boundary_is_read_from_the_content_type() {
        let long = "x".repeat(70);
        let with_long = format!("multipart/form-data; boundary={long}");
        let table = [
            ("multipart/form-data; boundary=abc", "abc"),
            ("multipart/form-data;boundary=\"abc\"", "abc"),
            ("Multipart/Form-Data ; charset=utf-8 ; BOUNDARY = abc ; x=\"y;boundary=z\"", "abc"),
            (
                "multipart/form-data; boundary=----WebKitFormBoundary7MA4YWxkTrZu0gW",
                "----WebKitFormBoundary7MA4YWxkTrZu0gW",
            ),
            ("multipart/form-data; boundary=\"a b'()+_,-./:=?c\";", "a b'()+_,-./:=?c"),
            ("multipart/form-data;; boundary=abc; ;", "abc"),
            ("multipart/form-data; boundary=a:/=?c", "a:/=?c"),
            ("multipart/form-data; boundary=\"a\\bc\"", "abc"),
            (&with_long, &long),
        ];
        for (content_type, boundary) in table {
            assert_eq!(delimiter(content_type), Ok(format!("--{boundary}")), "{content_type}");
        }
    }

    #[test]
    fn what_names_no_boundary_is_refused() {
        let long = format!("multipart/form-data; boundary={}", "x".repeat(71));
        let table = [
            ("", "the Content-Type is not multipart/form-data"),
            ("application/json", "the Content-Type is not multipart/form-data"),
            ("multipart/mixed; boundary=abc", "the Content-Type is not multipart/form-data"),
            ("multipart/form-data-x; boundary=abc", "the Content-Type is not multipart/form-data"),
            ("multipart/form-data", "the Content-Type names no boundary"),
            ("multipart/form-data; charset=utf-8;", "the Content-Type names no boundary"),
            ("multipart/form-data; boundary*=utf-8''abc", "the Content-Type names no boundary"),
            ("multipart/form-data; boundary=abc; boundary=abc", "the Content-Type names two boundaries"),
            ("multipart/form-data; boundary", "the Content-Type's parameters cannot be read"),
            ("multipart/form-data; boundary=\"abc", "the Content-Type's parameters cannot be read"),
            ("multipart/form-data; boundary=\"abc\"d", "the Content-Type's parameters cannot be read"),
            ("multipart/form-data; boundary=", "the Content-Type's boundary is none"),
            ("multipart/form-data; boundary=\"\"", "the Content-Type's boundary is none"),
            ("multipart/form-data; boundary=\"a \"", "the Content-Type's boundary is none"),
            ("multipart/form-data; boundary=a\u{e9}", "the Content-Type's boundary is none"),
            ("multipart/form-data; boundary=\"a\r\nb\"", "the Content-Type's boundary is none"),
            (&long, "the Content-Type's boundary is none"),
        ];
        for (content_type, message) in table {
            let error = delimiter(content_type).unwrap_err();
            assert!(error.starts_with(message), "{content_type}: {error}");
        }
    }
}
