//! Finding a request's `model` and putting another in its place.
//!
//! Bytes in, a span out, bytes out. [`locate`] says where the top-level `model` of a JSON object stands,
//! without building a tree and without touching the body; [`splice`] copies the body with that one value
//! replaced, and [`Body`] replaces it where it stands. Every other byte is the client's own: number forms, key order, white space, escapes.
//!
//! What is judged is the top level alone: the grammar of its members, its keys, its strings (UTF-8, control
//! characters, escapes), its numbers, and that strings and brackets close, at any depth. What stands inside a
//! nested array or object is for the vendor to judge, and so is a lone surrogate in a top-level string that
//! is not `model`.

mod blocks;
mod body;
mod error;
mod literal;
mod nested;
mod place;
mod scan;
mod skeleton;
mod text;

pub use body::Body;
pub use error::{Expected, Found, LocateError};
pub use place::{ModelToken, Place, splice, spliced_len};
pub use scan::locate;
