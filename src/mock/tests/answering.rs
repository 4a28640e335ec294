//! What is answered, and how it comes.

use super::*;

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
