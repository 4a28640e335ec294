use super::super::Signer;
use super::super::tests::loopback::{Loopback, answer};
use super::*;
use http::header::AUTHORIZATION;
use http::{HeaderMap, Method};
use rustls::crypto::ring::default_provider;
use rustls::pki_types::alg_id;
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

/// Made for these tests by `openssl genrsa 2048`; it opens nothing. Its public half is beside it, as RSAPublicKey in DER.
const TEST_KEY: &str = include_str!("test_key.pem");
const TEST_KEY_PUBLIC: &[u8] = include_bytes!("test_key_public.der");
const NOW: u64 = 1_800_000_000;

fn key(token_uri: &str) -> Value {
    json!({
        "type": "service_account",
        "project_id": "a-project",
        "private_key_id": "the-key-id",
        "private_key": TEST_KEY,
        "client_email": "gateway@a-project.iam.gserviceaccount.com",
        "client_id": "1",
        "token_uri": token_uri,
    })
}

fn scopes() -> Vec<String> {
    ["https://www.googleapis.com/auth/cloud-platform", "email"].map(str::to_owned).to_vec()
}

fn signer(token_uri: &str) -> Signer {
    Signer::google_service_account(&key(token_uri).to_string(), &scopes()).unwrap()
}

async fn presented(signer: &Signer, seconds: u64) -> Result<String, String> {
    let now = UNIX_EPOCH + Duration::from_secs(NOW + seconds);
    let uri = Uri::from_static("/v1/projects/p/locations/l/publishers/google/models/m:generateContent");
    let signed =
        signer.sign(&Method::POST, &uri, "aiplatform.googleapis.com", &HeaderMap::new(), b"{}", now).await;
    let [(name, value)]: [_; 1] = signed.map_err(|error| error.to_string())?.try_into().unwrap();
    assert_eq!(name, AUTHORIZATION);
    assert!(value.is_sensitive());
    Ok(value.to_str().unwrap().to_owned())
}

/// A token endpoint that gives out `token-1`, `token-2` and so on, which live as long as it says.
async fn tokens(life: u64) -> Loopback {
    let given = AtomicUsize::new(0);
    Loopback::start(move |_, _| {
        let number = given.fetch_add(1, SeqCst) + 1;
        let token =
            json!({ "access_token": format!("token-{number}"), "expires_in": life, "token_type": "Bearer" });
        Some(answer(200, &token.to_string()))
    })
    .await
}

/// The header and the claims of a JSON Web Token that the test key has signed with RS256.
fn verified(jwt: &str) -> (Value, Value) {
    let parts: Vec<_> = jwt.split('.').collect();
    let [header, claims, signature]: [&str; 3] = parts.try_into().unwrap();
    let decoded = |part: &str| URL_SAFE_NO_PAD.decode(part).unwrap();
    let provider = default_provider();
    let rs256 = provider.signature_verification_algorithms.all.iter().find(|algorithm| {
        algorithm.signature_alg_id() == alg_id::RSA_PKCS1_SHA256
            && algorithm.public_key_alg_id() == alg_id::RSA_ENCRYPTION
    });
    let signed = format!("{header}.{claims}");
    rs256.unwrap().verify_signature(TEST_KEY_PUBLIC, signed.as_bytes(), &decoded(signature)).unwrap();
    let json = |part: &str| serde_json::from_slice(&decoded(part)).unwrap();
    (json(header), json(claims))
}

#[tokio::test]
async fn an_assertion_is_exchanged_for_a_token() {
    let endpoint = tokens(3600).await;
    let signer = signer(&endpoint.url("/token"));
    assert_eq!(presented(&signer, 0).await.unwrap(), "Bearer token-1");
    let asked = endpoint.asked();
    let (parts, body) = asked.first().unwrap();
    assert_eq!((parts.method.as_str(), parts.uri.path()), ("POST", "/token"));
    assert_eq!(parts.headers["content-type"], "application/x-www-form-urlencoded");
    let form: HashMap<_, _> = url::form_urlencoded::parse(body).into_owned().collect();
    assert_eq!(form.len(), 2);
    assert_eq!(form["grant_type"], "urn:ietf:params:oauth:grant-type:jwt-bearer");
    let (header, claims) = verified(&form["assertion"]);
    assert_eq!(header, json!({ "alg": "RS256", "typ": "JWT", "kid": "the-key-id" }));
    let expected = json!({
        "iss": "gateway@a-project.iam.gserviceaccount.com",
        "scope": "https://www.googleapis.com/auth/cloud-platform email",
        "aud": endpoint.url("/token"),
        "iat": NOW,
        "exp": NOW + 3600,
    });
    assert_eq!(claims, expected);
}

#[tokio::test]
async fn many_requests_share_a_token_and_another_is_fetched_before_it_expires() {
    let endpoint = tokens(40).await;
    let signer = Arc::new(signer(&endpoint.url("/token")));
    let mut requests = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let signer = Arc::clone(&signer);
        requests.spawn(async move { presented(&signer, 0).await.unwrap() });
    }
    assert_eq!(requests.join_all().await, vec!["Bearer token-1"; 50]);
    assert_eq!(presented(&signer, 29).await.unwrap(), "Bearer token-1");
    assert_eq!(endpoint.asked().len(), 1);
    assert_eq!(presented(&signer, 30).await.unwrap(), "Bearer token-1", "in use while the next is fetched");
    while presented(&signer, 30).await.unwrap() != "Bearer token-2" {
        tokio::task::yield_now().await;
    }
    assert_eq!(endpoint.asked().len(), 2);
    assert_eq!(presented(&signer, 30 + 40).await.unwrap(), "Bearer token-3", "an expired one is waited for");
}

#[tokio::test]
async fn what_the_endpoint_says_is_wrong_is_told() {
    for (status, text, says) in [
        (
            400,
            r#"{"error":"invalid_grant","error_description":"Invalid JWT Signature."}"#,
            "it answered 400 Bad Request: invalid_grant: Invalid JWT Signature.",
        ),
        (401, r#"{"error":"invalid_client"}"#, "it answered 401 Unauthorized: invalid_client"),
        (502, "<html>\n  Bad \u{7}gateway</html>", "it answered 502 Bad Gateway: <html> Bad gateway</html>"),
        (200, "s3cret", "it answered 200 OK without an `access_token`"),
        (200, r#"{"id_token":"s3cret"}"#, "it answered 200 OK without an `access_token`"),
        (200, r#"{"access_token":"s3\ncret"}"#, "its access token holds what no header can"),
        (
            200,
            r#"{"access_token":"s3cret","token_type":"mac"}"#,
            "its access token is of another `token_type` than `Bearer`",
        ),
        (200, r#"{"access_token":"s3cret","expires_in":"soon"}"#, "its `expires_in` is no number of seconds"),
        (
            200,
            r#"{"access_token":"s3cret","expires_in":18446744073709551615}"#,
            "its access token never ends",
        ),
        (
            200,
            r#"{"access_token":"s3cret","expires_in":0}"#,
            "it had expired already; is this machine's clock right?",
        ),
    ] {
        let endpoint = Loopback::start(move |_, _| Some(answer(status, text))).await;
        let url = endpoint.url("/token");
        let error = presented(&signer(&url), 0).await.unwrap_err();
        assert_eq!(error, format!("no credential from {url}: {says}"));
    }
}

#[tokio::test]
async fn an_endless_answer_is_an_error() {
    let endpoint = Loopback::start(|_, _| Some(answer(200, &" ".repeat(100_000)))).await;
    let error = presented(&signer(&endpoint.url("/")), 0).await.unwrap_err();
    assert!(error.contains("its answer, 200 OK, could not be read: length limit exceeded"), "{error}");
}

#[tokio::test]
async fn an_endpoint_that_nobody_listens_at_is_an_error() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/token", listener.local_addr().unwrap());
    drop(listener);
    let error = presented(&signer(&url), 0).await.unwrap_err();
    assert!(error.starts_with(&format!("no credential from {url}: ")) && error.contains("onnect"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_hangs_is_given_up_at_the_deadline() {
    let endpoint = Loopback::start(|_, _| None).await;
    let url = endpoint.url("/token");
    let begun = tokio::time::Instant::now();
    let error = presented(&signer(&url), 0).await.unwrap_err();
    assert_eq!(error, format!("no credential from {url}: no answer within 10 s"));
    assert_eq!(begun.elapsed().as_secs(), 10);
}

#[test]
fn a_key_that_is_none_is_refused_without_an_echo() {
    let with = |name: &str, value: Value| {
        let mut key = key(TOKEN_URI);
        key[name] = value;
        key.to_string()
    };
    let small = "-----BEGIN PRIVATE KEY-----\nczNjcmV0\n-----END PRIVATE KEY-----\n";
    let https = "the key of the Google service account has a `token_uri` that is no https URL";
    let pem = "the key of the Google service account has a `private_key` that is no private key in PEM; are its line breaks written as `\\n`?";
    for (text, says) in [
        ("s3cret".to_owned(), "the key of the Google service account is not JSON: line 1, column 1"),
        (
            "{\"a\":\n s3cret}".to_owned(),
            "the key of the Google service account is not JSON: line 2, column 2",
        ),
        ("[]".to_owned(), "the key of the Google service account has no `client_email`"),
        (with("client_email", Value::Null), "the key of the Google service account has no `client_email`"),
        (with("private_key", json!(7)), "the key of the Google service account has no `private_key`"),
        (with("private_key", json!("s3cret")), pem),
        (with("private_key", json!(TEST_KEY.replace('\n', "\\n"))), pem),
        (
            with("private_key", json!(small)),
            "the key of the Google service account has a `private_key` that is no RSA key of 2048 bits or more",
        ),
        (
            with("type", json!("authorized_user")),
            "the key of the Google service account is that of a user (`type: authorized_user`)",
        ),
        (
            with("type", json!("s3cret")),
            "the key of the Google service account is of another `type` than `service_account`",
        ),
        (with("token_uri", json!("http://192.0.2.1/token")), https),
        (with("token_uri", json!("http://localhost.example/token")), https),
        (with("token_uri", json!("/token")), https),
        (with("token_uri", json!("ftp://localhost/")), https),
        (
            with("token_uri", json!("https:// s3cret")),
            "the key of the Google service account has a `token_uri` that is no URL",
        ),
    ] {
        let error = Signer::google_service_account(&text, &scopes()).unwrap_err();
        assert_eq!(error.to_string(), says);
        assert!(!format!("{error:?}").contains("s3cret"));
    }
    for none in [vec![], vec![" ".to_owned()]] {
        let error = Signer::google_service_account(&key(TOKEN_URI).to_string(), &none).unwrap_err();
        assert_eq!(error, InvalidCredential::NoScope);
    }
}

#[test]
fn the_token_uri_may_be_left_out_and_may_be_on_this_machine_in_the_clear() {
    let mut without = key("");
    without.as_object_mut().unwrap().remove("token_uri");
    let signer = Signer::google_service_account(&without.to_string(), &scopes()).unwrap();
    assert_eq!(format!("{signer:?}"), r#"Google("https://oauth2.googleapis.com/token")"#);
    for here in ["http://127.0.0.1:1/token", "http://[::1]:1/token", "http://localhost/token"] {
        assert!(Signer::google_service_account(&key(here).to_string(), &scopes()).is_ok(), "{here}");
    }
}
