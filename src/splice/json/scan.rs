//! Splitting an object of a body into its members.

use std::cell::RefCell;

use super::error::{Expected, Found, LocateError};
use super::nested::{self, Brackets};
use super::path::{JsonPath, Level};
use super::skeleton::{Member, Skeleton, Wanted};
use super::{literal, text};
use crate::splice::place::{Form, Place};

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";
/// Bracket memory over this, which half a million levels need, is not kept.
const KEPT_BYTES: usize = 64 * 1024;

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// Finds the string at `path` of the JSON object that `body` is, or each of them.
///
/// One pass in time linear in the body's length, and one more over each object that the path goes into. Memory does not
/// depend on it, save for a bit per level of nesting, for a model of great length and for each of several models; all are
/// given back. What is judged and what is left to the vendor is told in the [module's documentation](crate::splice).
///
/// # Errors
/// [`LocateError`] when the body is not one JSON object, has two models at one place, a model that is no string, something
/// else where the object or array should be that the path goes into, or an array with too many elements.
pub fn locate(body: &[u8], path: &JsonPath) -> Result<Place, LocateError> {
    if path.is_each() {
        return locate_each(body, path);
    }
    SCRATCH.with_borrow_mut(|scratch| {
        let located = scratch.locate(body, path);
        scratch.give_back();
        located
    })
}

/// As [`locate`] of a path that goes through arrays: apart, so that other paths do not pay for it.
#[cold]
fn locate_each(body: &[u8], path: &JsonPath) -> Result<Place, LocateError> {
    SCRATCH.with_borrow_mut(|scratch| {
        let located = scratch.locate_each(body, path);
        scratch.give_back();
        located
    })
}

/// Memory for locating, kept by each thread from one body to the next.
#[derive(Default)]
pub(super) struct Scratch {
    skeleton: Skeleton,
    brackets: Brackets,
}

impl Scratch {
    fn locate(&mut self, body: &[u8], path: &JsonPath) -> Result<Place, LocateError> {
        let mut open = open_object(body)?;
        for level in path.levels() {
            let Looked { wanted, empty, end } = self.look(body, open, level)?;
            if level.depth == 0 {
                end_of_body(body, end)?;
            }
            match wanted {
                None => return Ok(absent(open + 1, level, empty)),
                Some(Wanted { span, asked, .. }) if level.is_model => {
                    return Ok(Place::Value { span, asked, form: Form::Json });
                }
                // It closes: that much was seen when it was passed over.
                Some(parent) => open = parent.span.start,
            }
        }
        Ok(Place::Nowhere)
    }

    /// Looks for the member of `level` in the object that opens at `open`.
    pub(super) fn look(&mut self, body: &[u8], open: usize, level: Level<'_>) -> Result<Looked, LocateError> {
        let first = skip_space(body, open + 1);
        if body.get(first) == Some(&b'}') {
            return Ok(Looked { wanted: None, empty: true, end: first + 1 });
        }
        self.skeleton.begin();
        let end = self.members(body, open, first, level)?;
        Ok(Looked { wanted: self.skeleton.finish(body, level)?, empty: false, end })
    }

    /// Passes the members, of which the first key is at `first`, to the skeleton; the offset after the
    /// closing brace.
    fn members(
        &mut self,
        body: &[u8],
        open: usize,
        first: usize,
        level: Level<'_>,
    ) -> Result<usize, LocateError> {
        let unless_cut_off = |expected, at| {
            if at < body.len() {
                LocateError::Unexpected { expected, at }
            } else {
                LocateError::Unclosed { what: Found::Object, at: open }
            }
        };
        let mut at = first;
        let mut key_expected = Expected::KeyOrEnd;
        loop {
            if body.get(at) != Some(&b'"') {
                return Err(unless_cut_off(key_expected, at));
            }
            let key = at..text::close(body, at)?;
            let colon = skip_space(body, key.end);
            if body.get(colon) != Some(&b':') {
                return Err(unless_cut_off(Expected::Colon, colon));
            }
            let value = skip_space(body, colon + 1);
            let found = Found::at_start_of(body.get(value..).unwrap_or_default());
            if found == Found::NotJson {
                return Err(unless_cut_off(Expected::Value, value));
            }
            let end = self.value(body, value, found)?;
            self.skeleton.add(body, Member { key, value: value..end, found }, level)?;
            let next = skip_space(body, end);
            match body.get(next) {
                Some(b',') => at = skip_space(body, next + 1),
                Some(b'}') => return Ok(next + 1),
                _ => return Err(unless_cut_off(Expected::CommaOrEnd, next)),
            }
            key_expected = Expected::Key;
        }
    }

    /// The offset after the value of kind `found` that begins at `at`.
    fn value(&mut self, body: &[u8], at: usize, found: Found) -> Result<usize, LocateError> {
        match found {
            Found::Object | Found::Array => nested::skip(body, at, &mut self.brackets),
            Found::String => {
                let end = text::close(body, at)?;
                text::judge(body.get(at + 1..end - 1).unwrap_or_default(), at + 1)?;
                Ok(end)
            }
            Found::Number => literal::number(body, at),
            Found::Boolean | Found::Null | Found::NotJson => literal::word(body, at),
        }
    }

    fn give_back(&mut self) {
        if self.skeleton.is_oversized() {
            self.skeleton = Skeleton::default();
        }
        if self.brackets.capacity() > KEPT_BYTES {
            self.brackets = Brackets::default();
        }
    }
}

/// What came of looking for a member.
pub(super) struct Looked {
    /// The member, if there is one.
    pub(super) wanted: Option<Wanted>,
    /// The object has no member at all.
    empty: bool,
    /// The offset after its closing brace.
    pub(super) end: usize,
}

/// The place of a model that is to be added right after the brace before `at`.
fn absent(at: usize, level: Level<'_>, empty: bool) -> Place {
    let (before, after) = level.insertion(empty);
    Place::Absent { at, before, after, form: Form::Json }
}

/// The offset of the brace that opens the body's object.
pub(super) fn open_object(body: &[u8]) -> Result<usize, LocateError> {
    let at = skip_space(body, 0);
    let rest = body.get(at..).unwrap_or_default();
    match Found::at_start_of(rest) {
        Found::Object => Ok(at),
        Found::NotJson if rest.is_empty() => Err(LocateError::Empty),
        Found::NotJson if rest.starts_with(BYTE_ORDER_MARK) => Err(LocateError::ByteOrderMark { at }),
        found => Err(LocateError::NotAnObject { found, at }),
    }
}

/// Refuses anything but white space from `at` on.
pub(super) fn end_of_body(body: &[u8], at: usize) -> Result<(), LocateError> {
    let at = skip_space(body, at);
    if at < body.len() {
        return Err(LocateError::Trailing { at });
    }
    Ok(())
}

/// The offset of the first byte from `at` on that is not white space; the body's length if there is none.
#[inline]
pub(super) fn skip_space(body: &[u8], at: usize) -> usize {
    let rest = body.get(at..).unwrap_or_default();
    let space = rest.iter().position(|byte| !matches!(byte, b' ' | b'\n' | b'\r' | b'\t'));
    at + space.unwrap_or(rest.len())
}

#[cfg(test)]
mod tests;
