//! Faults, and what ends before its end.

use super::*;

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
