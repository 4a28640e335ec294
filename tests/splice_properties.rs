//! What holds of the splice for every body, of generated JSON and of bytes that are none.

use std::ops::Range;

use evenkeel::splice::{JsonPath, LocateError, ModelToken, Place, splice, spliced_len};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::Value;

mod oracle;

use oracle::Members;

fn locate(body: &[u8]) -> Result<Place, LocateError> {
    evenkeel::splice::locate(body, &JsonPath::model())
}

/// A generated body and what is known of it.
#[derive(Debug, Clone)]
struct Document {
    body: String,
    /// The span of the model's value, and the model.
    model: Option<(Range<usize>, String)>,
    /// The offset of the closing brace.
    close: usize,
}

/// A string and one of the many ways to write it.
#[derive(Debug, Clone)]
struct Text {
    token: String,
    means: String,
}

fn space() -> impl Strategy<Value = &'static str> {
    prop_oneof![6 => Just(""), 3 => select(vec![" ", "\n", "\t", "\r\n", "  \n\t "])]
}

/// A character as itself, as its short escape, or as its code units in either case.
fn letter() -> impl Strategy<Value = Text> {
    let character = prop_oneof![
        6 => any::<char>(),
        4 => proptest::char::range(' ', '~'),
        2 => select("\"\\/\n\t\0\u{7f}é漢😀{}[],:".chars().collect::<Vec<_>>()),
    ];
    (character, 0..4_u8).prop_map(|(character, form)| spelt(character, form))
}

fn spelt(character: char, form: u8) -> Text {
    let units =
        |case: fn(&u16) -> String| character.encode_utf16(&mut [0; 2]).iter().map(case).collect::<String>();
    let short = match character {
        '"' => Some("\\\""),
        '\\' => Some("\\\\"),
        '/' => Some("\\/"),
        '\u{8}' => Some("\\b"),
        '\u{c}' => Some("\\f"),
        '\n' => Some("\\n"),
        '\r' => Some("\\r"),
        '\t' => Some("\\t"),
        _ => None,
    };
    let token = match (form, short) {
        (0, _) => units(|unit| format!("\\u{unit:04x}")),
        (1, _) => units(|unit| format!("\\u{unit:04X}")),
        (_, Some(short)) => short.to_owned(),
        (_, None) if character < ' ' => units(|unit| format!("\\u{unit:04x}")),
        (_, None) => character.to_string(),
    };
    Text { token, means: character.into() }
}

fn joined(letters: Vec<Text>) -> Text {
    let token: String = letters.iter().map(|letter| letter.token.as_str()).collect();
    Text { token: format!("\"{token}\""), means: letters.into_iter().map(|letter| letter.means).collect() }
}

fn text() -> impl Strategy<Value = Text> {
    prop_oneof![
        8 => vec(letter(), 0..12),
        1 => (letter(), 0..3_000_usize).prop_map(|(letter, count)| vec![letter; count]),
    ]
    .prop_map(joined)
}

/// `model`, each letter in one of its spellings.
fn model_key() -> impl Strategy<Value = String> {
    let escaped = vec(0..6_u8, 5).prop_map(|forms| {
        joined("model".chars().zip(forms).map(|(letter, form)| spelt(letter, form)).collect()).token
    });
    prop_oneof![Just("\"model\"".to_owned()), escaped]
}

fn other_key() -> impl Strategy<Value = String> {
    let near = select(vec!["Model", "models", "mode", "model ", "modèle", "messages", "n", ""]);
    prop_oneof![
        text().prop_filter("the model's key", |text| text.means != "model").prop_map(|text| text.token),
        near.prop_map(|key| Value::from(key).to_string()),
    ]
}

fn scalar() -> impl Strategy<Value = String> {
    let numbers = vec![
        "0",
        "-0",
        "1.0e2",
        "1E+2",
        "-1.5e-3",
        "0.10",
        "9007199254740993",
        "18446744073709551616",
        "123456789012345678901234567890",
        "1e400",
        "-0.0",
    ];
    prop_oneof![
        8 => text().prop_map(|text| text.token),
        8 => select(numbers).prop_map(str::to_owned),
        4 => any::<i64>().prop_map(|number| number.to_string()),
        4 => select(vec!["true", "false", "null"]).prop_map(str::to_owned),
        1 => select(vec!["\"\\ud800\"", "\"a\\udfff\\ud834b\""]).prop_map(str::to_owned),
    ]
}

/// Any value: nested ones hold models of their own, and the same key twice.
fn value() -> impl Strategy<Value = String> {
    scalar().prop_recursive(5, 40, 6, |inner| {
        let member = (prop_oneof![model_key(), other_key()], space(), inner.clone())
            .prop_map(|(key, space, value)| format!("{key}{space}:{value}"));
        prop_oneof![
            (vec(inner, 0..6), space()).prop_map(|(items, space)| format!("[{space}{}]", items.join(","))),
            (vec(member, 0..6), space())
                .prop_map(|(members, space)| format!("{{{}{space}}}", members.join(","))),
        ]
    })
}

/// A body of members with the models of `models` anywhere among them.
fn document(models: impl Strategy<Value = Vec<(String, Text)>>) -> impl Strategy<Value = Document> {
    let member = (other_key(), value());
    (vec(member, 0..8), models, any::<prop::sample::Index>(), vec(space(), 5)).prop_map(
        |(mut members, models, index, space)| {
            let at = index.index(members.len() + 1);
            let first_model = (!models.is_empty()).then_some(at);
            let asked = models.first().map(|(_, text)| text.means.clone());
            // The models stand apart, with whatever follows the first between them.
            for (distance, (key, text)) in models.into_iter().enumerate() {
                let at = if distance == 0 { at } else { members.len() };
                members.insert(at, (key, text.token));
            }
            let mut space = space.into_iter().cycle();
            let mut gap = || space.next().unwrap_or_default();
            let mut body = format!("{}{{{}", gap(), gap());
            let mut span = None;
            for (index, (key, value)) in members.iter().enumerate() {
                let comma = if index == 0 { "" } else { "," };
                body += &[comma, gap(), key, gap(), ":", gap()].concat();
                if Some(index) == first_model {
                    span = Some(body.len()..body.len() + value.len());
                }
                body += value;
                body += gap();
            }
            let close = body.len();
            body += "}";
            body += gap();
            Document { body, model: span.zip(asked), close }
        },
    )
}

fn one_model_or_none() -> impl Strategy<Value = Document> {
    document(option::of((model_key(), text())).prop_map(|model| model.into_iter().collect()))
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
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn the_model_is_found(document in one_model_or_none()) {
        let place = locate(document.body.as_bytes());
        let found = match place {
            Ok(Place::Value { span, asked, .. }) => Some((span, asked.into_string())),
            Ok(Place::Absent { .. } | Place::Nowhere) => None,
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
            Place::Nowhere => return Err(TestCaseError::fail("no place")),
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
}
