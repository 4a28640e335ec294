//! A pattern in parts: groups of segments, and between them gaps of any number of segments.
//!
//! The first group stands at the path's beginning and the last at its end, so that only one between two gaps is looked
//! for. No path makes it go back: the work is bounded by the segments of the path times those of that group.

use super::error::TemplateError;
use super::segments::Segments;
use std::ops::Range;

const MODEL: &str = "{model}";
/// Characters that no path has unencoded, though patterns could: RFC 3986, section 3.3.
const NOT_IN_PATHS: &str = "?#\"<>\\^`|";

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pattern {
    /// One more than there are gaps.
    groups: Vec<Vec<Segment>>,
    gaps: Vec<Gap>,
}

/// What one segment of a path must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Segment {
    /// Anything.
    One,
    Literal(Box<str>),
    Model(Around),
}

/// What a number of segments must be.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Gap {
    /// Anything, or nothing.
    Any,
    /// A model that may hold slashes.
    Model(Around),
}

/// What stands before and after a model within its segments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Around {
    pub(super) before: Box<str>,
    pub(super) after: Box<str>,
}

/// What is known of a path that fits.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Fit {
    /// Where its model stands.
    pub(super) model: Option<Range<usize>>,
}

impl Pattern {
    /// Reads a pattern; `spans`: its model may take several segments.
    pub(super) fn parse(text: &str, spans: bool) -> Result<Self, TemplateError> {
        let segments = match text.strip_prefix('/') {
            Some(segments) => segments,
            None if text == "**" || text.starts_with("**/") => text,
            None => return Err(TemplateError::Beginning),
        };
        let is_strange = |letter: char| !letter.is_ascii_graphic() || NOT_IN_PATHS.contains(letter);
        if let Some(found) = text.chars().find(|letter| is_strange(*letter)) {
            return Err(TemplateError::BadCharacter(found));
        }
        let mut pattern = Self { groups: Vec::new(), gaps: Vec::new() };
        let mut group = Vec::new();
        for segment in segments.split('/') {
            let gap = match segment {
                "" => return Err(TemplateError::EmptySegment),
                "**" => Gap::Any,
                _ => match (Segment::parse(segment)?, spans) {
                    (Segment::Model(_), _) if pattern.has_model() || group.iter().any(Segment::is_model) => {
                        return Err(TemplateError::TwoModels);
                    }
                    (Segment::Model(around), true) => Gap::Model(around),
                    (segment, _) => {
                        group.push(segment);
                        continue;
                    }
                },
            };
            pattern.judge_gap(&gap, &group)?;
            pattern.gaps.push(gap);
            pattern.groups.push(std::mem::take(&mut group));
        }
        pattern.groups.push(group);
        Ok(pattern)
    }

    /// Refuses a gap after `group` where too many paths would fit in too many ways.
    fn judge_gap(&self, gap: &Gap, group: &[Segment]) -> Result<(), TemplateError> {
        match (self.gaps.as_slice(), gap) {
            ([.., Gap::Model(_)], Gap::Any) => Err(TemplateError::OpenAfterModel),
            ([.., Gap::Any], Gap::Any) if group.is_empty() => Err(TemplateError::TooOpen),
            ([_, _, ..], _) => Err(TemplateError::TooOpen),
            _ => Ok(()),
        }
    }

    pub(super) fn has_model(&self) -> bool {
        let in_groups = self.groups.iter().flatten().any(Segment::is_model);
        in_groups || self.spans()
    }

    /// Its segments, if it has no gap.
    pub(super) fn into_segments(mut self) -> Option<Vec<Segment>> {
        if self.gaps.is_empty() { self.groups.pop() } else { None }
    }

    /// What a path ends with that fits, if that is all there is to it.
    pub(super) fn literal_end(&self) -> Option<String> {
        let ([front, back], [Gap::Any]) = (self.groups.as_slice(), self.gaps.as_slice()) else {
            return None;
        };
        let literal = |segment: &Segment| match segment {
            Segment::Literal(text) => Some(format!("/{text}")),
            Segment::One | Segment::Model(_) => None,
        };
        if front.is_empty() { back.iter().map(literal).collect() } else { None }
    }

    /// Whether its model may take several segments.
    fn spans(&self) -> bool {
        self.gaps.iter().any(|gap| matches!(gap, Gap::Model(_)))
    }

    /// Holds it against a path.
    pub(super) fn fit(&self, path: &str) -> Option<Fit> {
        // The slash that a path ends with belongs to no model, though one that spans segments would take it.
        let shorter = path.strip_suffix('/').filter(|_| self.spans());
        let fit = shorter.and_then(|shorter| self.fit_to_the_end(shorter));
        fit.filter(Fit::has_name).or_else(|| self.fit_to_the_end(path))
    }

    fn fit_to_the_end(&self, path: &str) -> Option<Fit> {
        let mut rest = Segments::of(path)?;
        let mut fit = Fit::default();
        match (self.groups.as_slice(), self.gaps.as_slice()) {
            ([all], []) => {
                fit.take_front(all, &mut rest)?;
                rest.rest().is_none().then_some(fit)
            }
            ([front, back], [gap]) => {
                fit.take_front(front, &mut rest)?;
                fit.take_back(back, &mut rest)?;
                fit.between(gap, &rest)?;
                Some(fit)
            }
            ([front, middle, back], [_, gap]) => {
                fit.take_front(front, &mut rest)?;
                fit.take_back(back, &mut rest)?;
                loop {
                    let (mut fit, mut ahead) = (fit.clone(), rest.clone());
                    let found = fit.take_front(middle, &mut ahead);
                    if found.and_then(|()| fit.between(gap, &ahead)).is_some() {
                        return Some(fit);
                    }
                    rest.take_first()?;
                }
            }
            _ => None,
        }
    }
}

impl Fit {
    fn has_name(&self) -> bool {
        self.model.as_ref().is_some_and(|span| !span.is_empty())
    }

    /// Takes `group` from the front of `rest`.
    pub(super) fn take_front(&mut self, group: &[Segment], rest: &mut Segments<'_>) -> Option<()> {
        group.iter().try_for_each(|segment| {
            let span = rest.take_first()?;
            self.one(segment, &span, rest)
        })
    }

    /// Takes `group` from the back of `rest`.
    fn take_back(&mut self, group: &[Segment], rest: &mut Segments<'_>) -> Option<()> {
        group.iter().rev().try_for_each(|segment| {
            let span = rest.take_last()?;
            self.one(segment, &span, rest)
        })
    }

    fn one(&mut self, segment: &Segment, span: &Range<usize>, path: &Segments<'_>) -> Option<()> {
        match segment {
            Segment::One => (!span.is_empty()).then_some(()),
            Segment::Literal(text) => (path.text(span) == &**text).then_some(()),
            Segment::Model(around) => self.within(around, span, path),
        }
    }

    fn between(&mut self, gap: &Gap, rest: &Segments<'_>) -> Option<()> {
        match gap {
            Gap::Any => Some(()),
            Gap::Model(around) => self.within(around, rest.rest()?, rest),
        }
    }

    fn within(&mut self, around: &Around, span: &Range<usize>, path: &Segments<'_>) -> Option<()> {
        let Around { before, after } = around;
        path.text(span).strip_prefix(&**before)?.strip_suffix(&**after)?;
        self.model = Some(span.start + before.len()..span.end - after.len());
        Some(())
    }
}

impl Segment {
    fn parse(text: &str) -> Result<Self, TemplateError> {
        if text == "*" {
            return Ok(Self::One);
        }
        if text.contains('*') {
            return Err(TemplateError::StarInSegment);
        }
        let (before, after) = match text.split_once(MODEL) {
            None if !text.contains(['{', '}']) => return Ok(Self::Literal(text.into())),
            Some(around) => around,
            None => return Err(TemplateError::Braces),
        };
        if after.contains(MODEL) {
            return Err(TemplateError::TwoModels);
        }
        if [before, after].iter().any(|literal| literal.contains(['{', '}'])) {
            return Err(TemplateError::Braces);
        }
        Ok(Self::Model(Around { before: before.into(), after: after.into() }))
    }

    fn is_model(&self) -> bool {
        matches!(self, Self::Model(_))
    }
}
