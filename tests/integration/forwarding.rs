//! What the vendor gets of a request, and the client of its answer.

use crate::support::{Answer, Body, Client, Gateway, Raw, Running, chat, post, vendor, vendor_on};
use bytes::Bytes;
use evenkeel::mock::{Fault, MockVendor, SeenRequest};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode};
use std::net::TcpListener;

/// One AI API open to anyone at an endpoint: an operation with one model, one whose policy is disabled in production,
/// and the rest without a policy.
fn gateway(url: &str, endpoint: &str) -> Running {
    Gateway::start(&format!(
        "
  - name: Chat
    context: /team/chat
    vendor: openai
    authentication: none
    endpoints:
      production: [{{ name: The Endpoint, url: '{url}'{endpoint} }}]
      sandbox: [{{ name: Not Reached, url: 'http://127.0.0.1:1' }}]
    operations:
      - method: POST
        path: /chat/completions
        policy: {{ type: model_round_robin, production: [{{ model: gpt-4o }}] }}
      - method: POST
        path: /completions
        policy: {{ type: model_round_robin, sandbox: [{{ model: gpt-4o }}], production: disabled }}
      - {{ method: '*', path: '/*' }}
"
    ))
}

const CHAT: &str = "/team/chat/chat/completions";

async fn send(gateway: &Running, request: Request<Body>) -> Answer {
    Client::http1(gateway.address()).await.send(request).await
}

fn last(vendor: &MockVendor) -> SeenRequest {
    vendor.requests().pop().expect("the vendor saw no request")
}

fn values<'a>(seen: &'a SeenRequest, name: &str) -> Vec<&'a str> {
    seen.headers.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_rest_of_the_path_and_the_query_are_appended_to_the_base_path() {
    let vendor = vendor().await;
    for (base, path, expected) in [
        ("/v1", format!("{CHAT}?a=b%20c&d&&=%2F?"), "/v1/chat/completions?a=b%20c&d&&=%2F?"),
        ("", CHAT.to_owned(), "/chat/completions"),
        ("/deep/base/", "/team/chat/x%2Fy//z;p=1/".to_owned(), "/deep/base/x%2Fy//z;p=1/"),
        ("/v1", "/team/chat/files?".to_owned(), "/v1/files?"),
    ] {
        let gateway = gateway(&format!("http://{}{base}", vendor.address()), "");
        send(&gateway, post(&path, None, chat("any"))).await;
        let seen = last(&vendor);
        assert_eq!(seen.path, expected);
        assert_eq!(seen.authority, Some(vendor.address().to_string()));
        assert_eq!(values(&seen, "host").len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_endpoints_headers_and_credential_are_set() {
    let vendor = vendor().await;
    let url = format!("http://{}/v1", vendor.address());
    let endpoint = ", credential: sk-vendor, headers: { OpenAI-Organization: org-1, X-Team: a b }";
    let gateway = gateway(&url, endpoint);
    for path in [CHAT, "/team/chat/embeddings"] {
        let mut request = post(path, Some("sk-of-the-client"), r#"{"model":"any","input":"x"}"#);
        request.headers_mut().append("openai-organization", HeaderValue::from_static("org-of-the-client"));
        request.headers_mut().append("x-api-key", HeaderValue::from_static("sk-of-the-client"));
        assert_eq!(send(&gateway, request).await.status, 200);
        let seen = last(&vendor);
        assert_eq!(values(&seen, "authorization"), ["Bearer sk-vendor"]);
        assert_eq!(values(&seen, "openai-organization"), ["org-1"]);
        assert_eq!(values(&seen, "x-team"), ["a b"]);
        assert!(!format!("{seen:?}").contains("of-the-client"), "{seen:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_api_without_a_credential_passes_the_clients_authorization_on() {
    let vendor = vendor().await;
    let gateway = gateway(&format!("http://{}/v1", vendor.address()), "");
    let mut request = post(CHAT, Some("sk-of-the-client"), chat("any"));
    request.headers_mut().append("x-api-key", HeaderValue::from_static("another"));
    send(&gateway, request).await;
    assert_eq!(values(&last(&vendor), "authorization"), ["Bearer sk-of-the-client"]);
    assert_eq!(values(&last(&vendor), "x-api-key"), ["another"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_of_one_hop_are_dropped_and_all_others_pass() {
    let vendor = vendor().await;
    let gateway = gateway(&format!("http://{}/v1", vendor.address()), "");
    let body = chat("any");
    let mut client = Raw::connect(gateway.address()).await;
    client
        .send(format!(
            "POST {CHAT} HTTP/1.1\r\nHost: g\r\nContent-Length: {}\r\nX-Many: one\r\nConnection: keep-alive, x-nominated\r\n\
             X-Nominated: 1\r\nKeep-Alive: timeout=5\r\nProxy-Connection: keep-alive\r\nProxy-Authorization: Basic eDp5\r\n\
             TE: trailers\r\nUpgrade: h2c\r\nx-many: two, three\r\nUser-Agent: OpenAI/Python 1\r\nX-Empty:\r\n\
             X-Stainless-Retry-Count: 0\r\nAccept-Encoding: gzip, deflate\r\nX-MANY: four\r\nCookie: a=b; c=d\r\n\
             X-Request-Id: req-1\r\nX-Odd: \"a\\b\"; caf\u{e9}\r\n\r\n{body}",
            body.len()
        ))
        .await;
    let answer = client.answer().await;
    assert_eq!((answer.status.as_u16(), answer.header("x-request-id")), (200, "req-1"));
    let seen = last(&vendor);
    for name in ["x-nominated", "keep-alive", "proxy-connection", "proxy-authorization", "te", "upgrade"] {
        assert!(values(&seen, name).is_empty(), "{name}: {seen:?}");
    }
    assert!(!values(&seen, "connection").iter().any(|value| value.contains("nominated")), "{seen:?}");
    for (name, expected) in [
        ("x-many", &["one", "two, three", "four"][..]),
        ("user-agent", &["OpenAI/Python 1"]),
        ("x-empty", &[""]),
        ("x-stainless-retry-count", &["0"]),
        ("accept-encoding", &["gzip, deflate"]),
        ("cookie", &["a=b; c=d"]),
        ("x-request-id", &["req-1"]),
        ("x-odd", &["\"a\\b\"; caf\u{e9}"]),
    ] {
        assert_eq!(values(&seen, name), expected);
    }
    // Nothing is told of the client that it has not told itself.
    for name in ["x-forwarded-for", "forwarded", "via", "x-real-ip"] {
        assert!(values(&seen, name).is_empty(), "{seen:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_vendors_error_is_passed_through_unchanged() {
    let vendor = vendor().await;
    let gateway = gateway(&format!("http://{}/v1", vendor.address()), "");
    for status in [400, 401, 404, 418, 429, 500, 503, 529] {
        let body = Bytes::from_static(b"{ \"error\" : {\"message\":\"no\", \"n\":1.0e2} }\n");
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("content-type", "application/problem+json; odd=\"yes\""),
            ("retry-after", "7"),
            ("x-ratelimit-remaining-tokens", "0"),
            ("set-cookie", "a=1"),
            ("set-cookie", "b=2"),
            ("x-request-id", "req-of-the-vendor"),
            ("x-evenkeel-model", "a lie"),
            ("connection", "x-nominated"),
            ("x-nominated", "1"),
            ("keep-alive", "timeout=5"),
            ("server", "the vendor's"),
            ("www-authenticate", "Bearer realm=\"x\""),
        ] {
            headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        let status = StatusCode::from_u16(status).unwrap();
        vendor.faults().set_all(Fault::Status { status, headers, body: Some(body.clone()) });
        let answer = send(&gateway, post(CHAT, None, chat("any"))).await;
        assert_eq!((answer.status, &answer.body), (status, &body));
        assert_eq!(answer.headers.get_all("set-cookie").iter().collect::<Vec<_>>(), ["a=1", "b=2"]);
        assert_eq!(answer.headers.get_all("x-evenkeel-model").iter().collect::<Vec<_>>(), ["gpt-4o"]);
        for (name, value) in [
            ("content-type", "application/problem+json; odd=\"yes\""),
            ("retry-after", "7"),
            ("x-ratelimit-remaining-tokens", "0"),
            ("x-evenkeel-endpoint", "The Endpoint"),
            ("server", "the vendor's"),
            ("www-authenticate", "Bearer realm=\"x\""),
            ("x-nominated", ""),
            ("keep-alive", ""),
        ] {
            assert_eq!(answer.header(name), value, "{status} {name}");
        }
        // The id is the one that the client can find in the access log.
        let ids = answer.headers.get_all("x-request-id").iter().collect::<Vec<_>>();
        assert_eq!(ids, [gateway.access_line()["request_id"].as_str().unwrap()]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_models_bytes_differ() {
    let vendor = vendor().await;
    let gateway = gateway(&format!("http://{}/v1", vendor.address()), "");
    let mut client = Client::http1(gateway.address()).await;
    for (sent, expected) in [
        (
            r#"{ "mod\u0065l" : "x", "n":1.0e2, "big":123456789012345678901234567890, "u":"\u00e9", "s":"\ud800" }"#,
            r#"{ "mod\u0065l" : "gpt-4o", "n":1.0e2, "big":123456789012345678901234567890, "u":"\u00e9", "s":"\ud800" }"#,
        ),
        (
            "\r\n{\t\"messages\":[{\"model\":\"kept\"}],\"metadata\":{\"model\":1},\"model\":\"\"}\n ",
            "\r\n{\t\"messages\":[{\"model\":\"kept\"}],\"metadata\":{\"model\":1},\"model\":\"gpt-4o\"}\n ",
        ),
        (r#"{"model":"gpt-4o"}"#, r#"{"model":"gpt-4o"}"#),
        (r#"{"model":"ünï\"code\"","a":1,"a":2}"#, r#"{"model":"gpt-4o","a":1,"a":2}"#),
    ] {
        client.send(post(CHAT, None, sent)).await;
        let seen = last(&vendor);
        assert_eq!(String::from_utf8_lossy(&seen.body), expected);
        assert_eq!(values(&seen, "content-length"), [expected.len().to_string()]);
    }
    for sent in ["{}", r#"{"messages":[]}"#, " { \"a\" : {\"model\":\"x\"} } "] {
        assert_eq!(client.send(post(CHAT, None, sent)).await.header("x-evenkeel-model"), "gpt-4o");
        let mut seen: serde_json::Value = serde_json::from_slice(&last(&vendor).body).unwrap();
        assert_eq!(seen.as_object_mut().unwrap().remove("model"), Some("gpt-4o".into()), "{sent}");
        assert_eq!(seen, serde_json::from_str::<serde_json::Value>(sent).unwrap());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_policy_nothing_of_the_body_is_touched() {
    let vendor = vendor().await;
    let gateway = gateway(&format!("http://{}/v1", vendor.address()), "");
    let mut client = Client::http1(gateway.address()).await;
    // The first operation has no policy, the second a policy that is disabled in production.
    for path in ["/team/chat/embeddings", "/team/chat/completions"] {
        for body in [r#"{ "model" : "mine", "input":"x" }"#, "[not json", "", r#"{"model":1,"model":2}"#] {
            let answer = client.send(post(path, None, body)).await;
            assert_eq!(
                (answer.header("x-evenkeel-model"), answer.header("x-evenkeel-endpoint")),
                ("", "The Endpoint")
            );
            assert_eq!(last(&vendor).body, body);
        }
    }
    let answer = client.send(post("/team/chat/completions", None, r#"{"model":"mine"}"#)).await;
    assert_eq!(answer.json()["model"], "mine");
    for method in [Method::PUT, Method::PATCH, Method::DELETE, Method::GET] {
        let mut request = post("/team/chat/files/f-1", None, "x");
        *request.method_mut() = method.clone();
        assert_eq!(client.send(request).await.status, 404);
        assert_eq!((last(&vendor).method, &last(&vendor).body[..]), (method, &b"x"[..]));
    }
}

/// The vendor is connected to, and has the first part of the body, while the client still holds back the second.
#[tokio::test(flavor = "multi_thread")]
async fn without_a_policy_the_body_streams() {
    let vendor = vendor().await;
    let gateway = gateway(&format!("http://{}/v1", vendor.address()), "");
    let mut client = Raw::connect(gateway.address()).await;
    client.send("POST /team/chat/embeddings HTTP/1.1\r\nHost: g\r\nTransfer-Encoding: chunked\r\n\r\n").await;
    client.send("12\r\n{\"model\":\"mine\",\"i\r\n").await;
    vendor.in_flight_is(1).await;
    assert!(vendor.requests().is_empty());
    client.send("9\r\nnput\":[]}\r\n0\r\n\r\n").await;
    assert_eq!(client.answer().await.status, 200);
    assert_eq!(last(&vendor).body, r#"{"model":"mine","input":[]}"#);
}

#[tokio::test(flavor = "multi_thread")]
async fn endpoints_by_name_and_over_ipv6() {
    let by_name = vendor().await;
    let url = format!("http://localhost:{}/v1", by_name.address().port());
    let answer = send(&gateway(&url, ""), post(CHAT, None, chat("any"))).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(last(&by_name).authority, Some(format!("localhost:{}", by_name.address().port())));

    let answer = send(&gateway("http://does-not-exist.invalid/v1", ""), post(CHAT, None, chat("any"))).await;
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (502, "upstream_unreachable"));
    assert!(!String::from_utf8_lossy(&answer.body).contains("invalid/"), "{answer:?}");

    let Ok(listener) = TcpListener::bind("[::1]:0") else {
        eprintln!("this machine has no ::1");
        return;
    };
    let ipv6 = vendor_on(listener).await;
    let answer =
        send(&gateway(&format!("http://{}/v1", ipv6.address()), ""), post(CHAT, None, chat("any"))).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(last(&ipv6).authority, Some(ipv6.address().to_string()));
}
