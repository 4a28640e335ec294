//! Why a body was refused, in words for the developer of the application that sent it.

use super::path::JsonPath;
use std::fmt;

/// Why no model can be placed in a body. Offsets are in bytes from the body's start; no message repeats the
/// body.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LocateError {
    /// Nothing but white space.
    #[error("the body is empty")]
    Empty,
    /// A byte order mark, which JSON does not allow.
    #[error("the body begins with a byte order mark at byte {at}: send UTF-8 without one")]
    ByteOrderMark {
        /// The mark's first byte.
        at: usize,
    },
    /// Something else than an object.
    #[error("the body is not a JSON object: found {found} at byte {at}")]
    NotAnObject {
        /// What the body begins with.
        found: Found,
        /// Its first byte.
        at: usize,
    },
    /// A string, an array or an object that has no end.
    #[error("the {} that begins at byte {at} does not end", .what.noun())]
    Unclosed {
        /// What was begun: the string itself, or the value in which a bracket is open.
        what: Found,
        /// Its first byte.
        at: usize,
    },
    /// Another token than the grammar asks for.
    #[error("expected {expected} at byte {at}")]
    Unexpected {
        /// What should stand there.
        expected: Expected,
        /// The byte that is something else.
        at: usize,
    },
    /// A second value, or anything else after the object.
    #[error("something follows the JSON object at byte {at}")]
    Trailing {
        /// The first byte after the object that is no white space.
        at: usize,
    },
    /// A number that does not follow JSON's grammar.
    #[error("the number at byte {at} is not a JSON number")]
    InvalidNumber {
        /// The number's first byte.
        at: usize,
    },
    /// A key or string that is not UTF-8.
    #[error("invalid UTF-8 at byte {at}")]
    InvalidUtf8 {
        /// The first byte that belongs to no character.
        at: usize,
    },
    /// A control character in a key or string.
    #[error("a control character at byte {at} must be escaped")]
    ControlCharacter {
        /// The character's byte.
        at: usize,
    },
    /// A backslash in a key or string that begins no escape.
    #[error("invalid escape at byte {at}")]
    InvalidEscape {
        /// The backslash.
        at: usize,
    },
    /// Half a surrogate pair in a key or in the model, which no text can hold.
    #[error("the escape at byte {at} is half a surrogate pair")]
    LoneSurrogate {
        /// The escape's backslash.
        at: usize,
    },
    /// A member that the parser refuses for a reason none of the others names.
    #[error("invalid JSON in the members from byte {at} on")]
    Malformed {
        /// The first key of the members that were read together.
        at: usize,
    },
    /// A model that is no string.
    #[error("\"{path}\" must be a string, found {found} at byte {at}")]
    ModelNotString {
        /// Where the model stands.
        path: JsonPath,
        /// What the model is.
        found: Found,
        /// The value's first byte.
        at: usize,
    },
    /// What the model should stand in is no object.
    #[error("\"{path}\" must be an object with the model in it, found {found} at byte {at}")]
    ParentNotObject {
        /// Where it stands.
        path: JsonPath,
        /// What it is.
        found: Found,
        /// The value's first byte.
        at: usize,
    },
    /// What should have the objects with the models is no array.
    #[error("\"{path}\" must be an array of objects with the model in them, found {found} at byte {at}")]
    ParentNotArray {
        /// Where it stands.
        path: JsonPath,
        /// What it is.
        found: Found,
        /// The value's first byte.
        at: usize,
    },
    /// More elements than are gone through.
    #[error("the arrays at \"{path}\" have more than {most} elements: send them in several requests")]
    TooMany {
        /// Where they stand.
        path: JsonPath,
        /// How many there may be.
        most: usize,
    },
    /// Two models, or two objects for one to stand in, of which readers of JSON may take either.
    #[error("\"{path}\" is given twice, at bytes {first} and {second}")]
    Twice {
        /// Where it stands.
        path: JsonPath,
        /// The first byte of the first key.
        first: usize,
        /// The first byte of the second key.
        second: usize,
    },
}

/// A kind of value, told by its first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// `{`
    Object,
    /// `[`
    Array,
    /// `"`
    String,
    /// `-` or a digit
    Number,
    /// `true` or `false`
    Boolean,
    /// `null`
    Null,
    /// Nothing that can begin a value.
    NotJson,
}

impl Found {
    /// The kind of value that begins with `bytes`.
    pub(super) fn at_start_of(bytes: &[u8]) -> Self {
        match bytes {
            [b'{', ..] => Self::Object,
            [b'[', ..] => Self::Array,
            [b'"', ..] => Self::String,
            [b'-' | b'0'..=b'9', ..] => Self::Number,
            [b't', b'r', b'u', b'e', ..] | [b'f', b'a', b'l', b's', b'e', ..] => Self::Boolean,
            [b'n', b'u', b'l', b'l', ..] => Self::Null,
            _ => Self::NotJson,
        }
    }

    fn noun(self) -> &'static str {
        match self {
            Self::Object => "object",
            Self::Array => "array",
            Self::String => "string",
            Self::Number => "number",
            Self::Boolean => "boolean",
            Self::Null => "null",
            Self::NotJson => "value",
        }
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Object | Self::Array => write!(f, "an {}", self.noun()),
            Self::String | Self::Number | Self::Boolean => write!(f, "a {}", self.noun()),
            Self::Null => f.write_str("null"),
            Self::NotJson => f.write_str("something that is not JSON"),
        }
    }
}

/// What the grammar asks for at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// After the opening brace.
    KeyOrEnd,
    /// After a comma.
    Key,
    /// After a key.
    Colon,
    /// After a colon.
    Value,
    /// After a value.
    CommaOrEnd,
    /// After an element.
    CommaOrArrayEnd,
    /// Where an array is open.
    ArrayEnd,
    /// Where an object is open.
    ObjectEnd,
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::KeyOrEnd => "a key or '}'",
            Self::Key => "a key",
            Self::Colon => "':'",
            Self::Value => "a value",
            Self::CommaOrEnd => "',' or '}'",
            Self::CommaOrArrayEnd => "',' or ']'",
            Self::ArrayEnd => "']'",
            Self::ObjectEnd => "'}'",
        })
    }
}
