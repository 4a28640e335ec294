use super::*;

const CONTENT: &str = "data: {\"choices\":[{\"delta\":{\"content\":\"an error: {\\\"error\\\":1}\"}}]}\n\n";

fn seen(stream: &str) -> Seen {
    read(Kind::Events, stream).seen
}

#[test]
fn error_events_of_every_form() {
    for event in [
        "data: {\"error\":{\"message\":\"overloaded\",\"type\":\"server_error\"}}\n\n",
        "data:{\"error\":\"boom\"}\n\n",
        "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\"}}\n\n",
        "event: error\r\ndata: not json\r\n\r\n",
        "event:error\ndata\n\n",
        "data: {\"type\":\"error\",\"message\":\"x\"}\n\n",
        "data: {\ndata: \"error\": {}}\n\n",
        ": comment\nid: 7\rdata: {\"error\":{}}\r\r",
    ] {
        assert_eq!(seen(event), Seen::Error, "{event:?}");
        assert_eq!(seen(&format!("{CONTENT}{event}{CONTENT}")), Seen::Error, "{event:?}");
    }
    let long = format!("data: {{\"error\":\"{}\"}}\n\n", "x".repeat(100_000));
    assert_eq!(seen(&long), Seen::Error);
}

#[test]
fn what_only_looks_like_one() {
    for event in [
        CONTENT,
        "data: {\"error\":null,\"choices\":[]}\n\n",
        "data: [DONE]\n\n",
        "event: errors\ndata: {}\n\n",
        "events: error\ndata: {}\n\n",
        "event: error\nevent: x\ndata: {}\n\n",
        "data: {\"nested\":{\"error\":1}}\n\n",
        "data: {\"nested\":{\"type\":\"error\"},\"type\":\"errors\"}\n\n",
        "data: \"error\"\n\n",
        "data: {\"error\":1\n\n",
        "data: {\"error\":1}}\n\n",
        "event: error\n\ndata: {}\n\n",
        ": ping\n",
    ] {
        assert_eq!(seen(event), Seen::Events, "{event:?}");
    }
    for nothing in ["", ": ping", "event: error\n\n", "data: {\"error\":{}}\n", "data: x", "id: 1\n\n"] {
        assert_eq!(seen(nothing), Seen::Nothing, "{nothing:?}");
    }
}

#[test]
fn the_latest_counts_and_the_first_model() {
    let event = |prompt: u32, completion: u32| {
        format!(
            "data: {{\"model\":\"m{prompt}\",\"usage\":{{\"prompt_tokens\":{prompt},\"completion_tokens\":{completion}}}}}\n\n"
        )
    };
    let stream = event(5, 1) + &event(6, 2) + "data: {\"usage\":null}\n\n";
    let outcome = read(Kind::Events, &stream);
    assert_eq!((outcome.model.as_deref(), outcome.usage), (Some("m5"), usage(6, 2, None, 8)));
    // What a later one leaves out stands.
    let stream = event(5, 1) + "data: {\"usage\":{\"completion_tokens\":9}}\n\n";
    assert_eq!(read(Kind::Events, &stream).usage, usage(5, 9, None, 14));
    // A model of a later event is not better, whatever its rank.
    let stream = "data: {\"response\":{\"model\":\"a\"}}\n\ndata: {\"model\":\"b\"}\n\n";
    assert_eq!(read(Kind::Events, stream).model.as_deref(), Some("a"));
}

#[test]
fn tokens_are_still_told_after_an_error() {
    let stream = "data: {\"error\":{}}\n\ndata: {\"usage\":{\"prompt_tokens\":5}}\n\n";
    let outcome = read(Kind::Events, stream);
    assert_eq!((outcome.seen, outcome.usage.prompt), (Seen::Error, Some(5)));
}

#[test]
fn an_event_that_is_no_json_is_passed_over() {
    let stream = "data: {\"usage\":}\n\ndata: <\n\ndata: {\"usage\":{\"prompt_tokens\":5}}\n\n";
    let outcome = read(Kind::Events, stream);
    assert_eq!((outcome.usage.prompt, outcome.is_unreadable), (Some(5), false));
}

#[test]
fn one_byte_order_mark_at_the_beginning_is_no_part_of_the_first_line() {
    let error = "data: {\"error\":{},\"usage\":{\"prompt_tokens\":5}}\n\n";
    for (begin, expected) in [
        ("\u{feff}".as_bytes(), Seen::Error),
        ("\u{feff}event: x\n".as_bytes(), Seen::Error),
        ("\u{feff}\u{feff}".as_bytes(), Seen::Nothing),
        ("data: {}\n\n\u{feff}".as_bytes(), Seen::Events),
        (b"\xEF", Seen::Nothing),
        (b"\xEF\xBB", Seen::Nothing),
        (b"\xEF\xBB\n", Seen::Error),
        (b"\xEF\xBB:\n", Seen::Error),
    ] {
        let body = [begin, error.as_bytes()].concat();
        let tokens = (expected == Seen::Error).then_some(5);
        for at in 0..=body.len() {
            let (first, second) = body.split_at(at);
            let mut reading = Reading::new(&fields(), Kind::Events, None);
            reading.feed(first);
            let seen = reading.feed(second);
            assert_eq!((seen, reading.told().usage.prompt), (expected, tokens), "{begin:?}, cut at {at}");
        }
        assert_eq!(read_with(&fields(), Kind::Events, None, &body, 1).seen, expected, "{begin:?}");
    }
}
