use super::super::json::Reader;
use super::*;

const CHAT: &str = r#"{"id":"chatcmpl-1","model":"gpt-4o","choices":[{"message":{"content":"\"usage\": {\"prompt_tokens\": 9}"}}],"usage":{"prompt_tokens":12,"completion_tokens":7,"total_tokens":20,"prompt_tokens_details":{"cached_tokens":4,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":0}}}"#;

#[test]
fn what_an_answer_tells() {
    let table = [
        (CHAT, Some("gpt-4o"), usage(12, 7, 4, 20)),
        (r#"{"usage":{"prompt_tokens":8,"total_tokens":8}}"#, None, usage(8, None, None, 8)),
        (r#"{"usage":{"prompt_tokens":8,"completion_tokens":2}}"#, None, usage(8, 2, None, 10)),
        ("{\"usage\" \r\n:\t {\n  \"prompt_tokens\" : 5 } }", None, usage(5, None, None, None)),
        (
            r#"{"usage":{"prompt_tokens":5,"prompt_tokens_details":null,"note":"} \" {"}}"#,
            None,
            usage(5, None, None, None),
        ),
        // More than fits, in all.
        (
            r#"{"usage":{"prompt_tokens":4294967295,"completion_tokens":1}}"#,
            None,
            usage(u32::MAX, 1, None, None),
        ),
        (r#"{"model":"a\u00e9\/\"b"}"#, Some("aé/\"b"), Usage::default()),
        // The latest count, the first model.
        (
            r#"{"model":"a","model":"b","usage":{"prompt_tokens":1},"usage":{"prompt_tokens":2}}"#,
            Some("a"),
            usage(2, None, None, None),
        ),
        (r#"{"usage":{"prompt_tokens":1,"prompt_tokens":null}}"#, None, usage(1, None, None, None)),
        // The first alternative, wherever it stands.
        (r#"{"message":{"model":"c"},"model":"a"}"#, Some("a"), Usage::default()),
        (r#"{"usage":{"output_tokens":2,"completion_tokens":1}}"#, None, usage(None, 1, None, None)),
        // A document after the other, and in an array.
        (
            "{\"usage\":{\"prompt_tokens\":1}}\n{\"usage\":{\"completion_tokens\":1}}\n",
            None,
            usage(1, 1, None, 2),
        ),
        (
            r#" [ {"model":"a","usage":{"prompt_tokens":1}} , {"model":"b","usage":{"prompt_tokens":3}} ] "#,
            Some("a"),
            usage(3, None, None, None),
        ),
    ];
    for (text, model, usage) in table {
        let expected =
            Outcome { seen: Seen::Events, model: model.map(str::to_owned), usage, is_unreadable: false };
        assert_eq!(read(Kind::Json, text), expected, "{text}");
    }
}

#[test]
fn sums_are_of_what_is_there() {
    for (text, prompt, cached) in [
        (
            r#"{"input_tokens":5,"cache_read_input_tokens":20,"cache_creation_input_tokens":300}"#,
            325,
            Some(20),
        ),
        (r#"{"input_tokens":5}"#, 5, None),
        (r#"{"cache_read_input_tokens":7}"#, 7, Some(7)),
        (r#"{"input_tokens":5,"cache_read_input_tokens":null}"#, 5, None),
    ] {
        let text = format!("{{\"usage\":{text}}}");
        assert_eq!(read(Kind::Json, &text).usage, usage(prompt, None, cached, None), "{text}");
    }
    let text = r#"{"usage":{"input_tokens":4294967295,"cache_read_input_tokens":1}}"#;
    assert_eq!(read(Kind::Json, text).usage, usage(None, None, 1, None));
}

#[test]
fn what_is_no_count_and_no_model() {
    for text in [
        r#"{"usage":null}"#,
        r#"{"usage":"prompt_tokens"}"#,
        r#"{"usage":{"type":"string","description":"how it is used"}}"#,
        r#"{"usage":{"prompt_tokens":"5"}}"#,
        r#"{"usage":{"prompt_tokens":-5}}"#,
        r#"{"usage":{"prompt_tokens":5.5}}"#,
        r#"{"usage":{"prompt_tokens":05}}"#,
        r#"{"usage":{"prompt_tokens":4294967296}}"#,
        r#"{"usage":{"prompt_tokens":10000000000000000000000000}}"#,
        r#"{"usage":{"prompt_tokens":[5]}}"#,
        r#"{"usage":[{"prompt_tokens":5}]}"#,
        r#"{"usage":{"prompt_tokens":{"prompt_tokens":5}}}"#,
        r#"{"prompt_tokens":5,"other":{"usage":{"prompt_tokens":5}}}"#,
        r#"{"x":["usage",{"prompt_tokens":5}]}"#,
        r#"["usage",{"prompt_tokens":5}]"#,
        r#"[[{"usage":{"prompt_tokens":5}}]]"#,
        r#"{"content":"\"usage\":{\"prompt_tokens\":5}"}"#,
        r#"{"content":"\\\"usage\\\":{\\\"prompt_tokens\\\":5}"}"#,
        r#"{"Usage":{"prompt_tokens":5},"usages":{"prompt_tokens":5}}"#,
        // Not looked for in this form.
        r#"{"us\u0061ge":{"prompt_tokens":5}}"#,
        r#"{"model":null}"#,
        r#"{"model":""}"#,
        r#"{"model":{"model":"a"}}"#,
        r#"{"model":5}"#,
        r#"{"model":"\ud800"}"#,
        "true",
        "\"model\"",
        "[]",
    ] {
        let expected =
            Outcome { seen: Seen::Events, model: None, usage: Usage::default(), is_unreadable: false };
        assert_eq!(read(Kind::Json, text), expected, "{text}");
    }
    let long = format!(r#"{{"model":"{}"}}"#, "m".repeat(257));
    assert_eq!(read(Kind::Json, &long).model, None);
    let model = "m".repeat(256);
    assert_eq!(read(Kind::Json, &format!(r#"{{"model":"{model}"}}"#)).model, Some(model));
}

#[test]
fn what_is_no_json_is_unreadable() {
    for text in
        ["<html>", "{]", "{\"a\"}", "{\"a\":}", "{\"a\":1 2}", "{a:1}", "{\"a\":[\\]}", "\u{feff}{}", "{}}"]
    {
        assert!(read(Kind::Json, text).is_unreadable, "{text}");
    }
    // What was told is told.
    let outcome = read(Kind::Json, r#"{"usage":{"prompt_tokens":5}} <!-- served by -->"#);
    assert_eq!((outcome.usage.prompt, outcome.is_unreadable), (Some(5), false));
    for text in ["", " \n", "[", "{", r#"{"choices":[{"#, "[{}", "[{},", "{}\n{", "\"a", "[1,2"] {
        assert!(read(Kind::Json, text).is_unreadable, "{text}");
    }
    for text in ["5", " 5", "\"a\"", "null\n", "{}\n{}\n", " [] ", "{}5"] {
        assert!(!read(Kind::Json, text).is_unreadable, "{text}");
    }
    assert_eq!(read(Kind::Json, "").seen, Seen::Nothing);
}

#[test]
fn long_values_are_passed_over_wherever_they_stand() {
    let text = "a \\\" \\\\ b".repeat(1000);
    let numbers = "-0.006929283495992422,".repeat(1000);
    let nested = "[".repeat(3000) + &"]".repeat(3000);
    for value in [format!("\"{text}\""), format!("[{numbers}0]"), nested, format!("{{\"a\":[\"{text}\"]}}")] {
        let text = format!(r#"{{"a":{value},"usage":{{"prompt_tokens":5,"b":{value}}},"model":"m"}}"#);
        let outcome = read(Kind::Json, &text);
        assert_eq!((outcome.usage.prompt, outcome.model.as_deref()), (Some(5), Some("m")));
    }
}

#[test]
fn next_to_nothing_is_kept() {
    let mut reader = Reader::default();
    let mut values = Values::default();
    let section = &fields().whole;
    for part in ["{\"", "model", "\":\"", "{", "\",\"usage\":{\"prompt_tokens\":"] {
        for _ in 0..1000 {
            reader.feed(part.as_bytes(), section, &mut values);
            assert!(reader.kept() <= 300, "{}", reader.kept());
        }
    }
}
