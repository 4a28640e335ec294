//! Where the model stands in a JSON body.
//!
//! [`locate`] says where the string at a [`JsonPath`] stands, without building a tree and without touching the body.

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
