//! Requests whose model cannot be found or replaced: a clear error, nothing sent, and the connection goes on.

use crate::support::{Body, Client, Gateway, Raw, Reply, Running, Scripted, in_chunks, post};
use bytes::Bytes;
use http::{HeaderValue, Request};

async fn gateway() -> (Scripted, Running) {
    let vendor = Scripted::start().await;
    vendor.always(Reply::json(200, "{}"));
    let address = vendor.address();
    let api = |vendor: &str, models: [&str; 2]| {
        format!(
            "
  - name: {vendor}
    context: /{vendor}
    vendor: {vendor}
    authentication: none
    endpoints: {{ production: [{{ name: One, url: 'http://{address}' }}] }}
    operations:
      - method: POST
        path: /*
        policy: {{ type: model_round_robin, production: [{{ model: {} }}, {{ model: {} }}] }}",
            models[0], models[1]
        )
    };
    let file = format!(
        "listeners: [{{ address: '127.0.0.1:0' }}]
vendors:
  custom:
    requests:
      - {{ path: '**/by-query', query: model }}
      - {{ path: '**/by-path/{{model}}', query: model }}
      - {{ path: '**/nested', json: input.model }}
apis:{}{}{}{}{}",
        api("openai", ["whisper-1", "gpt-4o-transcribe"]),
        api("gemini", ["gemini-3.8-flash", "gemini-3.5-flash"]),
        api("azure-openai", ["our-one", "our-two"]),
        api("aws-bedrock", ["'amazon.nova-lite-v1:0'", "'amazon.nova-pro-v1:0'"]),
        api("custom", ["one", "two"]),
    );
    let gateway = Gateway::prepare_file(&file).start();
    (vendor, gateway)
}

/// A request, the code it is refused with, and words of the message.
type Bad = (Request<Body>, &'static str, &'static [&'static str]);

/// Each of `requests` is refused with 400, and nothing is sent; all of a version of HTTP over one connection.
async fn refused(requests: impl Fn() -> Vec<Bad>) {
    let (vendor, gateway) = gateway().await;
    let http1 = (Client::http1(gateway.address()).await, requests());
    let http2 = (Client::http2(gateway.address()).await, requests());
    for (mut client, requests) in [http1, http2] {
        refused_over(&vendor, &mut client, requests).await;
    }
}

async fn refused_over(vendor: &Scripted, client: &mut Client, requests: Vec<Bad>) {
    for (request, code, words) in requests {
        let about = format!("{} {:?}", request.uri(), request.headers().get("content-type"));
        let answer = client.send(request).await;
        assert_eq!(answer.status, 400, "{about}: {answer:?}");
        answer.assert_refused(400, code);
        let message = answer.json()["error"]["message"].as_str().unwrap().to_owned();
        for word in words {
            assert!(message.contains(word), "{about}: no {word:?} in {message}");
        }
        assert!(vendor.take().is_empty(), "{about}");
        assert_eq!(client.send(post("/openai/chat/completions", None, "{}")).await.status, 200, "{about}");
        vendor.take_one();
    }
}

fn form(content_type: &str, body: impl Into<Bytes>) -> Request<Body> {
    let mut request = post("/openai/audio/transcriptions", None, body);
    request.headers_mut().insert("content-type", HeaderValue::try_from(content_type).unwrap());
    request
}

fn field(name: &str, value: &str) -> String {
    format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn forms() {
    let good = field("model", "whisper-1") + "--b--\r\n";
    let twice = field("model", "a") + &field("file", "x") + &field("model", "b") + "--b--\r\n";
    let as_file =
        "--b\r\nContent-Disposition: form-data; name=\"model\"; filename=\"m\"\r\n\r\nx\r\n--b--\r\n";
    let typed = "multipart/form-data; boundary=b";
    let code = "invalid_multipart";
    refused(|| {
        vec![
            (form("multipart/form-data; boundary=other", good.clone()), code, &["boundary"]),
            (form("multipart/form-data", good.clone()), code, &["no boundary"]),
            (form("multipart/form-data; boundary=", good.clone()), code, &["boundary"]),
            (form("multipart/form-data; boundary=b; boundary=c", good.clone()), code, &["two boundaries"]),
            (form("multipart/form-data; boundary=\"b", good.clone()), code, &["boundary"]),
            (form("application/json", r#"{"model":"whisper-1"}"#), code, &["multipart/form-data"]),
            (form(typed, twice.clone()), code, &["\"model\"", "twice"]),
            (form(typed, as_file), code, &["\"model\"", "file"]),
            (form(typed, field("model", "a")), code, &[]),
            (form(typed, "--b\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nno end"), code, &[]),
            (form(typed, "--b\r\nno header\r\n\r\nx\r\n--b--\r\n"), code, &["header"]),
            (form(typed, ""), code, &[]),
            (
                form(
                    typed,
                    Bytes::from_static(
                        b"--b\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\n\xff\r\n--b--\r\n",
                    ),
                ),
                code,
                &["UTF-8"],
            ),
        ]
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn forms_for_json() {
    let sent = |content_type: &'static str, body: String| {
        let mut request = post("/openai/chat/completions", None, body);
        request.headers_mut().insert("content-type", HeaderValue::from_static(content_type));
        request
    };
    let code = "invalid_json";
    refused(|| {
        let form = field("model", "a") + "--b--\r\n";
        vec![
            (
                sent("multipart/form-data; boundary=b", form.clone()),
                code,
                &["multipart/form-data", "JSON object"],
            ),
            (sent("application/x-www-form-urlencoded", "model=a".into()), code, &["x-www-form-urlencoded"]),
            (sent("application/json", form), code, &["not a JSON object"]),
        ]
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn paths() {
    let json = |path: &str| post(path, None, "{}");
    let code = "invalid_path";
    refused(|| {
        vec![
            (json("/gemini/v1beta/nothing"), code, &["`gemini`", "{model}:generateContent"]),
            (json("/gemini/v1beta/models/a:unheardOf"), code, &["`gemini`"]),
            (json("/gemini/v1beta/models/a/b:generateContent"), code, &[]),
            (json("/gemini/v1beta/models/a%2Fb:generateContent"), code, &["/"]),
            (json("/gemini/v1beta/models/:generateContent"), code, &["no model"]),
            (json("/gemini/v1beta/models/a%2:generateContent"), code, &["%"]),
            (json("/gemini/v1beta/models/a%zz:generateContent"), code, &["%"]),
            (json("/gemini/v1beta/models/a%ff:generateContent"), code, &["UTF-8"]),
            (json("/azure-openai/openai/deployments/a/b/chat/completions"), code, &["`azure-openai`"]),
            (json("/azure-openai/openai/deployments/a%2fb/chat/completions"), code, &[]),
            (json("/aws-bedrock/model/a/unheard-of"), code, &["`aws-bedrock`"]),
            (json("/aws-bedrock/model//converse"), code, &[]),
            (json("/custom/elsewhere"), code, &["`custom`", "**/by-query"]),
        ]
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn queries_and_nested_members() {
    let json = |path: &str| post(path, None, "{}");
    let nested = |body: &'static str| post("/custom/nested", None, body);
    refused(|| {
        vec![
            (json("/custom/by-query?model=a&x&model=b"), "invalid_query", &["\"model\"", "twice"]),
            (json("/custom/by-query?model=a&mod%65l=b"), "invalid_query", &["twice"]),
            (json("/custom/by-query?model=%zz"), "invalid_query", &["%"]),
            (json("/custom/by-query?model=%ff"), "invalid_query", &["UTF-8"]),
            (json("/custom/by-path/a?model=a&model=a"), "invalid_query", &["twice"]),
            (nested(r#"{"input":{"model":"a","model":"b"}}"#), "invalid_json", &["model"]),
            (nested(r#"{"input":{"model":"a"},"input":{"model":"b"}}"#), "invalid_json", &["input"]),
            (nested(r#"{"input":{"model":1}}"#), "invalid_json", &["model"]),
            (nested(r#"{"input":[]}"#), "invalid_json", &["input"]),
        ]
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_known_of_a_refused_request_is_logged() {
    let (_vendor, gateway) = gateway().await;
    let mut client = Client::http1(gateway.address()).await;
    client.send(post("/gemini/v1beta/nothing", None, "{}")).await;
    let line = gateway.access_line();
    let expected = [("api", "gemini"), ("environment", "production"), ("error", "invalid_path")];
    for (member, value) in expected {
        assert_eq!(line[member], value, "{line}");
    }
}

/// Where a chunked body does not match its boundary, the whole of it has been read: the connection goes on.
#[tokio::test(flavor = "multi_thread")]
async fn a_refused_form_in_chunks_leaves_the_connection_in_step() {
    let (vendor, gateway) = gateway().await;
    let mut raw = Raw::connect(gateway.address()).await;
    let next = "POST /openai/chat/completions HTTP/1.1\r\nHost: g\r\nContent-Length: 2\r\n\r\n{}";
    raw.send(
        "POST /openai/audio/transcriptions HTTP/1.1\r\nHost: g\r\nContent-Type: multipart/form-data; boundary=b\r\n\
         Transfer-Encoding: chunked\r\n\r\n4\r\nnone\r\n0\r\n\r\n",
    )
    .await;
    raw.answer().await.assert_refused(400, "invalid_multipart");
    assert!(vendor.take().is_empty());
    raw.send(next).await;
    assert_eq!(raw.header().await.status, 200);
    vendor.take_one();
}

/// As large as may be, the file before the model and after it.
#[tokio::test(flavor = "multi_thread")]
async fn an_audio_file_of_the_greatest_size_passes_and_is_retried() {
    let (vendor, gateway) = gateway().await;
    let limit = 20 << 20;
    let typed = "multipart/form-data; boundary=b";
    let head = "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\n";
    let model = field("model", "a");
    let audio: Vec<u8> =
        (0..limit - head.len() - 2 - model.len() - 7).map(|at| u8::try_from(at * 7 % 251).unwrap()).collect();
    let file = [head.as_bytes(), &audio, b"\r\n"].concat();
    for parts in [[model.as_bytes(), &file], [&file, model.as_bytes()]] {
        let body = Bytes::from([&parts.concat(), b"--b--\r\n".as_slice()].concat());
        assert_eq!(body.len(), limit);
        for request in [form(typed, body.clone()), in_chunks(form(typed, ""), &body, 60_000)] {
            vendor.once(Reply::json(503, "{}"));
            assert_eq!(Client::http1(gateway.address()).await.send(request).await.status, 200);
            let asked = vendor.take();
            assert_eq!(asked.len(), 2);
            for asked in &asked {
                let models = ["whisper-1", "gpt-4o-transcribe"];
                let served = models.iter().find(|model| asked.body.len() == limit - 1 + model.len()).unwrap();
                let spliced = field("model", served);
                let expected = if parts[0].len() < parts[1].len() {
                    [spliced.as_bytes(), &file, b"--b--\r\n"].concat()
                } else {
                    [&file, spliced.as_bytes(), b"--b--\r\n"].concat()
                };
                assert!(asked.body == expected, "{served}");
            }
            assert_ne!(asked[0].body.len(), asked[1].body.len());
        }
        let over = [&body[..], b"x"].concat();
        let mut client = Client::http1(gateway.address()).await;
        client.send(form(typed, over)).await.assert_refused(413, "request_too_large");
        assert!(vendor.take().is_empty());
    }
}
