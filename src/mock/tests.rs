//! The vendor over real sockets, as a client meets it.

use std::net::TcpListener as StdListener;
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HOST, RETRY_AFTER};
use http::{HeaderValue, Method, Request, Response, StatusCode, Version};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

use super::{Dialect, Fault, MockVendor, Options};

enum Sender {
    Http1(http1::SendRequest<Full<Bytes>>),
    Http2(http2::SendRequest<Full<Bytes>>),
}

/// One connection; dropped, it is closed.
struct Client {
    sender: Sender,
    connection: JoinHandle<()>,
}

impl Drop for Client {
    fn drop(&mut self) {
        self.connection.abort();
    }
}

impl Client {
    async fn http1(vendor: &MockVendor) -> Self {
        let stream = TcpStream::connect(vendor.address()).await.unwrap();
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
        Self {
            sender: Sender::Http1(sender),
            connection: tokio::spawn(async move {
                let _ = connection.await;
            }),
        }
    }

    async fn http2(vendor: &MockVendor) -> Self {
        let stream = TcpStream::connect(vendor.address()).await.unwrap();
        let io = TokioIo::new(stream);
        let (sender, connection) = http2::handshake(TokioExecutor::new(), io).await.unwrap();
        Self {
            sender: Sender::Http2(sender),
            connection: tokio::spawn(async move {
                let _ = connection.await;
            }),
        }
    }

    async fn send(&mut self, request: Request<Full<Bytes>>) -> hyper::Result<Response<Incoming>> {
        match &mut self.sender {
            Sender::Http1(sender) => {
                sender.ready().await?;
                sender.send_request(request).await
            }
            Sender::Http2(sender) => {
                sender.ready().await?;
                sender.send_request(request).await
            }
        }
    }

    async fn chat(&mut self, body: Value) -> hyper::Result<Response<Incoming>> {
        self.send(post("/v1/chat/completions", body.to_string())).await
    }

    async fn chat_status(&mut self, model: &str) -> u16 {
        let response = self.chat(json!({ "model": model })).await.unwrap();
        let status = response.status().as_u16();
        response.into_body().collect().await.unwrap();
        status
    }
}

fn post(path: &str, body: impl Into<Bytes>) -> Request<Full<Bytes>> {
    Request::post(format!("http://mock{path}")).body(Full::new(body.into())).unwrap()
}

async fn start(options: Options) -> MockVendor {
    let listener = StdListener::bind("127.0.0.1:0").unwrap();
    MockVendor::start(listener, options).await.unwrap()
}

async fn json_of(response: Response<Incoming>) -> Value {
    let body = response.into_body().collect().await.unwrap().to_bytes();
    serde_json::from_slice(&body).unwrap()
}

/// The next frame with data: HTTP/2 may end a body by an empty one.
async fn next_frame(response: &mut Response<Incoming>) -> Option<Bytes> {
    loop {
        let frame = response.body_mut().frame().await?;
        let data = frame.unwrap().into_data().unwrap();
        if !data.is_empty() {
            return Some(data);
        }
    }
}

/// Whether a frame arrives while everything else on this runtime of one thread gets its turns.
async fn frame_is_here(response: &mut Response<Incoming>) -> bool {
    let many_turns = async {
        for _ in 0..500 {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        _ = response.body_mut().frame() => true,
        () = many_turns => false,
    }
}

#[tokio::test]
async fn answers_whole_over_http1_and_http2_on_one_connection() {
    let vendor = start(Options::default()).await;
    for mut client in [Client::http1(&vendor).await, Client::http2(&vendor).await] {
        for model in ["gpt-4o", "gpt-4o-mini", "gpt-4o"] {
            let response = client.chat(json!({ "model": model })).await.unwrap();
            assert_eq!(response.headers()[CONTENT_TYPE], "application/json");
            assert!(response.headers().contains_key(CONTENT_LENGTH));
            let answer = json_of(response).await;
            assert_eq!(answer["model"], model);
            let said = &answer["choices"][0]["message"]["content"];
            assert_eq!(said, &json!(format!("Hello from {model}.")));
        }
    }
    assert_eq!(vendor.counts()["gpt-4o"], 4);
    assert_eq!(vendor.counts()["gpt-4o-mini"], 2);
    vendor.in_flight_is(0).await;
    vendor.stop().await;
}

#[tokio::test]
async fn speaks_its_other_operations() {
    let vendor = start(Options::default()).await;
    let mut client = Client::http1(&vendor).await;
    for (path, body, object) in [
        ("/x/completions", json!({"model": "m", "prompt": "p"}), "text_completion"),
        ("/x/embeddings", json!({"model": "m", "input": ["a", "b"]}), "list"),
        ("/x/responses", json!({"model": "m", "input": "a"}), "response"),
    ] {
        let response = client.send(post(path, body.to_string())).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        let answer = json_of(response).await;
        assert_eq!(answer["object"], object, "{path}");
        assert_eq!(answer["model"], "m", "{path}");
    }
    let request = Request::get("http://mock/v1/models").body(Full::default());
    let answer = json_of(client.send(request.unwrap()).await.unwrap()).await;
    assert_eq!(answer["object"], "list");

    for method in [Method::GET, Method::HEAD] {
        let request = Request::builder().method(method).uri("/");
        let response = client.send(request.body(Full::default()).unwrap()).await;
        assert_eq!(response.unwrap().status(), StatusCode::OK);
    }
}

#[tokio::test]
async fn refuses_in_openais_shape() {
    let vendor = start(Options { credential: Some("sk-right".to_owned()), ..Options::default() }).await;
    let mut client = Client::http1(&vendor).await;
    let with = |mut request: Request<Full<Bytes>>, credential: &str| {
        let value = HeaderValue::from_str(credential).unwrap();
        request.headers_mut().insert(AUTHORIZATION, value);
        request
    };
    let chat = || post("/chat/completions", r#"{"model":"m"}"#);
    let streamed = r#"{"model":"m","stream":true}"#;
    for (request, status, code) in [
        (chat(), 401, json!("invalid_api_key")),
        (with(chat(), "Bearer sk-wrong"), 401, json!("invalid_api_key")),
        (with(chat(), "sk-right"), 401, json!("invalid_api_key")),
        (with(post("/chat/completions", "{"), "Bearer sk-right"), 400, Value::Null),
        (with(post("/responses", streamed), "Bearer sk-right"), 400, Value::Null),
        (with(post("/images", "{}"), "Bearer sk-right"), 404, json!("unknown_url")),
    ] {
        let response = client.send(request).await.unwrap();
        assert_eq!(response.status().as_u16(), status);
        let error = &json_of(response).await["error"];
        assert_eq!(error["code"], code);
        assert_eq!(error["type"], "invalid_request_error");
        assert!(error["message"].is_string() && error["param"].is_null());
    }
    let response = client.send(with(chat(), "Bearer sk-right")).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
}

#[tokio::test]
async fn records_requests_as_they_arrived() {
    let vendor = start(Options { record: true, ..Options::default() }).await;
    let body = r#"{ "model" : "m", "n": 1.0e2 }"#;
    let mut request = post("/v1/chat/completions?a=1&b=%20", body);
    request.headers_mut().insert("x-custom", HeaderValue::from_static("yes"));
    request.headers_mut().insert(HOST, HeaderValue::from_static("mock"));
    let (mut http1, mut http2) = (Client::http1(&vendor).await, Client::http2(&vendor).await);
    http1.send(request.clone()).await.unwrap();
    http2.send(request).await.unwrap();
    let seen = vendor.requests();
    assert_eq!(seen.len(), 2);
    assert_eq!(seen[0].version, Version::HTTP_11);
    assert_eq!(seen[1].version, Version::HTTP_2);
    for seen in seen {
        assert_eq!(seen.method, Method::POST);
        assert!(seen.path.ends_with("/v1/chat/completions?a=1&b=%20"), "{}", seen.path);
        assert_eq!(seen.authority.as_deref(), Some("mock"));
        assert_eq!(seen.header("X-Custom"), Some("yes"));
        assert_eq!(seen.body, body);
    }
}

#[tokio::test]
async fn streams_each_chunk_in_a_frame_of_its_own() {
    let vendor = start(Options::default()).await;
    for mut client in [Client::http1(&vendor).await, Client::http2(&vendor).await] {
        let ask = json!({"model": "gpt-4o", "stream": true, "stream_options": {"include_usage": true}});
        let mut response = client.chat(ask).await.unwrap();
        assert_eq!(response.headers()[CONTENT_TYPE], "text/event-stream");
        let mut frames = Vec::new();
        while let Some(frame) = next_frame(&mut response).await {
            frames.push(frame);
        }
        assert_eq!(frames.len(), 12, "role, 8 of content, finish, usage, done");
        assert!(frames.iter().all(|frame| frame.starts_with(b"data: ") && frame.ends_with(b"\n\n")));
        assert_eq!(frames[11], "data: [DONE]\n\n");
    }
}

#[tokio::test]
async fn a_held_stream_gives_a_chunk_a_release() {
    let vendor = start(Options::default()).await;
    let gate = vendor.faults().hold_stream("held");
    let mut client = Client::http1(&vendor).await;
    let ask = json!({"model": "held", "stream": true});
    let mut response = client.chat(ask).await.unwrap();
    let first = next_frame(&mut response).await.unwrap();
    assert!(String::from_utf8_lossy(&first).contains("assistant"));
    for _ in 0..3 {
        assert!(!frame_is_here(&mut response).await);
        gate.release();
        next_frame(&mut response).await.unwrap();
    }
    assert_eq!(vendor.in_flight(), 1);
    drop(gate);
    let mut rest = 0;
    while next_frame(&mut response).await.is_some() {
        rest += 1;
    }
    assert_eq!(rest, 11 - 4);
    vendor.in_flight_is(0).await;
}

#[tokio::test]
async fn an_abort_ends_what_is_under_way() {
    let vendor = start(Options::default()).await;
    let _gate = vendor.faults().hold_stream("held");
    vendor.faults().set("hung", Fault::Hang);
    vendor.faults().set("stalled", Fault::StallMidStream);
    let streamed = |model: &str| json!({"model": model, "stream": true});
    for http2 in [false, true] {
        for model in ["held", "stalled"] {
            let mut client = match http2 {
                true => Client::http2(&vendor).await,
                false => Client::http1(&vendor).await,
            };
            let mut response = client.chat(streamed(model)).await.unwrap();
            next_frame(&mut response).await.unwrap();
            assert_eq!(vendor.in_flight(), 1);
            drop(response);
            drop(client);
            vendor.in_flight_is(0).await;
        }
        let mut client = match http2 {
            true => Client::http2(&vendor).await,
            false => Client::http1(&vendor).await,
        };
        let hung = tokio::spawn(async move { client.chat(json!({"model": "hung"})).await.is_ok() });
        vendor.in_flight_is(1).await;
        hung.abort();
        vendor.in_flight_is(0).await;
    }
}

#[tokio::test]
async fn an_http2_stream_is_aborted_alone() {
    let vendor = start(Options::default()).await;
    let _gate = vendor.faults().hold_stream("held");
    let mut client = Client::http2(&vendor).await;
    let ask = json!({"model": "held", "stream": true});
    let mut response = client.chat(ask).await.unwrap();
    next_frame(&mut response).await.unwrap();
    drop(response);
    vendor.in_flight_is(0).await;
    assert_eq!(client.chat_status("other").await, 200);
}

#[tokio::test]
async fn faults_are_switched_on_and_off() {
    let vendor = start(Options::default()).await;
    let mut client = Client::http1(&vendor).await;
    let limited =
        Fault::status_with_header(StatusCode::TOO_MANY_REQUESTS, RETRY_AFTER, HeaderValue::from_static("7"));
    vendor.faults().set("a", limited);
    let response = client.chat(json!({"model": "a"})).await.unwrap();
    assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(response.headers()[RETRY_AFTER], "7");
    assert!(json_of(response).await["error"]["message"].is_string());
    assert_eq!(client.chat_status("b").await, 200);
    vendor.faults().clear("a");
    assert_eq!(client.chat_status("a").await, 200);

    vendor.faults().set_all(Fault::CloseBeforeHeaders);
    let mut http2 = Client::http2(&vendor).await;
    assert!(client.chat(json!({"model": "a"})).await.is_err());
    assert!(http2.chat(json!({"model": "a"})).await.is_err());
    vendor.faults().clear_all();
    assert_eq!(http2.chat_status("a").await, 200);
    assert_eq!(vendor.counts()["a"], 5, "failing requests are counted as well");
}

#[tokio::test]
async fn a_stalled_whole_answer_stops_in_its_middle() {
    let vendor = start(Options::default()).await;
    vendor.faults().set("m", Fault::StallMidStream);
    let mut client = Client::http1(&vendor).await;
    let mut response = client.chat(json!({"model": "m"})).await.unwrap();
    let half = next_frame(&mut response).await.unwrap();
    assert!(half.starts_with(b"{\"id\":\"chatcmpl-") && !half.ends_with(b"}}"));
    assert!(!frame_is_here(&mut response).await);
    assert_eq!(vendor.in_flight(), 1);
}

/// The frames that come, and whether the body then breaks off instead of ending.
async fn frames_and_end(mut response: Response<Incoming>) -> (Vec<Bytes>, bool) {
    let mut frames = Vec::new();
    loop {
        match response.body_mut().frame().await {
            None => return (frames, false),
            Some(Err(_)) => return (frames, true),
            Some(Ok(frame)) => frames.extend(frame.into_data().ok().filter(|data| !data.is_empty())),
        }
    }
}

#[tokio::test]
async fn answers_break_off_where_they_were_told_to() {
    let vendor = start(Options::default()).await;
    for http2 in [false, true] {
        for (fault, stream, expected) in [
            (Fault::CloseAfterHeaders, true, 0),
            (Fault::CloseAfterHeaders, false, 0),
            (Fault::CloseMidStream(1), true, 1),
            (Fault::CloseMidStream(3), true, 3),
            (Fault::CloseMidStream(3), false, 1),
        ] {
            vendor.faults().set_all(fault.clone());
            let mut client = if http2 { Client::http2(&vendor).await } else { Client::http1(&vendor).await };
            let response = client.chat(json!({"model": "m", "stream": stream})).await.unwrap();
            assert_eq!(response.status(), StatusCode::OK);
            let (frames, broken) = frames_and_end(response).await;
            assert!(broken, "{fault:?}, stream: {stream}, HTTP/2: {http2}");
            assert_eq!(frames.len(), expected, "{fault:?}, stream: {stream}, HTTP/2: {http2}");
        }
    }
}

#[tokio::test]
async fn a_stall_after_the_headers_sends_nothing_more() {
    let vendor = start(Options::default()).await;
    vendor.faults().set_all(Fault::StallAfterHeaders);
    for stream in [false, true] {
        let mut client = Client::http1(&vendor).await;
        let mut response = client.chat(json!({"model": "m", "stream": stream})).await.unwrap();
        assert!(!frame_is_here(&mut response).await);
    }
}

#[tokio::test]
async fn error_events_of_either_dialect_end_a_stream() {
    let vendor = start(Options::default()).await;
    let mut client = Client::http1(&vendor).await;
    for (dialect, after, start) in [
        (Dialect::OpenAi, 0, "data: {\"error\":"),
        (Dialect::OpenAi, 2, "data: {\"error\":"),
        (Dialect::Anthropic, 1, "event: error\ndata: {\"type\":\"error\","),
    ] {
        vendor.faults().set_all(Fault::ErrorEvent { dialect, after });
        let response = client.chat(json!({"model": "m", "stream": true})).await.unwrap();
        let (frames, broken) = frames_and_end(response).await;
        assert_eq!((frames.len(), broken), (after + 1, false));
        assert!(frames[after].starts_with(start.as_bytes()) && frames[after].ends_with(b"\n\n"));
        assert_eq!(client.chat_status("m").await, 200, "a whole answer has no events");
    }
}

#[tokio::test]
async fn good_answers_may_have_headers_of_ones_own() {
    let vendor = start(Options::default()).await;
    let name = http::HeaderName::from_static("x-ratelimit-remaining-tokens");
    vendor
        .faults()
        .set_all(Fault::Headers([(name.clone(), HeaderValue::from_static("0"))].into_iter().collect()));
    let mut client = Client::http1(&vendor).await;
    for stream in [false, true] {
        let response = client.chat(json!({"model": "m", "stream": stream})).await.unwrap();
        assert_eq!(
            (response.status(), &response.headers()[&name]),
            (StatusCode::OK, &HeaderValue::from_static("0"))
        );
        assert!(!frames_and_end(response).await.1);
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_drips_at_its_pace() {
    let vendor = start(Options::default()).await;
    vendor.faults().set_all(Fault::Drip(Duration::from_secs(1)));
    let mut client = Client::http1(&vendor).await;
    for (stream, pieces) in [(false, 8), (true, 11)] {
        let begun = tokio::time::Instant::now();
        let response = client.chat(json!({"model": "m", "stream": stream})).await.unwrap();
        let (frames, broken) = frames_and_end(response).await;
        assert_eq!((frames.len(), broken, begun.elapsed().as_secs()), (pieces, false, pieces as u64 - 1));
    }
}

#[tokio::test]
async fn a_share_of_requests_fails() {
    let vendor = start(Options { fail: Some("503:0.25".parse().unwrap()), ..Options::default() }).await;
    let mut client = Client::http1(&vendor).await;
    let mut statuses = Vec::new();
    for _ in 0..8 {
        statuses.push(client.chat_status("m").await);
    }
    assert_eq!(statuses, [200, 200, 200, 503, 200, 200, 200, 503]);
}

#[tokio::test(start_paused = true)]
async fn latency_and_interval_pass_before_answers_and_chunks() {
    let vendor = start(Options {
        latency: Duration::from_secs(3),
        chunk_interval: Duration::from_secs(2),
        stream_chunks: 1,
        ..Options::default()
    })
    .await;
    let mut client = Client::http1(&vendor).await;
    let begun = tokio::time::Instant::now();
    let ask = json!({"model": "m", "stream": true});
    let mut response = client.chat(ask).await.unwrap();
    assert_eq!(begun.elapsed().as_secs(), 3);
    while next_frame(&mut response).await.is_some() {}
    assert_eq!(begun.elapsed().as_secs(), 3 + 3 * 2, "role, text, finish, done");
}

#[tokio::test]
async fn stopping_closes_listener_and_connections() {
    let vendor = start(Options::default()).await;
    let address = vendor.address();
    let _gate = vendor.faults().hold_stream("held");
    let mut client = Client::http1(&vendor).await;
    let ask = json!({"model": "held", "stream": true});
    let mut response = client.chat(ask).await.unwrap();
    next_frame(&mut response).await.unwrap();
    vendor.stop().await;
    let broken = response.body_mut().frame().await.unwrap();
    assert!(broken.is_err());
    assert!(TcpStream::connect(address).await.is_err());
}
