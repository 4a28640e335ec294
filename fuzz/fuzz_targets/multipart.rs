//! The form reader on any bytes at all: what it finds is there, and what is spliced is found again.
//!
//! The input's first line is the Content-Type's boundary; the form follows.
#![no_main]

use evenkeel::splice::{Boundary, Form, ModelToken, Place, locate_in_form, splice, spliced_len};
use libfuzzer_sys::fuzz_target;

const MODEL: &str = "other/model é";

fuzz_target!(|input: &[u8]| {
    let end = input.iter().position(|byte| *byte == b'\n').unwrap_or(input.len());
    let (parameter, body) = input.split_at(end);
    let body = body.get(1..).unwrap_or_default();
    let content_type = [b"multipart/form-data; boundary=", parameter].concat();
    let Ok(boundary) = Boundary::of(&content_type) else { return };
    let Ok(place) = locate_in_form(body, &boundary, "model") else { return };

    let model = ModelToken::new(MODEL);
    let spliced = splice(body, &place, &model);
    assert_eq!(spliced.len(), spliced_len(body.len(), &place, &model));
    let (before, after) = match &place {
        Place::Value { span, asked, form } => {
            assert_eq!((&body[span.clone()], *form), (asked.as_bytes(), Form::Plain));
            (span.start, span.end)
        }
        Place::Absent { at, .. } => (*at, *at),
        Place::Each { .. } | Place::Nowhere => panic!("a form has a place"),
    };
    assert!(spliced.starts_with(&body[..before]));
    assert!(spliced.ends_with(&body[after..]));

    let again = locate_in_form(&spliced, &boundary, "model").expect("a spliced form is a form");
    assert_eq!(again.asked(), Some(MODEL));
    // And back again.
    if let Some(asked) = place.asked() {
        assert_eq!(splice(&spliced, &again, &ModelToken::new(asked)), body);
    }
});
