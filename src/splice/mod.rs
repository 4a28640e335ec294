//! Finding a request's model and putting another in its place.
//!
//! Bytes in, a span out, bytes out. [`locate`] says where the model of a JSON body stands and [`locate_in_form`] where that
//! of a form does; [`JsonPlace`] knows of a model that is a part of a string. [`splice`] copies a body with that value
//! replaced, or with each of several, and [`Body`] replaces it where it stands. [`template`] and [`query`] are for a model
//! in the URL. Every other byte is the client's own: number forms, key order, white space, escapes, files.
//!
//! What of JSON is judged are the objects that the model's path goes through: the grammar of their members, their keys,
//! their strings (UTF-8, control characters, escapes), their numbers, and that strings and brackets close, at any depth;
//! and that arrays that it goes through have objects in them and nothing else. What stands inside any other nested array
//! or object is for the vendor to judge, and so is a lone surrogate in a string that is not the model.

mod body;
mod json;
mod multipart;
mod percent;
mod place;
pub mod query;
pub mod template;

pub use body::Body;
pub use json::{
    Expected, Found, JsonPath, JsonPathError, JsonPlace, JsonPrefix, JsonPrefixError, LocateError, locate,
};
pub use multipart::{Boundary, FormError, locate_in_form};
pub use place::{Form, ModelToken, Place, Value, splice, spliced_len};
