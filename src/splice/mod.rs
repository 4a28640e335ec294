//! Finding a request's model and putting another in its place.
//!
//! Bytes in, a span out, bytes out. [`locate`] says where the model of a JSON body stands, [`splice`] copies a body with
//! that one value replaced, and [`Body`] replaces it where it stands. Every other byte is the client's own: number forms,
//! key order, white space, escapes.

mod body;
mod json;
mod place;

pub use body::Body;
pub use json::{Expected, Found, JsonPath, JsonPathError, LocateError, locate};
pub use place::{Form, ModelToken, Place, splice, spliced_len};
