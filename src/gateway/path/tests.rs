use super::*;

#[test]
fn contexts() {
    for good in ["/a", "/smartchat", "/team-a/v1.0"] {
        assert_eq!(Context::parse(good).unwrap().as_str(), good);
    }
    let bad = [
        ("", PathError::NotAbsolute),
        ("smartchat", PathError::NotAbsolute),
        ("/", PathError::TrailingSlash),
        ("/a/", PathError::TrailingSlash),
        ("/a//b", PathError::EmptySegment),
        ("/a/../b", PathError::DotSegment),
        ("/a/*", PathError::Star),
        ("/a?b", PathError::Character('?')),
        ("/a b", PathError::Character(' ')),
        ("/ä", PathError::Character('ä')),
    ];
    for (text, expected) in bad {
        assert_eq!(Context::parse(text).unwrap_err(), expected, "{text}");
    }
}

#[test]
fn what_is_left_below_a_context() {
    let context = Context::parse("/chat").unwrap();
    let table = [
        ("/chat", Some("")),
        ("/chat/", Some("/")),
        ("/chat/completions", Some("/completions")),
        ("/chatter", None),
        ("/", None),
        ("", None),
    ];
    for (path, expected) in table {
        assert_eq!(context.rest(path), expected, "{path}");
    }
}

#[test]
fn an_exact_match_beats_a_prefix_and_a_longer_prefix_a_shorter() {
    let path = "/files/a/b";
    let specificity = |text| PathPattern::parse(text).unwrap().specificity(path);
    assert!(specificity("/files/a/b") > specificity("/files/a/*"));
    assert!(specificity("/files/a/*") > specificity("/files/*"));
    assert!(specificity("/files/*") > specificity("/*"));
    assert_eq!(specificity("/files/a/b/*"), None);
    assert_eq!(specificity("/files/a"), None);
}

#[test]
fn a_star_is_below_not_at() {
    let below = PathPattern::parse("/files/*").unwrap();
    assert_eq!(below.specificity("/files"), None);
    assert_eq!(below.specificity("/files/"), None);
    assert!(below.specificity("/files/x").is_some());
    assert_eq!(below.to_string(), "/files/*");
}

#[test]
fn bad_patterns() {
    for bad in [
        "",
        "files",
        "/a*",
        "/*/a",
        "/a/**",
        "/a//*",
        "/../*",
        "/a?x=1",
        "/{a}/*",
        "/{a",
        "/a/{b}//c",
        "/{a}?",
    ] {
        assert!(PathPattern::parse(bad).is_err(), "{bad}");
    }
    for good in ["/", "/*", "/a", "/a/", "/a/b:c/*", "/models/{model}:x", "/{a}/b"] {
        assert!(PathPattern::parse(good).is_ok(), "{good}");
    }
}

#[test]
fn methods() {
    assert_eq!(MethodPattern::parse("*"), Some(MethodPattern::Any));
    assert!(MethodPattern::parse("POST").unwrap().matches(&Method::POST));
    assert!(!MethodPattern::parse("POST").unwrap().matches(&Method::GET));
    for bad in ["post", "", "GET POST", "G@T"] {
        assert_eq!(MethodPattern::parse(bad), None, "{bad}");
    }
}

#[test]
fn dot_segments_are_seen_in_every_spelling() {
    for path in ["/a/..", "/./a", "/a/%2e%2E/b", "/a/.%2e", "/a\\..\\b", "/%2e"] {
        assert!(has_dot_segment(path), "{path}");
    }
    for path in ["/a", "/a.b", "/...", "/a/..b", "/%2f", "/%2e%2e%2e", "/é%2"] {
        assert!(!has_dot_segment(path), "{path}");
    }
}
