use super::frames::event;
use super::*;
use proptest::prelude::*;
use serde_json::{Value, json};

/// Cuts `bytes` into chunks of these sizes, again and again, and reads them.
fn read_cut(kind: Kind, coding: Option<Coding>, bytes: &[u8], sizes: &[usize]) -> Outcome {
    let fields = fields();
    let mut reading = Reading::new(&fields, kind, coding);
    let mut seen = Seen::Nothing;
    let mut rest = bytes;
    for size in sizes.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (chunk, after) = rest.split_at((*size).min(rest.len()));
        seen = reading.feed(chunk);
        rest = after;
    }
    reading.end();
    let Told { model, usage } = reading.told();
    Outcome { seen, model: model.map(str::to_owned), usage, is_unreadable: reading.is_unreadable() }
}

/// Parts of documents, and of what could be mistaken for them.
fn part() -> impl Strategy<Value = String> {
    let counts = (any::<u32>(), any::<u32>())
        .prop_map(|(a, b)| format!(r#"{{"prompt_tokens":{a},"completion_tokens":{b}}}"#));
    let words = vec![
        "\"usage\"",
        "\"usage\":",
        "\"model\":\"m\"",
        "\"model\":\"m\\u",
        "\"error\":{}",
        ":",
        ",",
        " ",
        "{",
        "}",
        "[",
        "]",
        "\"",
        "\\",
        "\"usag",
        "usage\"",
        "null",
        "12",
        "-1.5e3",
        "{\"a\":[1,{\"b\":\"]\\\"\"}],",
        "{\"model\":\"x\"}",
        "[[{\"model\":\"a long text, so that blocks of bytes are looked at together\"}]]",
    ];
    prop_oneof![
        1 => counts,
        4 => prop::sample::select(words).prop_map(str::to_owned),
        1 => prop::collection::vec(any::<u8>(), 0..8)
            .prop_map(|bytes| String::from_utf8_lossy(&bytes).into_owned()),
    ]
}

/// Lines of streams, whole and not.
fn line() -> impl Strategy<Value = String> {
    let words = vec![
        "\u{feff}",
        "data: {}\n\n",
        "data: {\"usage\":null}\n\n",
        "data: {\"usage\":{\"prompt_tokens\":5}}\n\n",
        "data: {\"model\":\"m\",\"x\":[{}]}\n\n",
        "event: x\r\ndata: y\r\n\r\n",
        "event: x\ndata: {\"model\":\"n\"}\n\n",
        "event: error\n",
        "data: [DONE]\n\n",
        "data:",
        "data",
        ": ping\n\n",
        "\n",
        "\r",
        "\r\n",
        "\n\n",
        "{\"error\":1}",
        "{\"type\":\"error\"}",
        "id: 7\n",
    ];
    prop_oneof![4 => prop::sample::select(words).prop_map(str::to_owned), 1 => part()]
}

/// A JSON value that may have anything wanted anywhere.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<u32>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        // Whole, as Cohere writes counts, and beyond what is a count.
        (any::<i32>(), 0..3u8).prop_map(|(whole, times)| Value::from(f64::from(whole) * f64::from(times))),
        ".{0,40}".prop_map(Value::from),
        "[a\"\\\\{}\\[\\]]{0,90}".prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 60, 8, |inner| {
        let key = prop::sample::select(vec![
            "usage",
            "model",
            "response",
            "prompt_tokens",
            "completion_tokens",
            "prompt_tokens_details",
            "cached_tokens",
            "input_tokens",
            "total_tokens",
            "error",
            "other",
            "a\"b\\",
        ]);
        prop_oneof![
            1 => prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            4 => prop::collection::btree_map(key, inner, 0..6).prop_map(|members| {
                members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
            }),
        ]
    })
}

/// The count that `value` is, also if it is written as `21.0`.
fn count(value: &Value) -> Option<u32> {
    let written = value.to_string();
    written.strip_suffix(".0").unwrap_or(&written).parse().ok()
}

/// What a parser finds in `document`.
fn found(document: &Value) -> (Option<&str>, Usage) {
    let at = |path: &str| path.split('.').try_fold(document, |value, key| value.as_object()?.get(key));
    let sum = |sum: &String| -> Option<u64> {
        let counts: Vec<u64> = sum.split(" + ").filter_map(|path| count(at(path)?)).map(u64::from).collect();
        (!counts.is_empty()).then(|| counts.iter().sum())
    };
    let first = |sums: &[String]| sums.iter().find_map(sum).and_then(|count| u32::try_from(count).ok());
    let lists = lists();
    let (prompt, completion) = (first(&lists.prompt_tokens), first(&lists.completion_tokens));
    let both = || prompt.zip(completion).and_then(|(prompt, completion)| prompt.checked_add(completion));
    let total = first(&lists.total_tokens).or_else(both);
    let cached = first(&lists.cached_tokens);
    let model = lists.model.iter().filter_map(|path| at(path)?.as_str());
    let model = model.map(|model| (model, json!(model).to_string()));
    // Texts are bounded as they stand.
    let model = model
        .filter(|(model, written)| !model.is_empty() && written.len() <= 258)
        .map(|(model, _)| model)
        .next();
    (model, Usage { prompt, completion, cached, total })
}

proptest! {
    #[test]
    fn where_documents_are_cut_makes_no_difference(
        parts in prop::collection::vec(part(), 0..20),
        sizes in prop::collection::vec(1usize..80, 1..20),
    ) {
        let text = parts.concat();
        let whole = read_cut(Kind::Json, None, text.as_bytes(), &[usize::MAX]);
        prop_assert_eq!(read_cut(Kind::Json, None, text.as_bytes(), &sizes), whole);
    }

    #[test]
    fn where_a_stream_is_cut_makes_no_difference(
        lines in prop::collection::vec(line(), 0..20),
        sizes in prop::collection::vec(1usize..80, 1..20),
    ) {
        let text = lines.concat();
        let whole = read_cut(Kind::Events, None, text.as_bytes(), &[usize::MAX]);
        prop_assert_eq!(&read_cut(Kind::Events, None, text.as_bytes(), &sizes), &whole);
        prop_assert_eq!(&read_cut(Kind::Events, None, text.as_bytes(), &[1]), &whole);
        let gzip = flate2::read::GzEncoder::new(text.as_bytes(), flate2::Compression::fast());
        let gzip = std::io::Read::bytes(gzip).collect::<Result<Vec<u8>, _>>().unwrap();
        prop_assert_eq!(&read_cut(Kind::Events, Some(Coding::Gzip), &gzip, &sizes), &whole);
    }

    #[test]
    fn where_lines_are_chunks_makes_no_difference(lines in prop::collection::vec(line(), 0..20)) {
        let text = lines.concat();
        let fields = fields();
        let mut reading = Reading::new(&fields, Kind::Events, None);
        let mut seen = Seen::Nothing;
        for line in &lines {
            seen = reading.feed(line.as_bytes());
        }
        let whole = read_cut(Kind::Events, None, text.as_bytes(), &[1]);
        prop_assert_eq!((seen, reading.told().usage), (whole.seen, whole.usage));
        prop_assert_eq!(reading.told().model, whole.model.as_deref());
    }

    #[test]
    fn where_messages_are_cut_makes_no_difference(
        parts in prop::collection::vec(part(), 0..6),
        sizes in prop::collection::vec(1usize..80, 1..20),
        bent in any::<prop::sample::Index>(),
        by in 0u8..3,
    ) {
        let mut stream: Vec<u8> = parts.iter().flat_map(|part| event("e", part)).collect();
        if !stream.is_empty() {
            let at = bent.index(stream.len());
            stream[at] ^= by;
        }
        let whole = read_cut(Kind::Frames, None, &stream, &[usize::MAX]);
        prop_assert_eq!(read_cut(Kind::Frames, None, &stream, &sizes), whole);
    }

    #[test]
    fn any_document_is_read_as_a_parser_reads_it(document in value(), pretty in any::<bool>()) {
        let text = if pretty { serde_json::to_string_pretty(&document) } else { serde_json::to_string(&document) };
        let text = text.unwrap();
        for (kind, body) in [
            (Kind::Json, text.clone()),
            (Kind::Events, format!("data: {}\n\n", text.replace('\n', "\ndata: "))),
        ] {
            let outcome = read_cut(kind, None, body.as_bytes(), &[usize::MAX]);
            // The elements of an array are documents of their own.
            if !document.is_array() {
                prop_assert_eq!((outcome.model.as_deref(), outcome.usage), found(&document), "{}", body);
            }
            prop_assert!(!outcome.is_unreadable, "{}", body);
        }
    }

    #[test]
    fn an_array_is_read_as_a_stream_of_its_elements(
        documents in prop::collection::vec(value().prop_filter("an object", Value::is_object), 1..5),
        sizes in prop::collection::vec(1usize..80, 1..20),
    ) {
        let array = Value::from(documents.clone()).to_string();
        let events: String = documents.iter().map(|document| format!("data: {document}\n\n")).collect();
        let outcome = read_cut(Kind::Json, None, array.as_bytes(), &sizes);
        prop_assert_eq!(outcome, read_cut(Kind::Events, None, events.as_bytes(), &[usize::MAX]), "{}", array);
    }
}
