//! Paths of operations in which a segment stands for any: `/models/{model}:generateContent`.

/// A path some of whose segments hold a name in braces, which stands for one or more characters but `/`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Segments {
    text: Box<str>,
    segments: Vec<Segment>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Segment {
    Literal(Box<str>),
    /// What stands before and after the braces.
    Any(Box<str>, Box<str>),
}

impl Segments {
    /// Reads a path that begins with `/`; `None` if its braces are not around a name, or a segment has them twice.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let segments = text.strip_prefix('/')?.split('/').map(Segment::parse);
        Some(Self { text: text.into(), segments: segments.collect::<Option<_>>()? })
    }

    /// The path as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether `path` is one of those.
    pub(super) fn fits(&self, path: &str) -> bool {
        let Some(path) = path.strip_prefix('/') else {
            return false;
        };
        let mut given = path.split('/');
        self.segments.iter().all(|segment| given.next().is_some_and(|given| segment.fits(given)))
            && given.next().is_none()
    }

    /// How many bytes of it stand for themselves: the more, the more it says.
    pub(super) fn literal(&self) -> usize {
        let of = |segment: &Segment| match segment {
            Segment::Literal(text) => text.len(),
            Segment::Any(before, after) => before.len() + after.len(),
        };
        self.segments.iter().map(of).sum()
    }
}

impl Segment {
    fn parse(text: &str) -> Option<Self> {
        let Some((before, rest)) = text.split_once('{') else {
            return (!text.contains('}')).then(|| Self::Literal(text.into()));
        };
        let (name, after) = rest.split_once('}')?;
        let is_name = !name.is_empty()
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
        let closed = !before.contains('}') && !after.contains(['{', '}']);
        (is_name && closed).then(|| Self::Any(before.into(), after.into()))
    }

    fn fits(&self, given: &str) -> bool {
        match self {
            Self::Literal(text) => **text == *given,
            Self::Any(before, after) => {
                given.len() > before.len() + after.len()
                    && given.starts_with(&**before)
                    && given.ends_with(&**after)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stands_for_one_segment_or_a_part_of_it() {
        let table = [
            ("/models/{model}", "/models/a", true),
            ("/models/{model}", "/models/a:b", true),
            ("/models/{model}", "/models/", false),
            ("/models/{model}", "/models/a/b", false),
            ("/models/{model}", "/models", false),
            ("/models/{model}:generateContent", "/models/a:generateContent", true),
            ("/models/{model}:generateContent", "/models/:generateContent", false),
            ("/models/{model}:generateContent", "/models/a:embedContent", false),
            ("/a{x}a", "/aa", false),
            ("/a{x}a", "/aba", true),
            ("/model/{model}/converse", "/model/arn%3Aa%2Fb/converse", true),
            ("/{a}/{b}", "/x/y", true),
        ];
        for (pattern, path, expected) in table {
            assert_eq!(Segments::parse(pattern).unwrap().fits(path), expected, "{pattern} {path}");
        }
    }

    #[test]
    fn braces_are_around_one_name() {
        for bad in ["/{}", "/{a", "/a}", "/{a}{b}", "/}a{", "/{a b}", "/{{a}}", "/{a/b}", "{a}"] {
            assert_eq!(Segments::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn what_stands_for_itself_is_counted() {
        assert_eq!(Segments::parse("/models/{model}:generateContent").unwrap().literal(), 22);
        assert_eq!(Segments::parse("/{a}/{b}").unwrap().literal(), 0);
    }
}
