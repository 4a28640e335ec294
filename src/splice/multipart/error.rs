//! Why a form was refused, in words for the developer of the application that sent it.

/// Why no model can be placed in a form. Offsets are in bytes from the body's start; no message repeats the body.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FormError {
    /// The content type is another.
    #[error("the Content-Type is not multipart/form-data, which the body must be here")]
    NotAForm,
    /// The content type's parameters do not follow their grammar.
    #[error("the Content-Type's parameters cannot be read: write them as `; boundary=\"…\"`")]
    BadContentType,
    /// The content type has no boundary.
    #[error("the Content-Type names no boundary: add the one that the body was made with, as `; boundary=…`")]
    NoBoundary,
    /// The content type has two of them.
    #[error("the Content-Type names two boundaries: send the one that the body was made with")]
    TwoBoundaries,
    /// The boundary is none.
    #[error(
        "the Content-Type's boundary is none: it has 1 to 70 letters, digits, spaces and `'()+_,-./:=?`, and ends with \
         no space"
    )]
    BadBoundary,
    /// The body has no line with the boundary.
    #[error(
        "the body nowhere has the boundary that its Content-Type names: send the one that the body was made with, on \
         lines that end in CR LF"
    )]
    BoundaryNotFound,
    /// No delimiter follows a part.
    #[error(
        "the part that begins at byte {at} does not end: the body is cut short, or has no closing delimiter"
    )]
    Unclosed {
        /// The delimiter before the part.
        at: usize,
    },
    /// No empty line ends a part's headers within the bytes that are looked at.
    #[error(
        "the headers at byte {at} do not end: an empty line must follow them within {} bytes",
        super::head::LONGEST
    )]
    HeadersWithoutEnd {
        /// Where they begin.
        at: usize,
    },
    /// A part's header does not follow the grammar.
    #[error("the header at byte {at} cannot be read: write it as `Name: value`, ended by CR LF")]
    BadHeader {
        /// The first byte of the header.
        at: usize,
    },
    /// A part's Content-Disposition does not follow the grammar.
    #[error(
        "the Content-Disposition at byte {at} cannot be read from {parameter} on: write each value between quotation \
         marks, without any in it, and a `;` before the next"
    )]
    BadDisposition {
        /// The first byte of the header.
        at: usize,
        /// What cannot be read, or what stands before it.
        parameter: super::Parameter,
    },
    /// A part's Content-Disposition gives two names, or text of which some readers would take a part for a second one.
    #[error(
        "the Content-Disposition at byte {at} gives a `name` more than once, or where not every reader finds it: give it \
         once, as `name=\"…\"`, before the `filename`, and have no `name=` in a file name with quotation marks or \
         backslashes"
    )]
    TwoNames {
        /// The first byte of the header.
        at: usize,
    },
    /// A part's Content-Disposition gives a name that readers decode differently.
    #[error(
        "the Content-Disposition at byte {at} gives a `name` that not every reader decodes alike: write it as it is, with no \
         backslash but before a `\"` or another backslash, and not as an encoded word (`=?…?=`)"
    )]
    DoubtfulName {
        /// The first byte of the header.
        at: usize,
    },
    /// A part has two of them.
    #[error("the header at byte {at} is the part's second Content-Disposition: send one")]
    TwoDispositions {
        /// The first byte of the second.
        at: usize,
    },
    /// A part has no name.
    #[error(
        "the part with the headers at byte {at} has no name: add `Content-Disposition: form-data; name=\"…\"`"
    )]
    NoName {
        /// Where its headers begin.
        at: usize,
    },
    /// A field that is looked for is there twice, and readers of forms may take either.
    #[error("the field \"{field}\" is given twice, at bytes {first} and {second}: send it once")]
    Twice {
        /// The field's name.
        field: Box<str>,
        /// The delimiter before the first.
        first: usize,
        /// The delimiter before the second.
        second: usize,
    },
    /// It is a file.
    #[error("the field \"{field}\" at byte {at} is a file: send it as text, without a `filename`")]
    IsFile {
        /// The field's name.
        field: Box<str>,
        /// Where the part's headers begin.
        at: usize,
    },
    /// It is encoded.
    #[error("the field \"{field}\" at byte {at} is encoded: send it without a Content-Transfer-Encoding")]
    Encoded {
        /// The field's name.
        field: Box<str>,
        /// Where the part's headers begin.
        at: usize,
    },
    /// It is not UTF-8.
    #[error("the field \"{field}\" is invalid UTF-8 at byte {at}")]
    InvalidUtf8 {
        /// The field's name.
        field: Box<str>,
        /// The first byte that belongs to no character.
        at: usize,
    },
}
