use super::*;

/// A message with these headers, which are text.
pub(super) fn message(headers: &[(&str, &str)], payload: &[u8]) -> Vec<u8> {
    let mut coded = Vec::new();
    for (name, value) in headers {
        coded.push(u8::try_from(name.len()).unwrap());
        coded.extend_from_slice(name.as_bytes());
        coded.push(7);
        coded.extend_from_slice(&u16::try_from(value.len()).unwrap().to_be_bytes());
        coded.extend_from_slice(value.as_bytes());
    }
    framed(&coded, payload)
}

fn framed(headers: &[u8], payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(16 + headers.len() + payload.len()).unwrap();
    let mut message = length.to_be_bytes().to_vec();
    message.extend_from_slice(&u32::try_from(headers.len()).unwrap().to_be_bytes());
    message.extend_from_slice(&crc32fast::hash(&message).to_be_bytes());
    message.extend_from_slice(headers);
    message.extend_from_slice(payload);
    message.extend_from_slice(&crc32fast::hash(&message).to_be_bytes());
    message
}

pub(super) fn event(name: &str, payload: &str) -> Vec<u8> {
    message(&[(":event-type", name), (":message-type", "event")], payload.as_bytes())
}

fn exception(name: &str) -> Vec<u8> {
    let headers = [(":exception-type", name), (":message-type", "exception")];
    message(&headers, b"{\"message\":\"slow down\"}")
}

fn with(events: &[&str]) -> Arc<Fields> {
    let errors = ErrorEvents { events: texts(events), ..ErrorEvents::default() };
    Arc::new(Fields::new(&lists(), &lists(), &errors).unwrap())
}

fn read_frames(fields: &Arc<Fields>, stream: &[u8]) -> Outcome {
    let whole = read_with(fields, Kind::Frames, None, stream, usize::MAX);
    for size in [1, 5, 11, 12, 13, 1000] {
        assert_eq!(read_with(fields, Kind::Frames, None, stream, size), whole, "{size}");
    }
    whole
}

const USAGE: &str = r#"{"usage":{"prompt_tokens":5}}"#;

#[test]
fn messages_are_read_wherever_they_are_cut() {
    let stream = [event("a", "{\"model\":\"m\"}"), event("b", USAGE), event("c", "")].concat();
    let outcome = read_frames(&with(&[]), &stream);
    assert_eq!(
        (outcome.seen, outcome.usage.prompt, outcome.model.as_deref()),
        (Seen::Events, Some(5), Some("m"))
    );
    assert_eq!(read_frames(&with(&[]), &stream[..20]).seen, Seen::Nothing);
}

#[test]
fn headers_of_every_type() {
    let header = |kind: u8, value: &[u8]| [&[1, b'h', kind], value].concat();
    let headers = [
        header(0, b""),
        header(1, b""),
        header(2, b"1"),
        header(3, b"12"),
        header(4, b"1234"),
        header(5, b"12345678"),
        header(6, b"\0\x02ab"),
        header(7, b"\0\x01a"),
        header(8, b"12345678"),
        header(9, b"0123456789abcdef"),
    ];
    assert_eq!(read_frames(&with(&[]), &framed(&headers.concat(), USAGE.as_bytes())).usage.prompt, Some(5));
    for bad in [&b"\x01h\x0a"[..], b"\x05h", b"\x01h\x07\0\x09a", b"\x01h"] {
        assert!(read_frames(&with(&[]), &framed(bad, USAGE.as_bytes())).is_unreadable);
    }
}

#[test]
fn exceptions_fail_a_stream_if_they_are_listed() {
    let throttling = exception("throttlingException");
    let error = message(&[(":message-type", "error"), (":error-code", "InternalFailure")], b"");
    for (listed, stream, expected) in [
        (&["throttlingException"][..], &throttling, Seen::Error),
        (&["*"], &throttling, Seen::Error),
        (&["modelStreamErrorException"], &throttling, Seen::Events),
        (&[], &throttling, Seen::Events),
        (&["InternalFailure"], &error, Seen::Error),
        (&["*"], &error, Seen::Error),
        (&["*"], &event("throttlingException", "{}"), Seen::Events),
    ] {
        assert_eq!(read_frames(&with(listed), stream).seen, expected, "{listed:?}");
    }
}

#[test]
fn a_payload_within_a_payload() {
    use base64::Engine as _;
    let coded = base64::engine::general_purpose::STANDARD.encode(USAGE);
    let stream = event("chunk", &format!(r#"{{"bytes":"{coded}","p":"abcdefgh"}}"#));
    assert_eq!(read_frames(&with(&[]), &stream).usage.prompt, Some(5));
    let stream = event("chunk", r#"{"bytes":"?","usage":{"prompt_tokens":6}}"#);
    assert_eq!(read_frames(&with(&[]), &stream).usage.prompt, Some(6));
}

#[test]
fn what_is_no_stream_of_messages_is_unreadable() {
    let good = event("a", USAGE);
    for at in 0..good.len() {
        let mut bent = good.clone();
        bent[at] ^= 1;
        assert!(read_frames(&with(&[]), &bent).is_unreadable, "{at}");
    }
    let prelude = |length: u32, headers: u32| {
        let mut prelude = [length.to_be_bytes(), headers.to_be_bytes()].concat();
        prelude.extend_from_slice(&crc32fast::hash(&prelude).to_be_bytes());
        prelude
    };
    for (length, headers) in [(0, 0), (15, 0), (16, 1), (100, 85), (u32::MAX, 0), (100, u32::MAX)] {
        assert!(read_frames(&with(&[]), &prelude(length, headers)).is_unreadable, "{length} {headers}");
    }
}

#[test]
fn a_long_message_is_passed_over_and_not_kept() {
    let long = event("a", &format!(r#"{{"x":"{}"}}"#, "y".repeat(frames_max())));
    assert!(read_frames(&with(&[]), &long).is_unreadable);
    let stream = [long.clone(), event("b", USAGE)].concat();
    let outcome = read_frames(&with(&[]), &stream);
    assert_eq!((outcome.usage.prompt, outcome.is_unreadable), (Some(5), false));
    let mut reading = Reading::new(&with(&[]), Kind::Frames, None);
    for chunk in long.chunks(100) {
        reading.feed(chunk);
        let Framing::Frames(frames) = &reading.content.framing else { unreachable!() };
        assert!(frames.kept() <= 200);
    }
}

fn frames_max() -> usize {
    super::super::frames::MAX_MESSAGE
}
