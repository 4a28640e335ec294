//! Where the model stands in a JSON body.
//!
//! [`locate`] says where the string at a [`JsonPath`] stands, without building a tree and without touching the body.
//!
//! What is judged are the objects that the path goes through: the grammar of their members, their keys, their strings
//! (UTF-8, control characters, escapes), their numbers, and that strings and brackets close, at any depth. What stands
//! inside any other nested array or object is for the vendor to judge, and so is a lone surrogate in a string that is not
//! the model.

mod error;
mod literal;
mod nested;
mod path;
mod scan;
mod skeleton;
mod text;

pub use error::{Expected, Found, LocateError};
pub use path::{JsonPath, JsonPathError};
pub use scan::locate;
