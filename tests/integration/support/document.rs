//! Parts of the documentation that are made of what the tests hold the gateway to.

use std::{env, fs};

/// Holds the part of `docs/NAME.md` from `begin` to before `end`, or to where the document ends, to `made`. With `UPDATE_DOCS`
/// in the environment it is written instead.
pub fn hold_document(name: &str, begin: &str, end: Option<&str>, made: &str) {
    let path = format!("{}/docs/{name}.md", env!("CARGO_MANIFEST_DIR"));
    let document = fs::read_to_string(&path).unwrap();
    let (before, rest) = document.split_at(document.find(begin).expect("no place for what is made"));
    let length = end.map_or(rest.len(), |end| rest.find(end).expect("no end of what is made"));
    let (written, after) = rest.split_at(length);
    if env::var_os("UPDATE_DOCS").is_some() {
        fs::write(path, [before, made, after].concat()).unwrap();
        return;
    }
    assert!(
        written == made,
        "docs/{name}.md is not what the tests hold the gateway to; \
         `UPDATE_DOCS=1 cargo test --test integration {name}` writes it"
    );
}
