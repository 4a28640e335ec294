//! Compressed requests: decoded where the model is to be replaced, and not touched elsewhere.

use crate::support::{Answer, Body, Client, Gateway, Reply, Running, Scripted, in_chunks, post};
use crate::vendors_signature::assert_signed;
use bytes::Bytes;
use flate2::write::{GzEncoder, ZlibEncoder};
use flate2::{Compress, Compression, FlushCompress};
use http::{HeaderValue, Method, Request};
use std::io::Write;

const CHAT: &str = "/smart/chat/completions";
/// An operation whose model stands in the path, with a policy, and a signed endpoint.
const INVOKE: &str = "/bedrock/model/asked/invoke";
const KEYS: &str = "{ access_key_id: AKIDEXAMPLE, secret_access_key: secret, region: eu-central-1 }";
const MEBIBYTE: usize = 1 << 20;
const ACCEPTED: &str = "gzip, deflate, br, zstd";

async fn gateway() -> (Scripted, Running) {
    let vendor = Scripted::start().await;
    vendor.always(Reply::json(200, "{}"));
    let gateway = Gateway::start(&format!(
        "
  - name: Smart
    context: /smart
    vendor: openai
    authentication: none
    endpoints: {{ production: [{{ name: One, url: 'http://{address}' }}] }}
    operations:
      - method: POST
        path: /chat/completions
        policy: {{ type: model_round_robin, production: [{{ model: gpt-4o }}, {{ model: gpt-4o-mini }}] }}
      - {{ method: POST, path: /embeddings }}
  - name: Bedrock
    context: /bedrock
    vendor: aws-bedrock
    authentication: none
    endpoints: {{ production: [{{ name: One, url: 'http://{address}', credential: {KEYS} }}] }}
    operations:
      - method: POST
        path: /model/*
        policy: {{ type: model_round_robin, production: [{{ model: nova }}, {{ model: nova-pro }}] }}
      - {{ method: POST, path: /guardrail/* }}
  - name: Any
    context: /any
    vendor: aws-bedrock
    authentication: none
    endpoints: {{ production: [{{ name: One, url: 'http://{address}', credential: {KEYS} }}] }}
    operations:
      - method: '*'
        path: /*
        policy: {{ type: model_round_robin, production: [{{ model: nova }}] }}",
        address = vendor.address()
    ));
    (vendor, gateway)
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// `bytes` in each coding.
fn codings(bytes: &[u8]) -> [(&'static str, Vec<u8>); 5] {
    let mut deflate = ZlibEncoder::new(Vec::new(), Compression::default());
    deflate.write_all(bytes).unwrap();
    let mut brotli = brotli::CompressorWriter::new(Vec::new(), 4096, 5, 22);
    brotli.write_all(bytes).unwrap();
    [
        ("gzip", gzip(bytes)),
        ("X-GZip, identity", gzip(bytes)),
        ("deflate", deflate.finish().unwrap()),
        ("br", brotli.into_inner()),
        ("zstd", zstd::encode_all(bytes, 3).unwrap()),
    ]
}

fn encoded(path: &str, coding: &'static str, body: impl Into<Bytes>) -> Request<Body> {
    let mut request = post(path, None, body);
    request.headers_mut().insert("content-encoding", HeaderValue::from_static(coding));
    request
}

fn body(size: usize) -> String {
    let text: String = (0..size).map(|at| char::from(b'a' + u8::try_from(at * at % 23).unwrap())).collect();
    format!(r#"{{"text":"{text}","model":"asked","n":1.50}}"#)
}

#[tokio::test(flavor = "multi_thread")]
async fn each_coding_is_decoded_spliced_and_sent_without_and_retried() {
    let (vendor, gateway) = gateway().await;
    for mut client in [Client::http1(gateway.address()).await, Client::http2(gateway.address()).await] {
        for size in [10, 300_000] {
            let plain = body(size);
            for (coding, sent) in codings(plain.as_bytes()) {
                let sent = Bytes::from(sent);
                let whole = encoded(CHAT, coding, sent.clone());
                let chunked = in_chunks(encoded(CHAT, coding, ""), &sent, 1000);
                for request in [whole, chunked] {
                    vendor.once(Reply::json(503, "{}"));
                    assert_eq!(client.send(request).await.status, 200, "{coding}");
                    let asked = vendor.take();
                    let mut seen: Vec<_> = asked.iter().map(|asked| asked.text().to_owned()).collect();
                    seen.sort_by_key(String::len);
                    assert!(
                        seen == ["gpt-4o", "gpt-4o-mini"].map(|model| plain.replace("asked", model)),
                        "{coding}"
                    );
                    for asked in asked {
                        assert_eq!(asked.header("content-encoding"), "");
                        assert_eq!(asked.header("transfer-encoding"), "");
                        assert_eq!(asked.header("content-length"), asked.body.len().to_string());
                    }
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_without_the_model_is_decoded_too() {
    let (vendor, gateway) = gateway().await;
    for mut client in [Client::http1(gateway.address()).await, Client::http2(gateway.address()).await] {
        // It need not be JSON.
        for plain in [body(10).into_bytes(), vec![0xff; 200_000]] {
            for (coding, sent) in codings(&plain) {
                vendor.once(Reply::json(503, "{}"));
                assert_eq!(client.send(encoded(INVOKE, coding, sent)).await.status, 200, "{coding}");
                let tries = vendor.take();
                assert_eq!(tries.len(), 2, "{coding}");
                for asked in &tries {
                    assert!(asked.body[..] == plain[..], "{coding}");
                    assert_eq!(asked.header("content-encoding"), "", "{coding}");
                    assert_eq!(asked.header("content-length"), plain.len().to_string(), "{coding}");
                    assert_signed(asked, "AKIDEXAMPLE", "secret", "eu-central-1", "bedrock", &["host"]);
                }
            }
        }
        let unknown = client.send(encoded(INVOKE, "compress", "x")).await;
        unknown.assert_refused(415, "unsupported_content_encoding");
        assert_eq!(unknown.header("accept-encoding"), ACCEPTED);
        client.send(encoded(INVOKE, "gzip", bomb())).await.assert_refused(413, "request_too_large");
    }
    assert!(vendor.take().is_empty());
}

/// What is said of a body that is not there is not looked at, and goes as it came.
#[tokio::test(flavor = "multi_thread")]
async fn a_request_without_a_body_has_no_coding() {
    let (vendor, gateway) = gateway().await;
    for mut client in [Client::http1(gateway.address()).await, Client::http2(gateway.address()).await] {
        for method in [Method::GET, Method::HEAD] {
            for coding in ["gzip", "compress"] {
                let mut request = encoded("/any/model/asked/invoke", coding, "");
                *request.method_mut() = method.clone();
                assert_eq!(client.send(request).await.status, 200, "{method} {coding}");
                let asked = vendor.take_one();
                assert_eq!(asked.target, "/model/nova/invoke");
                assert_eq!(asked.header("content-encoding"), coding, "{method}");
                assert!(!asked.headers.contains_key("content-length"), "{method} {:?}", asked.headers);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_policy_nothing_is_decoded() {
    let (vendor, gateway) = gateway().await;
    let mut client = Client::http1(gateway.address()).await;
    let sent = gzip(body(1000).as_bytes());
    for path in ["/smart/embeddings", "/bedrock/guardrail/g/apply"] {
        for (coding, sent) in [("gzip", sent.clone()), ("compress, gzip", b"not really".to_vec())] {
            client.send(encoded(path, coding, sent.clone())).await;
            let asked = vendor.take_one();
            assert_eq!((asked.header("content-encoding"), &asked.body[..]), (coding, &sent[..]), "{path}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_decoded_is_refused_and_nothing_is_sent() {
    let (vendor, gateway) = gateway().await;
    let plain = body(1000);
    let good = gzip(plain.as_bytes());
    let mut damaged = good.clone();
    let end = damaged.len() - 6;
    damaged[end] ^= 1;
    let mut client = Client::http1(gateway.address()).await;
    let unknown = [("compress", good.clone()), ("gzip, br", good.clone()), ("gzip, gzip", good.clone())];
    let broken = [
        ("gzip", good[..good.len() / 2].to_vec()),
        ("gzip", good[..good.len() - 1].to_vec()),
        ("gzip", plain.clone().into_bytes()),
        ("gzip", [good.clone(), b"more".to_vec()].concat()),
        ("gzip", damaged),
        ("br", b"\xff\xff\xff".to_vec()),
        ("zstd", good.clone()),
        ("deflate", good),
    ];
    let unknown = unknown.map(|(coding, sent)| (coding, sent, ACCEPTED));
    let broken = broken.map(|(coding, sent)| (coding, sent, ""));
    for (coding, sent, accepted) in unknown.into_iter().chain(broken) {
        let answer: Answer = client.send(encoded(CHAT, coding, sent)).await;
        answer.assert_refused(415, "unsupported_content_encoding");
        assert_eq!(answer.header("accept-encoding"), accepted, "{coding}");
    }
    assert!(vendor.take().is_empty());
    // The same connection goes on, and what decodes to no JSON is told as such.
    client.send(encoded(CHAT, "gzip", gzip(b"[]"))).await.assert_refused(400, "invalid_json");
    assert_eq!(client.send(encoded(CHAT, "gzip", gzip(plain.as_bytes()))).await.status, 200);
}

/// A gibibyte of zeros, about a mebibyte when it is compressed. Each mebibyte of it is compressed alike, once.
fn bomb() -> Bytes {
    let zeros = vec![0; MEBIBYTE];
    let mut part = Vec::with_capacity(MEBIBYTE);
    let mut deflate = Compress::new(Compression::default(), false);
    deflate.compress_vec(&zeros, &mut part, FlushCompress::Full).unwrap();
    let mut sum = crc32fast::Hasher::new();
    sum.update(&zeros);
    for _ in 0..10 {
        let half = sum.clone();
        sum.combine(&half);
    }
    let mut bomb = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    bomb.extend(part.repeat(1024));
    // An empty block, the last.
    bomb.extend([3, 0]);
    bomb.extend(sum.finalize().to_le_bytes());
    bomb.extend((1u32 << 30).to_le_bytes());
    bomb.into()
}

/// What decodes to a little more than the limit is refused, and so is a bomb, of which no more than that is decoded.
#[tokio::test(flavor = "multi_thread")]
async fn a_bomb_is_too_large() {
    let (vendor, gateway) = gateway().await;
    let bomb = bomb();
    assert!(bomb.len() < 2 * MEBIBYTE, "{}", bomb.len());
    let limit = 20 * MEBIBYTE;
    let over = gzip(&vec![b' '; limit + 1]);
    for sent in [bomb, over.into()] {
        for request in
            [encoded(CHAT, "gzip", sent.clone()), in_chunks(encoded(CHAT, "gzip", ""), &sent, 10_000)]
        {
            let mut client = Client::http1(gateway.address()).await;
            client.send(request).await.assert_refused(413, "request_too_large");
        }
    }
    assert!(vendor.take().is_empty());
    let most = format!("{{\"model\":\"asked\"}}{}", " ".repeat(limit - 17));
    let mut client = Client::http1(gateway.address()).await;
    assert_eq!(client.send(encoded(CHAT, "gzip", gzip(most.as_bytes()))).await.status, 200);
    assert!(vendor.take_one().body.len() > limit - 17);
}
