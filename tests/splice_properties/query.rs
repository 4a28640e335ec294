//! Queries, held against another parser.

use evenkeel::splice::query::{QueryError, append, find, replace, with_default, without};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

/// The parameters as another parser reads them.
fn parsed(query: &str) -> Vec<(String, String)> {
    url::form_urlencoded::parse(query.as_bytes()).into_owned().collect()
}

fn query() -> impl Strategy<Value = String> {
    let token = select(vec![
        "model", "mod%65l", "model=a", "model=", "mo+del", "Model=a", "v=1", "%76=2", "&", "&", "&", "=",
        "+", "%2F", "%", "%f", "%ff", "é", "?", "/",
    ]);
    prop_oneof![4 => vec(token, 0..10).prop_map(|tokens| tokens.concat()), 1 => "\\PC{0,30}"]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(ProptestConfig::default().cases * 8))]

    #[test]
    fn the_same_value_is_found(query in query()) {
        let named: Vec<_> = parsed(&query).into_iter().filter(|(name, _)| name == "model").collect();
        match find(&query, "model") {
            Ok(found) => {
                prop_assert!(named.len() <= 1);
                let asked = found.map(|found| found.asked.into_string());
                prop_assert_eq!(asked.as_ref(), named.first().map(|(_, value)| value));
            }
            Err(QueryError::Twice { .. }) => prop_assert!(named.len() > 1),
            // The other parser lets pass what is not encoded right.
            Err(QueryError::BadEncoding { at, .. }) => prop_assert_eq!(&query[at..=at], "%"),
            Err(QueryError::InvalidUtf8 { .. }) => {
                let is_lossy = named.iter().any(|(_, value)| value.contains(char::REPLACEMENT_CHARACTER));
                prop_assert!(is_lossy);
            }
        }
    }

    #[test]
    fn only_the_values_bytes_differ(query in query(), value in "\\PC{0,20}") {
        let Ok(Some(found)) = find(&query, "model") else { return Ok(()) };
        let other = replace(&query, &found, &value);
        prop_assert!(other.starts_with(&query[..found.span.start]));
        prop_assert!(other.ends_with(&query[found.span.end..]));
        let mut expected = parsed(&query);
        expected.iter_mut().filter(|(name, _)| name == "model").for_each(|(_, old)| old.clone_from(&value));
        prop_assert_eq!(parsed(&other), expected);
    }

    #[test]
    fn what_is_added_stands_at_the_end(query in query(), name in "[a-z&= é]{1,5}", value in "\\PC{0,20}") {
        let mut expected = parsed(&query);
        let has_it = expected.iter().any(|(other, _)| *other == name);
        let defaulted = with_default(&query, &name, &value);
        prop_assert_eq!(*defaulted == *query, has_it);
        expected.push((name.clone(), value.clone()));
        let appended = append(&query, &name, &value);
        prop_assert!(appended.starts_with(&query));
        prop_assert_eq!(parsed(&appended), expected);
        prop_assert!(has_it || *defaulted == *appended);
    }

    #[test]
    fn what_is_taken_off_is_gone_and_nothing_else(query in query()) {
        let names = ["model", "v"];
        let mut expected = parsed(&query);
        expected.retain(|(name, _)| !names.contains(&name.as_str()));
        prop_assert_eq!(parsed(&without(&query, &names)), expected);
    }
}
