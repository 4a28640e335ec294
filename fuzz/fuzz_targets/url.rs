//! Patterns, paths and queries of any text: what is found is there, and what is written is found again.
//!
//! The input's lines are a pattern, a path, a query, and a model.
#![no_main]

use evenkeel::splice::query;
use evenkeel::splice::template::{Prefix, Slash, Template, replace};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &str| {
    let mut lines = input.split('\n');
    let mut line = || lines.next().unwrap_or_default();
    let (pattern, path, query, model) = (line(), line(), line(), line());
    for slash in [Slash::Refused, Slash::Encoded, Slash::Kept] {
        let Ok(template) = Template::parse(pattern, slash) else { continue };
        let Ok(Some(found)) = template.find(path) else { continue };
        assert!(template.fits(path) && template.has_model());
        let other = replace(path, &found.span, model, slash);
        assert!(other.starts_with(&path[..found.span.start]) && other.ends_with(&path[found.span.end..]));
        assert!(template.fits(&other) || model.is_empty(), "{other}");
    }
    if let Ok(prefix) = Prefix::parse(pattern) {
        if let Some(rest) = prefix.strip(path) {
            assert!(path.ends_with(rest) && (rest.is_empty() || rest.starts_with('/')));
        }
        if let Some(start) = prefix.with(Some(model), Slash::Encoded) {
            assert_eq!(prefix.strip(&(start + "/on")), Some("/on"));
        }
    }
    if let Ok(Some(found)) = query::find(query, "model") {
        let other = query::replace(query, &found, model);
        let again = query::find(&other, "model").expect("a replaced value can be read").expect("it is there");
        assert_eq!(&*again.asked, model);
    }
    let appended = query::append(&query::without(query, &["model"]), "model", model);
    let found = query::find(&appended, "model").expect("what was appended can be read").expect("it is there");
    assert_eq!(&*found.asked, model);
});
