//! The five places of a model, each rewritten for the first pair and, when that fails, for the second.

use crate::support::{Asked, Body, Client, Gateway, Reply, Running, Scripted, post, vendor as mock_vendor};
use http::{HeaderName, HeaderValue, Request};

/// A vendor with the model in each place, and the AI APIs of two others.
fn file(address: impl std::fmt::Display) -> String {
    let api = |name: &str, vendor: &str, first: &str, second: &str| {
        format!(
            "
  - name: {name}
    context: /{name}
    vendor: {vendor}
    authentication: none
    endpoints: {{ production: [{{ name: One, url: 'http://{address}/base', credential: sk-1 }}] }}
    operations:
      - method: POST
        path: /*
        policy: {{ type: model_round_robin, production: [{{ model: '{first}' }}, {{ model: '{second}' }}] }}"
        )
    };
    format!(
        "listeners: [{{ address: '127.0.0.1:0' }}]
vendors:
  custom:
    requests:
      - {{ path: '**/engines/{{model}}/chat', json: model, header: x-model, query: model }}
      - {{ path: '**/by-header', header: x-model }}
      - {{ path: '**/by-query', query: model }}
      - {{ path: '**/nested', json: input.model }}
      - {{ path: '**/form', multipart: engine }}
apis:{}{}{}{}{}",
        api("custom", "custom", "first model", "second+model"),
        api(
            "bedrock",
            "aws-bedrock",
            "amazon.nova-lite-v1:0",
            "arn:aws:bedrock:eu-west-1:1:profile/a.b-v1:0"
        ),
        api("hf", "huggingface", "one/first", "two/second"),
        api("openai", "openai", "first-model", "a \"second\" \u{e9}"),
        api("percent", "custom", "100%", "50% \u{e9}"),
    )
}

async fn gateway() -> (Scripted, Running) {
    let vendor = Scripted::start().await;
    let gateway = Gateway::prepare_file(&file(vendor.address())).start();
    (vendor, gateway)
}

/// Sends a request whose first try fails, and returns what the vendor saw of both, as `of` tells it, in order.
async fn retried(
    (vendor, gateway): &(Scripted, Running),
    request: Request<Body>,
    of: impl Fn(&Asked) -> String,
) -> [String; 2] {
    vendor.once(Reply::json(503, "{}"));
    vendor.always(Reply::json(200, "{}"));
    let answer = Client::http1(gateway.address()).await.send(request).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let asked = vendor.take();
    for asked in &asked {
        assert_eq!(asked.header("content-length"), asked.body.len().to_string());
        assert_eq!(asked.header("authorization"), "Bearer sk-1");
    }
    // Whose turn it was does not matter here.
    let mut told: Vec<_> = asked.iter().map(of).collect();
    told.sort();
    told.try_into().unwrap()
}

fn target(asked: &Asked) -> String {
    format!("{} {}", asked.target, asked.text())
}

fn body(asked: &Asked) -> String {
    asked.text().to_owned()
}

fn with_header(mut request: Request<Body>, name: &'static str, value: &'static str) -> Request<Body> {
    request.headers_mut().insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    request
}

#[tokio::test(flavor = "multi_thread")]
async fn in_a_json_body() {
    let at = gateway().await;
    let chat = r#"{"a":{"model":"b"},"model":"gpt-4o" , "n":1.50}"#;
    assert_eq!(
        retried(&at, post("/openai/chat/completions", None, chat), body).await,
        [
            "{\"a\":{\"model\":\"b\"},\"model\":\"a \\\"second\\\" é\" , \"n\":1.50}",
            r#"{"a":{"model":"b"},"model":"first-model" , "n":1.50}"#,
        ]
    );
    let nested = r#"{"model":"outer","input":{"x":[{"model":1}], "model" : "inner"},"model2":0}"#;
    assert_eq!(
        retried(&at, post("/custom/a/nested", None, nested), body).await,
        ["first model", "second+model"].map(|model| nested.replace("inner", model))
    );
    assert_eq!(
        retried(&at, post("/openai/chat/completions", None, "{\"n\":1}"), |asked| {
            asked
                .text()
                .replace(['{', '}'], "")
                .split(',')
                .find(|part| part.contains("model"))
                .unwrap()
                .to_owned()
        })
        .await,
        ["\"model\":\"a \\\"second\\\" é\"", "\"model\":\"first-model\""]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn in_a_field_of_a_form() {
    let at = gateway().await;
    let form = "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"model\"\r\n\r\n--c\r\n\
                --b\r\nContent-Disposition: form-data; name=engine\r\n\r\nasked\r\n--b--\r\nepilogue";
    let request = |body: &str| {
        with_header(
            post("/custom/form", None, body.to_owned()),
            "content-type",
            "multipart/form-data; boundary=b",
        )
    };
    let expected = ["first model", "second+model"].map(|model| form.replace("asked", model));
    assert_eq!(retried(&at, request(form), body).await, expected);
    // A form without the field gains it.
    let without =
        "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"x\"\r\n\r\n1\r\n--b--\r\n";
    for (gained, model) in
        retried(&at, request(without), body).await.iter().zip(["first model", "second+model"])
    {
        let field = format!("--b\r\nContent-Disposition: form-data; name=\"engine\"\r\n\r\n{model}\r\n");
        assert_eq!(gained.replacen(&field, "", 1), without, "{gained}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn in_the_path_and_what_follows_it() {
    let at = gateway().await;
    for path in ["amazon.nova-pro-v1%3A0", "amazon.nova-pro-v1:0", "arn%3Aaws%3abedrock%3A%3A%3Ax%2Fy"] {
        assert_eq!(
            retried(&at, post(&format!("/bedrock/model/{path}/converse?a=%2f"), None, "{}"), target).await,
            [
                "/base/model/amazon.nova-lite-v1%3A0/converse?a=%2f {}",
                "/base/model/arn%3Aaws%3Abedrock%3Aeu-west-1%3A1%3Aprofile%2Fa.b-v1%3A0/converse?a=%2f {}",
            ]
        );
    }
    for path in ["any/model", "any%2Fmodel", "any"] {
        assert_eq!(
            retried(&at, post(&format!("/hf/hf-inference/models/{path}"), None, "{}"), target).await,
            ["/base/hf-inference/models/one/first {}", "/base/hf-inference/models/two/second {}"]
        );
    }
    // What follows is rewritten where it is there, and not added.
    assert_eq!(
        retried(&at, post("/custom/engines/x/chat?b=1", None, "{\"n\":1}"), target).await,
        ["/base/engines/first%20model/chat?b=1 {\"n\":1}", "/base/engines/second%2Bmodel/chat?b=1 {\"n\":1}"]
    );
    let request = post("/custom/engines/x/chat?model=y&b=1", None, "{\"model\":\"z\"}");
    assert_eq!(
        retried(&at, with_header(request, "x-model", "w"), |asked| format!(
            "{} {}",
            target(asked),
            asked.header("x-model")
        ))
        .await,
        [
            "/base/engines/first%20model/chat?model=first%20model&b=1 {\"model\":\"first model\"} first model",
            "/base/engines/second%2Bmodel/chat?model=second%2Bmodel&b=1 {\"model\":\"second+model\"} second+model",
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn in_a_header() {
    let at = gateway().await;
    let of = |asked: &Asked| {
        let models: Vec<_> = asked
            .headers
            .get_all("x-model")
            .iter()
            .map(|value| str::from_utf8(value.as_bytes()).unwrap())
            .collect();
        format!("{} {}", models.join(","), target(asked))
    };
    let expected = ["first model /base/by-header not JSON", "second+model /base/by-header not JSON"];
    let request = || post("/custom/by-header", None, "not JSON");
    assert_eq!(retried(&at, with_header(request(), "x-model", "asked"), of).await, expected);
    assert_eq!(at.1.access_line()["asked_model"], "asked");
    assert_eq!(retried(&at, request(), of).await, expected);
    // As it is, whatever it holds.
    let expected = ["100% /base/by-header {}", "50% é /base/by-header {}"];
    assert_eq!(retried(&at, post("/percent/by-header", None, "{}"), of).await, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn in_the_query() {
    let at = gateway().await;
    assert_eq!(
        retried(&at, post("/custom/by-query?a=%2f&mod%65l=x%2Fy+z&b", None, "not JSON"), target).await,
        [
            "/base/by-query?a=%2f&mod%65l=first%20model&b not JSON",
            "/base/by-query?a=%2f&mod%65l=second%2Bmodel&b not JSON",
        ]
    );
    assert_eq!(at.1.access_line()["asked_model"], "x/y z");
    assert_eq!(
        retried(&at, post("/custom/by-query", None, "{}"), target).await,
        ["/base/by-query?model=first%20model {}", "/base/by-query?model=second%2Bmodel {}"]
    );
    assert_eq!(
        retried(&at, post("/custom/by-query?a", None, "{}"), target).await,
        ["/base/by-query?a&model=first%20model {}", "/base/by-query?a&model=second%2Bmodel {}"]
    );
}

/// A part that is no body is not handed over: Pingora would warn of it each time.
#[tokio::test(flavor = "multi_thread")]
async fn without_a_body() {
    let (vendor, gateway) = gateway().await;
    vendor.always(Reply::json(200, "{}"));
    for mut client in [Client::http1(gateway.address()).await, Client::http2(gateway.address()).await] {
        vendor.once(Reply::json(503, "{}"));
        assert_eq!(client.send(post("/bedrock/model/asked/converse", None, "")).await.status, 200);
        let lengths: Vec<_> = vendor.take().iter().map(|asked| asked.body.len()).collect();
        assert_eq!(lengths, [0, 0]);
    }
    let (_, _, log) = gateway.end("TERM");
    let warned = log.lines().any(|line| line.contains("WARN") && line.contains("body"));
    assert!(!warned, "{log}");
}

/// The same to a vendor over HTTP/2, whose answer to a path that it does not know shows that the request was whole.
#[tokio::test(flavor = "multi_thread")]
async fn without_a_body_over_http2() {
    let vendor = mock_vendor().await;
    let url = format!("url: 'http://{}/base'", vendor.address());
    let file = file(vendor.address()).replace(&url, &format!("{url}, protocol: http2"));
    let gateway = Gateway::prepare_file(&file).start();
    for mut client in [Client::http1(gateway.address()).await, Client::http2(gateway.address()).await] {
        let answer = client.send(post("/bedrock/model/asked/converse", None, "")).await;
        assert_eq!((answer.status.as_u16(), answer.header("x-evenkeel-endpoint")), (404, "One"));
    }
    let lengths: Vec<_> = vendor.requests().iter().map(|request| request.body.len()).collect();
    assert_eq!(lengths, [0, 0]);
}
