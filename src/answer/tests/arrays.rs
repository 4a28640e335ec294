use super::*;

/// The members that a stream's events have are others than those of a whole answer.
fn gemini() -> Arc<Fields> {
    let lists = |count: &str| Lists {
        model: texts(&["modelVersion"]),
        prompt_tokens: texts(&[count]),
        ..Lists::default()
    };
    Arc::new(Fields::new(&lists("whole"), &lists("streamed"), &errors()).unwrap())
}

fn read_array(body: &str) -> Outcome {
    let whole = read_with(&gemini(), Kind::Json, None, body.as_bytes(), usize::MAX);
    for size in [1, 2, 7, 64, 65] {
        assert_eq!(read_with(&gemini(), Kind::Json, None, body.as_bytes(), size), whole, "{size} {body}");
    }
    whole
}

#[test]
fn an_element_that_is_an_error_is_seen() {
    for (body, expected) in [
        (r#"[{"error":{"code":503,"status":"UNAVAILABLE"}}]"#, Seen::Error),
        ("[{\"streamed\":1}\n,\r\n{\"error\":{\"code\":503}}\n]", Seen::Error),
        (r#" [ { "type" : "error" } "#, Seen::Error),
        (r#"[{"a":1},{"error":{}},{"b":"#, Seen::Error),
        // What breaks off may have gone on.
        (r#"[{"a":1},{"error":{"#, Seen::Events),
        (r#"[{"error":null},{"type":"message"},{"a":{"error":1}},[{"error":1}],"error"]"#, Seen::Events),
        // A whole answer is no stream.
        (r#"{"error":{"code":503}}"#, Seen::Events),
        (r#"{"a":[{"error":{"code":503}}]}"#, Seen::Events),
    ] {
        assert_eq!(read_array(body).seen, expected, "{body}");
    }
}

#[test]
fn it_has_begun_when_an_element_is_whole() {
    let seen = |body: &str| read_array(body).seen;
    for (before, end) in [
        ("[", r#"{"a":1}"#),
        ("[\n", r#"{"a":{"b":[1]}}"#),
        ("[", r#"{"a":[1,{"b":"}"}]}"#),
        ("[", "5,"),
        ("[", "\"a\"]"),
        ("[", "[{}],"),
        ("[", "]"),
    ] {
        let (rest, last) = end.split_at(end.len() - 1);
        assert_eq!(seen(&format!("{before}{rest}")), Seen::Nothing, "{before}{rest}");
        assert_eq!(seen(&format!("{before}{rest}{last}")), Seen::Events, "{before}{end}");
    }
    // Nobody waits for more of what is a whole answer, or may become one.
    for text in ["{", " ", "\n[", "\n", "5"] {
        assert_eq!(seen(text), Seen::Events, "{text:?}");
    }
}

#[test]
fn its_values_stand_where_a_streams_do() {
    let outcome =
        read_array(r#"[{"modelVersion":"m","streamed":1,"whole":7},{"modelVersion":"n","streamed":3}]"#);
    assert_eq!((outcome.model.as_deref(), outcome.usage.prompt), (Some("m"), Some(3)));
    let outcome = read_array(r#"{"modelVersion":"m","streamed":1,"whole":7}"#);
    assert_eq!((outcome.model.as_deref(), outcome.usage.prompt), (Some("m"), Some(7)));
}

#[test]
fn its_first_bytes_tell_that_it_is_a_stream() {
    for (body, expected) in
        [("", false), ("\n ", false), ("\n [", true), ("[", true), ("{", false), ("{}[", false)]
    {
        let mut reading = Reading::new(&gemini(), Kind::Json, None);
        reading.feed(body.as_bytes());
        assert_eq!(reading.is_stream(), expected, "{body:?}");
    }
}

#[test]
fn nothing_is_decided_before_a_byte_is_decoded() {
    let gzip = flate2::read::GzEncoder::new(b"[1]".as_slice(), flate2::Compression::fast());
    let gzip: Vec<u8> = std::io::Read::bytes(gzip).collect::<Result<_, _>>().unwrap();
    let (header, rest) = gzip.split_at(10);
    let mut reading = Reading::new(&gemini(), Kind::Json, Some(Coding::Gzip));
    reading.feed(header);
    assert!(reading.is_undecided() && !reading.is_stream());
    reading.feed(rest);
    assert!(!reading.is_undecided() && reading.is_stream());
    // Space is passed on at once, and what cannot be decoded is no more waited for.
    for (coding, chunk) in [(None, " "), (None, "["), (None, "{"), (Some(Coding::Gzip), "no gzip at all")] {
        let mut reading = Reading::new(&gemini(), Kind::Json, coding);
        assert!(reading.is_undecided());
        reading.feed(chunk.as_bytes());
        assert!(!reading.is_undecided(), "{chunk:?}");
    }
    assert!(!Reading::new(&gemini(), Kind::Events, None).is_undecided());
}
