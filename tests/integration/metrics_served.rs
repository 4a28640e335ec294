//! What `/metrics` serves: all that is described, under labels that no client chooses, whatever is reloaded.

use crate::metrics::{CHAT, Served};
use crate::support::{Body, Client, Gateway, Reply, Scrape, Scripted, chat, in_chunks, post, signal, vendor};
use bytes::Bytes;
use evenkeel::mock::{Fault, MockVendor, Options};
use evenkeel::observe::metrics::FAMILIES;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use serde_json::json;
use std::fs;
use std::net::TcpListener;
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn a_response_that_cannot_be_decoded_is_counted_as_unread() {
    let vendor = vendor().await;
    let served = Served::by(&vendor);
    let mut headers = HeaderMap::new();
    headers.insert("content-encoding", "gzip".parse().unwrap());
    vendor.faults().set_all(Fault::Headers(headers));
    served.chat().await;
    let scrape = served.scrape().await;
    assert_eq!(scrape.value(r#"evenkeel_usage_unread_total{api="SmartChat",environment="production"}"#), 1.0);
    assert!(scrape.counted().keys().all(|name| !name.starts_with("evenkeel_tokens")));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_cut_off_or_empty_is_counted_as_unread_if_it_came_whole() {
    let vendor = Scripted::start().await;
    let gateway = Gateway::start(&format!(
        "
  - name: Chat
    context: /chat
    vendor: openai
    authentication: none
    endpoints: {{ production: [{{ name: One, url: 'http://{}' }}] }}
    operations: [{{ method: '*', path: '/*' }}]
",
        vendor.address()
    ));
    let mut client = Client::http1(gateway.address()).await;
    let mut unread = 0.0;
    let gzip = [("content-encoding", "gzip"), ("content-type", "application/json")];
    let json = [("content-type", "application/json")];
    for (method, status, headers, body, expected) in [
        (Method::POST, 200, json.as_slice(), "{\"id\":1}", 0.0),
        (Method::POST, 200, &json, "{\"id\":1", 1.0),
        (Method::POST, 200, &json, "", 1.0),
        (Method::POST, 200, &gzip, "\x1f", 1.0),
        (Method::POST, 204, &json, "", 0.0),
        (Method::HEAD, 200, &gzip, "", 0.0),
        (Method::POST, 500, &json, "{", 0.0),
    ] {
        vendor.once(Reply { status, headers: headers.to_vec(), body: body.into() });
        let mut request = post("/chat/x", None, "");
        *request.method_mut() = method.clone();
        let answer = client.send(request).await;
        assert_eq!((answer.status.as_u16(), &answer.body[..]), (status, body.as_bytes()));
        gateway.access_line();
        unread += expected;
        let scrape = Scrape::of(gateway.admin).await;
        let series = r#"evenkeel_usage_unread_total{api="Chat",environment="production"}"#;
        assert_eq!(scrape.value(series), unread, "{method} {status} {body:?}");
    }
}

/// What the vendor and the client take is not the gateway's own time. Whatever else the machine does in the meantime,
/// the gateway's part is at most what is left of the whole without theirs.
#[tokio::test(flavor = "multi_thread")]
async fn waiting_for_others_is_no_overhead() {
    let wait = Duration::from_millis(300);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let options = Options { latency: wait, ..Options::default() };
    let vendor = MockVendor::start(listener, options).await.unwrap();
    vendor.faults().set_all(Fault::Drip(wait / 8));
    let served = Served::by(&vendor);
    let body = Bytes::from(chat("any"));
    let parts = body.chunks(body.len() / 2).map(Bytes::copy_from_slice).collect::<Vec<_>>();
    let slow = futures::stream::unfold(parts.into_iter(), move |mut parts| async move {
        let part = parts.next()?;
        tokio::time::sleep(wait).await;
        Some((Ok(Frame::data(part)), parts))
    });
    let request =
        post(CHAT, Some(&served.production), "").map(|_| BodyExt::boxed(StreamBody::new(Box::pin(slow))));
    Client::http1(served.gateway.address()).await.send(request).await;
    served.gateway.access_line();
    let scrape = served.scrape().await;
    let sum = |name: &str| {
        let labels = r#"{api="SmartChat",environment="production"}"#;
        assert_eq!(scrape.value(&format!("{name}_count{labels}")), 1.0);
        scrape.value(&format!("{name}_sum{labels}"))
    };
    let (own, whole) = (sum("evenkeel_overhead_seconds"), sum("evenkeel_request_duration_seconds"));
    // Two parts of an upload, one latency, and seven pauses between eight parts of an answer.
    let others = wait.as_secs_f64() * (3.0 + 7.0 / 8.0);
    assert!(whole >= others, "{whole}");
    assert!(own > 0.0 && own <= whole - others, "{own} of {whole}");
    let first_byte = sum("evenkeel_time_to_first_byte_seconds");
    assert!(first_byte >= 3.0 * wait.as_secs_f64() && first_byte < whole, "{first_byte} of {whole}");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_client_makes_a_series() {
    let vendor = vendor().await;
    let served = Served::by(&vendor);
    let mut client = Client::http1(served.gateway.address()).await;
    let known = || served.production.clone();
    let mut before = None;
    // The first round meets every status; whatever comes after it makes nothing new.
    for round in 0..40 {
        let word = |length: usize| (0..length).map(|_| fastrand::alphanumeric()).collect::<String>();
        let requests = [
            post(CHAT, Some(&known()), chat(&word(20))),
            post("/smartchat/embeddings", Some(&known()), chat(&word(300))),
            post(CHAT, Some(&format!("ek_prod_{}", word(30))), chat(&word(5))),
            post(CHAT, Some(&word(8)), chat("any")),
            post(&format!("/{}", word(12)), Some(&known()), chat("any")),
            post(&format!("/smartchat/{}?model={}", word(12), word(6)), Some(&word(9)), word(3)),
            post(CHAT, Some(&known()), word(50)),
            method(post(CHAT, Some(&known()), ""), &word(7)),
            method(post(&format!("/{}", word(4)), None, ""), &word(7)),
            in_chunks(post(CHAT, Some(&known()), ""), &Bytes::from(chat(&word(1_000))), 100),
        ];
        for mut request in requests {
            request.headers_mut().insert("x-request-id", word(10).parse().unwrap());
            request.headers_mut().insert("user-agent", word(10).parse().unwrap());
            client.send(request).await;
            served.gateway.access_line();
        }
        let scrape = served.scrape().await;
        let series: Vec<_> = scrape.series().into_iter().map(str::to_owned).collect();
        if round == 0 {
            before = Some(series);
        } else {
            assert_eq!(Some(series), before);
        }
    }
}

fn method(mut request: Request<Body>, name: &str) -> Request<Body> {
    *request.method_mut() = Method::from_bytes(name.as_bytes()).unwrap();
    request
}

#[tokio::test(flavor = "multi_thread")]
async fn the_genai_conventions_are_told_where_the_file_says_so() {
    let vendor = vendor().await;
    let served = Served::with(&vendor, "metrics: { conventions: otel }");
    served.chat().await;
    vendor.faults().set("b", Fault::status(StatusCode::BAD_REQUEST));
    let stream = json!({ "model": "any", "messages": [], "stream": true }).to_string();
    for _ in 0..3 {
        served.send(CHAT, Some(&served.production), &stream).await;
    }
    let scrape = served.scrape().await;
    let port = vendor.address().port();
    let who = |model: &str, rest: &str| {
        format!(
            r#"{{gen_ai_operation_name="chat",gen_ai_provider_name="openai",gen_ai_request_model="{model}",server_address="127.0.0.1",server_port="{port}"{rest}}}"#
        )
    };
    let duration = "gen_ai_client_operation_duration_seconds_count";
    for (series, expected) in [
        (format!("{duration}{}", who("a", ",error_type=\"\"")), 3.0),
        (format!("{duration}{}", who("b", ",error_type=\"400\"")), 1.0),
        (format!("gen_ai_client_token_usage_count{}", who("a", ",gen_ai_token_type=\"input\"")), 1.0),
        (format!("gen_ai_client_operation_time_to_first_chunk_seconds_count{}", who("a", "")), 2.0),
    ] {
        assert_eq!(scrape.value(&series), expected, "{series}");
    }
    let families = scrape.families();
    for family in FAMILIES {
        assert!(families.contains(&(family.name, family.kind.as_str())), "{}", family.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn all_that_is_described_is_served_from_the_beginning() {
    let vendor = vendor().await;
    let scrape = Served::by(&vendor).scrape().await;
    let described = FAMILIES.iter().filter(|family| !family.name.starts_with("gen_ai"));
    assert_eq!(scrape.families(), described.map(|family| (family.name, family.kind.as_str())).collect());
    // Figures that the system or the allocator would have to invent otherwise.
    for figure in [
        "process_resident_memory_bytes",
        "process_open_fds",
        "process_max_fds",
        "process_threads",
        "process_start_time_seconds",
        "evenkeel_allocator_committed_bytes",
        "evenkeel_allocator_reserved_bytes",
        "evenkeel_allocator_pages",
    ] {
        assert!(scrape.value(figure) > 0.0, "{figure}");
    }
}

/// What a signal to reload has come to: the first scrape that `is_so`.
async fn reloaded(served: &Served, file: &str, is_so: impl Fn(&Scrape) -> bool) -> Scrape {
    fs::write(served.gateway.prepared().file(), file).unwrap();
    signal(served.gateway.pid(), "HUP");
    loop {
        let scrape = served.scrape().await;
        if is_so(&scrape) {
            return scrape;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reload_goes_on_counting() {
    let vendor = vendor().await;
    let served = Served::by(&vendor);
    vendor.faults().set("a", Fault::status(StatusCode::TOO_MANY_REQUESTS));
    served.chat().await;
    let attempts = |model: &str, outcome: &str| {
        format!(
            r#"evenkeel_attempts_total{{api="SmartChat",environment="production",model="{model}",endpoint="E",outcome="{outcome}"}}"#
        )
    };
    let state = |model: &str| {
        format!(
            r#"evenkeel_pair_state{{api="SmartChat",environment="production",model="{model}",endpoint="E",state="suspended"}}"#
        )
    };
    let file = fs::read_to_string(served.gateway.prepared().file()).unwrap();
    let success = "evenkeel_config_last_reload_success";

    // A file with an error changes nothing but this.
    let scrape = reloaded(&served, "apis: [", |scrape| scrape.value(success) == 0.0).await;
    assert_eq!(scrape.value("evenkeel_config_generation"), 1.0);
    assert_eq!(scrape.value(&attempts("a", "429")), 1.0);

    // `b` goes and `c` comes, in front of `a`.
    let other = file.replace(
        "{ model: a, weight: 3 }, { model: b, weight: 1 }",
        "{ model: c, weight: 1 }, { model: a, weight: 1 }",
    );
    assert_ne!(other, file);
    let scrape = reloaded(&served, &other, |scrape| scrape.value("evenkeel_config_generation") == 2.0).await;
    assert_eq!(scrape.value(success), 1.0);
    assert_eq!((scrape.value(&attempts("a", "429")), scrape.value(&state("a"))), (1.0, 1.0));
    assert_eq!((scrape.value(&attempts("c", "200")), scrape.value(&state("c"))), (0.0, 0.0));
    assert!(scrape.series().iter().all(|series| !series.contains(r#"model="b""#)));
    served.chat().await;
    let scrape = served.scrape().await;
    assert_eq!((scrape.value(&attempts("a", "429")), scrape.value(&attempts("c", "200"))), (1.0, 1.0));
    assert_eq!(
        scrape.value(r#"evenkeel_requests_total{api="SmartChat",environment="production",code="200"}"#),
        2.0
    );
}
