//! Every vendor of `conf/vendors/`, spoken to as its own clients do and answering as it does: the table of
//! `docs/vendors.md`, held against the gateway cell by cell.

use crate::support::{Client, Gateway, Reply, Running, Scripted, post};
use crate::vendors_play::{Came, Play, SECRET, fixture};
use crate::vendors_rows::{Credential, Spoken, all};
use crate::vendors_signature::assert_signed;
use flate2::{Compression, write::GzEncoder};
use http::{HeaderValue, Method};
use serde_json::{Value, json};
use std::io::Write;

const AWS_KEY: (&str, &str) = ("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
const NOT_A_LIMIT: &str = "x-ratelimit-remaining-tokens";
/// What the fixtures tell: tokens of the prompt, those of it that were cached, and of the answer, whole and streamed.
const PROMPT: u32 = 21;
const CACHED: u32 = 16;
const WHOLE: u32 = 8;
const STREAMED: u32 = 9;

fn apis(spoken: &Spoken, vendor: &Scripted) -> String {
    let address = vendor.address();
    let credential = match spoken.credential {
        Credential::Header(..) => format!("'{SECRET}'"),
        Credential::ServiceAccount => format!("'{}'", service_account(vendor)),
    };
    let signing = (spoken.vendor == "aws-bedrock").then(|| {
        let (id, secret) = AWS_KEY;
        let keys = format!("{{ access_key_id: {id}, secret_access_key: '{secret}', region: eu-central-1 }}");
        ("-signed", keys)
    });
    let kinds = ["", "-stream", "-quota"].map(|kind| (kind, credential.clone()));
    let one = |(kind, credential): (&str, String)| {
        format!(
            "
  - name: {name}{kind}
    context: /{name}{kind}
    vendor: {name}
    endpoints: {{ production: [{{ name: One, url: 'http://{address}{base}', credential: {credential} }}] }}
    operations:
      - method: POST
        path: /*
        policy: {{ type: model_round_robin, production: [{{ model: '{first}' }}, {{ model: '{second}' }}], suspend_duration: 300 }}",
            name = spoken.vendor,
            base = spoken.base,
            first = spoken.pairs[0].plain,
            second = spoken.pairs[1].plain,
        )
    };
    kinds.into_iter().chain(signing).map(one).collect()
}

/// The key file of an account whose tokens the vendor itself gives out.
fn service_account(vendor: &Scripted) -> String {
    let key = include_str!("../../src/credential/google/test_key.pem");
    let uri = format!("http://{}/token", vendor.address());
    json!({ "type": "service_account", "client_email": "a@b.c", "private_key": key, "token_uri": uri })
        .to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_vendor_is_spoken_to_as_the_table_says() {
    let (mut vendors, mut file) = (Vec::new(), String::new());
    for spoken in all() {
        let vendor = Scripted::start().await;
        let token = json!({ "access_token": SECRET, "expires_in": 3600, "token_type": "Bearer" });
        vendor.besides("/token", Reply::json(200, token.to_string()));
        file += &apis(&spoken, &vendor);
        vendors.push((spoken, vendor));
    }
    let prepared = Gateway::prepare(&file);
    let key = prepared.key("a-client", "production", &[]);
    let gateway: Running = prepared.start();
    for (spoken, vendor) in vendors {
        let play = Play { spoken, gateway: &gateway, vendor, key: &key };
        let mut client = Client::http1(gateway.address()).await;
        chat(&play, &mut client).await;
        stream(&play, &mut client).await;
        embeddings(&play, &mut client).await;
        audio(&play, &mut client).await;
        tools(&play, &mut client).await;
        error_shape(&play, &mut client).await;
        error_event(&play, &mut client).await;
        quota(&play, &mut client).await;
        if play.spoken.vendor == "aws-bedrock" {
            signature(&play, &mut client).await;
        }
    }
}

fn answer(play: &Play<'_>, file: &str) -> Vec<u8> {
    fixture(&format!("{}/{file}", play.spoken.vendor))
}

fn gzipped(reply: &Reply) -> Reply {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(&reply.body).unwrap();
    Reply { body: encoder.finish().unwrap().into(), ..reply.clone() }.with("content-encoding", "gzip")
}

/// The access log has the tokens and the model that the answer told.
fn assert_usage(play: &Play<'_>, came: &Came, completion: u32) {
    let cached = if play.spoken.cached { json!(CACHED) } else { Value::Null };
    let expected = json!([PROMPT, completion, cached, PROMPT + completion, play.spoken.response_model]);
    let members = ["prompt_tokens", "completion_tokens", "cached_tokens", "total_tokens", "response_model"];
    let seen: Vec<_> = members.iter().map(|member| &came.line[member]).collect();
    assert_eq!(json!(seen), expected, "{}: {}", play.spoken.vendor, came.line);
}

async fn chat(play: &Play<'_>, client: &mut Client) {
    let spoken = &play.spoken;
    let call = spoken.chat_call();
    let plain = Reply::json(200, answer(play, "chat.json"));
    for reply in [&plain, &gzipped(&plain)] {
        for came in play.each(client, spoken.vendor, &call, reply).await {
            assert_usage(play, &came, WHOLE);
        }
    }
    let Some((name, _)) = spoken.default_header else { return };
    for _ in 0..2 {
        let mut request = play.request(spoken.vendor, &call, spoken.asked);
        request.headers_mut().insert(name, HeaderValue::from_static("the client's"));
        client.send(request).await;
        play.gateway.access_line();
        assert_eq!(play.vendor.take_one().header(name), "the client's");
    }
}

/// A stream as the vendor sends it; AWS's events are framed.
fn streamed(play: &Play<'_>, file: &str) -> Reply {
    let text = answer(play, file);
    let text = String::from_utf8(text).unwrap();
    match play.spoken.dialect {
        "bedrock" => {
            let frames: Vec<u8> = text.lines().flat_map(frame).collect();
            Reply::good("application/vnd.amazon.eventstream", frames)
        }
        // Google ends lines so.
        "gemini" => Reply::good("text/event-stream", text.replace('\n', "\r\n")),
        _ => Reply::good("text/event-stream", text),
    }
}

/// A message of an AWS event stream, from a line with its kind, its type and its payload.
fn frame(line: &str) -> Vec<u8> {
    let mut parts = line.splitn(3, ' ');
    let (kind, name, payload) = (parts.next().unwrap(), parts.next().unwrap(), parts.next().unwrap());
    let mut headers = Vec::new();
    let message_type = format!(":{kind}-type");
    for (name, value) in
        [(message_type.as_str(), name), (":content-type", "application/json"), (":message-type", kind)]
    {
        headers.push(u8::try_from(name.len()).unwrap());
        headers.extend_from_slice(name.as_bytes());
        headers.push(7);
        headers.extend_from_slice(&u16::try_from(value.len()).unwrap().to_be_bytes());
        headers.extend_from_slice(value.as_bytes());
    }
    let length = |bytes: usize| u32::try_from(bytes).unwrap().to_be_bytes();
    let mut message = [length(16 + headers.len() + payload.len()), length(headers.len())].concat();
    message.extend_from_slice(&crc32fast::hash(&message).to_be_bytes());
    message.extend_from_slice(&headers);
    message.extend_from_slice(payload.as_bytes());
    message.extend_from_slice(&crc32fast::hash(&message).to_be_bytes());
    message
}

async fn stream(play: &Play<'_>, client: &mut Client) {
    let spoken = &play.spoken;
    let call = spoken.stream_call();
    let plain = streamed(play, "stream.txt");
    for reply in [&plain, &gzipped(&plain)] {
        for came in play.each(client, spoken.vendor, &call, reply).await {
            assert_usage(play, &came, STREAMED);
        }
    }
}

async fn embeddings(play: &Play<'_>, client: &mut Client) {
    let Ok(call) = play.spoken.embeddings_call() else { return };
    play.each(client, play.spoken.vendor, &call, &Reply::json(200, answer(play, "embeddings.json"))).await;
}

async fn audio(play: &Play<'_>, client: &mut Client) {
    for call in play.spoken.audio_calls().into_iter().flatten() {
        play.each(client, play.spoken.vendor, &call, &Reply::json(200, answer(play, "audio.json"))).await;
    }
}

async fn tools(play: &Play<'_>, client: &mut Client) {
    let spoken = &play.spoken;
    let call = spoken.tools_call();
    for came in play.each(client, spoken.vendor, &call, &Reply::json(200, answer(play, "tools.json"))).await {
        assert_usage(play, &came, WHOLE);
    }
}

/// The client's own mistake says nothing of the pair.
async fn error_shape(play: &Play<'_>, client: &mut Client) {
    let spoken = &play.spoken;
    let call = spoken.chat_call();
    let reply = Reply::json(400, answer(play, "error.json"));
    for _ in 0..2 {
        for came in play.each(client, spoken.vendor, &call, &reply).await {
            assert_eq!(came.line["suspended"], Value::Null, "{}", came.line);
        }
    }
    assert_eq!(reasons(play, spoken.vendor).await, [Value::Null, Value::Null]);
}

/// An event after content that says that the stream failed.
async fn error_event(play: &Play<'_>, client: &mut Client) {
    let api = format!("{}-stream", play.spoken.vendor);
    let call = play.spoken.stream_call();
    let came = play.call(client, &api, &call, &streamed(play, "stream-error.txt")).await;
    assert_eq!(came.line["suspended"], true, "{}", came.line);
    let attempts = came.line["attempts"].as_str().unwrap();
    assert!(attempts.ends_with("=stream") && !attempts.contains(','), "{attempts}");
    assert_only_other_serves(play, client, &api, &came.served, "stream").await;
}

async fn quota(play: &Play<'_>, client: &mut Client) {
    let spoken = &play.spoken;
    let api = format!("{}-quota", spoken.vendor);
    let call = spoken.chat_call();
    let reply = Reply::json(200, answer(play, "chat.json")).with(spoken.quota.unwrap_or(NOT_A_LIMIT), "0");
    let came = play.call(client, &api, &call, &reply).await;
    assert_eq!(came.line["suspended"].as_bool().unwrap_or_default(), spoken.quota.is_ok(), "{}", came.line);
    match spoken.quota {
        Ok(_) => assert_only_other_serves(play, client, &api, &came.served, "quota").await,
        Err(_) => assert_eq!(reasons(play, &api).await, [Value::Null, Value::Null]),
    }
}

async fn assert_only_other_serves(
    play: &Play<'_>,
    client: &mut Client,
    api: &str,
    suspended: &str,
    reason: &str,
) {
    let call = play.spoken.chat_call();
    for _ in 0..2 {
        let came = play.call(client, api, &call, &Reply::json(200, answer(play, "chat.json"))).await;
        assert_ne!(came.served, suspended, "{api}");
    }
    let expected =
        play.spoken.pairs.map(|pair| if pair.plain == suspended { json!(reason) } else { Value::Null });
    assert_eq!(reasons(play, api).await, expected, "{api}");
}

/// Why each pair of `api` is out.
async fn reasons(play: &Play<'_>, api: &str) -> [Value; 2] {
    let mut request = post("/api/v1/status", None, "");
    *request.method_mut() = Method::GET;
    request.headers_mut().insert("host", HeaderValue::from_static("localhost"));
    let status = Client::http1(play.gateway.admin).await.send(request).await.json();
    let apis = status["apis"].as_array().unwrap();
    let api = apis.iter().find(|entry| entry["name"] == api).unwrap();
    play.spoken
        .pairs
        .map(|pair| find_pair(api, pair.plain).unwrap_or_else(|| panic!("{api}"))["reason"].clone())
}

fn find_pair<'v>(within: &'v Value, model: &str) -> Option<&'v Value> {
    match within {
        Value::Object(members) if members.contains_key("reason") => {
            (within["model"] == model).then_some(within)
        }
        Value::Object(members) => members.values().find_map(|value| find_pair(value, model)),
        Value::Array(items) => items.iter().find_map(|value| find_pair(value, model)),
        _ => None,
    }
}

async fn signature(play: &Play<'_>, client: &mut Client) {
    let call = play.spoken.chat_call();
    let reply = Reply::json(200, answer(play, "chat.json"));
    for came in play.each(client, "aws-bedrock-signed", &call, &reply).await {
        let (id, secret) = AWS_KEY;
        assert_signed(&came.asked, id, secret, "eu-central-1", "bedrock", &["host", "x-amz-date"]);
    }
}
