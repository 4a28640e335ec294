use super::*;

fn refused(lists: &Lists) -> String {
    Fields::new(&Lists::default(), lists, &ErrorEvents::default()).unwrap_err().to_string()
}

#[test]
fn a_path_that_cannot_be_followed_is_named() {
    let prompt = |path: &str| Lists { prompt_tokens: texts(&[path]), ..Lists::default() };
    for (path, reason) in [
        ("", "has an empty key"),
        ("usage..a", "has an empty key"),
        ("a + ", "has an empty key"),
        ("usage.\"a\"", "has a quote"),
        ("a.b.c.d.e.f.g.h.i", "has more than 8 keys"),
        (&"k".repeat(65), "has a key of more than 64 bytes"),
    ] {
        let message = refused(&prompt(path));
        let (_, part) = message.split_once("`stream.prompt_tokens`: `").unwrap();
        assert!(part.contains(reason), "{message}");
    }
    let sum = Lists { model: texts(&["a + b"]), ..Lists::default() };
    assert_eq!(refused(&sum), "`stream.model`: `a + b` is a sum, but this is a text: give one path");
    let many: Vec<String> = (0..33).map(|number| format!("k{number}")).collect();
    let many = Lists { total_tokens: many, ..Lists::default() };
    assert!(refused(&many).starts_with("`stream.total_tokens`: `k32` is one path too many"));
    let sum = Fields::new(&prompt("a.b.c.d.e.f.g.h + a-b"), &Lists::default(), &ErrorEvents::default());
    assert!(sum.is_ok());
}

#[test]
fn one_value_may_be_wanted_for_several_fields() {
    let lists = Lists {
        prompt_tokens: texts(&["u.a + u.b"]),
        cached_tokens: texts(&["u.b"]),
        // An object that is a field as well, and one field that another begins with.
        total_tokens: texts(&["u", "u.b"]),
        ..Lists::default()
    };
    let fields = Arc::new(Fields::new(&lists, &lists, &ErrorEvents::default()).unwrap());
    let outcome = read_with(&fields, Kind::Json, None, br#"{"u":{"a":1,"b":2}}"#, 3);
    assert_eq!(outcome.usage, usage(3, None, 2, 2));
}

#[test]
fn where_nothing_is_wanted_nothing_is_told() {
    let fields = Fields::new(&Lists::default(), &Lists::default(), &ErrorEvents::default());
    let fields = Arc::new(fields.unwrap());
    let event = b"event: error\ndata: {\"error\":{},\"usage\":{\"prompt_tokens\":1}}\n\n";
    let outcome = read_with(&fields, Kind::Events, None, event, usize::MAX);
    assert_eq!((outcome.seen, outcome.usage), (Seen::Events, Usage::default()));
}
