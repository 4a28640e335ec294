//! What must stand in text that tells something: nearly all of a stream tells nothing, and is passed over by its want.

use super::fields::{ErrorEvents, Lists};
use memchr::memmem::Finder;

/// Words to be looked for.
#[derive(Debug, Clone, Default)]
pub(super) struct Needles {
    /// One of the keys on the way to each count, in its quotes.
    counts: Vec<Finder<'static>>,
    /// The same for the model.
    model: Vec<Finder<'static>>,
    /// Parts of what tells of a failure.
    errors: Vec<Finder<'static>>,
}

impl Needles {
    pub(super) fn new(lists: &Lists, errors: &ErrorEvents) -> Self {
        let counts =
            [&lists.prompt_tokens, &lists.completion_tokens, &lists.cached_tokens, &lists.total_tokens];
        let paths = counts.into_iter().flatten().flat_map(|sum| sum.split('+'));
        let words = [&errors.events, &errors.members, &errors.types].into_iter().flatten();
        // Any exception: a word of AWS's framing, which tells of exceptions outside of its documents.
        let words = words.filter(|word| !word.is_empty() && *word != "*");
        Self {
            counts: finders(&keys(paths, 2), true),
            model: finders(&keys(lists.model.iter().map(String::as_str), 1), true),
            errors: finders(&shortest(words.map(String::as_str)), false),
        }
    }

    /// Whether whole documents in `text` may have a value that is wanted.
    #[inline]
    pub(super) fn may_tell(&self, text: &[u8], is_model_told: bool) -> bool {
        stands(&self.counts, text)
            || !is_model_told && stands(&self.model, text)
            || self.errors.iter().any(|word| word.find(text).is_some())
    }
}

/// Whether one of `keys` stands in `text` and has a value that is not null: some vendors send a `usage` of null with every
/// event.
#[inline]
fn stands(keys: &[Finder<'static>], text: &[u8]) -> bool {
    keys.iter().any(|key| {
        key.find_iter(text).any(|at| {
            let after = text.get(at + key.needle().len()..).unwrap_or_default().trim_ascii_start();
            !after.strip_prefix(b":").is_some_and(|value| value.trim_ascii_start().starts_with(b"null"))
        })
    })
}

/// Keys of which one is on each path, as few as may be: the one that is `from_end` from the path's end, or its last.
fn keys<'a>(paths: impl Iterator<Item = &'a str>, from_end: usize) -> Vec<&'a str> {
    let mut paths: Vec<Vec<&str>> = paths.map(|path| path.split('.').map(str::trim).collect()).collect();
    paths.sort_by_key(Vec::len);
    let mut found: Vec<&str> = Vec::new();
    for path in &paths {
        if !path.iter().any(|key| found.contains(key)) {
            found.extend(path.iter().rev().nth(from_end - 1).or_else(|| path.last()));
        }
    }
    found
}

/// Without those that have another one within them.
fn shortest<'a>(words: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut words: Vec<&str> = words.collect();
    words.sort_by_key(|word| word.len());
    let mut found: Vec<&str> = Vec::new();
    for word in words {
        if !found.iter().any(|shorter| word.contains(shorter)) {
            found.push(word);
        }
    }
    found
}

fn finders(words: &[&str], are_keys: bool) -> Vec<Finder<'static>> {
    let quoted = |word: &&str| if are_keys { format!("\"{word}\"") } else { (*word).to_owned() };
    words.iter().map(|word| Finder::new(&quoted(word)).into_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    fn needles() -> Needles {
        let lists = Lists {
            model: texts(&["model", "response.model"]),
            prompt_tokens: texts(&["usage.a.b + usage.c", "response.usage.a", "n"]),
            ..Lists::default()
        };
        let errors = ErrorEvents {
            events: texts(&["error"]),
            members: texts(&["error", "my_error"]),
            types: texts(&["bad"]),
        };
        Needles::new(&lists, &errors)
    }

    #[test]
    fn they_are_as_few_as_may_be() {
        let words = |finders: &[Finder<'static>]| -> Vec<String> {
            finders.iter().map(|finder| String::from_utf8(finder.needle().to_vec()).unwrap()).collect()
        };
        let needles = needles();
        assert_eq!(words(&needles.counts), ["\"n\"", "\"usage\""]);
        assert_eq!(words(&needles.model), ["\"model\""]);
        assert_eq!(words(&needles.errors), ["bad", "error"]);
    }

    #[test]
    fn null_tells_nothing() {
        for (text, told, expected) in [
            (r#"{"usage":null}"#, true, false),
            ("{\"usage\" : \n null,\"usage\":{}}", true, true),
            (r#"{"content":"\"usage\""}"#, true, false),
            (r#"{"content":"an error"}"#, true, true),
            (r#"{"model":"m"}"#, true, false),
            (r#"{"model":"m"}"#, false, true),
        ] {
            assert_eq!(needles().may_tell(text.as_bytes(), told), expected, "{text}");
        }
    }
}
