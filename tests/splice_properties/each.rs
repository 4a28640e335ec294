//! Bodies of JSON that have the model several times, held against another parser.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that goes wrong panics where it goes wrong"
)]

use crate::documents::{Document, one_model_or_none, text};
use crate::oracle::several;
use evenkeel::splice::{JsonPlace, ModelToken, Place, splice, spliced_len};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::Value;

/// A batch of `documents` at `b.r[].q`, and where each of them begins.
fn batch(documents: &[Document], spaces: &str) -> (String, Vec<usize>) {
    let mut body = format!(r#"{{"model":"not this",{spaces}"b":{{"r":[{spaces}"#);
    let mut begins = Vec::new();
    for (number, document) in documents.iter().enumerate() {
        body += if number > 0 { "," } else { "" };
        body += &format!(r#"{{"n":{number},"\u0071"{spaces}:"#);
        begins.push(body.len());
        body += document.body.trim_ascii();
        body += &format!("{spaces}}}{spaces}");
    }
    (body + "],\"model\":7}}", begins)
}

fn place(prefix: Option<&str>) -> JsonPlace {
    let prefix = prefix.map(|prefix| prefix.parse().expect("a prefix"));
    JsonPlace { path: "b.r[].q.model".parse().expect("a path"), prefix }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(ProptestConfig::default().cases / 4))]

    /// Every element is spliced as it would be alone, and those without a model stay without.
    #[test]
    fn each_is_spliced_as_it_would_be_alone(
        documents in vec(one_model_or_none(), 0..6),
        spaces in "[ \n\t]{0,3}",
        name in any::<String>(),
    ) {
        let (body, begins) = batch(&documents, &spaces);
        let model = ModelToken::new(&name);
        let found = place(None).locate(body.as_bytes()).map_err(|error| TestCaseError::fail(error.to_string()))?;
        let first = documents.iter().find_map(|document| document.model.as_ref());
        prop_assert_eq!(found.asked(), first.map(|(_, asked)| asked.as_str()));

        let mut expected = Vec::new();
        let mut at = 0;
        for (document, begin) in documents.iter().zip(begins) {
            // The span is counted from the white space before the object.
            let space = document.body.len() - document.body.trim_ascii_start().len();
            if let Some((span, _)) = &document.model {
                expected.extend_from_slice(&body.as_bytes()[at..begin + span.start - space]);
                expected.extend_from_slice(model.json());
                at = begin + span.end - space;
            }
        }
        expected.extend_from_slice(&body.as_bytes()[at..]);
        let spliced = splice(body.as_bytes(), &found, &model);
        prop_assert_eq!(spliced.len(), spliced_len(body.len(), &found, &model));
        prop_assert_eq!(spliced.as_ref(), &expected[..]);

        // Parsed, replaced: of whatever the other parser can hold.
        if let Ok(mut parsed) = serde_json::from_str::<Value>(&body) {
            for element in parsed["b"]["r"].as_array_mut().expect("an array") {
                if let Some(value) = element["q"].get_mut("model") {
                    *value = name.as_str().into();
                }
            }
            let reparsed: Value = serde_json::from_slice(&spliced).expect("JSON");
            prop_assert_eq!(reparsed, parsed);
        }
        for end in (0..body.len()).step_by(1 + body.len() / 128) {
            prop_assert!(place(None).locate(&body.as_bytes()[..end]).is_err(), "{}", end);
        }
    }

    #[test]
    fn a_heap_of_tokens_is_read_as_another_parser_reads_it(
        tokens in vec(select(vec![
            "{", "}", "[", "]", ",", ":", " ", "\"model\":", "\"mod\\u0065l\":", "\"a\":[", "\"m/", "\"m\\/x\"", "\"y\"",
            "\"m\\u002f\"", "{\"model\":\"m/z\"}", "{},", "{\"n\":1,", "null", "\"\\ud800\"", "é", "\u{1}",
        ]), 0..16),
        well_formed in vec(select(vec![
            "{}", "{\"model\":\"m/x\"}", "{ \"n\":[{\"model\":1}],\"model\" :\"\\u006d\\/é\" }", "{\"model\":\"m\"}",
            "{\"mod\\u0065l\":\"\"}", "{\"n\":\"model\"}",
        ]), 0..6),
    ) {
        several::check(tokens.concat().as_bytes());
        several::check(format!("{{\"a\":[{}]}}", tokens.concat()).as_bytes());
        let elements = well_formed.join(" ,");
        several::check(format!("{{\"model\":\"w\", \"\\u0061\":[{elements}]}}").as_bytes());
        several::check(format!("{{\"a\":[{elements},{}]}}", tokens.concat()).as_bytes());
    }

    #[test]
    fn a_bent_body_is_read_as_another_parser_reads_it(
        documents in vec(one_model_or_none(), 1..4),
        bends in vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
    ) {
        let elements: Vec<_> = documents.iter().map(|document| document.body.as_str()).collect();
        let mut body = format!("{{\"a\":[{}]}}", elements.join(",")).into_bytes();
        for (index, byte) in bends {
            let at = index.index(body.len());
            body[at] = byte;
        }
        several::check(&body);
    }

    /// However the prefix is written, it stays; what has none gets none.
    #[test]
    fn a_prefix_stays(
        values in vec((any::<bool>(), text()), 1..6),
        spelling in 0..3_usize,
        name in any::<String>(),
    ) {
        let written = ["models/", r"m\u006fdels\/", r"\u006Dodels\u002f"][spelling];
        let tokens = values.iter().map(|(has_prefix, value)| {
            let inside = &value.token[1..value.token.len() - 1];
            if *has_prefix { format!("\"{written}{inside}\"") } else { value.token.clone() }
        });
        let elements: Vec<_> = tokens.map(|token| format!(r#"{{"q":{{"model":{token}}}}}"#)).collect();
        let body = format!(r#"{{"b":{{"r":[{}]}}}}"#, elements.join(","));
        let found = place(Some("models/")).locate(body.as_bytes()).map_err(|error| TestCaseError::fail(error.to_string()))?;

        let had = |has_prefix: bool, value: &str| has_prefix || value.starts_with("models/");
        let asked = |(has_prefix, value): &(bool, crate::documents::Text)| {
            let means = value.means.as_str();
            if *has_prefix { means } else { means.strip_prefix("models/").unwrap_or(means) }.to_owned()
        };
        let first = values.first().map(asked);
        prop_assert_eq!(found.asked(), first.as_deref());
        let Place::Each { values: places, .. } = &found else {
            return Err(TestCaseError::fail(format!("{found:?}")));
        };
        prop_assert_eq!(places.len(), values.len());
        let spliced = splice(body.as_bytes(), &found, &ModelToken::new(&name));
        let parsed: Value = serde_json::from_slice(&spliced).expect("JSON");
        for ((has_prefix, value), element) in values.iter().zip(parsed["b"]["r"].as_array().expect("an array")) {
            let expected = if had(*has_prefix, &value.means) { format!("models/{name}") } else { name.clone() };
            prop_assert_eq!(element["q"]["model"].as_str(), Some(expected.as_str()));
        }
    }
}
