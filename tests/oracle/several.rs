//! Models that a body has several times.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that goes wrong panics where it goes wrong"
)]

use evenkeel::splice::{JsonPlace, ModelToken, Place, splice, spliced_len};
use serde_json::Value;

const OTHER: &str = "other \"model\" \\ é";

/// Holds what is found in `body` of the models in the elements of an array, some of them after a prefix, against another
/// parser.
///
/// # Panics
/// They do not agree.
pub fn check(body: &[u8]) {
    let place = JsonPlace {
        path: "a[].model".parse().expect("a path"),
        prefix: Some("m/".parse().expect("a prefix")),
    };
    let Ok(located) = place.locate(body) else { return };
    let model = ModelToken::new(OTHER);
    let spliced = splice(body, &located, &model);
    assert_eq!(spliced.len(), spliced_len(body.len(), &located, &model));
    if let Place::Each { values, .. } = &located {
        let (mut of_body, mut of_spliced) = (0, 0);
        for value in values {
            let between = value.span.start - of_body;
            assert_eq!(body[of_body..value.span.start], spliced[of_spliced..of_spliced + between]);
            of_body = value.span.end;
            of_spliced += between + model.written(value.form).len();
        }
        assert_eq!(body[of_body..], spliced[of_spliced..]);
    } else {
        assert_eq!(located, Place::Nowhere);
    }

    // Of what the other parser can hold: it refuses numbers that are too large, for one.
    let Ok(mut parsed) = serde_json::from_slice::<Value>(body) else { return };
    let elements = parsed.get_mut("a").and_then(Value::as_array_mut);
    let models = elements.into_iter().flatten().filter_map(|element| element.get_mut("model"));
    let mut first = None;
    for value in models {
        let asked = value.as_str().expect("a string").to_owned();
        let without = asked.strip_prefix("m/");
        *value = if without.is_some() { format!("m/{OTHER}") } else { OTHER.to_owned() }.into();
        first.get_or_insert_with(|| without.unwrap_or(&asked).to_owned());
    }
    assert_eq!(located.asked(), first.as_deref());
    assert_eq!(serde_json::from_slice::<Value>(&spliced).ok(), Some(parsed));
}
