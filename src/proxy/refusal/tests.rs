use super::*;

#[test]
fn the_body_has_openais_shape() {
    let refusal = Refusal::RequestTooLarge { limit: 10 };
    let body: serde_json::Value = serde_json::from_slice(&refusal.body()).unwrap();
    assert_eq!(
        body,
        serde_json::json!({"error": {
            "message": "The request body is larger than the 10 bytes that this gateway accepts.",
            "type": "invalid_request_error",
            "param": null,
            "code": "request_too_large",
        }})
    );
}

#[test]
fn statuses_and_codes_are_those_of_the_contract() {
    let api = || "A".to_owned();
    let table = [
        (Refusal::InvalidApiKey(KeyFault::Missing), 401, "invalid_api_key"),
        (Refusal::EnvironmentNotAvailable(Environment::Sandbox), 403, "environment_not_available"),
        (Refusal::ApiNotSubscribed { api: api() }, 403, "api_not_subscribed"),
        (Refusal::NoRoute(NoRoute::Api), 404, "api_not_found"),
        (Refusal::NoRoute(NoRoute::Operation { api: api() }), 404, "operation_not_found"),
        (Refusal::NoRoute(NoRoute::Method { api: api(), allow: "GET".into() }), 405, "method_not_allowed"),
        (Refusal::RequestTooLarge { limit: 1 }, 413, "request_too_large"),
        (Refusal::UnsupportedContentEncoding(Unsupported::Several), 415, "unsupported_content_encoding"),
        (Refusal::UpstreamUnreachable, 502, "upstream_unreachable"),
        (Refusal::NoActiveEndpoints { retry_after: Some(Duration::ZERO) }, 503, "no_active_endpoints"),
        (Refusal::UpstreamTimeout, 504, "upstream_timeout"),
    ];
    for (refusal, status, code) in table {
        assert_eq!((refusal.status().as_u16(), refusal.code()), (status, code));
    }
}

#[test]
fn a_form_in_the_place_of_json_is_called_one() {
    let refused = |body: &[u8]| {
        Refusal::InvalidJson(crate::splice::locate(body, &"model".parse().unwrap()).unwrap_err())
    };
    let form = Some("multipart/form-data");
    let told = refused(b"--b\r\n").told_of(form);
    assert_eq!((told.status().as_u16(), told.code(), told.param()), (400, "invalid_json", None));
    let expected = "its Content-Type is multipart/form-data, and at this path it must be a JSON object";
    assert!(told.message().contains(expected), "{}", told.message());
    // JSON that was only called a form, and what was called none.
    for (body, form) in [(&b"{\"model\": 3}"[..], form), (b"--b\r\n", None)] {
        assert_eq!(refused(body).told_of(form), refused(body));
    }
}

#[test]
fn retry_after_is_rounded_up_and_at_least_a_second() {
    let table = [(0, 1), (1, 1), (999, 1), (1_000, 1), (1_001, 2), (29_500, 30)];
    for (milliseconds, seconds) in table {
        let retry_after = Duration::from_millis(milliseconds);
        let refusal = Refusal::NoActiveEndpoints { retry_after: Some(retry_after) };
        assert_eq!(refusal.retry_after(), Some(seconds), "{milliseconds} ms");
    }
}
