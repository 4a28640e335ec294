//! What a request takes along to the next pair: its whole body, and nothing of the pair before.

use crate::retrying::{MODELS, PATH, ask, at, failing, gateway, tries};
use crate::support::{Client, RawVendor, Step, chat, in_chunks, post, vendor};
use bytes::Bytes;
use http::HeaderValue;

/// A body of `length` bytes with the model in its middle.
fn body_of(length: usize) -> Bytes {
    let (head, tail) =
        ("{\"user\":\"", "\",\"model\":\"any\",\"messages\":[],\"metadata\":{\"model\":\"x\"}}");
    let filler = "0123456789abcdef".repeat(length / 16 + 1);
    Bytes::from(format!("{head}{}{tail}", &filler[..length - head.len() - tail.len()]))
}

#[tokio::test(flavor = "multi_thread")]
async fn with_bodies_of_every_size_and_framing() {
    const MIB: usize = 1024 * 1024;
    let vendor = vendor().await;
    vendor.faults().set(MODELS[0], failing(500));
    for (endpoint, sizes) in [
        ("", [1024, 65_535, 65_536, 65_537, 20 * MIB]),
        (", protocol: http2", [1024, 65_536, 65_537, 20 * MIB, MIB]),
    ] {
        for size in sizes {
            let body = body_of(size);
            for (http2, chunked) in [(false, false), (false, true), (true, false), (true, true)] {
                let settings = format!("{}{endpoint}", at(&vendor));
                let gateway = gateway(&[settings.clone(), settings], "");
                let address = gateway.address();
                let mut client =
                    if http2 { Client::http2(address).await } else { Client::http1(address).await };
                let mut request = post(PATH, None, body.clone());
                if chunked {
                    request = in_chunks(request, &body, 60_000);
                }
                let case = format!("{size} bytes, HTTP/2: {http2}, chunked: {chunked}{endpoint}");
                let answer = client.send(request).await;
                assert_eq!(tries(&answer), "First=500, Second=200", "{case}");
                let seen = vendor.requests().pop().unwrap();
                let text = std::str::from_utf8(&body).unwrap();
                let expected = text.replacen("\"any\"", "\"gpt-4o-mini\"", 1);
                assert!(seen.body == expected.as_bytes(), "{case}: the body is not the client's");
                assert_eq!(
                    seen.header("content-length"),
                    Some(expected.len().to_string().as_str()),
                    "{case}"
                );
                // The connection is of use after a try that failed.
                assert_eq!(client.send(post(PATH, None, chat("any"))).await.status, 200, "{case}");
            }
        }
    }
}

/// A vendor may refuse a large request by its header, and read no more than it has to.
#[tokio::test(flavor = "multi_thread")]
async fn after_a_refusal_that_comes_before_the_body_is_read() {
    let refusal = Step::Send("HTTP/1.1 429 Slow\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}");
    let hasty = RawVendor::start(&[refusal, Step::Hang]).await;
    let vendor = vendor().await;
    let gateway = gateway(&[format!("url: 'http://{}/v1'", hasty.address()), at(&vendor)], "");
    let body = body_of(5 * 1024 * 1024);
    let answer = Client::http1(gateway.address()).await.send(post(PATH, None, body.clone())).await;
    assert_eq!((answer.status.as_u16(), tries(&answer).as_str()), (200, "First=429, Second=200"));
    assert_eq!(vendor.requests()[0].body.len(), body.len() + "gpt-4o-mini".len() - "any".len());
}

#[tokio::test(flavor = "multi_thread")]
async fn with_the_second_pairs_own_url_host_headers_and_credential() {
    let (first, second) = (vendor().await, vendor().await);
    first.faults().set_all(failing(503));
    let gateway = gateway(
        &[
            format!("{}, credential: sk-first, headers: {{ x-of: first, x-first: '1' }}", at(&first)),
            format!(
                "url: 'http://localhost:{}/other/base', credential: sk-second, headers: {{ x-of: second }}",
                second.address().port()
            ),
        ],
        "",
    );
    let mut request = post(&format!("{PATH}?a=b"), None, chat("any"));
    request.headers_mut().insert("x-of", HeaderValue::from_static("client"));
    let answer = Client::http1(gateway.address()).await.send(request).await;
    assert_eq!((answer.status.as_u16(), tries(&answer).as_str()), (200, "First=503, Second=200"));
    assert_eq!(answer.json()["model"], MODELS[1]);
    for (vendor, model, path, authority, credential, of, own) in [
        (
            &first,
            MODELS[0],
            "/v1/chat/completions?a=b",
            first.address().to_string(),
            "Bearer sk-first",
            "first",
            Some("1"),
        ),
        (
            &second,
            MODELS[1],
            "/other/base/chat/completions?a=b",
            format!("localhost:{}", second.address().port()),
            "Bearer sk-second",
            "second",
            None,
        ),
    ] {
        let [seen] = &vendor.requests()[..] else { panic!("{:?}", vendor.requests()) };
        assert_eq!(seen.path, path);
        assert_eq!(seen.authority.as_deref(), Some(authority.as_str()));
        assert_eq!(seen.header("authorization"), Some(credential));
        assert_eq!((seen.header("x-of"), seen.header("x-first")), (Some(of), own));
        assert_eq!(serde_json::from_slice::<serde_json::Value>(&seen.body).unwrap()["model"], model);
    }
}

/// Where the machine's `localhost` has two addresses, the vendor listens on one of them only. Where it has one, this shows
/// no more than that a name will do; the order of addresses is tested beside the code.
#[tokio::test(flavor = "multi_thread")]
async fn another_address_of_the_same_endpoint_comes_before_another_pair() {
    let vendor = vendor().await;
    let port = vendor.address().port();
    let found: Vec<_> = tokio::net::lookup_host(("localhost", port)).await.unwrap().collect();
    let gateway = gateway(&[format!("url: 'http://localhost:{port}/v1'"), at(&vendor)], "");
    for expected in ["First=200", "Second=200", "First=200", "Second=200"] {
        assert_eq!(tries(&ask(&gateway).await), expected, "{found:?}");
    }
}
