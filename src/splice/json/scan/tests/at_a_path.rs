//! What holds of models that stand deeper in the body.

use crate::splice::json::scan::*;

fn at(path: &str, body: &str) -> Result<Place, LocateError> {
    locate(body.as_bytes(), &path.parse().unwrap())
}

#[test]
fn the_model_is_found_at_its_path_alone() {
    let table = [
        ("input.model", r#"{"input":{"model":"a"}}"#, "a"),
        (
            "input.model",
            r#"{"model":"x","input":{"input":{"model":"y"},"model":"a"},"inputs":{"model":"z"}}"#,
            "a",
        ),
        ("input.model", r#"{"\u0069nput" : {"mod\u0065l"	:"\ud83d\ude00"}}"#, "😀"),
        ("a.b.c.model", r#"{"a":{"z":[],"b":{"c":{"model":"deep","b":{}}}}}"#, "deep"),
        ("name", r#"{"model":"x","name":"a"}"#, "a"),
    ];
    for (path, body, model) in table {
        let Ok(Place::Value { span, asked, form: Form::Json }) = at(path, body) else {
            panic!("no model in {body}");
        };
        assert_eq!(&*asked, model, "{body}");
        let token: String = serde_json::from_str(&body[span]).unwrap();
        assert_eq!(token, model, "{body}");
    }
}

#[test]
fn what_is_missing_is_added_where_it_would_stand() {
    let table = [
        ("{}", 1, r#""input":{"model":"#, "}"),
        (r#"{"a":1}"#, 1, r#""input":{"model":"#, "},"),
        (r#"{"a":1,"input": { } }"#, 17, r#""model":"#, ""),
        (r#"{"input": {"a":{"model":"x"}}}"#, 11, r#""model":"#, ","),
    ];
    for (body, offset, before, after) in table {
        let place =
            Place::Absent { at: offset, before: before.into(), after: after.into(), form: Form::Json };
        assert_eq!(at("input.model", body), Ok(place), "{body}");
    }
}

#[test]
fn refusals_name_the_path_and_count_from_the_bodys_beginning() {
    let table = [
        (r#"{"input":"a"}"#, r#""input" must be an object with the model in it, found a string at byte 9"#),
        (r#"{"input":null}"#, r#""input" must be an object with the model in it, found null at byte 9"#),
        (
            r#"{"input":[{"model":"a"}]}"#,
            r#""input" must be an object with the model in it, found an array at byte 9"#,
        ),
        (r#"{"input":{},"a":1,"input":{}}"#, r#""input" is given twice, at bytes 1 and 18"#),
        (r#"{"input":{"model":1}}"#, r#""input.model" must be a string, found a number at byte 18"#),
        (
            r#"{"input":{"model":{"model":"a"}}}"#,
            r#""input.model" must be a string, found an object at byte 18"#,
        ),
        (r#"{"input":{"model":"a","model":"b"}}"#, r#""input.model" is given twice, at bytes 10 and 22"#),
        (r#"{"input":{"a":tru}}"#, "expected a value at byte 14"),
        (r#"{"input":{"a"}}"#, "expected ':' at byte 13"),
        (r#"{"input":{"a":1,}}"#, "expected a key at byte 16"),
        (r#"{"input":{"a":"\q"}}"#, "invalid escape at byte 15"),
        (r#"{"input":{"model":"\ud800"}}"#, "the escape at byte 19 is half a surrogate pair"),
        (r#"{"input":{"model":"a"}"#, "the object that begins at byte 0 does not end"),
        (r#"{"input":{"model":"a"}}]"#, "something follows the JSON object at byte 23"),
        (r#"{"input":{"model":"a"},}"#, "expected a key at byte 23"),
    ];
    for (body, message) in table {
        assert_eq!(at("input.model", body).unwrap_err().to_string(), message, "{body}");
    }
    let deep = at("a.b.model", r#"{"a":{"b":7}}"#).unwrap_err().to_string();
    assert_eq!(deep, r#""a.b" must be an object with the model in it, found a number at byte 10"#);
}

#[test]
fn members_of_any_number_keep_their_order_at_every_level() {
    for count in [0, 1, 255, 256, 257, 10_000] {
        let members = r#""k":0,"#.repeat(count);
        let body = format!(r#"{{{members}"input":{{{members}"model":"m"}},{members}"z":1}}"#);
        let place = at("input.model", &body).unwrap();
        assert_eq!(place.asked(), Some("m"), "{count}");
    }
}
