//! A body in which the model is replaced where it stands.

use super::place::{ModelToken, Place, splice};
use bytes::{Bytes, BytesMut};
use std::ops::Range;

/// A client's body, of which each try sends the same bytes but for the model.
///
/// A long body is not copied for it: as long as nobody else has the bytes, that side of the model which is shorter is moved
/// within the buffer, into the room before or after the body. Where there is too little, where the body has no model or
/// several, and while an earlier try still has the bytes, the body is copied.
#[derive(Debug)]
pub struct Body {
    /// The body as the latest try sent it, with the room before it.
    buffer: Bytes,
    /// Where in the buffer it begins.
    start: usize,
    /// Where in the body its model stands now, and what the client asked for.
    place: Place,
}

impl Body {
    /// The body that begins at `start` of `buffer`. `place` is where its model was found: [`locate`](super::locate), or
    /// [`locate_in_form`](super::locate_in_form).
    #[must_use]
    pub fn new(buffer: Bytes, start: usize, place: Place) -> Self {
        Self { start: start.min(buffer.len()), buffer, place }
    }

    /// The model that the client asked for, if it named one here.
    #[must_use]
    pub fn asked(&self) -> Option<&str> {
        self.place.asked()
    }

    /// The body with `model` in its place and every other byte as it was.
    #[must_use]
    pub fn with(&mut self, model: &ModelToken) -> Bytes {
        if matches!(self.place, Place::Nowhere) || self.replace(model) {
            return self.buffer.slice(self.start..);
        }
        splice(self.buffer.get(self.start..).unwrap_or_default(), &self.place, model)
    }

    /// The body as it is.
    #[must_use]
    pub fn as_it_is(&self) -> Bytes {
        self.buffer.slice(self.start..)
    }

    /// As [`Body::with`], save that a body without a model is left without one: the vendor takes it from elsewhere in the
    /// request.
    #[must_use]
    pub fn with_if_there(&mut self, model: &ModelToken) -> Bytes {
        match self.place {
            Place::Value { .. } | Place::Each { .. } => self.with(model),
            Place::Absent { .. } | Place::Nowhere => self.buffer.slice(self.start..),
        }
    }

    /// Replaces the model within the buffer. Returns whether that could be done.
    fn replace(&mut self, model: &ModelToken) -> bool {
        let Place::Value { span, form, .. } = &mut self.place else {
            return false;
        };
        let model = model.written(*form);
        let mut buffer = match std::mem::take(&mut self.buffer).try_into_mut() {
            Ok(buffer) => buffer,
            Err(shared) => {
                self.buffer = shared;
                return false;
            }
        };
        let moved = Room::of(&buffer, self.start, span).and_then(|room| room.make(&mut buffer, model.len()));
        if let Some(room) = &moved {
            *span = room.span.start - room.start..room.span.end - room.start;
            self.start = room.start;
        }
        let token = moved.and_then(|room| buffer.get_mut(room.span));
        let written = token.map(|token| token.copy_from_slice(model)).is_some();
        self.buffer = buffer.freeze();
        written
    }
}

/// A place in a buffer that is made longer or shorter.
struct Room {
    /// Where the body begins.
    start: usize,
    /// The place, counted from the beginning of the buffer.
    span: Range<usize>,
}

impl Room {
    /// That of `span` of the body that begins at `start`; `None` if the buffer ends before it.
    fn of(buffer: &BytesMut, start: usize, span: &Range<usize>) -> Option<Self> {
        let span = start.checked_add(span.start)?..start.checked_add(span.end)?;
        (span.start <= span.end && span.end <= buffer.len()).then_some(Self { start, span })
    }

    /// Makes it `length` bytes long, what stands before and after it staying as it is; `None` if there is too little room.
    fn make(self, buffer: &mut BytesMut, length: usize) -> Option<Self> {
        let Self { start, span } = self;
        let (before, after) = (span.start - start, buffer.len() - span.end);
        match length.checked_sub(span.len()) {
            Some(more) => {
                let room_after = buffer.capacity() - buffer.len() >= more;
                if start >= more && (before <= after || !room_after) {
                    buffer.copy_within(start..span.start, start - more);
                    return Some(Self { start: start - more, span: span.start - more..span.end });
                }
                if !room_after {
                    return None;
                }
                let end = buffer.len();
                buffer.resize(end + more, 0);
                buffer.copy_within(span.end..end, span.end + more);
                Some(Self { start, span: span.start..span.end + more })
            }
            None => {
                let less = span.len() - length;
                if before <= after {
                    buffer.copy_within(start..span.start, start + less);
                    return Some(Self { start: start + less, span: span.start + less..span.end });
                }
                buffer.copy_within(span.end.., span.end - less);
                buffer.truncate(buffer.len() - less);
                Some(Self { start, span: span.start..span.end - less })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::splice::{Form, JsonPath, locate};
    use proptest::prelude::*;

    const ROOM: usize = 8;

    /// The body `text` with room before and after it.
    fn body(text: &str, before: usize, after: usize) -> Body {
        let mut buffer = BytesMut::with_capacity(before + text.len() + after);
        buffer.resize(before, 0);
        buffer.extend_from_slice(text.as_bytes());
        Body::new(buffer.freeze(), before, locate(text.as_bytes(), &JsonPath::model()).unwrap())
    }

    #[test]
    fn it_is_replaced_where_it_stands() {
        for text in
            [r#"{"model":"abc","long":"tail, longer than the head"}"#, r#"{"long":"a head","model":"abc"}"#]
        {
            let mut body = body(text, ROOM, ROOM);
            let at = body.buffer.as_ptr();
            for model in ["abc", "d", "", "efgh", "abc", "12345678", "abc"] {
                let made = body.with(&ModelToken::new(model));
                assert_eq!(made, text.replace("abc", model));
                let room = (at as usize)..(at as usize + text.len() + 2 * ROOM);
                assert!(room.contains(&(made.as_ptr() as usize)), "{model} was copied into {text}");
            }
            assert_eq!(body.asked(), Some("abc"));
        }
    }

    #[test]
    fn bytes_that_somebody_else_has_are_left_alone() {
        let text = r#"{"model":"abc"}"#;
        let mut body = body(text, ROOM, ROOM);
        let first = body.with(&ModelToken::new("one"));
        let second = body.with(&ModelToken::new("two and more"));
        assert_eq!(first, r#"{"model":"one"}"#);
        assert_eq!(second, r#"{"model":"two and more"}"#);
    }

    #[test]
    fn a_place_of_another_body_does_not_panic() {
        let model = ModelToken::new("m");
        let place = Place::Value { span: 90..99, asked: "x".into(), form: Form::Json };
        assert_eq!(Body::new(Bytes::from_static(b"{}"), 7, place).with(&model), r#""m""#);
    }

    #[test]
    fn plain_text_is_replaced_where_it_stands() {
        let place = Place::Value { span: 2..5, asked: "abc".into(), form: Form::Plain };
        let mut buffer = BytesMut::with_capacity(7 + 2 * ROOM);
        buffer.resize(ROOM, 0);
        buffer.extend_from_slice(b"--abc--");
        let mut body = Body::new(buffer.freeze(), ROOM, place);
        for model in ["abc", "d\"", "", "efgh"] {
            assert_eq!(body.with(&ModelToken::new(model)), format!("--{model}--"));
            assert_eq!(body.with_if_there(&ModelToken::new(model)), format!("--{model}--"));
        }
    }

    #[test]
    fn a_follower_gains_no_model() {
        let model = ModelToken::new("m");
        assert_eq!(body("{}", ROOM, ROOM).with(&model), r#"{"model":"m"}"#);
        assert_eq!(body("{}", ROOM, ROOM).with_if_there(&model), "{}");
        assert_eq!(body(r#"{"model":"a"}"#, ROOM, ROOM).with_if_there(&model), r#"{"model":"m"}"#);
    }

    #[test]
    fn a_body_that_is_only_kept_stays() {
        let buffer = Bytes::from_static(b"..whatever");
        let at = buffer.as_ptr();
        let mut body = Body::new(buffer, 2, Place::Nowhere);
        let made = body.with(&ModelToken::new("m"));
        assert_eq!((made.as_ref(), made.as_ptr()), (&b"whatever"[..], at.wrapping_add(2)));
        assert_eq!(body.with_if_there(&ModelToken::new("m")), made);
        assert_eq!(body.asked(), None);
    }

    proptest! {
        /// Whatever the room and whoever has the bytes: what is made is what a copy would be.
        #[test]
        fn it_says_what_a_copy_would_say(
            head in "[a-z]{0,20}", tail in "[a-z]{0,20}", has_model in any::<bool>(),
            before in 0..20usize, after in 0..20usize,
            tries in prop::collection::vec(("[a-z\"]{0,12}", any::<bool>()), 1..8),
        ) {
            let model = if has_model { r#""model":"asked","# } else { "" };
            let text = format!(r#"{{"head":"{head}",{model}"tail":"{tail}"}}"#);
            let place = locate(text.as_bytes(), &JsonPath::model()).unwrap();
            let mut body = body(&text, before, after);
            let mut kept = Vec::new();
            for (name, keep) in tries {
                let token = ModelToken::new(&name);
                let made = body.with(&token);
                let expected = splice(text.as_bytes(), &place, &token);
                prop_assert_eq!(&made, &expected);
                if keep {
                    kept.push((made, expected));
                }
            }
            prop_assert!(kept.iter().all(|(made, expected)| made == expected));
            prop_assert_eq!(body.asked(), has_model.then_some("asked"));
        }
    }
}
