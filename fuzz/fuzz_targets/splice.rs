//! The splice against another parser, on any bytes at all.
#![no_main]

use evenkeel::splice::{JsonPath, ModelToken, Place, locate, splice, spliced_len};
use libfuzzer_sys::fuzz_target;

#[path = "../../tests/oracle/mod.rs"]
mod oracle;

use oracle::Members;

const MODEL: &str = "other \"model\" \\ é";

fuzz_target!(|body: &[u8]| {
    one(body);
    oracle::several::check(body);
});

/// The one model of an object.
fn one(body: &[u8]) {
    let expected = Members::of(body).and_then(|members| Some((members.model().ok()?, members)));
    let located = locate(body, &JsonPath::model());
    assert_eq!(located.is_ok(), expected.is_some(), "{located:?}");
    let (Ok(place), Some((asked, members))) = (located, expected) else {
        return;
    };
    assert_eq!(place.asked(), asked.as_deref());

    let model = ModelToken::new(MODEL);
    let spliced = splice(body, &place, &model);
    assert_eq!(spliced.len(), spliced_len(body.len(), &place, &model));
    assert_eq!(Members::of(&spliced), Some(members.with_model(MODEL)));

    let (before, after) = match place {
        Place::Value { span, .. } => (span.start, span.end),
        Place::Absent { at, .. } => (at, at),
        Place::Each { .. } | Place::Nowhere => panic!("a body has one place"),
    };
    assert!(spliced.starts_with(&body[..before]));
    assert!(spliced.ends_with(&body[after..]));
}
