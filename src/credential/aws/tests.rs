use super::super::tests::loopback::{Loopback, answer};
use super::super::{AwsScope, Signer};
use super::*;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue, Method, Uri};
use std::time::{Duration, UNIX_EPOCH};

/// 2099-01-01T00:00:00Z, when what the mock gives out expires: AWS's provider compares with its own clock.
const EXPIRES: u64 = 4_070_908_800;

fn scope() -> AwsScope {
    AwsScope::new("bedrock", "us-east-1").unwrap()
}

/// The id of the key that `signer` signs with, and the session token it presents; or why it does not.
async fn presented(signer: &Signer, seconds: u64) -> Result<(String, Option<String>), String> {
    let now = UNIX_EPOCH + Duration::from_secs(seconds);
    let uri = Uri::from_static("/model/m/invoke");
    let signed = signer.sign(&Method::POST, &uri, "bedrock", &HeaderMap::new(), b"{}", now).await;
    let headers: HeaderMap = signed.map_err(|error| error.to_string())?.into_iter().collect();
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap().to_owned());
    let authorization = text(AUTHORIZATION.as_str()).unwrap();
    let (_, credential) = authorization.split_once("Credential=").unwrap();
    Ok((credential.split('/').next().unwrap().to_owned(), text("x-amz-security-token")))
}

#[test]
fn keys_that_cannot_be_are_refused_without_an_echo() {
    for (id, secret, token, says) in [
        ("", "s3cret", None, "the AWS access key id is not one word of letters and digits"),
        ("AKID s3cret", "s3cret", None, "the AWS access key id is not one word of letters and digits"),
        ("AKID", "", None, "the AWS secret access key is empty"),
        (
            "AKID",
            "s3cret\n",
            None,
            "the AWS secret access key holds a space, a line break or a character beyond ASCII",
        ),
        (
            "AKID",
            "s3cret",
            Some("s3cret\n"),
            "the AWS session token is empty, or holds a space, a line break or a character beyond ASCII",
        ),
    ] {
        let error = Signer::aws_keys(scope(), id, secret, token).unwrap_err();
        assert_eq!(error.to_string(), says);
    }
    assert_eq!(Signer::aws_profile(scope(), " ").unwrap_err().to_string(), "the AWS profile has no name");
    for (service, region) in
        [("Bedrock", "us-east-1"), ("", "us-east-1"), ("bedrock", "us/east"), ("bedrock", "")]
    {
        assert!(AwsScope::new(service, region).is_err(), "{service:?} {region:?}");
    }
}

fn profile(name: &str, file: PathBuf) -> Signer {
    Signer::aws(scope(), AwsOrigin::Profile { name: name.into(), file: Some(file) })
}

#[tokio::test]
async fn a_profile_signs_with_its_keys_and_is_read_again() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("credentials");
    let keys = |id: &str| {
        format!(
            "[default]\naws_access_key_id = DEFAULT\naws_secret_access_key = s\n\n[gateway]\naws_access_key_id = {id}\naws_secret_access_key = s\naws_session_token = t\n"
        )
    };
    std::fs::write(&file, keys("FIRST")).unwrap();
    let signer = profile("gateway", file.clone());
    assert_eq!(presented(&signer, 1_800_000_000).await, Ok(("FIRST".to_owned(), Some("t".to_owned()))));
    std::fs::write(&file, keys("SECOND")).unwrap();
    assert_eq!(presented(&signer, 1_800_000_599).await.unwrap().0, "FIRST");
    // The first request after ten minutes has the file read, and does not wait for it.
    while presented(&signer, 1_800_000_600).await.unwrap().0 != "SECOND" {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_profile_without_keys_is_an_error_that_names_it_until_it_has_some() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("credentials");
    std::fs::write(&file, "[default]\naws_access_key_id = DEFAULT\naws_secret_access_key = s3cret\n")
        .unwrap();
    let signer = profile("gateway", file.clone());
    let error = presented(&signer, 1_800_000_000).await.unwrap_err();
    assert!(error.starts_with("no credential from the profile `gateway` in AWS's shared files: "), "{error}");
    assert!(error.contains("gateway` was not defined") && !error.contains("s3cret"), "{error}");
    std::fs::write(&file, "[gateway]\ncredential_process = /bin/false\n").unwrap();
    let error = presented(&signer, 1_800_000_001).await.unwrap_err();
    assert!(error.contains("credentials-process"), "{error}");
    std::fs::write(&file, "[gateway]\naws_access_key_id = LATE\naws_secret_access_key = s\n").unwrap();
    assert_eq!(presented(&signer, 1_800_000_002).await, Ok(("LATE".to_owned(), None)));
    assert_eq!(
        format!("{signer:?}"),
        "Aws(AwsScope { service: \"bedrock\", region: \"us-east-1\" }, \"the profile `gateway` in AWS's shared files\")"
    );
}

const CREDENTIALS: &str = r#"{"Code": "Success", "Type": "AWS-HMAC", "AccessKeyId": "ASIAINSTANCE",
    "SecretAccessKey": "s3cret", "Token": "the session", "LastUpdated": "2098-12-31T18:00:00Z",
    "Expiration": "2099-01-01T00:00:00Z"}"#;

/// An instance's metadata as IMDSv2 has it: a token first, then the role, then its credentials.
async fn metadata(role: Option<&'static str>) -> Loopback {
    const LIFE: &str = "x-aws-ec2-metadata-token-ttl-seconds";
    Loopback::start(move |parts, _| {
        let token = parts.headers.get("x-aws-ec2-metadata-token").map(HeaderValue::as_bytes);
        Some(match (parts.method.as_str(), parts.uri.path(), role) {
            ("PUT", "/latest/api/token", _) => {
                let mut given = answer(200, "the metadata token");
                given.headers_mut().insert(LIFE, parts.headers[LIFE].clone());
                given
            }
            _ if token != Some(b"the metadata token") => answer(401, ""),
            ("GET", "/latest/meta-data/iam/security-credentials/", Some(role)) => answer(200, role),
            ("GET", "/latest/meta-data/iam/security-credentials/gateway-role", Some(_)) => {
                answer(200, CREDENTIALS)
            }
            _ => answer(404, ""),
        })
    })
    .await
}

fn machine(metadata: &Loopback) -> Signer {
    Signer::aws(scope(), AwsOrigin::Machine { metadata: Some(metadata.url("").into()) })
}

#[tokio::test]
async fn an_instance_signs_with_its_role() {
    let metadata = metadata(Some("gateway-role")).await;
    let signer = machine(&metadata);
    let expected = Ok(("ASIAINSTANCE".to_owned(), Some("the session".to_owned())));
    assert_eq!(presented(&signer, EXPIRES - 3600).await, expected);
    let asked: Vec<_> =
        metadata.asked().iter().map(|(parts, _)| format!("{} {}", parts.method, parts.uri.path())).collect();
    assert_eq!(
        asked,
        [
            "PUT /latest/api/token",
            "GET /latest/meta-data/iam/security-credentials/",
            "GET /latest/meta-data/iam/security-credentials/gateway-role"
        ]
    );
    assert_eq!(presented(&signer, EXPIRES - 301).await, expected);
    assert_eq!(metadata.asked().len(), 3, "kept");
    assert_eq!(presented(&signer, EXPIRES - 300).await, expected, "in use while it is fetched again");
    while metadata.asked().len() < 6 {
        tokio::task::yield_now().await;
    }
}

/// What is said where there is nothing but an instance's metadata, and these say `instance`.
fn nothing_but(instance: &str) -> String {
    format!(
        "no credential from AWS's metadata of this machine: \
         WebIdentityToken: $AWS_WEB_IDENTITY_TOKEN_FILE was not set; Container: ECS provider not configured; \
         Instance: {instance}"
    )
}

#[tokio::test]
async fn an_instance_without_a_role_is_an_error() {
    let metadata = metadata(None).await;
    let error = presented(&machine(&metadata), EXPIRES - 3600).await.unwrap_err();
    assert_eq!(error, nothing_but("received 404 from IMDS"));
}

// AWS's provider tries again after a while, which need not be waited for.
#[tokio::test(start_paused = true)]
async fn a_machine_without_metadata_is_an_error() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let signer = Signer::aws(scope(), AwsOrigin::Machine { metadata: Some(endpoint.into()) });
    let error = presented(&signer, EXPIRES - 3600).await.unwrap_err();
    assert!(error.starts_with(&nothing_but("could not communicate with IMDS: ")), "{error}");
    assert!(error.ends_with("Connection refused (os error 111)"), "{error}");
}
