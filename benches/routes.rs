//! Finding the operation for a method and a path.
//!
//! `cargo bench --bench routes`: a small gateway, one AI API of a thousand operations, and a thousand AI APIs.

#![allow(clippy::expect_used, reason = "a benchmark that cannot begin says where")]

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use evenkeel::config::built_in_vendor;
use evenkeel::gateway::{Access, AiApi, Context, Gateway, MethodPattern, Operation, PathPattern};
use http::{Method, Uri};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn api(context: &str, operations: impl Iterator<Item = (&'static str, String)>) -> AiApi {
    let operation = |(method, path): (&str, String)| {
        let method = MethodPattern::parse(method).expect("a method");
        Operation::new(method, PathPattern::parse(&path).expect("a path"), None, None)
    };
    AiApi::new(
        context,
        Context::parse(context).expect("a context"),
        built_in_vendor("openai").expect("a vendor"),
        Access::Open,
        None,
        None,
        operations.map(operation).collect(),
    )
}

/// As most are: some paths, and one for all else.
fn small() -> Gateway {
    let operations =
        [("POST", "/chat/completions"), ("POST", "/embeddings"), ("GET", "/models"), ("*", "/files/*")];
    let operations = operations.map(|(method, path)| (method, path.to_owned()));
    Gateway::new(vec![api("/smartchat", operations.into_iter())], 1).expect("a gateway")
}

/// A hundred groups of ten operations each.
fn many_operations() -> Gateway {
    let operations = (0..100).flat_map(|team| {
        let exact = (0..7).map(move |number| ("POST", format!("/v1/team-{team}/chat/{number}/completions")));
        let other = [
            ("GET", format!("/v1/team-{team}/models")),
            ("*", format!("/v1/team-{team}/files/*")),
            ("DELETE", format!("/v1/team-{team}/files/archive/*")),
        ];
        exact.chain(other)
    });
    Gateway::new(vec![api("/smartchat", operations)], 1).expect("a gateway")
}

fn many_apis() -> Gateway {
    let apis = (0..1_000).map(|number| {
        let operations = [("POST", "/chat/completions".to_owned())];
        api(&format!("/team-{number}"), operations.into_iter())
    });
    Gateway::new(apis.collect(), 1).expect("a gateway")
}

fn look_up(c: &mut Criterion) {
    let (small, operations, apis) = (small(), many_operations(), many_apis());
    let cases = [
        ("4 operations/exact", &small, "POST", "/smartchat/chat/completions"),
        ("4 operations/below a prefix", &small, "GET", "/smartchat/files/file-1/content"),
        ("4 operations/unknown", &small, "POST", "/smartchat/completions"),
        ("1000 operations/exact", &operations, "POST", "/smartchat/v1/team-57/chat/3/completions"),
        (
            "1000 operations/exact, with a query",
            &operations,
            "POST",
            "/smartchat/v1/team-57/chat/3/completions?api-version=2026-01-01&user=someone",
        ),
        ("1000 operations/below a prefix", &operations, "GET", "/smartchat/v1/team-57/files/file-1/content"),
        (
            "1000 operations/below the longer of two",
            &operations,
            "DELETE",
            "/smartchat/v1/team-57/files/archive/file-1",
        ),
        ("1000 operations/another method", &operations, "DELETE", "/smartchat/v1/team-57/models"),
        ("1000 operations/unknown", &operations, "POST", "/smartchat/v1/team-57/nothing"),
        ("1000 AI APIs/exact", &apis, "POST", "/team-570/chat/completions"),
        ("1000 AI APIs/unknown", &apis, "POST", "/teams/chat/completions"),
    ];
    let mut group = c.benchmark_group("routes");
    for (name, gateway, method, uri) in cases {
        let method: Method = method.parse().expect("a method");
        let uri: Uri = uri.parse().expect("a URI");
        group.bench_function(name, |b| {
            b.iter(|| {
                gateway.route(black_box(&method), black_box(&uri).path()).map(|route| route.context_len)
            });
        });
    }
    group.finish();
}

fn config() -> Criterion {
    Criterion::default().warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(2))
}

criterion_group! { name = benches; config = config(); targets = look_up }
criterion_main!(benches);
