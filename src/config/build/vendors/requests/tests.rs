use crate::config::{Process, parse};

/// What is said of a configuration with a vendor of these rules.
fn told(rules: &str) -> Result<(), String> {
    let text = format!(
        "
listeners: [{{ address: '127.0.0.1:1' }}]
vendors:
  mine: {{ extends: gemini, requests: [{rules}] }}
apis:
  - name: Mine
    context: /mine
    vendor: mine
    endpoints: {{ production: [{{ name: P, url: 'http://127.0.0.1:1' }}] }}
    operations: [{{ method: GET, path: /models }}]"
    );
    parse("test", &text, &Process).map(drop).map_err(|report| report.to_string())
}

#[test]
fn a_model_in_json_may_be_of_several_and_after_a_prefix() {
    for rule in [
        "{ path: '**/{model}:a', json: 'requests[].model', prefix: models/ }",
        "{ path: '**/{model}:a', json: 'a.b[].c[].model' }",
        "{ path: '**/{model}:a', json: model, prefix: 'projects/p-1/models/' }",
        "{ path: '**', json: model, prefix: models/ }",
    ] {
        assert_eq!(told(rule), Ok(()), "{rule}");
    }
}

#[test]
fn a_query_parameter_has_a_name() {
    for name in ["model", "$model", "filter[model]", "é"] {
        assert_eq!(told(&format!("{{ path: '**', query: '{name}' }}")), Ok(()), "{name}");
    }
    for name in ["", "a&b=c", "a=b", "#a", "a+b", "a%20b", "a b", "a\\tb", "a\\u00a0b"] {
        let report = told(&format!("{{ path: '**', query: \"{name}\" }}")).unwrap_err();
        assert!(
            report.contains("the name of a query parameter is not empty and has no `&`"),
            "{name}: {report}"
        );
    }
}

#[test]
fn what_cannot_be_says_why() {
    let table = [
        (
            "{ path: '**', header: Transfer-Encoding }",
            "`Transfer-Encoding` cannot hold the model: it belongs to one connection or is computed for each request",
        ),
        ("{ path: '**', header: x-api-key }", "`x-api-key` cannot hold the model: keys are presented in it"),
        (
            "{ path: '**', json: 'requests[].model' }",
            "a JSON path with `[]` can only follow a model that stands in the path",
        ),
        ("{ path: '**/{model}:a', json: 'requests[]' }", "the JSON path ends with `[]`"),
        ("{ path: '**/{model}:a', json: 'a[0].model' }", "the JSON path has '['"),
        ("{ path: '**/{model}:a', prefix: models/ }", "`prefix` has no meaning here"),
        ("{ path: '**', multipart: model, prefix: models/ }", "`prefix` has no meaning here"),
        ("{ path: '**', json: model, prefix: '' }", "a prefix is not empty: leave it out"),
        ("{ path: '**', json: model, prefix: 'a b' }", "the prefix has ' '"),
    ];
    for (rule, message) in table {
        let report = told(rule).unwrap_err();
        assert!(report.contains(message), "{report}");
        assert!(report.contains("vendors.mine.requests[0]"), "{report}");
        assert!(report.ends_with("1 error"), "{report}");
    }
}
