use super::*;

#[test]
fn names_stand_between_dots() {
    for (text, expected) in [
        ("model", &["model"][..]),
        ("input.model", &["input", "model"]),
        ("a-b.c_d.$e.@f.9", &["a-b", "c_d", "$e", "@f", "9"]),
    ] {
        let path: JsonPath = text.parse().unwrap();
        let names: Vec<_> = path.levels().map(|level| level.name).collect();
        assert_eq!(names, expected);
        assert_eq!(path.to_string(), text);
        let models: Vec<_> = path.levels().map(|level| level.is_model).collect();
        assert_eq!(models.iter().filter(|is_model| **is_model).count(), 1);
        assert_eq!(models.last(), Some(&true));
    }
    assert_eq!(JsonPath::model(), "model".parse().unwrap());
}

#[test]
fn brackets_follow_the_name_of_an_array() {
    let path: JsonPath = "a.b[].c.d[].model".parse().unwrap();
    let names: Vec<_> = path.levels().map(|level| (level.name, level.is_array)).collect();
    assert_eq!(names, [("a", false), ("b", true), ("c", false), ("d", true), ("model", false)]);
    assert!(path.is_each());
    assert_eq!(path.to_string(), "a.b[].c.d[].model");
    assert!(!JsonPath::model().is_each());
    assert!(!"a.b.model".parse::<JsonPath>().unwrap().is_each());
}

#[test]
fn what_is_no_path_says_why() {
    let table = [
        ("", "a JSON path is not empty"),
        (".", "the JSON path has an empty name"),
        (".model", "the JSON path has an empty name"),
        ("model.", "the JSON path has an empty name"),
        ("input..model", "the JSON path has an empty name"),
        ("input model", "the JSON path has ' '"),
        ("$.a[0]", "the JSON path has '['"),
        ("modèle", "the JSON path has 'è'"),
        ("a[].", "the JSON path has an empty name"),
        ("[].a", "the JSON path has an empty name"),
        ("a[].b[]", "the JSON path ends with `[]`"),
        ("a[]", "the JSON path ends with `[]`"),
        ("a[][].b", "the JSON path has '['"),
        ("a[]b.c", "the JSON path has '['"),
        ("a].c", "the JSON path has ']'"),
        ("a/b", "the JSON path has '/'"),
        ("a\"b", "the JSON path has '\"'"),
    ];
    for (text, message) in table {
        let error = text.parse::<JsonPath>().unwrap_err().to_string();
        assert!(error.starts_with(message), "{error}");
    }
}

#[test]
fn what_is_inserted_is_what_is_missing() {
    let path: JsonPath = "a.b.model".parse().unwrap();
    let table = [(0, r#""a":{"b":{"model":"#, "}},"), (1, r#""b":{"model":"#, "},"), (2, r#""model":"#, ",")];
    for (depth, before, after) in table {
        let level = path.levels().nth(depth).unwrap();
        assert_eq!(level.insertion(false), (before.into(), after.into()));
        let shorter = &after[..after.len() - 1];
        assert_eq!(level.insertion(true), (before.into(), shorter.into()));
    }
}
