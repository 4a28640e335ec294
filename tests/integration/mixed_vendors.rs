//! Endpoints of several vendors in one AI API: one client's requests in the shape of each.

use crate::support::{Client, Gateway, Reply, Running, Scripted, post};
use http::Method;

/// An AI API of `vendor` whose only pair is on an endpoint of `other`.
fn api(name: &str, vendor: &str, other: &str, url: &str, path: &str, model: &str) -> String {
    format!(
        "
  - name: {name}
    context: /{name}
    vendor: {vendor}
    authentication: none
    endpoints: {{ production: [{{ name: One, url: '{url}', vendor: {other}, credential: sk-1 }}] }}
    operations:
      - {{ method: POST, path: '{path}', policy: {{ type: model_round_robin, production: [{{ model: '{model}' }}] }} }}
      - {{ method: GET, path: '/*' }}"
    )
}

async fn send(vendor: &Scripted, gateway: &Running, path: &str) -> (String, String) {
    send_typed(vendor, gateway, path, "application/json", r#"{"a":1,"model":"asked","b":2.0}"#).await
}

async fn send_typed(
    vendor: &Scripted,
    gateway: &Running,
    path: &str,
    content_type: &'static str,
    body: &'static str,
) -> (String, String) {
    vendor.always(Reply::json(200, "{}"));
    let mut request = post(path, None, body);
    request.headers_mut().insert("content-type", content_type.parse().unwrap());
    let answer = Client::http1(gateway.address()).await.send(request).await;
    assert_eq!(answer.status, 200, "{path}: {answer:?}");
    let asked = vendor.take_one();
    (asked.target.clone(), asked.text().to_owned())
}

fn body(model: &str) -> String {
    format!(r#"{{"a":1,"model":"{model}","b":2.0}}"#)
}

const FORM: &str = "--b\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nasked\r\n--b--\r\n";
const FORM_TYPE: &str = "multipart/form-data; boundary=b";

#[tokio::test(flavor = "multi_thread")]
async fn an_openai_client_before_azure() {
    let vendor = Scripted::start().await;
    let url = format!("http://{}", vendor.address());
    let gateway = Gateway::start(
        &(api("bare", "openai", "azure-openai", &url, "/*", "our gpt")
            + &api("v1", "openai", "azure-openai", &format!("{url}/openai/v1"), "/*", "our gpt")
            + &api("foundry", "openai", "azure-ai-foundry", &url, "/*", "our gpt")),
    );
    let deployment = "/openai/deployments/our%20gpt";
    assert_eq!(
        send(&vendor, &gateway, "/bare/chat/completions").await,
        (format!("{deployment}/chat/completions?api-version=2024-10-21"), body("our gpt"))
    );
    // The client's own version counts.
    assert_eq!(
        send(&vendor, &gateway, "/bare/embeddings?api-version=2025-01-01&x").await,
        (format!("{deployment}/embeddings?api-version=2025-01-01&x"), body("our gpt"))
    );
    let form = send_typed(&vendor, &gateway, "/bare/audio/transcriptions", FORM_TYPE, FORM).await;
    let transcriptions = format!("{deployment}/audio/transcriptions?api-version=2024-10-21");
    assert_eq!(form, (transcriptions, FORM.replace("asked", "our gpt")));
    assert_eq!(
        send(&vendor, &gateway, "/v1/chat/completions?x=1").await,
        ("/openai/v1/chat/completions?x=1".to_owned(), body("our gpt"))
    );
    assert_eq!(
        send(&vendor, &gateway, "/foundry/chat/completions").await,
        ("/models/chat/completions?api-version=2024-05-01-preview".to_owned(), body("our gpt"))
    );
    // Routes that stand below no deployment.
    for (path, target) in [
        ("/bare/responses", "/openai/v1/responses"),
        ("/bare/moderations?x=1", "/openai/v1/moderations?x=1"),
        ("/foundry/responses", "/openai/v1/responses"),
    ] {
        assert_eq!(send(&vendor, &gateway, path).await, (target.to_owned(), body("our gpt")));
    }
    let mut files = post("/bare/files?limit=2", None, "");
    *files.method_mut() = Method::GET;
    assert_eq!(Client::http1(gateway.address()).await.send(files).await.status, 200);
    assert_eq!(vendor.take_one().target, "/openai/v1/files?limit=2");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_azure_client_before_openai() {
    let vendor = Scripted::start().await;
    let url = format!("http://{}/v1", vendor.address());
    let paths = "/openai/*";
    let gateway = Gateway::start(&api("azure", "azure-openai", "openai", &url, paths, "gpt-4o"));
    let deployment = "/azure/openai/deployments/any";
    for (query, left) in [
        ("", ""),
        ("?api-version=2024-10-21", ""),
        ("?a=%2f&api-version=2024-10-21&b", "?a=%2f&b"),
        ("?a=1", "?a=1"),
    ] {
        assert_eq!(
            send(&vendor, &gateway, &format!("{deployment}/chat/completions{query}")).await,
            (format!("/v1/chat/completions{left}"), body("gpt-4o"))
        );
    }
    assert_eq!(
        send(&vendor, &gateway, "/azure/openai/v1/chat/completions").await,
        ("/v1/chat/completions".to_owned(), body("gpt-4o"))
    );
    let path = format!("{deployment}/audio/transcriptions?api-version=2024-10-21");
    assert_eq!(
        send_typed(&vendor, &gateway, &path, FORM_TYPE, FORM).await,
        ("/v1/audio/transcriptions".to_owned(), FORM.replace("asked", "gpt-4o"))
    );
}

/// What has no policy goes to the primary endpoint, in that one's shape.
#[tokio::test(flavor = "multi_thread")]
async fn a_route_without_a_policy_loses_the_prefix_too() {
    let vendor = Scripted::start().await;
    vendor.always(Reply::json(200, "{}"));
    let url = format!("http://{}/v1", vendor.address());
    let gateway =
        Gateway::start(&api("azure", "azure-openai", "openai", &url, "/openai/deployments/*", "gpt-4o"));
    let mut request = post("/azure/openai/v1/models?api-version=preview&limit=2", None, "");
    *request.method_mut() = Method::GET;
    assert_eq!(Client::http1(gateway.address()).await.send(request).await.status, 200);
    assert_eq!(vendor.take_one().target, "/v1/models?limit=2");
}

/// Whichever pair's turn it is: none of them gets what one of them cannot take.
#[tokio::test(flavor = "multi_thread")]
async fn a_path_that_one_of_the_vendors_has_not_is_refused() {
    let vendor = Scripted::start().await;
    let url = format!("http://{}/v1/projects/p/locations/l/publishers/google", vendor.address());
    let gateway = Gateway::start(&format!(
        "
  - name: Both
    context: /both
    vendor: gemini
    authentication: none
    endpoints:
      production:
        - {{ name: G, url: 'http://{}/v1beta' }}
        - {{ name: V, url: '{url}', vendor: vertex-ai }}
    operations:
      - method: POST
        path: /models/*
        policy:
          type: model_round_robin
          production: [{{ model: gemini-2.5-pro, endpoint: G }}, {{ model: gemini-2.5-flash, endpoint: V }}]",
        vendor.address()
    ));
    vendor.always(Reply::json(200, "{}"));
    let mut client = Client::http1(gateway.address()).await;
    for _ in 0..2 {
        let answer = client.send(post("/both/models/any:batchEmbedContents", None, "{}")).await;
        answer.assert_refused(400, "invalid_path");
        let message = answer.json()["error"]["message"].as_str().unwrap().to_owned();
        assert!(message.contains("vertex-ai") && message.contains("{model}:generateContent"), "{message}");
        assert!(vendor.take().is_empty());
    }
    for model in ["gemini-2.5-pro", "gemini-2.5-flash"] {
        assert_eq!(client.send(post("/both/models/any:generateContent", None, "{}")).await.status, 200);
        assert!(vendor.take_one().target.ends_with(&format!("/models/{model}:generateContent")));
    }
}

/// The model is where each of the two has it.
#[tokio::test(flavor = "multi_thread")]
async fn a_vendor_without_a_model_in_its_bodies_before_one_with_it() {
    let vendor = Scripted::start().await;
    let url = format!("http://{}", vendor.address());
    let file = format!(
        "listeners: [{{ address: '127.0.0.1:0' }}]
vendors:
  by-header: {{ requests: [{{ path: '**', header: x-model }}] }}
  by-path: {{ requests: [{{ path: '**/m/{{model}}/chat' }}] }}
apis:{}{}",
        api("header", "by-header", "openai", &url, "/*", "gpt-4o"),
        api("path", "by-path", "openai", &url, "/*", "gpt-4o")
    );
    let gateway = Gateway::prepare_file(&file).start();
    for path in ["/header/chat", "/path/m/asked/chat"] {
        assert_eq!(send(&vendor, &gateway, path).await.1, body("gpt-4o"), "{path}");
    }
}

/// One request that fails at the first two, and what each of the three saw.
#[tokio::test(flavor = "multi_thread")]
async fn a_request_goes_from_one_vendor_to_the_next() {
    let vendors = [Scripted::start().await, Scripted::start().await, Scripted::start().await];
    let [openai, azure, vllm] = vendors.each_ref().map(Scripted::address);
    let gateway = Gateway::start(&format!(
        "
  - name: Smart
    context: /smart
    vendor: openai
    authentication: none
    endpoints:
      production:
        - {{ name: OpenAI, url: 'http://{openai}/v1', credential: sk-openai }}
        - {{ name: Azure, url: 'http://{azure}', vendor: azure-openai, credential: sk-azure }}
        - {{ name: Own, url: 'http://{vllm}/v1', vendor: vllm }}
    operations:
      - method: POST
        path: /chat/completions
        policy:
          type: model_round_robin
          production:
            - {{ model: gpt-4o, endpoint: OpenAI }}
            - {{ model: our-gpt, endpoint: Azure }}
            - {{ model: llama-70b, endpoint: Own }}
          retry: {{ attempts: 2 }}"
    ));
    let tokens = r#"{"model":"llama","usage":{"prompt_tokens":3,"completion_tokens":4,"total_tokens":7}}"#;
    for (vendor, status) in vendors.iter().zip([503, 429, 200]) {
        vendor.always(Reply::json(status, tokens));
    }
    let request = post("/smart/chat/completions?x=1", Some("the-clients"), body("asked"));
    let answer = Client::http1(gateway.address()).await.send(request).await;
    assert_eq!(
        answer.header("x-evenkeel-attempts"),
        "gpt-4o@OpenAI=503, our-gpt@Azure=429, llama-70b@Own=200"
    );
    let [openai, azure, vllm] = vendors.each_ref().map(Scripted::take_one);
    let seen = [&openai, &azure, &vllm].map(|asked| (asked.target.as_str(), asked.text().to_owned()));
    assert_eq!(
        seen,
        [
            ("/v1/chat/completions?x=1", body("gpt-4o")),
            ("/openai/deployments/our-gpt/chat/completions?x=1&api-version=2024-10-21", body("our-gpt")),
            ("/v1/chat/completions?x=1", body("llama-70b")),
        ]
    );
    assert_eq!((openai.header("authorization"), openai.header("api-key")), ("Bearer sk-openai", ""));
    assert_eq!((azure.header("authorization"), azure.header("api-key")), ("", "sk-azure"));
    // An open AI API, and an endpoint without a credential: the client's own goes on.
    assert_eq!((vllm.header("authorization"), vllm.header("api-key")), ("Bearer the-clients", ""));
    let line = gateway.access_line();
    assert_eq!((&line["total_tokens"], &line["response_model"]), (&7.into(), &"llama".into()));
}

#[test]
fn other_formats_are_refused_and_the_message_names_both() {
    let file = api("mixed", "openai", "anthropic", "https://api.anthropic.com", "/*", "claude-opus-5");
    let output = Gateway::prepare(&file).call(&["check"], &[]);
    let told =
        String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(78), "{told}");
    for words in ["apis[0].endpoints.production[0].vendor", "`anthropic`", "`openai`", "format"] {
        assert!(told.contains(words), "{words} in {told}");
    }
}
