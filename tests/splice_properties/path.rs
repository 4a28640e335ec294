//! Paths, held against a matcher that tries everything.

use evenkeel::splice::template::{Prefix, Slash, Template, replace};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use std::ops::Range;

const SLASHES: [Slash; 3] = [Slash::Refused, Slash::Encoded, Slash::Kept];

/// All ways in which the segments of `path` from `at` on fit those of the pattern: where the model stands in each.
fn ways(pattern: &[&str], path: &str, at: usize, slash: Slash) -> Vec<Option<Range<usize>>> {
    // After the last segment, `at` is one beyond the path's end.
    let is_over = at > path.len();
    let Some((first, others)) = pattern.split_first() else {
        return if is_over { vec![None] } else { Vec::new() };
    };
    let ends: Vec<usize> = if is_over {
        Vec::new()
    } else {
        (at..=path.len())
            .filter(|end| *end == path.len() || path.as_bytes().get(*end) == Some(&b'/'))
            .collect()
    };
    if *first == "**" {
        let skipped = ends.iter().flat_map(|end| ways(others, path, end + 1, slash));
        return ways(others, path, at, slash).into_iter().chain(skipped).collect();
    }
    let Some((before, after)) = first.split_once("{model}") else {
        let Some(end) = ends.first() else { return Vec::new() };
        let segment = &path[at..*end];
        let fits = if *first == "*" { !segment.is_empty() } else { segment == *first };
        return if fits { ways(others, path, end + 1, slash) } else { Vec::new() };
    };
    let longest = if slash == Slash::Kept { ends.len() } else { 1 };
    let mut found = Vec::new();
    for end in ends.into_iter().take(longest) {
        let segment = &path[at..end];
        if segment.strip_prefix(before).is_some_and(|rest| rest.ends_with(after)) {
            let rest = ways(others, path, end + 1, slash);
            found.extend(rest.iter().map(|_| Some(at + before.len()..end - after.len())));
        }
    }
    found
}

/// As [`ways`], of a whole path.
fn ways_of(pattern: &[&str], path: &str, slash: Slash) -> Vec<Option<Range<usize>>> {
    if path.starts_with('/') { ways(pattern, path, 1, slash) } else { Vec::new() }
}

fn pattern() -> impl Strategy<Value = String> {
    let segment = select(vec![
        "a",
        "a",
        "b",
        "ab",
        "*",
        "**",
        "**",
        "{model}",
        "{model}",
        "a{model}",
        "{model}:b",
        "a{model}a",
    ]);
    let segments = vec(segment, 1..6).prop_map(|segments| segments.join("/"));
    (segments, any::<bool>()).prop_map(|(segments, open)| {
        if segments.starts_with("**") && open { segments } else { format!("/{segments}") }
    })
}

fn path() -> impl Strategy<Value = String> {
    let segment = select(vec!["a", "a", "b", "ab", "aa", "aba", "a:b", "", "x%2Fy", "%zz", "%ff"]);
    vec(segment, 1..8).prop_map(|segments| format!("/{}", segments.join("/")))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(ProptestConfig::default().cases * 16))]

    #[test]
    fn a_path_fits_if_there_is_any_way(pattern in pattern(), path in path(), slash in select(SLASHES.to_vec())) {
        let Ok(template) = Template::parse(&pattern, slash) else { return Ok(()) };
        let segments: Vec<&str> = pattern.strip_prefix('/').unwrap_or(&pattern).split('/').collect();
        let mut ways = ways_of(&segments, &path, slash);
        if slash == Slash::Kept && template.has_model() && let Some(shorter) = path.strip_suffix('/') {
            // The slash that a path ends with is none of a model's.
            let without = ways_of(&segments, shorter, slash);
            let named = |way: &Option<Range<usize>>| way.as_ref().is_some_and(|span| !span.is_empty());
            if without.iter().any(named) { ways = without };
        }
        prop_assert_eq!(template.fits(&path), !ways.is_empty(), "{:?}", ways);
        match template.find(&path) {
            Ok(Some(found)) => prop_assert!(ways.contains(&Some(found.span.clone())), "{:?} {:?}", found, ways),
            Ok(None) => prop_assert!(ways.is_empty() || !template.has_model(), "{:?}", ways),
            Err(_) => prop_assert!(template.has_model() && !ways.is_empty()),
        }
    }

    #[test]
    fn only_the_models_bytes_differ(
        pattern in pattern(), path in path(), slash in select(SLASHES.to_vec()), name in "\\PC{1,20}",
    ) {
        let Ok(template) = Template::parse(&pattern, slash) else { return Ok(()) };
        let Ok(Some(found)) = template.find(&path) else { return Ok(()) };
        let other = replace(&path, &found.span, &name, slash);
        prop_assert!(other.starts_with(&path[..found.span.start]));
        prop_assert!(other.ends_with(&path[found.span.end..]));
        let written = &other[found.span.start..other.len() - (path.len() - found.span.end)];
        let decoded = percent_encoding::percent_decode_str(written).decode_utf8();
        prop_assert_eq!(decoded.as_deref(), Ok(name.as_str()));
        let stays = |letter: char| letter.is_ascii_alphanumeric() || "-._~%".contains(letter);
        prop_assert!(written.chars().all(|letter| stays(letter) || slash == Slash::Kept && letter == '/'), "{}", written);
        prop_assert!(template.fits(&other), "{}", other);
    }

    #[test]
    fn a_name_is_read_as_it_was_written(name in "\\PC{1,20}", before in path(), slash in select(SLASHES.to_vec())) {
        let Ok(template) = Template::parse("**/models/{model}:go/on", slash) else {
            return Err(TestCaseError::fail("no pattern"));
        };
        let path = replace(&format!("{before}/models/:go/on"), &(before.len() + 8..before.len() + 8), &name, slash);
        match template.find(&path) {
            Ok(Some(found)) => prop_assert_eq!(&*found.asked, &name),
            other => prop_assert!(slash == Slash::Refused && name.contains('/'), "{:?}", other),
        }
    }

    #[test]
    fn any_text_is_judged(pattern in "[/*{}a-b]{0,12}|\\PC{0,20}", path in "[/a-b%]{0,20}|\\PC{0,20}", name in "\\PC{0,9}") {
        for slash in SLASHES {
            if let Ok(template) = Template::parse(&pattern, slash) {
                let fits = template.fits(&path);
                prop_assert!(fits || template.find(&path) == Ok(None));
            }
            if let Ok(prefix) = Prefix::parse(&pattern) {
                let rest = prefix.strip(&path).unwrap_or_default();
                prop_assert!(path.ends_with(rest) && (rest.is_empty() || rest.starts_with('/')));
                // What a prefix writes it takes off again, if it is a name for one segment.
                let whole = prefix.with(Some(&name), Slash::Encoded).map(|start| start + &path);
                if let Some(whole) = whole && path.starts_with('/') {
                    prop_assert_eq!(prefix.strip(&whole), Some(path.as_str()));
                }
            }
        }
    }
}
