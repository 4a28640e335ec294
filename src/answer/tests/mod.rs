mod arrays;
mod events;
mod frames;
mod json;
mod paths;
mod properties;
mod vendors;

use super::*;

fn texts(paths: &[&str]) -> Vec<String> {
    paths.iter().map(|path| (*path).to_owned()).collect()
}

/// As OpenAI has them, and Anthropic where the names are others.
fn lists() -> Lists {
    Lists {
        model: texts(&["model", "response.model", "message.model"]),
        prompt_tokens: texts(&[
            "usage.prompt_tokens",
            "usage.input_tokens + usage.cache_read_input_tokens + usage.cache_creation_input_tokens",
            "response.usage.input_tokens",
        ]),
        completion_tokens: texts(&[
            "usage.completion_tokens",
            "usage.output_tokens",
            "response.usage.output_tokens",
        ]),
        cached_tokens: texts(&[
            "usage.prompt_tokens_details.cached_tokens",
            "usage.cache_read_input_tokens",
            "response.usage.input_tokens_details.cached_tokens",
        ]),
        total_tokens: texts(&["usage.total_tokens", "response.usage.total_tokens"]),
    }
}

fn errors() -> ErrorEvents {
    ErrorEvents { events: texts(&["error"]), members: texts(&["error"]), types: texts(&["error"]) }
}

fn fields() -> Arc<Fields> {
    Arc::new(Fields::new(&lists(), &lists(), &errors()).unwrap())
}

fn usage(
    prompt: impl Into<Option<u32>>,
    completion: impl Into<Option<u32>>,
    cached: impl Into<Option<u32>>,
    total: impl Into<Option<u32>>,
) -> Usage {
    Usage { prompt: prompt.into(), completion: completion.into(), cached: cached.into(), total: total.into() }
}

/// What a response has shown and told.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Outcome {
    seen: Seen,
    model: Option<String>,
    usage: Usage,
    is_unreadable: bool,
}

fn read_with(fields: &Arc<Fields>, kind: Kind, coding: Option<Coding>, body: &[u8], size: usize) -> Outcome {
    let mut reading = Reading::new(fields, kind, coding);
    let mut seen = reading.feed(b"");
    for chunk in body.chunks(size) {
        let next = reading.feed(chunk);
        assert!(next >= seen, "{seen:?} {next:?}");
        seen = next;
    }
    reading.end();
    let Told { model, usage } = reading.told();
    Outcome { seen, model: model.map(str::to_owned), usage, is_unreadable: reading.is_unreadable() }
}

fn read(kind: Kind, body: &str) -> Outcome {
    let whole = read_with(&fields(), kind, None, body.as_bytes(), usize::MAX);
    for size in [1, 2, 7, 64, 65] {
        assert_eq!(read_with(&fields(), kind, None, body.as_bytes(), size), whole, "{size} {body}");
    }
    whole
}

#[test]
fn content_types_tell_the_framing() {
    for (content_type, expected) in [
        ("application/json", Some(Kind::Json)),
        ("Application/JSON; charset=utf-8", Some(Kind::Json)),
        ("application/problem+json", Some(Kind::Json)),
        ("application/x-ndjson", Some(Kind::Json)),
        ("text/event-stream", Some(Kind::Events)),
        ("Text/Event-Stream ;charset=utf-8", Some(Kind::Events)),
        ("application/vnd.amazon.eventstream", Some(Kind::Frames)),
        ("text/event-streams", None),
        ("audio/mpeg", None),
        ("text/plain; format=json", None),
        ("", None),
    ] {
        assert_eq!(Kind::of(content_type.as_bytes()), expected, "{content_type}");
    }
}

#[test]
fn a_compressed_response_is_read_as_it_passes() {
    use std::io::Write as _;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(b"data: {\"model\":\"m\"}\n\n").unwrap();
    encoder.flush().unwrap();
    let mut reading = Reading::new(&fields(), Kind::Events, Some(Coding::Gzip));
    assert_eq!(reading.feed(&std::mem::take(encoder.get_mut())), Seen::Events);
    assert_eq!(reading.told().model, Some("m"));
    encoder.write_all(b"data: {\"usage\":{\"prompt_tokens\":3}}\n\ndata: {\"error\":1}\n\n").unwrap();
    let rest = encoder.finish().unwrap();
    assert_eq!(reading.feed(&rest), Seen::Error);
    assert_eq!(reading.told().usage, usage(3, None, None, None));
    assert!(!reading.is_unreadable());
}

#[test]
fn what_cannot_be_decoded_is_unreadable_and_not_waited_for() {
    let mut reading = Reading::new(&fields(), Kind::Events, Some(Coding::Zstd));
    assert_eq!(reading.feed(b"data: {}\n\n"), Seen::Events);
    assert!(reading.is_unreadable());
    assert_eq!(reading.feed(b"data: {\"error\":{}}\n\n"), Seen::Events);
}

#[test]
fn what_is_cut_off_is_unreadable_once_it_has_ended() {
    let frame = frames::event("e", "{\"a\":1}");
    let gzip = flate2::read::GzEncoder::new(b"{\"a\":1}".as_slice(), flate2::Compression::fast());
    let gzip: Vec<u8> = std::io::Read::bytes(gzip).collect::<Result<_, _>>().unwrap();
    let json = br#"[{"a":[1,{"b":"c"}],"d":1.5},2]"#.to_vec();
    let table =
        [(Kind::Json, None, json), (Kind::Json, Some(Coding::Gzip), gzip), (Kind::Frames, None, frame)];
    for (kind, coding, body) in table {
        for end in 0..=body.len() {
            let part = &body[..end];
            let mut reading = Reading::new(&fields(), kind, coding);
            reading.feed(part);
            assert!(!reading.is_unreadable(), "{kind:?} {end}: it may go on");
            reading.end();
            let may_end = end == body.len() || end == 0 && kind == Kind::Frames;
            assert_eq!(reading.is_unreadable(), !may_end, "{kind:?} {end}");
        }
    }
    // What was told is told.
    let outcome = read(Kind::Json, r#"{"usage":{"prompt_tokens":5},"choices":["#);
    assert_eq!((outcome.usage.prompt, outcome.is_unreadable), (Some(5), false));
}

#[test]
fn a_bomb_is_not_read_to_its_end() {
    let bomb = zstd::encode_all(std::io::repeat(b' ').take_of(MAX_DECODED + (1 << 20)), 1).unwrap();
    let mut reading = Reading::new(&fields(), Kind::Events, Some(Coding::Zstd));
    reading.feed(&bomb);
    assert!(reading.is_unreadable());
    assert!(reading.coding.unwrap().decoded <= MAX_DECODED + (32 << 10));
}

trait TakeOf: std::io::Read + Sized {
    fn take_of(self, length: usize) -> std::io::Take<Self> {
        self.take(length as u64)
    }
}

impl<R: std::io::Read> TakeOf for R {}
