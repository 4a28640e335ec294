use super::super::{AwsScope, SUPERSEDED, Signer};
use super::*;
use http::header::AUTHORIZATION;
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::{Duration, UNIX_EPOCH};

const KNOWN: &str = include_str!("../../../tests/sigv4/known_answers.json");

fn known() -> (Value, SystemTime) {
    let known: Value = serde_json::from_str(KNOWN).unwrap();
    let at = UNIX_EPOCH + Duration::from_secs(known["at"].as_u64().unwrap());
    (known, at)
}

fn signer(known: &Value, answer: &Value) -> Signer {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let scope = AwsScope::new(&text(&answer["service"]), &text(&answer["region"])).unwrap();
    Signer::aws_keys(scope, &text(&known["key_id"]), &text(&known["secret"]), answer["token"].as_str())
        .unwrap()
}

async fn signed(
    signer: &Signer,
    answer: &Value,
    headers: &HeaderMap,
    now: SystemTime,
) -> Vec<(HeaderName, HeaderValue)> {
    let text = |name: &str| answer[name].as_str().unwrap();
    let method = text("method").parse().unwrap();
    let uri = text("path").parse().unwrap();
    let body = text("body").as_bytes();
    signer.sign(&method, &uri, text("host"), headers, body, now).await.unwrap()
}

fn headers(answer: &Value) -> HeaderMap {
    let own = answer["headers"].as_object().unwrap().iter();
    own.map(|(name, value)| (name.parse().unwrap(), value.as_str().unwrap().parse().unwrap())).collect()
}

#[tokio::test]
async fn botocore_signs_alike() {
    let (known, at) = known();
    let answers = known["answers"].as_array().unwrap();
    assert_eq!(answers.len(), 12);
    for answer in answers {
        let signed = signed(&signer(&known, answer), answer, &headers(answer), at).await;
        let signed: BTreeMap<_, _> =
            signed.iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap())).collect();
        let expected: BTreeMap<_, _> = answer["signed"]
            .as_object()
            .unwrap()
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str().unwrap()))
            .collect();
        assert_eq!(signed, expected, "{}", answer["name"]);
    }
}

#[tokio::test]
async fn what_the_client_signed_with_and_what_may_change_on_the_way_is_not_covered() {
    let (known, at) = known();
    let answer = &known["answers"][1];
    let signer = signer(&known, answer);
    let plain = signed(&signer, answer, &headers(answer), at).await;
    let mut more = headers(answer);
    for name in SUPERSEDED.iter().map(HeaderName::as_str).chain(["user-agent", "accept", "x-amzn-trace-id"]) {
        more.insert(HeaderName::try_from(name).unwrap(), HeaderValue::from_static("the client's"));
    }
    assert_eq!(signed(&signer, answer, &more, at).await, plain);
}

#[tokio::test]
async fn what_is_signed_is_sensitive_and_nothing_secret_is_shown() {
    let (known, at) = known();
    let answer =
        known["answers"].as_array().unwrap().iter().find(|answer| answer["token"].is_string()).unwrap();
    let signer = signer(&known, answer);
    let signed = signed(&signer, answer, &headers(answer), at).await;
    let names: Vec<_> = signed.iter().map(|(name, _)| name).collect();
    assert!(names.contains(&&AUTHORIZATION) && names.contains(&&DATE) && names.contains(&&SECURITY_TOKEN));
    assert!(signed.iter().all(|(_, value)| value.is_sensitive()));
    let shown = format!("{signer:?}");
    assert_eq!(shown, r#"AwsKeys(AwsScope { service: "bedrock", region: "us-east-1" })"#);
}

#[tokio::test]
async fn a_header_that_no_signature_can_cover_is_an_error() {
    let (known, at) = known();
    let answer = &known["answers"][1];
    let mut headers = headers(answer);
    headers.insert(CONTENT_TYPE, HeaderValue::from_bytes(b"text/\xff").unwrap());
    let uri = Uri::from_static("/model/m/invoke");
    let signed = signer(&known, answer).sign(&Method::POST, &uri, "host", &headers, b"", at).await;
    let error = signed.unwrap_err().to_string();
    assert_eq!(error, "the request cannot be signed: its content-type has characters beyond ASCII");
}

#[tokio::test]
async fn a_host_that_is_none_is_an_error() {
    let (known, at) = known();
    let uri = Uri::from_static("/model/m/invoke");
    for host in ["", "a b", "a/b\n"] {
        let signer = signer(&known, &known["answers"][1]);
        let signed = signer.sign(&Method::POST, &uri, host, &HeaderMap::new(), b"", at).await;
        assert!(matches!(signed, Err(SignError::Request(_))), "{host:?}: {signed:?}");
    }
}
