//! Reading how many tokens a response has used, as it passes.
//!
//! Pure: chunks in, at whatever places the response is cut into chunks; counts out. Nothing is held back and, until
//! something is found, nothing is kept. A whole JSON answer and a stream of events are read alike: what is looked for is
//! the member `usage` of any object, since an unescaped `"usage"` cannot stand inside a JSON string, so that no text of a
//! model can be taken for it. Its value is believed if it is an object with a count of OpenAI's: `prompt_tokens` and
//! `completion_tokens`, or `input_tokens` and `output_tokens` as its Responses API calls them. Of several, as where every
//! event of a stream tells of the tokens so far, the latest counts.

mod counts;

pub use counts::Usage;

use memchr::memmem::Finder;
use memchr::{memchr2, memchr3, memrchr};
use once_cell::sync::Lazy;

/// The member's name as it stands in JSON. No beginning of it is found again within it.
const NAME: &[u8] = b"\"usage\"";

/// The greatest object that is read, in bytes. Those of vendors have some hundred.
const MAX_OBJECT: usize = 4 * 1024;

static FINDER: Lazy<Finder<'static>> = Lazy::new(|| Finder::new(NAME));

/// Watches one response.
#[derive(Debug, Default)]
pub struct Watch {
    state: State,
    /// The object that has begun.
    object: Vec<u8>,
    found: Option<Usage>,
}

#[derive(Debug, Clone, Copy)]
enum State {
    /// Looking for the name, so many bytes of which the last chunk ended with.
    Name(usize),
    /// The name has passed: a colon comes, if it is one.
    Colon,
    /// The colon has passed: an object comes, or nothing that matters.
    Value,
    /// Inside the object.
    Object { depth: usize, place: Place },
}

/// Where in an object the last byte stood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Outside,
    String,
    Escape,
}

impl Place {
    /// The next byte that means something here, and how many that mean nothing come before it.
    fn next_mark(self, bytes: &[u8]) -> Option<(usize, u8)> {
        let before = match self {
            Self::Outside => memchr3(b'"', b'{', b'}', bytes)?,
            Self::String => memchr2(b'"', b'\\', bytes)?,
            // Whatever it is.
            Self::Escape => 0,
        };
        Some((before, *bytes.get(before)?))
    }
}

impl Default for State {
    fn default() -> Self {
        Self::Name(0)
    }
}

impl Watch {
    /// Looks at the next chunk.
    pub fn feed(&mut self, chunk: &[u8]) {
        let mut rest = chunk;
        while !rest.is_empty() {
            let read = match self.state {
                State::Name(seen) => self.look_for_name(seen, rest),
                State::Colon => self.skip_to(b':', State::Value, rest),
                State::Value => self.skip_to(b'{', State::Object { depth: 0, place: Place::Outside }, rest),
                State::Object { depth, place } => self.read_object(depth, place, rest),
            };
            rest = rest.get(read..).unwrap_or_default();
        }
    }

    /// What the response has used, as far as it has said so.
    pub fn usage(&self) -> Option<Usage> {
        self.found
    }

    /// Returns how many bytes it has read: all of them, or up to the name's end.
    fn look_for_name(&mut self, seen: usize, chunk: &[u8]) -> usize {
        let missing = NAME.get(seen..).unwrap_or_default();
        let comes = missing.len().min(chunk.len());
        if seen > 0 && chunk.get(..comes) == missing.get(..comes) {
            self.state = if comes == missing.len() { State::Colon } else { State::Name(seen + comes) };
            return comes;
        }
        match FINDER.find(chunk) {
            Some(at) => {
                self.state = State::Colon;
                at + NAME.len()
            }
            None => {
                self.state = State::Name(begun(chunk));
                chunk.len()
            }
        }
    }

    /// Skips white space up to `expected`, which leads on to `next`. Anything else is looked at again.
    fn skip_to(&mut self, expected: u8, next: State, chunk: &[u8]) -> usize {
        let is_space = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
        let spaces = chunk.iter().take_while(|byte| is_space(byte)).count();
        match chunk.get(spaces) {
            None => {}
            // The brace is read with its object.
            Some(&byte) if byte == expected && byte == b'{' => self.state = next,
            Some(&byte) if byte == expected => {
                self.state = next;
                return spaces + 1;
            }
            Some(_) => self.state = State::default(),
        }
        spaces
    }

    /// Keeps the object up to its end, and reads it then.
    fn read_object(&mut self, mut depth: usize, mut place: Place, chunk: &[u8]) -> usize {
        let room = MAX_OBJECT.saturating_sub(self.object.len());
        let part = chunk.get(..room).unwrap_or(chunk);
        let mut at = 0;
        while let Some((before, mark)) = place.next_mark(part.get(at..).unwrap_or_default()) {
            at += before + 1;
            place = match (place, mark) {
                (Place::Outside, b'"') | (Place::Escape, _) => Place::String,
                (Place::String, b'\\') => Place::Escape,
                (Place::String, _) => Place::Outside,
                (Place::Outside, b'{') => {
                    depth += 1;
                    place
                }
                (Place::Outside, _) => {
                    depth = depth.saturating_sub(1);
                    place
                }
            };
            if depth == 0 {
                self.keep(part, at);
                self.found = Usage::parse(&self.object).map(|usage| usage.over(self.found)).or(self.found);
                self.restart();
                return at;
            }
        }
        self.keep(part, part.len());
        if self.object.len() >= MAX_OBJECT {
            self.restart();
        } else {
            self.state = State::Object { depth, place };
        }
        part.len()
    }

    fn keep(&mut self, chunk: &[u8], length: usize) {
        self.object.extend_from_slice(chunk.get(..length).unwrap_or(chunk));
    }

    fn restart(&mut self) {
        self.state = State::default();
        self.object.clear();
    }
}

/// How many bytes of the name a chunk ends with.
fn begun(chunk: &[u8]) -> usize {
    let tail = chunk.get(chunk.len().saturating_sub(NAME.len() - 1)..).unwrap_or_default();
    // The name has a quote at its beginning and at its end alone, so that only the last one can begin it.
    let last = memrchr(b'"', tail).and_then(|at| tail.get(at..));
    last.filter(|end| NAME.starts_with(end)).map_or(0, <[u8]>::len)
}

#[cfg(test)]
mod tests;
