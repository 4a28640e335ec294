//! The table of all that the admin address answers to.

use super::operation::Route;
use super::refusal::{Code, Refusal};
use super::{describe, keys, metrics, probes, reload, served, status, steer, template};
use http::Method;
use std::sync::LazyLock;

static TABLE: LazyLock<Vec<Route>> = LazyLock::new(|| {
    vec![
        Route::of::<probes::Livez>(),
        Route::of::<probes::Readyz>(),
        Route::of::<metrics::Metrics>(),
        Route::of::<describe::Document>(),
        Route::of::<status::GetStatus>(),
        Route::of::<served::GetConfig>(),
        Route::of::<reload::Reload>(),
        Route::of::<steer::Suspend>(),
        Route::of::<steer::Resume>(),
        Route::of::<steer::Drain>(),
        Route::of::<keys::ListKeys>(),
        Route::of::<keys::CreateKey>(),
        Route::of::<keys::RevokeKey>(),
    ]
});

/// All routes.
pub(super) fn all() -> &'static [Route] {
    &TABLE
}

/// A route, and what stands in the path for its names.
pub(super) type Found = (&'static Route, Vec<(&'static str, String)>);

/// The route of a request.
pub(super) fn find(method: &Method, path: &str) -> Result<Found, Refusal> {
    let mut allowed = Vec::new();
    for route in all() {
        let Some(names) = template::matches(route.path, path) else {
            continue;
        };
        let is_head = method == Method::HEAD && route.method == Method::GET;
        if route.method == *method || is_head {
            return Ok((route, names));
        }
        allowed.push(route.method.clone());
        if route.method == Method::GET {
            allowed.push(Method::HEAD);
        }
    }
    match allowed.as_slice() {
        [] => {
            let message = "there is nothing at this path; GET /api/v1/openapi.json tells what there is";
            Err(Refusal::new(Code::NotFound, message))
        }
        allowed => Err(Refusal::method(allowed)),
    }
}
