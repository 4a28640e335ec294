//! Bodies of JSON, held against another parser.

use evenkeel::splice::{JsonPath, LocateError, ModelToken, Place, splice, spliced_len};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::Value;

use crate::documents::{document, model_key, one_model_or_none, text, wrapped};
use crate::oracle::Members;

fn locate(body: &[u8]) -> Result<Place, LocateError> {
    evenkeel::splice::locate(body, &JsonPath::model())
}

/// The same question answered by another parser: any body at all.
fn agrees_with_the_oracle(body: &[u8]) -> Result<(), TestCaseError> {
    let expected = Members::of(body).and_then(|members| members.model().ok());
    let located = locate(body);
    prop_assert_eq!(located.is_ok(), expected.is_some(), "{:?}", located);
    if let (Ok(place), Some(asked)) = (located, expected) {
        prop_assert_eq!(place.asked(), asked.as_deref());
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(ProptestConfig::default().cases / 2))]

    #[test]
    fn the_model_is_found(document in one_model_or_none()) {
        let place = locate(document.body.as_bytes());
        let found = match place {
            Ok(Place::Value { span, asked, .. }) => Some((span, asked.into_string())),
            Ok(Place::Each { .. } | Place::Absent { .. } | Place::Nowhere) => None,
            Err(error) => return Err(TestCaseError::fail(error.to_string())),
        };
        prop_assert_eq!(found, document.model);
    }

    #[test]
    fn only_the_models_bytes_differ(document in one_model_or_none(), name in any::<String>()) {
        let (body, model) = (document.body.as_bytes(), ModelToken::new(&name));
        let place = locate(body).map_err(|error| TestCaseError::fail(error.to_string()))?;
        let spliced = splice(body, &place, &model);
        prop_assert_eq!(spliced.len(), spliced_len(body.len(), &place, &model));
        let (before, written, after) = match &place {
            Place::Value { span, .. } => (span.start, model.json().to_vec(), span.end),
            Place::Absent { at, .. } => {
                let is_empty = document.body[*at..].trim_start().starts_with('}');
                let comma: &[u8] = if is_empty { b"" } else { b"," };
                (*at, [b"\"model\":", model.json(), comma].concat(), *at)
            }
            Place::Each { .. } | Place::Nowhere => return Err(TestCaseError::fail("no one place")),
        };
        let expected = [&body[..before], &written, &body[after..]].concat();
        prop_assert_eq!(spliced.as_ref(), expected);
    }

    #[test]
    fn a_splice_is_parse_replace_serialise(document in one_model_or_none(), name in any::<String>()) {
        let body = document.body.as_bytes();
        let place = locate(body).map_err(|error| TestCaseError::fail(error.to_string()))?;
        let spliced = splice(body, &place, &ModelToken::new(&name));
        let replaced = Members::of(body).map(|members| members.with_model(&name));
        prop_assert!(replaced.is_some());
        prop_assert_eq!(Members::of(&spliced), replaced);
        // Deep inside as well, of whatever the other parser can hold: it has no half surrogate pairs and no
        // 1e400.
        if let Ok(Value::Object(mut parsed)) = serde_json::from_slice(body) {
            parsed.insert("model".to_owned(), name.into());
            let reparsed: Value = serde_json::from_slice(&spliced)
                .map_err(|error| TestCaseError::fail(error.to_string()))?;
            prop_assert_eq!(reparsed, Value::Object(parsed));
        }
    }

    #[test]
    fn a_body_cut_short_is_refused(document in one_model_or_none()) {
        let body = document.body.as_bytes();
        // Every cut of a small body; some hundreds of a large one, the last of them byte by byte.
        let spread = (0..document.close).step_by(1 + document.close / 512);
        for end in spread.chain(document.close.saturating_sub(64)..=document.close) {
            prop_assert!(locate(&body[..end]).is_err(), "{}", end);
        }
    }

    #[test]
    fn two_models_are_refused(
        document in document(vec((model_key(), text()), 2..4)),
    ) {
        let refused = locate(document.body.as_bytes());
        let Err(LocateError::Twice { first, second, .. }) = refused else {
            return Err(TestCaseError::fail(format!("{refused:?}")));
        };
        prop_assert!(first < second);
        for at in [first, second] {
            let rest = document.body.get(at..).unwrap_or_default();
            prop_assert!(rest.starts_with("\"m") || rest.starts_with("\"\\u006"), "{}", at);
        }
    }

    #[test]
    fn a_bent_body_is_judged_as_another_parser_judges(
        document in one_model_or_none(),
        bends in vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut body = document.body.into_bytes();
        for (index, byte) in bends {
            let at = index.index(body.len());
            body[at] = byte;
        }
        agrees_with_the_oracle(&body)?;
    }

    #[test]
    fn a_heap_of_tokens_is_judged_as_another_parser_judges(
        tokens in vec(select(vec![
            "{", "}", "[", "]", ",", ":", "\"", "\\", " ", "\"model\"", "\"mod\\u0065l\"", "\"a\"",
            "\"\\ud800\"", "1", "-", "0", ".", "e", "true", "null", "{\"a\":", ",\"model\":\"b\"",
            "\u{1}", "é",
        ]), 0..24),
        framed in any::<bool>(),
    ) {
        let body = if framed { format!("{{\"model\":\"a\",{}}}", tokens.concat()) } else { tokens.concat() };
        agrees_with_the_oracle(body.as_bytes())?;
    }

    #[test]
    fn any_bytes_are_judged_as_another_parser_judges(bytes in vec(any::<u8>(), 0..200)) {
        agrees_with_the_oracle(&bytes)?;
        agrees_with_the_oracle(&[b"{\"a\":\"", &bytes[..], b"\"}"].concat())?;
        agrees_with_the_oracle(&[b"{\"a\":[\"", &bytes[..], b"\"]}"].concat())?;
    }

    #[test]
    fn a_body_within_a_body_is_spliced_as_it_would_be_alone((document, before, after) in wrapped(), name in any::<String>()) {
        // The white space around it is no part of the value.
        let inner = document.body.trim_ascii();
        let (body, model) = ([&before, inner, &after].concat(), ModelToken::new(&name));
        let fail = |error: LocateError| TestCaseError::fail(error.to_string());
        let path = "input.model".parse::<JsonPath>().map_err(|error| TestCaseError::fail(error.to_string()))?;
        let place = evenkeel::splice::locate(body.as_bytes(), &path).map_err(fail)?;
        let alone = locate(inner.as_bytes()).map_err(fail)?;
        prop_assert_eq!(place.asked(), alone.asked());
        let spliced = splice(body.as_bytes(), &place, &model);
        prop_assert_eq!(spliced.len(), spliced_len(body.len(), &place, &model));
        let expected = [before.as_bytes(), &splice(inner.as_bytes(), &alone, &model), after.as_bytes()].concat();
        prop_assert_eq!(spliced, expected);
        for end in [before.len() + inner.len() - 1, body.len() - 1] {
            prop_assert!(evenkeel::splice::locate(&body.as_bytes()[..end], &path).is_err());
        }
    }
}
