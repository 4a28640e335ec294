use super::*;
use proptest::prelude::*;

fn usage(prompt: impl Into<Option<u32>>, completion: impl Into<Option<u32>>, cached: Option<u32>) -> Usage {
    Usage { prompt: prompt.into(), completion: completion.into(), cached }
}

fn read<'a>(chunks: impl IntoIterator<Item = &'a [u8]>) -> Option<Usage> {
    let mut watch = Watch::default();
    for chunk in chunks {
        watch.feed(chunk);
        assert!(watch.object.len() <= MAX_OBJECT);
    }
    watch.usage()
}

fn read_whole(text: &str) -> Option<Usage> {
    read([text.as_bytes()])
}

const CHAT: &str = r#"{"choices":[{"message":{"content":"\"usage\": {\"prompt_tokens\": 9}"}}],"usage":{"prompt_tokens":12,"completion_tokens":7,"total_tokens":19,"prompt_tokens_details":{"cached_tokens":4,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":0}}}"#;
const STREAM: &str = "data: {\"choices\":[{\"delta\":{\"content\":\"Hi\"}}],\"usage\":null}\n\ndata: {\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":2,\"total_tokens\":5}}\n\ndata: [DONE]\n\n";

#[test]
fn what_vendors_say() {
    let table = [
        (CHAT, usage(12, 7, Some(4))),
        (STREAM, usage(3, 2, None)),
        (r#"{"usage":{"prompt_tokens":8,"total_tokens":8}}"#, usage(8, None, None)),
        (
            r#"{"usage":{"input_tokens":36,"input_tokens_details":{"cached_tokens":1},"output_tokens":87}}"#,
            usage(36, 87, Some(1)),
        ),
        (
            "event: response.completed\ndata: {\"response\":{\"usage\":{\"input_tokens\":1,\"output_tokens\":2}}}\n\n",
            usage(1, 2, None),
        ),
        ("{\"usage\" \r\n:\t {\n  \"prompt_tokens\" : 5 } }", usage(5, None, None)),
        (
            r#"{"usage":{"prompt_tokens":5,"prompt_tokens_details":null,"note":"} \" {"}}"#,
            usage(5, None, None),
        ),
        (r#"{"usage":{"prompt_tokens":4294967295,"completion_tokens":0}}"#, usage(u32::MAX, 0, None)),
    ];
    for (text, expected) in table {
        assert_eq!(read_whole(text), Some(expected), "{text}");
    }
}

#[test]
fn what_is_no_usage() {
    for text in [
        "",
        r#"{"usage":null}"#,
        r#"{"usage":"prompt_tokens"}"#,
        r#"{"usage":{"type":"string","description":"how it is used"}}"#,
        r#"{"usage":{"total_tokens":5}}"#,
        r#"{"usage":{"prompt_tokens":"5"}}"#,
        r#"{"usage":{"prompt_tokens":-5}}"#,
        r#"{"usage":{"prompt_tokens":4294967296}}"#,
        r#"{"usage":{"prompt_tokens":5"#,
        r#"["usage",{"prompt_tokens":5}]"#,
        r#"{"content":"\"usage\":{\"prompt_tokens\":5}"}"#,
        r#"{"content":"\\\"usage\\\":{\\\"prompt_tokens\\\":5}"}"#,
        r#"{"Usage":{"prompt_tokens":5},"usages":{"prompt_tokens":5}}"#,
    ] {
        assert_eq!(read_whole(text), None, "{text}");
    }
}

#[test]
fn the_latest_counts() {
    let event = |prompt: u32, completion: u32| {
        format!("data: {{\"usage\":{{\"prompt_tokens\":{prompt},\"completion_tokens\":{completion}}}}}\n\n")
    };
    let stream = event(5, 1) + &event(5, 2) + "data: {\"usage\":null}\n\n";
    assert_eq!(read_whole(&stream), Some(usage(5, 2, None)));
    // What a later one leaves out stands.
    let stream = event(5, 1) + "data: {\"usage\":{\"output_tokens\":9}}\n\n";
    assert_eq!(read_whole(&stream), Some(usage(5, 9, None)));
}

#[test]
fn a_long_object_is_passed_over() {
    let long = format!(r#"{{"usage":{{"prompt_tokens":1,"x":"{}"}},"#, "y".repeat(2 * MAX_OBJECT));
    assert_eq!(read_whole(&long), None);
    let then = format!(r#"{long}"usage":{{"prompt_tokens":2}}}}"#);
    assert_eq!(read_whole(&then), Some(usage(2, None, None)));
}

#[test]
fn nothing_is_allocated_before_something_is_found() {
    let mut watch = Watch::default();
    for _ in 0..100 {
        watch.feed(&[b'"'; 1_000]);
        watch.feed(b"data: {\"usag");
    }
    assert_eq!(watch.object.capacity(), 0);
}

/// Parts of responses, and of what could be mistaken for them.
fn part() -> impl Strategy<Value = String> {
    let counts = (any::<u32>(), any::<u32>())
        .prop_map(|(a, b)| format!(r#"{{"prompt_tokens":{a},"completion_tokens":{b}}}"#));
    prop_oneof![
        counts,
        prop::sample::select(vec![
            "\"usage\"",
            "\"usage\":",
            ":",
            " ",
            "\n",
            "{",
            "}",
            "\"",
            "\\",
            "\"usag",
            "usage\"",
            "null",
            CHAT,
            STREAM,
        ])
        .prop_map(str::to_owned),
        prop::collection::vec(any::<u8>(), 0..8)
            .prop_map(|bytes| String::from_utf8_lossy(&bytes).into_owned()),
    ]
}

proptest! {
    #[test]
    fn where_it_is_cut_makes_no_difference(
        parts in prop::collection::vec(part(), 0..12),
        sizes in prop::collection::vec(1usize..50, 1..20),
    ) {
        let text = parts.concat();
        let mut rest = text.as_bytes();
        let mut chunks = Vec::new();
        for size in sizes.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (chunk, after) = rest.split_at((*size).min(rest.len()));
            chunks.push(chunk);
            rest = after;
        }
        prop_assert_eq!(read(chunks), read_whole(&text));
    }

    #[test]
    fn any_answer_is_read_as_a_parser_reads_it(
        content in ".{0,60}",
        prompt in any::<u32>(),
        completion in any::<u32>(),
        pretty in any::<bool>(),
    ) {
        let answer = serde_json::json!({
            "choices": [{ "message": { "content": content } }],
            "usage": { "completion_tokens": completion, "prompt_tokens": prompt, "total_tokens": 0 },
            content.clone(): content,
        });
        let text = if pretty { serde_json::to_string_pretty(&answer) } else { serde_json::to_string(&answer) };
        prop_assume!(content != "usage");
        prop_assert_eq!(read_whole(&text.unwrap()), Some(usage(prompt, completion, None)));
    }
}
