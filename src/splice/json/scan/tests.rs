//! What is accepted, what is refused and in which words.

use super::*;

mod at_a_path;

/// Where the model stands in most bodies.
fn locate(body: &[u8]) -> Result<Place, LocateError> {
    super::locate(body, &JsonPath::model())
}

/// The model asked for and the text of its span.
fn model(body: &[u8]) -> (Box<str>, &[u8]) {
    match locate(body) {
        Ok(Place::Value { span, asked, .. }) => (asked, &body[span]),
        other => panic!("no model: {other:?}"),
    }
}

/// The place of a model to be added at `at`, and `after` after it.
fn added(at: usize, after: &'static str) -> Place {
    Place::Absent { at, before: r#""model":"#.into(), after: after.into(), form: Form::Json }
}

fn refusal(body: impl AsRef<[u8]>) -> String {
    match locate(body.as_ref()) {
        Err(error) => error.to_string(),
        Ok(place) => panic!("accepted: {place:?}"),
    }
}

#[test]
fn the_model_is_found_wherever_it_stands() {
    let table = [
        (r#"{"model":"a"}"#, "a", r#""a""#),
        ("\t{ \"model\"\r\n:\t\"a\" } \n", "a", r#""a""#),
        (r#"{"x":1,"model":"a","y":{}}"#, "a", r#""a""#),
        (r#"{"x":[[],{}],"y":"model","model":""}"#, "", r#""""#),
        (r#"{"mod\u0065l":"a"}"#, "a", r#""a""#),
        (r#"{"\u006d\u006F\u0064\u0065\u006C":"a"}"#, "a", r#""a""#),
        (r#"{"Model":"x","model ":"y","mode":1,"model":"z"}"#, "z", r#""z""#),
        (r#"{"a":{"model":"x","model":"y"},"model":"z","b":[{"model":1}]}"#, "z", r#""z""#),
        (r#"{"model":"\ud83d\ude00\"\\\/\b\f\n\r\t\u0000"}"#, "😀\"\\/\u{8}\u{c}\n\r\t\0", ""),
        (r#"{"model":"é漢😀"}"#, "é漢😀", r#""é漢😀""#),
    ];
    for (body, asked, span) in table {
        let (found, text) = model(body.as_bytes());
        assert_eq!(&*found, asked, "{body}");
        let text = std::str::from_utf8(text).expect(body);
        assert!(span.is_empty() || text == span, "{body}");
        assert!(body.contains(text) && text.starts_with('"') && text.ends_with('"'), "{body}");
    }
}

#[test]
fn a_body_without_a_model_has_a_place_for_one() {
    let table = [
        ("{}", 1, ""),
        (" \n{ \t} ", 3, ""),
        (r#"{"a":1}"#, 1, ","),
        (r#" { "a":[{"model":"x"}]}"#, 2, ","),
        (r#"{"\u006dodels":"x"}"#, 1, ","),
    ];
    for (body, at, after) in table {
        assert_eq!(locate(body.as_bytes()), Ok(added(at, after)), "{body}");
    }
}

#[test]
fn what_is_nested_is_the_vendors_to_judge() {
    let huge = format!(r#"{{"model":"a","n":[1{}]}}"#, "0".repeat(400));
    let table: [&[u8]; 7] = [
        br#"{"model":"a","m":["\ud800",{"\udfff":1}]}"#,
        br#"{"model":"a","m":["\q","\u12"]}"#,
        br#"{"model":"a","m":[tru,01,+1,NaN,,:]}"#,
        b"{\"model\":\"a\",\"m\":[\"\xff\",\xfe,\"\x01\n\"]}",
        br#"{"model":"a","m":{"x":1,"x":2,}}"#,
        br#"{"model":"a","m":{'x'}}"#,
        huge.as_bytes(),
    ];
    for body in table {
        assert_eq!(model(body), ("a".into(), &b"\"a\""[..]));
    }
}

#[test]
fn numbers_and_surrogates_of_the_top_level_pass() {
    let huge = format!(r#"{{"n":-1{}.0e-2,"model":"a"}}"#, "0".repeat(400));
    for body in [
        &huge,
        r#"{"a":1.0e2,"b":1E400,"c":-0,"d":true,"e":false,"f":null,"model":"a"}"#,
        r#"{"a":"\ud800","b":"\udc00\ud800","model":"a"}"#,
        // The key is not the model, though its escape and its beginning could be.
        r#"{"model\ud83d\ude00":"\ud87d","model":"a"}"#,
        r#"{"mod\u0065ls":"\ud87d","model":"a"}"#,
    ] {
        assert_eq!(model(body.as_bytes()), ("a".into(), &b"\"a\""[..]), "{body}");
    }
}

#[test]
fn refusals_say_what_and_where() {
    let table = [
        ("", "the body is empty"),
        (" \r\n\t", "the body is empty"),
        ("\u{feff}{}", "the body begins with a byte order mark at byte 0: send UTF-8 without one"),
        ("[{}]", "the body is not a JSON object: found an array at byte 0"),
        (" \"a\"", "the body is not a JSON object: found a string at byte 1"),
        ("-1", "the body is not a JSON object: found a number at byte 0"),
        ("true", "the body is not a JSON object: found a boolean at byte 0"),
        ("null", "the body is not a JSON object: found null at byte 0"),
        ("model=a", "the body is not a JSON object: found something that is not JSON at byte 0"),
        ("}", "the body is not a JSON object: found something that is not JSON at byte 0"),
        ("{", "the object that begins at byte 0 does not end"),
        (r#" {"a"  "#, "the object that begins at byte 1 does not end"),
        (r#"{"a":"#, "the object that begins at byte 0 does not end"),
        (r#"{"a":1"#, "the object that begins at byte 0 does not end"),
        (r#"{"a":1,"#, "the object that begins at byte 0 does not end"),
        (r#"{"a"#, "the string that begins at byte 1 does not end"),
        (r#"{"a":"b\"}"#, "the string that begins at byte 5 does not end"),
        (r#"{"a":["b]}"#, "the string that begins at byte 6 does not end"),
        (r#"{"a":[[]}"#, "expected ']' at byte 8"),
        (r#"{"a":[}"#, "expected ']' at byte 6"),
        (r#"{"a":{]"#, "expected '}' at byte 6"),
        (r#"{"a":[[],"#, "the array that begins at byte 5 does not end"),
        (r#"{"a":{"b":1"#, "the object that begins at byte 5 does not end"),
        ("{,}", "expected a key or '}' at byte 1"),
        ("{a:1}", "expected a key or '}' at byte 1"),
        (r#"{"a":1,}"#, "expected a key at byte 7"),
        (r#"{"a" 1}"#, "expected ':' at byte 5"),
        (r#"{"a":}"#, "expected a value at byte 5"),
        (r#"{"a":NaN}"#, "expected a value at byte 5"),
        (r#"{"a":tru}"#, "expected a value at byte 5"),
        (r#"{"a":+1}"#, "expected a value at byte 5"),
        (r#"{"a":'b'}"#, "expected a value at byte 5"),
        (r#"{"a":truth}"#, "expected a value at byte 5"),
        (r#"{"a":nullx}"#, "expected ',' or '}' at byte 9"),
        (r#"{"a":01}"#, "expected ',' or '}' at byte 6"),
        (r#"{"a":1]"#, "expected ',' or '}' at byte 6"),
        (r#"{"a":"b" "c":1}"#, "expected ',' or '}' at byte 9"),
        (r#"{"a":1.}"#, "the number at byte 5 is not a JSON number"),
        (r#"{"a":-}"#, "the number at byte 5 is not a JSON number"),
        ("{} {}", "something follows the JSON object at byte 3"),
        (r#"{"model":"a"}]"#, "something follows the JSON object at byte 13"),
        ("{}\0", "something follows the JSON object at byte 2"),
        (r#"{"a":"\q"}"#, "invalid escape at byte 6"),
        (r#"{"a\u12":1}"#, "invalid escape at byte 3"),
        (r#"{"model":"\ud800"}"#, "the escape at byte 10 is half a surrogate pair"),
        (r#"{"a":"\ud800","\udc00":1}"#, "the escape at byte 15 is half a surrogate pair"),
        ("{\"a\":\"b\nc\"}", "a control character at byte 7 must be escaped"),
        ("{\"a\u{1}\":1}", "a control character at byte 3 must be escaped"),
        (r#"{"model":"a","model":"b"}"#, "\"model\" is given twice, at bytes 1 and 13"),
        (r#"{"mod\u0065l":"a", "model":1}"#, "\"model\" is given twice, at bytes 1 and 19"),
        (r#"{"model":1}"#, "\"model\" must be a string, found a number at byte 9"),
        (r#"{"model":null}"#, "\"model\" must be a string, found null at byte 9"),
        (r#"{"model":true}"#, "\"model\" must be a string, found a boolean at byte 9"),
        (r#"{"model":["a"]}"#, "\"model\" must be a string, found an array at byte 9"),
        (r#"{"model": {}}"#, "\"model\" must be a string, found an object at byte 10"),
    ];
    for (body, message) in table {
        assert_eq!(refusal(body), message, "{body}");
    }
}

#[test]
fn the_top_level_is_utf8_at_any_length() {
    for len in [0, 1, 30, 63, 64, 65, 1_000, 1_100, 5_000, 70_000] {
        for (bad, message) in [(0xff, "invalid UTF-8"), (0x1f, "a control character")] {
            for frame in [["{\"", "\":1}"], ["{\"a\":\"", "\"}"], ["{\"model\":\"", "\"}"]] {
                let [before, after] = frame;
                let mut body = [before.as_bytes(), &vec![b'x'; len], b"y", after.as_bytes()].concat();
                assert!(locate(&body).is_ok(), "{len} {before}");
                let at = before.len() + len;
                body[at] = bad;
                let refused = refusal(&body);
                assert!(refused.starts_with(&format!("{message} at byte {at}")), "{len} {before} {refused}");
            }
        }
    }
}

#[test]
fn strings_of_every_length_pass_whole() {
    for len in [0, 1, 15, 16, 31, 32, 4_096, 65_535, 65_536, 65_537, 1 << 20] {
        let text = "x".repeat(len);
        for body in [
            format!(r#"{{"a":"{text}","model":"m"}}"#),
            format!(r#"{{"a":["{text}"],"model":"m"}}"#),
            format!(r#"{{"{text}":0,"model":"m"}}"#),
        ] {
            assert_eq!(model(body.as_bytes()), ("m".into(), &b"\"m\""[..]), "{len}");
        }
        let (asked, span) = (text.as_str(), format!("\"{text}\""));
        let body = format!(r#"{{"model":{span}}}"#);
        assert_eq!(model(body.as_bytes()), (asked.into(), span.as_bytes()), "{len}");
    }
}

#[test]
fn depth_is_bounded_by_the_body_alone() {
    for depth in [100_000, 1_000_000] {
        let body = format!(r#"{{"a":{}{},"model":"m"}}"#, "[".repeat(depth), "]".repeat(depth));
        assert_eq!(model(body.as_bytes()), ("m".into(), &b"\"m\""[..]), "{depth}");
        let open = format!(r#"{{"a":{}"#, "[{".repeat(depth));
        assert_eq!(refusal(open), "the array that begins at byte 5 does not end", "{depth}");
    }
}

#[test]
fn members_of_any_number_keep_their_order() {
    for count in [254, 255, 256, 257, 511, 512, 513, 100_000, 1_000_000] {
        let members = r#""k":0,"#.repeat(count);
        let last = format!(r#"{{{members}"model":"m"}}"#);
        assert_eq!(model(last.as_bytes()), ("m".into(), &b"\"m\""[..]), "{count}");
        let twice = format!(r#"{{"model":"m",{members}"model":"m"}}"#);
        let second = r#"{"model":"m","#.len() + members.len();
        assert_eq!(refusal(twice), format!("\"model\" is given twice, at bytes 1 and {second}"));
        let absent = format!(r#"{{{members}"k":0}}"#);
        assert_eq!(locate(absent.as_bytes()), Ok(added(1, ",")), "{count}");
    }
}

#[test]
fn memory_is_bounded_and_given_back() {
    let mut scratch = Scratch::default();
    let bodies = [
        format!(r#"{{{}"model":"m"}}"#, r#""k":0,"#.repeat(1_000_000)),
        format!(r#"{{"{}":0}}"#, "k".repeat(1 << 20)),
        format!(r#"{{"model":"{}"}}"#, "m".repeat(1 << 20)),
        format!(r#"{{"a":{}{}}}"#, "[".repeat(1_000_000), "]".repeat(1_000_000)),
    ];
    for body in bodies {
        assert!(scratch.locate(body.as_bytes(), &JsonPath::model()).is_ok());
        scratch.give_back();
        assert!(!scratch.skeleton.is_oversized());
        assert!(scratch.brackets.capacity() <= KEPT_BYTES);
    }
}

#[test]
fn a_refused_body_leaves_nothing_behind() {
    for refused in [r#"{"model":"a","b":"#, r#"{"model":"a","b":[[["#, r#"{"model":"a","\ud800":1}"#] {
        assert!(locate(refused.as_bytes()).is_err(), "{refused}");
        assert_eq!(locate(br#"{"a":1}"#), Ok(added(1, ",")), "{refused}");
    }
}
