use super::*;
use crate::splice::json::locate;
use crate::splice::{ModelToken, splice, spliced_len};

fn at(path: &str, body: &str) -> Result<Place, LocateError> {
    locate(body.as_bytes(), &path.parse().unwrap())
}

/// The body with `"m"` in each place, and what it asked for.
fn spliced(path: &str, body: &str) -> (String, Option<String>) {
    let (place, model) = (at(path, body).expect(body), ModelToken::new("m"));
    let spliced = splice(body.as_bytes(), &place, &model);
    assert_eq!(spliced.len(), spliced_len(body.len(), &place, &model), "{body}");
    (String::from_utf8(spliced.to_vec()).unwrap(), place.asked().map(Into::into))
}

#[test]
fn each_model_is_replaced_and_no_other_byte() {
    let table = [
        ("a[].model", r#"{"a":[{"model":"x"},{"model":"y"}]}"#, r#"{"a":[{"model":"m"},{"model":"m"}]}"#),
        (
            "a[].model",
            "{\"model\":\"z\", \"\\u0061\" : [ {\"n\":1.0e2,\"mod\\u0065l\" : \"\\u0078\" }\n,\t{ \"a\":[{\"model\":7}] } , {} ] }",
            "{\"model\":\"z\", \"\\u0061\" : [ {\"n\":1.0e2,\"mod\\u0065l\" : \"m\" }\n,\t{ \"a\":[{\"model\":7}] } , {} ] }",
        ),
        (
            "b.a.r[].q.model",
            r#"{"b":{"a":{"r":[{"q":{"model":"x"}},{"q":{}},{},{"q":{"o":0,"model":"y"}}]}}}"#,
            r#"{"b":{"a":{"r":[{"q":{"model":"m"}},{"q":{}},{},{"q":{"o":0,"model":"m"}}]}}}"#,
        ),
        (
            "a[].b[].model",
            r#"{"a":[{"b":[]},{"b":[{"model":"x"},{}]},{"b":[{"model":""}]}]}"#,
            r#"{"a":[{"b":[]},{"b":[{"model":"m"},{}]},{"b":[{"model":"m"}]}]}"#,
        ),
    ];
    for (path, body, expected) in table {
        assert_eq!(spliced(path, body), (expected.to_owned(), Some("x".to_owned())), "{body}");
    }
}

#[test]
fn where_there_is_none_there_is_nothing() {
    for body in [
        "{}",
        r#"{"model":"x"}"#,
        r#"{"a":[]}"#,
        r#"{"a":[ ]}"#,
        r#"{"a":[{},{ }]}"#,
        r#"{"a":[{"b":{"model":"x"}}]}"#,
        r#"{"b":[{"model":"x"}]}"#,
    ] {
        assert_eq!(at("a[].model", body), Ok(Place::Nowhere), "{body}");
    }
}

#[test]
fn refusals_name_the_path_and_the_byte() {
    let table = [
        (
            r#"{"a":{"model":"x"}}"#,
            r#""a" must be an array of objects with the model in them, found an object at byte 5"#,
        ),
        (r#"{"a":null}"#, r#""a" must be an array of objects with the model in them, found null at byte 5"#),
        (r#"{"a":[{},"x"]}"#, r#""a[]" must be an object with the model in it, found a string at byte 9"#),
        (r#"{"a":[[]]}"#, r#""a[]" must be an object with the model in it, found an array at byte 6"#),
        (
            r#"{"a":[{"model":"x"},{"model":1}]}"#,
            r#""a[].model" must be a string, found a number at byte 29"#,
        ),
        (r#"{"a":[{"model":"x","model":"y"}]}"#, r#""a[].model" is given twice, at bytes 7 and 19"#),
        (r#"{"a":[],"a":[]}"#, r#""a" is given twice, at bytes 1 and 8"#),
        (r#"{"a":[{} {}]}"#, "expected ',' or ']' at byte 9"),
        (r#"{"a":[{},]}"#, "expected a value at byte 9"),
        (r#"{"a":[,{}]}"#, "expected a value at byte 6"),
        (r#"{"a":[{"b":1,}]}"#, "expected a key at byte 13"),
        (r#"{"a":[{"b":tru}]}"#, "expected a value at byte 11"),
        (r#"{"a":[{"model":"\ud800"}]}"#, "the escape at byte 16 is half a surrogate pair"),
        (r#"{"a":[{}"#, "the array that begins at byte 5 does not end"),
        (r#"{"a":[{}]}}"#, "something follows the JSON object at byte 10"),
        ("[]", "the body is not a JSON object: found an array at byte 0"),
    ];
    for (body, message) in table {
        assert_eq!(at("a[].model", body).unwrap_err().to_string(), message, "{body}");
    }
    let deep = at("a.b[].c.model", r#"{"a":{"b":[{"c":[]}]}}"#).unwrap_err().to_string();
    assert_eq!(deep, r#""a.b[].c" must be an object with the model in it, found an array at byte 16"#);
}

#[test]
fn elements_are_counted() {
    let body = |count| format!(r#"{{"a":[{}{{"model":"x"}}]}}"#, "{},".repeat(count - 1));
    assert_eq!(at("a[].model", &body(MOST_ELEMENTS)).unwrap().asked(), Some("x"));
    let refused = at("a[].model", &body(MOST_ELEMENTS + 1)).unwrap_err().to_string();
    assert_eq!(refused, r#"the arrays at "a" have more than 100000 elements: send them in several requests"#);
    let nested = format!(r#"{{"a":[{}]}}"#, [r#"{"b":[{},{}]}"#; 33_334].join(","));
    let refused = at("a[].b[].model", &nested).unwrap_err();
    assert!(
        matches!(refused, LocateError::TooMany { ref path, .. } if path.as_str() == "a[].b"),
        "{refused}"
    );
}

#[test]
fn a_follower_with_several_gains_none() {
    let body = r#"{"a":[{"model":"long"},{},{"model":""}]}"#;
    let place = at("a[].model", body).unwrap();
    let mut kept = crate::splice::Body::new(bytes::Bytes::from_static(body.as_bytes()), 0, place);
    for model in ["m", "longer", ""] {
        let token = ModelToken::new(model);
        let expected = format!(r#"{{"a":[{{"model":"{model}"}},{{}},{{"model":"{model}"}}]}}"#);
        assert_eq!(kept.with(&token), expected);
        assert_eq!(kept.with_if_there(&token), expected);
    }
    assert_eq!(kept.asked(), Some("long"));
}
