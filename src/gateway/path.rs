//! Paths and methods: where an AI API is mounted, and what an operation answers to.

use super::segments::Segments;
use http::Method;

/// Where an AI API is mounted: `/` and one or more segments, no `/` at the end.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Context(String);

/// The paths below a context that an operation answers to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum PathPattern {
    /// This path alone.
    Exact(String),
    /// The paths that have these segments.
    Segments(Segments),
    /// Everything below this prefix, which ends in `/`.
    Below(String),
}

/// The methods that an operation answers to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum MethodPattern {
    /// One method.
    One(Method),
    /// Any method.
    Any,
}

/// Why a text is no path of a configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// It does not begin with `/`.
    #[error("a path begins with `/`")]
    NotAbsolute,
    /// It ends with `/`.
    #[error("a context does not end with `/`")]
    TrailingSlash,
    /// There is `//` in it.
    #[error("a path has no empty segment (`//`)")]
    EmptySegment,
    /// There is a segment `.` or `..` in it.
    #[error("a path has no `.` or `..` segment")]
    DotSegment,
    /// There is a `*` in it that is not a `/*` at the end.
    #[error("a `*` stands only at the end, as `/*`")]
    Star,
    /// It has braces that are not around a name.
    #[error("braces stand around one name in a segment, as in `/models/{{model}}:generateContent`")]
    Braces,
    /// It has a character that no path of a URL has unescaped.
    #[error("{0:?} cannot stand in a path")]
    Character(char),
}

impl Context {
    /// Reads a context such as `/smartchat`.
    ///
    /// # Errors
    /// [`PathError`] says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, PathError> {
        if text.ends_with('/') && text.len() > 1 {
            return Err(PathError::TrailingSlash);
        }
        if text.contains('*') {
            return Err(PathError::Star);
        }
        check(text)?;
        if text == "/" {
            return Err(PathError::TrailingSlash);
        }
        Ok(Self(text.to_owned()))
    }

    /// The context as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What is left of `path` below the context: empty, or a path that begins with `/`. `None` if the path is not at
    /// or below it.
    pub fn rest<'a>(&self, path: &'a str) -> Option<&'a str> {
        let rest = path.strip_prefix(self.0.as_str())?;
        (rest.is_empty() || rest.starts_with('/')).then_some(rest)
    }
}

impl PathPattern {
    /// Reads a pattern such as `/chat/completions`, `/models/{model}:generateContent` or `/files/*`.
    ///
    /// # Errors
    /// [`PathError`] says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, PathError> {
        let Some(prefix) = text.strip_suffix('*') else {
            if !text.contains(['{', '}']) {
                check(text)?;
                return Ok(Self::Exact(text.to_owned()));
            }
            check(&text.replace(['{', '}'], ""))?;
            return Segments::parse(text).map(Self::Segments).ok_or(PathError::Braces);
        };
        if !prefix.ends_with('/') || prefix.contains('*') {
            return Err(PathError::Star);
        }
        check(prefix)?;
        Ok(Self::Below(prefix.to_owned()))
    }

    /// How well `path` matches: `None` if it does not, and the greater the better otherwise. An exact match beats any
    /// segments, those that say more beat others, and all beat any prefix, of which a longer one beats a shorter. What the
    /// index finds is held to this.
    #[cfg(test)]
    pub(super) fn specificity(&self, path: &str) -> Option<usize> {
        match self {
            Self::Exact(exact) => (exact == path).then_some(usize::MAX),
            Self::Segments(segments) => segments.fits(path).then(|| usize::MAX / 2 + segments.literal()),
            Self::Below(prefix) => {
                (path.len() > prefix.len() && path.starts_with(prefix.as_str())).then_some(prefix.len())
            }
        }
    }
}

impl std::fmt::Display for PathPattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Exact(path) => f.write_str(path),
            Self::Segments(segments) => f.write_str(segments.as_str()),
            Self::Below(prefix) => write!(f, "{prefix}*"),
        }
    }
}

impl MethodPattern {
    /// Reads `*` or the name of a method in capitals; `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        if text == "*" {
            return Some(Self::Any);
        }
        let capitals = text.bytes().all(|b| b.is_ascii_uppercase() || b == b'-');
        let method = Method::from_bytes(text.as_bytes()).ok()?;
        capitals.then_some(Self::One(method))
    }

    /// Whether `method` is one of those.
    pub fn matches(&self, method: &Method) -> bool {
        match self {
            Self::One(one) => one == method,
            Self::Any => true,
        }
    }

    /// The method's name, or `*`.
    pub fn as_str(&self) -> &str {
        match self {
            Self::One(method) => method.as_str(),
            Self::Any => "*",
        }
    }
}

/// Whether a request's path has a `.` or `..` segment, percent-encoded or not. A vendor that resolves them would answer
/// for another path than the one that was routed.
pub(super) fn has_dot_segment(path: &str) -> bool {
    // Nearly every path is told by this alone.
    if memchr::memchr2(b'.', b'%', path.as_bytes()).is_none() {
        return false;
    }
    path.split(['/', '\\']).any(|segment| {
        let mut rest = segment;
        let mut dots = 0;
        while !rest.is_empty() {
            let encoded = rest.get(..3).is_some_and(|s| s.eq_ignore_ascii_case("%2e"));
            let length = if rest.starts_with('.') {
                1
            } else if encoded {
                3
            } else {
                return false;
            };
            rest = rest.get(length..).unwrap_or_default();
            dots += 1;
        }
        dots == 1 || dots == 2
    })
}

fn check(path: &str) -> Result<(), PathError> {
    let Some(rest) = path.strip_prefix('/') else {
        return Err(PathError::NotAbsolute);
    };
    if let Some(character) = path.chars().find(|&c| !is_path_character(c)) {
        return Err(match character {
            '*' => PathError::Star,
            other => PathError::Character(other),
        });
    }
    if has_dot_segment(path) {
        return Err(PathError::DotSegment);
    }
    let body = rest.strip_suffix('/').unwrap_or(rest);
    if !rest.is_empty() && body.split('/').any(str::is_empty) {
        return Err(PathError::EmptySegment);
    }
    Ok(())
}

/// The characters of RFC 3986's `pchar`, `/` and `%`, but for `*`, which has a meaning of its own here.
fn is_path_character(c: char) -> bool {
    c.is_ascii_alphanumeric() || "/-._~!$&'()+,;=:@%".contains(c)
}

#[cfg(test)]
mod tests;
