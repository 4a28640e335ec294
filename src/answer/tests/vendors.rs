//! What vendors send, with what their files say of it.

use super::frames::event;
use super::*;

fn same(lists: Lists, errors: ErrorEvents) -> Arc<Fields> {
    Arc::new(Fields::new(&lists, &lists, &errors).unwrap())
}

fn told(fields: &Arc<Fields>, kind: Kind, body: &[u8], model: Option<&str>, usage: Usage) {
    for size in [usize::MAX, 1, 50, 333] {
        let outcome = read_with(fields, kind, None, body, size);
        assert_eq!((outcome.model.as_deref(), outcome.usage), (model, usage), "{size}");
        assert!(!outcome.is_unreadable);
    }
}

#[test]
fn openai() {
    let chat = br#"{"id":"chatcmpl-1","object":"chat.completion","created":1700000000,"model":"gpt-4o-2024-08-06","choices":[{"index":0,"message":{"role":"assistant","content":"Hi","refusal":null},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":19,"completion_tokens":10,"total_tokens":29,"prompt_tokens_details":{"cached_tokens":0,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":0}},"service_tier":"default","system_fingerprint":"fp_1"}"#;
    told(&fields(), Kind::Json, chat, Some("gpt-4o-2024-08-06"), usage(19, 10, 0, 29));
    let embeddings = br#"{"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.1,-2e-3]}],"model":"text-embedding-3-small","usage":{"prompt_tokens":8,"total_tokens":8}}"#;
    told(&fields(), Kind::Json, embeddings, Some("text-embedding-3-small"), usage(8, None, None, 8));
    let stream = b"data: {\"id\":\"c\",\"model\":\"gpt-4o\",\"choices\":[{\"delta\":{\"role\":\"assistant\"}}],\"usage\":null}\n\ndata: {\"id\":\"c\",\"model\":\"gpt-4o\",\"choices\":[{\"delta\":{\"content\":\"the usage of an error\"}}],\"usage\":null}\n\ndata: {\"id\":\"c\",\"model\":\"gpt-4o\",\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":2,\"total_tokens\":5,\"prompt_tokens_details\":{\"cached_tokens\":1}}}\n\ndata: [DONE]\n\n";
    told(&fields(), Kind::Events, stream, Some("gpt-4o"), usage(3, 2, 1, 5));
    let responses = b"event: response.created\ndata: {\"type\":\"response.created\",\"response\":{\"id\":\"resp_1\",\"error\":null,\"model\":\"gpt-4o\",\"usage\":null}}\n\nevent: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\",\"delta\":\"Hi\"}\n\nevent: response.completed\ndata: {\"type\":\"response.completed\",\"response\":{\"model\":\"gpt-4o\",\"output\":[{\"content\":[{\"text\":\"Hi\"}]}],\"usage\":{\"input_tokens\":36,\"input_tokens_details\":{\"cached_tokens\":1},\"output_tokens\":87,\"total_tokens\":123}}}\n\n";
    told(&fields(), Kind::Events, responses, Some("gpt-4o"), usage(36, 87, 1, 123));
}

#[test]
fn anthropic() {
    let of = |prefixes: [&str; 2]| -> Lists {
        let each = |path: &str| -> Vec<String> {
            let sum = |prefix: &str| {
                path.split(' ').map(|key| format!("{prefix}usage.{key}")).collect::<Vec<_>>().join(" + ")
            };
            prefixes.map(sum).to_vec()
        };
        Lists {
            model: texts(&["model", "message.model"]),
            prompt_tokens: each("input_tokens cache_read_input_tokens cache_creation_input_tokens"),
            completion_tokens: each("output_tokens"),
            cached_tokens: each("cache_read_input_tokens"),
            ..Lists::default()
        }
    };
    // `message_delta` repeats the request's tokens of late; where it does not, those of `message_start` count.
    let fields = same(of(["", "message."]), errors());
    let whole = br#"{"id":"msg_1","type":"message","role":"assistant","model":"claude-sonnet-4","content":[{"type":"text","text":"Hi"}],"stop_reason":"end_turn","usage":{"input_tokens":12,"cache_creation_input_tokens":100,"cache_read_input_tokens":2000,"output_tokens":6}}"#;
    told(&fields, Kind::Json, whole, Some("claude-sonnet-4"), usage(2112, 6, 2000, 2118));
    let stream = b"event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"msg_1\",\"model\":\"claude-sonnet-4\",\"content\":[],\"usage\":{\"input_tokens\":25,\"cache_creation_input_tokens\":0,\"cache_read_input_tokens\":7,\"output_tokens\":1}}}\n\nevent: ping\ndata: {\"type\": \"ping\"}\n\nevent: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"Hi\"}}\n\nevent: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"output_tokens\":15}}\n\nevent: message_stop\ndata: {\"type\":\"message_stop\"}\n\n";
    told(&fields, Kind::Events, stream, Some("claude-sonnet-4"), usage(32, 15, 7, 47));
    let error = b"event: error\ndata: {\"type\": \"error\", \"error\": {\"type\": \"overloaded_error\", \"message\": \"Overloaded\"}}\n\n";
    assert_eq!(read_with(&fields, Kind::Events, None, error, 10).seen, Seen::Error);
}

#[test]
fn gemini() {
    let lists = Lists {
        model: texts(&["modelVersion"]),
        prompt_tokens: texts(&["usageMetadata.promptTokenCount"]),
        completion_tokens: texts(&["usageMetadata.candidatesTokenCount + usageMetadata.thoughtsTokenCount"]),
        cached_tokens: texts(&["usageMetadata.cachedContentTokenCount"]),
        total_tokens: texts(&["usageMetadata.totalTokenCount"]),
    };
    let fields = same(lists, ErrorEvents { members: texts(&["error"]), ..ErrorEvents::default() });
    let first = r#"{"candidates":[{"content":{"parts":[{"text":"Hi"}],"role":"model"},"index":0}],"usageMetadata":{"promptTokenCount":11,"totalTokenCount":11,"promptTokensDetails":[{"modality":"TEXT","tokenCount":11}]},"modelVersion":"gemini-2.5-flash","responseId":"r"}"#;
    let last = r#"{"candidates":[{"content":{"parts":[{"text":"."}]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":11,"candidatesTokenCount":30,"totalTokenCount":541,"cachedContentTokenCount":8,"thoughtsTokenCount":500},"modelVersion":"gemini-2.5-flash"}"#;
    let told_of =
        |kind, body: &str, usage| told(&fields, kind, body.as_bytes(), Some("gemini-2.5-flash"), usage);
    told_of(Kind::Json, last, usage(11, 530, 8, 541));
    told_of(Kind::Events, &format!("data: {first}\r\n\r\n"), usage(11, None, None, 11));
    told_of(Kind::Events, &format!("data: {first}\r\n\r\ndata: {last}\r\n\r\n"), usage(11, 530, 8, 541));
    // Without `alt=sse`.
    told_of(Kind::Json, &format!("[{first}\n,\r\n{last}\n]\n"), usage(11, 530, 8, 541));
    let error = b"data: {\"error\": {\"code\": 503, \"status\": \"UNAVAILABLE\"}}\r\n\r\n";
    assert_eq!(read_with(&fields, Kind::Events, None, error, 10).seen, Seen::Error);
}

#[test]
fn bedrock() {
    use base64::Engine as _;
    let lists = Lists {
        model: texts(&["model"]),
        prompt_tokens: texts(&["usage.inputTokens", "amazon-bedrock-invocationMetrics.inputTokenCount"]),
        completion_tokens: texts(&[
            "usage.outputTokens",
            "amazon-bedrock-invocationMetrics.outputTokenCount",
        ]),
        cached_tokens: texts(&["usage.cacheReadInputTokens"]),
        total_tokens: texts(&["usage.totalTokens"]),
    };
    let fields = same(lists, ErrorEvents { events: texts(&["*"]), ..ErrorEvents::default() });
    let whole = br#"{"metrics":{"latencyMs":551},"output":{"message":{"content":[{"text":"Hi"}],"role":"assistant"}},"stopReason":"end_turn","usage":{"inputTokens":14,"outputTokens":9,"totalTokens":23,"cacheReadInputTokens":0}}"#;
    told(&fields, Kind::Json, whole, None, usage(14, 9, 0, 23));
    let converse = [
        event("messageStart", r#"{"p":"abcd","role":"assistant"}"#),
        event("contentBlockDelta", r#"{"contentBlockIndex":0,"delta":{"text":"Hi"},"p":"ab"}"#),
        event("messageStop", r#"{"p":"abc","stopReason":"end_turn"}"#),
        event(
            "metadata",
            r#"{"metrics":{"latencyMs":551},"p":"a","usage":{"inputTokens":14,"outputTokens":9,"totalTokens":23}}"#,
        ),
    ];
    told(&fields, Kind::Frames, &converse.concat(), None, usage(14, 9, None, 23));
    let chunk = |payload: &str| {
        let coded = base64::engine::general_purpose::STANDARD.encode(payload);
        event("chunk", &format!(r#"{{"bytes":"{coded}","p":"abcdefghijkl"}}"#))
    };
    let invoke = [
        chunk(r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hi"}}"#),
        chunk(
            r#"{"type":"message_stop","amazon-bedrock-invocationMetrics":{"inputTokenCount":10,"outputTokenCount":4,"invocationLatency":800,"firstByteLatency":400}}"#,
        ),
    ];
    told(&fields, Kind::Frames, &invoke.concat(), None, usage(10, 4, None, 14));
}
