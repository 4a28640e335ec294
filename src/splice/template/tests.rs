//! Which paths fit, what they name, and what is written in its place.

use super::*;

fn template(text: &str, slash: Slash) -> Template {
    Template::parse(text, slash).expect(text)
}

fn asked(text: &str, slash: Slash, path: &str) -> Option<String> {
    let found = template(text, slash).find(path).expect(path)?;
    assert_eq!(percent::decode(&path[found.span]).unwrap(), *found.asked);
    Some(found.asked.into())
}

#[test]
fn paths_fit_segment_by_segment() {
    let table: [(&str, &[&str], &[&str]); 11] = [
        ("**", &["/", "/a", "//", "/a/b/"], &[]),
        (
            "**/a/b",
            &["/a/b", "/x/a/b", "//a/b", "/a/b/a/b"],
            &["/a/b/", "/xa/b", "/a", "/a//b", "/a/b/c", "/A/b"],
        ),
        ("/a/b", &["/a/b"], &["/a/b/", "/x/a/b", "/a", "/", "", "a/b", "/a/b?"]),
        ("/a/*/c", &["/a/b/c", "/a/%2F/c"], &["/a//c", "/a/b/b/c", "/a/c"]),
        ("/a/**", &["/a", "/a/", "/a/b/c"], &["/ab", "/", "/b/a"]),
        ("/a/**/z", &["/a/z", "/a/b/z", "/a//z"], &["/az", "/a", "/z", "/a/z/"]),
        ("**/a/**", &["/a", "/a/b", "/b/a", "/b/a/c"], &["/ab", "/", "/b"]),
        ("**/a/*/**/z", &["/a/b/z", "/a/a/b/c/z", "/x/a/b/z", "/a/a/z/z"], &["/a/z", "/a/b/z/y"]),
        ("/v/{model}:go", &["/v/m:go", "/v/a:go:go", "/v/:go"], &["/v/m", "/v/m:g", "/v/m:go/", "/v/a/m:go"]),
        ("**/p/*/m/{model}", &["/p/q/m/x", "/v/p/q/m/x"], &["/p/m/x", "/p//m/x", "/p/q/m/x/y"]),
        ("/a%20b", &["/a%20b"], &["/a b", "/a%20B", "/a+b"]),
    ];
    for (text, fitting, others) in table {
        let template = template(text, Slash::Refused);
        for path in fitting {
            assert!(template.fits(path), "{text} {path}");
        }
        for path in others {
            assert!(!template.fits(path), "{text} {path}");
            assert_eq!(template.find(path), Ok(None), "{text} {path}");
        }
        for path in fitting.iter().chain(others) {
            assert_eq!(template.fits(path), template.pattern.fit(path).is_some(), "{text} {path}");
        }
        assert_eq!(template.has_model(), text.contains("{model}"));
        assert_eq!(template.as_str(), text);
    }
}

#[test]
fn the_model_is_what_stands_in_its_place() {
    use Slash::{Encoded, Kept, Refused};
    let azure = "**/openai/deployments/{model}/chat/completions";
    let gemini = "**/models/{model}:generateContent";
    let bedrock = "/model/{model}/converse";
    let hugging_face = "**/models/{model}/v1/chat/completions";
    let table = [
        (azure, Refused, "/openai/deployments/gpt-4o/chat/completions", "gpt-4o"),
        (azure, Refused, "/x/openai/deployments/gpt%2D4o%20b/chat/completions", "gpt-4o b"),
        (gemini, Refused, "/v1beta/models/gemini-2.5-pro:generateContent", "gemini-2.5-pro"),
        (gemini, Refused, "/models/a%3Ab:c:generateContent", "a:b:c"),
        (gemini, Refused, "/models/models/models/m:generateContent", "m"),
        (bedrock, Encoded, "/model/anthropic.claude-v2%3A1/converse", "anthropic.claude-v2:1"),
        (bedrock, Encoded, "/model/arn:aws:x%2Fy/converse", "arn:aws:x/y"),
        (hugging_face, Kept, "/models/org/name/v1/chat/completions", "org/name"),
        (hugging_face, Kept, "/models/org%2Fname/v1/chat/completions", "org/name"),
        (hugging_face, Kept, "/models/models/v1/v1/chat/completions", "models/v1"),
        ("/m/{model}", Kept, "/m/a//b", "a//b"),
        ("/m/{model}", Kept, "/m/a/b/", "a/b"),
        ("/m/{model}/p/*", Kept, "/m/a/b/p/q/", "a/b"),
        ("/m/{model}x", Kept, "/m/a/bx/", "a/b"),
        ("/m/{model}/p", Kept, "/m/a//p", "a/"),
        ("/m/x{model}y/z", Kept, "/m/xa/by/z", "a/b"),
        ("/m/x{model}x", Kept, "/m/xx/x", "x/"),
        ("**/{model}", Refused, "/a/b", "b"),
        ("**/{model}", Kept, "/a/b", "a/b"),
        ("**/a/{model}/**", Refused, "/b/a/a/c", "a"),
    ];
    for (text, slash, path, model) in table {
        assert_eq!(asked(text, slash, path).as_deref(), Some(model), "{text} {path}");
    }
    for (text, path) in
        [("/m/x{model}x", "/m/x"), ("/m/{model}", "/m"), (hugging_face, "/models/v1/chat/completions")]
    {
        assert_eq!(asked(text, Kept, path), None, "{text} {path}");
    }
}

#[test]
fn what_is_no_name_of_a_model_is_refused() {
    let table = [
        ("/m/a%2Fb/x", "the model \"a/b\" in the path, at byte 3, holds a `/`"),
        (
            "/m/%/x",
            "the model in the path is not percent-encoded right: two hexadecimal digits must follow the `%` at byte 3",
        ),
        (
            "/m/a%4/x",
            "the model in the path is not percent-encoded right: two hexadecimal digits must follow the `%` at byte 4",
        ),
        ("/m/a%ff/x", "the model in the path, at byte 3, is not UTF-8"),
        ("/m//x", "the path names no model at byte 3"),
    ];
    for (path, message) in table {
        let error = template("/m/{model}/x", Slash::Refused).find(path).unwrap_err().to_string();
        assert!(error.starts_with(message), "{error}");
    }
    let template = template("/m/{model}", Slash::Kept);
    assert_eq!(template.find("/m/"), Err(PathError::NoModel { at: 3 }));
}

#[test]
fn a_name_is_written_so_that_it_is_one_segment_unless_slashes_are_kept() {
    let name = "org/a:b c%é";
    let table = [
        (Slash::Refused, "/m/org%2Fa%3Ab%20c%25%C3%A9:go"),
        (Slash::Encoded, "/m/org%2Fa%3Ab%20c%25%C3%A9:go"),
        (Slash::Kept, "/m/org/a%3Ab%20c%25%C3%A9:go"),
    ];
    for (slash, expected) in table {
        assert_eq!(replace("/m/x%2d:go", &(3..7), name, slash), expected);
        assert_eq!(
            Prefix::parse("/m/{model}:go").unwrap().with(Some(name), slash).as_deref(),
            Some(expected)
        );
    }
    assert_eq!(replace("/m", &(90..99), "x", Slash::Kept), "x");
}

#[test]
fn a_prefix_ends_where_a_segment_does() {
    let table = [
        ("/openai/v1", "/openai/v1/chat/completions", Some("/chat/completions")),
        ("/openai/v1", "/openai/v1", Some("")),
        ("/openai/v1", "/openai/v1/", Some("/")),
        ("/openai/v1", "/openai/v10", None),
        ("/openai/v1", "/openai", None),
        ("/openai/deployments/{model}", "/openai/deployments/a%2Fb/chat", Some("/chat")),
        ("/v1/projects/*/locations/*", "/v1/projects/p/locations/l/x", Some("/x")),
        ("/v1/projects/*/locations/*", "/v1/projects//locations/l/x", None),
    ];
    for (text, path, rest) in table {
        let prefix = Prefix::parse(text).unwrap();
        assert_eq!(prefix.strip(path), rest, "{text} {path}");
        assert_eq!(prefix.as_str(), text);
    }
    assert_eq!(Prefix::parse("/v1/*").unwrap().with(Some("m"), Slash::Kept), None);
    assert_eq!(Prefix::parse("/m/{model}").unwrap().with(None, Slash::Kept), None);
    for model in [Some("m"), None] {
        assert_eq!(Prefix::parse("/a/b").unwrap().with(model, Slash::Kept).as_deref(), Some("/a/b"));
    }
}

#[test]
fn what_is_no_pattern_says_why() {
    let table = [
        ("", Slash::Kept, "the pattern begins with neither"),
        ("a/b", Slash::Kept, "the pattern begins with neither `/` nor `**`"),
        ("*/b", Slash::Kept, "the pattern begins with neither"),
        ("**a", Slash::Kept, "the pattern begins with neither"),
        ("/", Slash::Kept, "the pattern has an empty segment"),
        ("/a//b", Slash::Kept, "the pattern has an empty segment"),
        ("**/a/", Slash::Kept, "the pattern has an empty segment"),
        ("/a b", Slash::Kept, "the pattern has ' ' in a segment"),
        ("/a?b", Slash::Kept, "the pattern has '?' in a segment"),
        ("/é", Slash::Kept, "the pattern has 'é' in a segment"),
        ("/a*/b", Slash::Kept, "a segment has a `*` beside other text"),
        ("/***", Slash::Kept, "a segment has a `*`"),
        ("/*{model}", Slash::Kept, "a segment has a `*`"),
        ("/{name}", Slash::Kept, "a segment has braces around something else than `{model}`"),
        ("/{model", Slash::Kept, "a segment has braces"),
        ("/{{model}}", Slash::Kept, "a segment has braces"),
        ("/{model}{model}", Slash::Kept, "the pattern has `{model}` twice"),
        ("/{model}/{model}", Slash::Refused, "the pattern has `{model}` twice"),
        ("/{model}/**/{model}", Slash::Refused, "the pattern has `{model}` twice"),
        ("/{model}/a/{model}", Slash::Kept, "the pattern has `{model}` twice"),
        ("**/**", Slash::Kept, "the pattern has `**` more than twice, or twice in a row"),
        ("**/a/**/b/**", Slash::Kept, "the pattern has `**` more than twice"),
        ("**/a/**/b/{model}", Slash::Kept, "the pattern has `**` more than twice"),
        ("/{model}/a/**", Slash::Kept, "the pattern has `**` after a `{model}` of several segments"),
    ];
    for (text, slash, message) in table {
        let error = Template::parse(text, slash).expect_err(text).to_string();
        assert!(error.starts_with(message), "{error}");
    }
    let error = Prefix::parse("/a/**").unwrap_err().to_string();
    assert!(error.starts_with("the prefix has `**`"), "{error}");
}

#[test]
fn long_paths_are_gone_through_once() {
    let path = "/a".repeat(500_000);
    for (text, fits) in
        [("**/a/a/a/b/**", false), ("**/a/a/a/**", true), ("**/b/**/a", false), ("/a/**/a", true)]
    {
        assert_eq!(template(text, Slash::Refused).fits(&path), fits, "{text}");
    }
    let kept = template("**/a/a/{model}b", Slash::Kept);
    assert_eq!(kept.find(&path), Ok(None));
}
