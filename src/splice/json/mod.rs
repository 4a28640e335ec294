//! Where the model stands in a JSON body.
//!
//! [`locate`] says where the string at a [`JsonPath`] stands, or where each of several does, without building a tree and
//! without touching the body. A [`JsonPlace`] knows of a [`JsonPrefix`] in that string besides.

mod each;
mod error;
mod literal;
mod nested;
mod path;
mod prefix;
mod scan;
mod skeleton;
mod text;

pub use error::{Expected, Found, LocateError};
pub use path::{JsonPath, JsonPathError};
pub use prefix::{JsonPlace, JsonPrefix, JsonPrefixError};
pub use scan::locate;
