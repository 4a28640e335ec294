//! The way from a method and a path to an operation.

use super::{AiApi, Gateway, MethodPattern, Operation, path::has_dot_segment};
use http::Method;
use std::sync::Arc;

/// Where a request goes.
#[derive(Debug, Clone, Copy)]
pub struct Route<'a> {
    /// The AI API at whose context the path stands.
    pub api: &'a Arc<AiApi>,
    /// Its operation for the method and the rest of the path.
    pub operation: &'a Arc<Operation>,
    /// How many bytes of the path are the context; the rest is appended to the endpoint's URL.
    pub context_len: usize,
}

/// A request goes nowhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoRoute {
    /// No AI API is mounted there.
    Api,
    /// The AI API `api` has no operation at that path.
    Operation {
        /// The AI API's name.
        api: String,
    },
    /// The AI API `api` has the path under other methods only.
    Method {
        /// The AI API's name.
        api: String,
        /// Those methods, as the `Allow` header lists them.
        allow: String,
    },
}

impl Gateway {
    /// The AI API and operation for a request: the longest context, then the exact path, then the longest prefix; the
    /// method's own operation before one for any method.
    ///
    /// # Errors
    /// [`NoRoute`] says what is missing. A path with a `.` or `..` segment is at no operation.
    pub fn route(&self, method: &Method, path: &str) -> Result<Route<'_>, NoRoute> {
        let api = self.contexts.at(path).and_then(|place| self.apis.get(place)).ok_or(NoRoute::Api)?;
        let rest = api.context().rest(path).unwrap_or_default();
        let no_operation = || NoRoute::Operation { api: api.name().to_owned() };
        if has_dot_segment(rest) {
            return Err(no_operation());
        }
        if let Some(operation) = api.operations_at(rest).find_map(|at_path| for_method(at_path, method)) {
            let context_len = path.len() - rest.len();
            return Ok(Route { api, operation, context_len });
        }
        let mut allow: Vec<_> = api.operations_at(rest).flatten().map(|o| o.method().as_str()).collect();
        if allow.is_empty() {
            return Err(no_operation());
        }
        allow.sort_unstable();
        allow.dedup();
        Err(NoRoute::Method { api: api.name().to_owned(), allow: allow.join(", ") })
    }
}

/// Of the operations of one path the one for `method`: the method's own before one for any method.
fn for_method<'a>(
    operations: impl Iterator<Item = &'a Arc<Operation>>,
    method: &Method,
) -> Option<&'a Arc<Operation>> {
    let is_own = |operation: &&Arc<Operation>| matches!(operation.method(), MethodPattern::One(_));
    operations.filter(|operation| operation.method().matches(method)).max_by_key(is_own)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::built_in_vendor;
    use crate::gateway::{Access, Context, PathPattern};
    use proptest::prelude::*;

    fn api(name: &str, context: &str, operations: &[(&str, &str)]) -> AiApi {
        let operations = operations.iter().map(|(method, path)| {
            let method = MethodPattern::parse(method).unwrap();
            Operation::new(method, PathPattern::parse(path).unwrap(), None, None)
        });
        AiApi::new(
            name,
            Context::parse(context).unwrap(),
            built_in_vendor("openai").unwrap(),
            Access::Open,
            None,
            None,
            operations.collect(),
        )
    }

    fn gateway() -> Gateway {
        let chat = [
            ("POST", "/chat/completions"),
            ("GET", "/models"),
            ("*", "/files/*"),
            ("DELETE", "/files/archive/*"),
            ("PUT", "/files/*"),
            ("GET", "/files/index"),
        ];
        let apis = vec![api("Chat", "/chat", &chat), api("Team", "/chat/team", &[("*", "/*")])];
        Gateway::new(apis, 1).unwrap()
    }

    #[test]
    fn the_most_specific_operation_is_taken() {
        let table = [
            ("POST", "/chat/chat/completions", "Chat", "POST /chat/completions"),
            ("GET", "/chat/files/index", "Chat", "GET /files/index"),
            ("POST", "/chat/files/index", "Chat", "* /files/*"),
            ("PUT", "/chat/files/a/b", "Chat", "PUT /files/*"),
            ("DELETE", "/chat/files/archive/x", "Chat", "DELETE /files/archive/*"),
            ("GET", "/chat/files/archive/x", "Chat", "* /files/*"),
            ("GET", "/chat/team/x", "Team", "* /*"),
        ];
        let gateway = gateway();
        for (method, path, api, operation) in table {
            let route = gateway.route(&method.parse().unwrap(), path).unwrap();
            let found = &route.operation;
            let found = format!("{} {}", found.method().as_str(), found.path());
            assert_eq!((route.api.name(), found.as_str()), (api, operation), "{method} {path}");
            assert!(path[route.context_len..].starts_with('/'));
        }
    }

    #[test]
    fn what_goes_nowhere_is_told_why() {
        let operation = || NoRoute::Operation { api: "Chat".into() };
        let table = [
            ("POST", "/other", NoRoute::Api),
            ("POST", "/chatter/completions", NoRoute::Api),
            ("POST", "/chat", operation()),
            ("POST", "/chat/unknown", operation()),
            ("POST", "/chat/chat/completions/", operation()),
            ("GET", "/chat/files/../models", operation()),
            ("GET", "/chat/files/%2e%2e/models", operation()),
            ("DELETE", "/chat/models", NoRoute::Method { api: "Chat".into(), allow: "GET".into() }),
        ];
        let gateway = gateway();
        for (method, path, expected) in table {
            let found = gateway.route(&method.parse().unwrap(), path).unwrap_err();
            assert_eq!(found, expected, "{method} {path}");
        }
    }

    #[test]
    fn one_context_is_mounted_once() {
        let apis = vec![api("A", "/a", &[]), api("B", "/a", &[])];
        let error = Gateway::new(apis, 1).unwrap_err();
        assert_eq!(error.to_string(), "the context `/a` is that of `A` already");
    }

    /// A path of a few letters, so that many of them meet.
    fn path() -> impl Strategy<Value = String> {
        "(/[ab]{0,2}){1,4}"
    }

    proptest! {
        /// The index answers as a look at every AI API and every operation does.
        #[test]
        fn nothing_is_overlooked(
            contexts in prop::collection::btree_set("(/[ab]){1,3}", 1..6),
            operations in prop::collection::vec(
                (prop::sample::select(vec!["GET", "POST", "*"]), "(/[ab]{1,2}|/a?\\{x\\}b?){1,3}|(/[ab]{1,2}){1,3}(/\\*)?|/\\*"), 0..12,
            ),
            asked in prop::collection::vec(path(), 1..20),
        ) {
            let operations: Vec<_> = operations.iter().map(|(method, path)| (*method, path.as_str())).collect();
            let apis = contexts.iter().map(|context| api(context, context, &operations)).collect();
            let gateway = Gateway::new(apis, 1).unwrap();
            for path in asked {
                for method in [Method::GET, Method::POST, Method::PUT] {
                    let found = gateway.route(&method, &path).ok().map(|route| {
                        (route.api.name(), route.operation.method().clone(), route.operation.path().clone())
                    });
                    prop_assert_eq!(found, looked_for(&gateway, &method, &path), "{} {}", method, path);
                }
            }
        }
    }

    /// The slow and plain way.
    fn looked_for<'a>(
        gateway: &'a Gateway,
        method: &Method,
        path: &str,
    ) -> Option<(&'a str, MethodPattern, PathPattern)> {
        let at_context = gateway.apis().iter().filter(|api| api.context().rest(path).is_some());
        let api = at_context.max_by_key(|api| api.context().as_str().len())?;
        let rest = api.context().rest(path)?;
        let matching = api.operations().iter().filter(|operation| operation.method().matches(method));
        let best =
            matching.filter(|operation| operation.path().specificity(rest).is_some()).max_by_key(|o| {
                let text = std::cmp::Reverse(o.path().to_string());
                (o.path().specificity(rest), text, o.method() != &MethodPattern::Any)
            })?;
        Some((api.name(), best.method().clone(), best.path().clone()))
    }
}
