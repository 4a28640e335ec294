//! What can be wrong with patterns, and with the models of paths.

/// Why a text is no pattern of paths. It may come from outside a file, and is not repeated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// It begins with something else.
    #[error(
        "the pattern begins with neither `/` nor `**`: write `/…` for whole paths, or `**/…` for their ends"
    )]
    Beginning,
    /// Nothing stands between two slashes, or after the last.
    #[error("the pattern has an empty segment: write something between any two `/`, and none at the end")]
    EmptySegment,
    /// A character that no path has, or not there; the first.
    #[error("the pattern has {0:?} in a segment: write it percent-encoded if paths have it")]
    BadCharacter(char),
    /// A star that is no segment of its own.
    #[error("a segment has a `*` beside other text: `*` and `**` are whole segments")]
    StarInSegment,
    /// Braces around something else.
    #[error("a segment has braces around something else than `{{model}}`")]
    Braces,
    /// `{model}` stands there twice.
    #[error("the pattern has `{{model}}` twice: one place is replaced")]
    TwoModels,
    /// It has more of `**` than are looked for.
    #[error("the pattern has `**` more than twice, or twice in a row")]
    TooOpen,
    /// `**` after a model of several segments.
    #[error(
        "the pattern has `**` after a `{{model}}` of several segments: nothing tells where the model ends"
    )]
    OpenAfterModel,
    /// `**` in a prefix.
    #[error("the prefix has `**`: a prefix has as many segments as it says")]
    OpenPrefix,
}

/// Why the model of a path cannot be read. Offsets are in bytes from the path's start.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// The path fits, and has nothing in the model's place.
    #[error("the path names no model at byte {at}")]
    NoModel {
        /// Where it should stand.
        at: usize,
    },
    /// A `%` without two hexadecimal digits.
    #[error(
        "the model in the path is not percent-encoded right: two hexadecimal digits must follow the `%` at byte {at}"
    )]
    BadEncoding {
        /// The `%`.
        at: usize,
    },
    /// Bytes that are no text.
    #[error("the model in the path, at byte {at}, is not UTF-8 when it is decoded")]
    InvalidUtf8 {
        /// Where the model begins.
        at: usize,
    },
    /// A `/` where names have none.
    #[error(
        "the model \"{model}\" in the path, at byte {at}, holds a `/`, and no model's name does here: ask for another"
    )]
    Slash {
        /// The model.
        model: Box<str>,
        /// Where it begins.
        at: usize,
    },
}
