//! Path templates: `/api/v1/keys/{name}`.
//!
//! Literal segments match as they are written: what is percent-encoded is never one, so that there is one way only to write
//! a path, and nothing to be normalised. What stands for a name is decoded segment by segment, so that an encoded `/` does
//! not separate. `{model}` takes more than one segment, as models' names hold `/`.

use percent_encoding::percent_decode_str;

/// The name that takes all segments which no other part of the template takes.
const GREEDY: &str = "model";

/// What stands in `path` for each name of `template`, decoded; `None` if it does not match.
pub(super) fn matches(template: &'static str, path: &str) -> Option<Vec<(&'static str, String)>> {
    let parts: Vec<_> = template.split('/').collect();
    let segments: Vec<_> = path.split('/').collect();
    let greedy = parts.iter().position(|part| name(part) == Some(GREEDY));
    let spare = match greedy {
        Some(_) => segments.len().checked_sub(parts.len())?,
        None if segments.len() == parts.len() => 0,
        None => return None,
    };
    let mut names = Vec::new();
    let mut rest = segments.into_iter();
    for (index, part) in parts.into_iter().enumerate() {
        let taken = if Some(index) == greedy { spare + 1 } else { 1 };
        let segments: Vec<_> = rest.by_ref().take(taken).collect();
        match name(part) {
            Some(name) => names.push((name, decoded(&segments)?)),
            None if segments == [part] => {}
            None => return None,
        }
    }
    Some(names)
}

/// The names of `template`, in order.
pub(super) fn names(template: &'static str) -> impl Iterator<Item = &'static str> {
    template.split('/').filter_map(name)
}

fn name(part: &'static str) -> Option<&'static str> {
    part.strip_prefix('{')?.strip_suffix('}')
}

fn decoded(segments: &[&str]) -> Option<String> {
    let segments = segments.iter().map(|segment| percent_decode_str(segment).decode_utf8().ok());
    let text = segments.collect::<Option<Vec<_>>>()?.join("/");
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAIR: &str = "/api/v1/pairs/{api}/{endpoint}/{model}/suspend";

    #[test]
    fn names_are_decoded_one_by_one() {
        let table: [(&str, Option<[&str; 3]>); 14] = [
            ("/api/v1/pairs/A/E/m/suspend", Some(["A", "E", "m"])),
            ("/api/v1/pairs/A%20B/E%2FF/m%2fn/suspend", Some(["A B", "E/F", "m/n"])),
            ("/api/v1/pairs/A/E/mistralai/Mistral-7B/suspend", Some(["A", "E", "mistralai/Mistral-7B"])),
            ("/api/v1/pairs/A/E/a//b/suspend", Some(["A", "E", "a//b"])),
            ("/api/v1/pairs/A/E/suspend/suspend", Some(["A", "E", "suspend"])),
            ("/api/v1/pairs/%C3%A9/%25/%zz/suspend", Some(["é", "%", "%zz"])),
            ("/api/v1/pairs/%2e%2e/../x/suspend", Some(["..", "..", "x"])),
            ("/api/v1/pairs/%FF/E/m/suspend", None),
            ("/api/v1/pairs/A//m/suspend", None),
            ("/api/v1/pairs/A/E//suspend", None),
            ("/api/v1/pairs/A/E/suspend", None),
            ("/api/v1/pairs/A/E/m/suspend/", None),
            ("/api/v1/pairs/A/E/m/resume", None),
            ("/api/v1/p%61irs/A/E/m/suspend", None),
        ];
        for (path, expected) in table {
            let found = matches(PAIR, path);
            let values =
                found.as_ref().map(|found| found.iter().map(|(_, v)| v.as_str()).collect::<Vec<_>>());
            assert_eq!(values, expected.map(Vec::from), "{path}");
        }
        assert_eq!(names(PAIR).collect::<Vec<_>>(), ["api", "endpoint", "model"]);
    }

    #[test]
    fn a_template_without_names_matches_itself() {
        assert_eq!(matches("/livez", "/livez"), Some(Vec::new()));
        for path in ["", "/", "/livez/", "//livez", "/Livez", "/livez/x", "/%6civez"] {
            assert_eq!(matches("/livez", path), None, "{path}");
        }
        assert_eq!(matches("/keys/{name}", "/keys/a/b"), None);
    }
}
