//! Models in the elements of arrays.

use super::error::{Expected, Found, LocateError};
use super::path::{JsonPath, Level};
use super::scan::{Looked, Scratch, end_of_body, open_object, skip_space};
use crate::splice::place::{Form, Place, Value};

/// How many elements of arrays are gone through. More are no batch that a vendor takes, and what is known of each model takes
/// memory.
const MOST_ELEMENTS: usize = 100_000;

/// The models found so far.
#[derive(Default)]
struct Models {
    values: Vec<Value>,
    /// What the first says.
    asked: Option<Box<str>>,
    /// The elements gone into, of all arrays.
    elements: usize,
}

impl Scratch {
    /// As [`locate`](super::locate) of a path that goes through arrays.
    pub(super) fn locate_each(&mut self, body: &[u8], path: &JsonPath) -> Result<Place, LocateError> {
        let open = open_object(body)?;
        let levels: Vec<Level<'_>> = path.levels().collect();
        let mut models = Models::default();
        self.object(body, open, &levels, &mut models)?;
        Ok(match models.asked {
            Some(asked) => Place::Each { values: models.values.into(), asked },
            None => Place::Nowhere,
        })
    }

    /// Adds the models in the object that opens at `open`; the offset after it.
    fn object(
        &mut self,
        body: &[u8],
        open: usize,
        levels: &[Level<'_>],
        models: &mut Models,
    ) -> Result<usize, LocateError> {
        let Some((level, deeper)) = levels.split_first() else {
            return Ok(open);
        };
        let Looked { wanted, end, .. } = self.look(body, open, *level)?;
        if level.depth == 0 {
            end_of_body(body, end)?;
        }
        let Some(wanted) = wanted else {
            return Ok(end);
        };
        if level.is_model {
            models.values.push(Value { span: wanted.span, form: Form::Json });
            models.asked.get_or_insert(wanted.asked);
        } else if level.is_array {
            self.elements(body, wanted.span.start, *level, deeper, models)?;
        } else {
            self.object(body, wanted.span.start, deeper, models)?;
        }
        Ok(end)
    }

    /// Adds the models in the elements of the array of `level`, which opens at `open` and closes somewhere.
    fn elements(
        &mut self,
        body: &[u8],
        open: usize,
        level: Level<'_>,
        deeper: &[Level<'_>],
        models: &mut Models,
    ) -> Result<(), LocateError> {
        let mut at = skip_space(body, open + 1);
        if body.get(at) == Some(&b']') {
            return Ok(());
        }
        loop {
            match Found::at_start_of(body.get(at..).unwrap_or_default()) {
                Found::Object => {}
                Found::NotJson => return Err(LocateError::Unexpected { expected: Expected::Value, at }),
                found => return Err(level.of_other_elements(found, at)),
            }
            models.elements += 1;
            if models.elements > MOST_ELEMENTS {
                return Err(level.too_many(MOST_ELEMENTS));
            }
            let next = skip_space(body, self.object(body, at, deeper, models)?);
            match body.get(next) {
                Some(b',') => at = skip_space(body, next + 1),
                Some(b']') => return Ok(()),
                _ => return Err(LocateError::Unexpected { expected: Expected::CommaOrArrayEnd, at: next }),
            }
        }
    }
}

#[cfg(test)]
mod tests;
