//! Generated bodies of JSON, of which it is known where their model stands.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::Value;
use std::ops::Range;

/// A generated body and what is known of it.
#[derive(Debug, Clone)]
pub struct Document {
    pub body: String,
    /// The span of the model's value, and the model.
    pub model: Option<(Range<usize>, String)>,
    /// The offset of the closing brace.
    pub close: usize,
}

/// A string and one of the many ways to write it.
#[derive(Debug, Clone)]
pub struct Text {
    pub token: String,
    pub means: String,
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

pub fn text() -> impl Strategy<Value = Text> {
    prop_oneof![
        8 => vec(letter(), 0..12),
        1 => (letter(), 0..3_000_usize).prop_map(|(letter, count)| vec![letter; count]),
    ]
    .prop_map(joined)
}

/// `model`, each letter in one of its spellings.
pub fn model_key() -> impl Strategy<Value = String> {
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
pub fn document(models: impl Strategy<Value = Vec<(String, Text)>>) -> impl Strategy<Value = Document> {
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

/// A body as the value of another's member.
pub fn wrapped() -> impl Strategy<Value = (Document, String, String)> {
    let key = prop_oneof![Just("\"input\""), Just(r#""in\u0070ut""#)];
    let before = (value(), key, space(), space())
        .prop_map(|(value, key, before, after)| format!("{{\"a\":{value},{key}{before}:{after}"));
    let after = (value(), space()).prop_map(|(value, space)| format!("{space},\"b\":{value}}}"));
    (one_model_or_none(), before, after)
}

pub fn one_model_or_none() -> impl Strategy<Value = Document> {
    document(option::of((model_key(), text())).prop_map(|model| model.into_iter().collect()))
}
