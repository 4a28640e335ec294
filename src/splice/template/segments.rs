//! A path, segment by segment, from either end.

use std::ops::Range;

/// What is left of a path's segments.
#[derive(Debug, Clone)]
pub(super) struct Segments<'path> {
    path: &'path str,
    /// The segments that are left, without a slash before or after them; `None` if there are none. (One empty segment is
    /// one.)
    rest: Option<Range<usize>>,
}

impl<'path> Segments<'path> {
    /// Those of `path`; `None` if it does not begin with a slash.
    pub(super) fn of(path: &'path str) -> Option<Self> {
        path.starts_with('/').then_some(Self { path, rest: Some(1..path.len()) })
    }

    /// Where what is left stands.
    pub(super) fn rest(&self) -> Option<&Range<usize>> {
        self.rest.as_ref()
    }

    /// The bytes at `span` of the path.
    pub(super) fn text(&self, span: &Range<usize>) -> &'path str {
        self.path.get(span.clone()).unwrap_or_default()
    }

    /// Takes the first segment.
    pub(super) fn take_first(&mut self) -> Option<Range<usize>> {
        let rest = self.rest.take()?;
        let Some(length) = memchr::memchr(b'/', self.text(&rest).as_bytes()) else {
            return Some(rest);
        };
        let end = rest.start + length;
        self.rest = Some(end + 1..rest.end);
        Some(rest.start..end)
    }

    /// Takes the last segment.
    pub(super) fn take_last(&mut self) -> Option<Range<usize>> {
        let rest = self.rest.take()?;
        let Some(length) = memchr::memrchr(b'/', self.text(&rest).as_bytes()) else {
            return Some(rest);
        };
        let start = rest.start + length;
        self.rest = Some(rest.start..start);
        Some(start + 1..rest.end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_taken_from_either_end() {
        for path in ["/", "/a", "/a/", "//", "/a/b/c", "//a//b//"] {
            let expected: Vec<&str> = path[1..].split('/').collect();
            let mut segments = Segments::of(path).unwrap();
            let from_front: Vec<_> = std::iter::from_fn(|| segments.take_first()).collect();
            let mut segments = Segments::of(path).unwrap();
            let mut from_back: Vec<_> = std::iter::from_fn(|| segments.take_last()).collect();
            from_back.reverse();
            assert_eq!(from_front, from_back, "{path}");
            let texts: Vec<_> = from_front.iter().map(|span| segments.text(span)).collect();
            assert_eq!(texts, expected, "{path}");
        }
        assert!(Segments::of("").is_none() && Segments::of("a/b").is_none());
    }
}
