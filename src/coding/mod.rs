//! Decoding HTTP's content codings as a body passes: gzip, deflate, br and zstd.
//!
//! Pure: chunks in, at whatever places the body is cut into chunks; pieces of what they decode to out. A piece is handed on
//! before the next is decoded, so that whoever takes them can stop in the middle of a bomb. The memory is bounded by the
//! window that a coding may have: 32 KiB for gzip and deflate, 16 MiB for br (RFC 7932, no large window), 8 MiB for zstd
//! (RFC 9659).
//!
//! Several gzip members in a row are one body (RFC 1952), and so are several zstd frames (RFC 8878). What else follows the
//! end is an error: a body that two readers could take for two different ones is not passed on as either.

mod engine;

use engine::{Broken, Engine, Step};
use std::ops::ControlFlow;
use thiserror::Error;

/// The size of the pieces, in bytes.
const PIECE: usize = 16 * 1024;

/// How much of an unknown coding's name a message shows, in bytes.
const MAX_NAME: usize = 40;

/// A content coding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coding {
    /// RFC 1952, `gzip` or `x-gzip`.
    Gzip,
    /// `deflate`: zlib (RFC 1950) as RFC 9110 has it, or bare (RFC 1951) as some send it.
    Deflate,
    /// RFC 7932, `br`.
    Brotli,
    /// RFC 8878, `zstd`.
    Zstd,
}

/// Content that cannot be decoded for what its header says.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Unsupported {
    /// A coding that is not known.
    #[error("the content coding `{0}` is not known")]
    Unknown(String),
    /// One coding over another.
    #[error("more than one content coding")]
    Several,
}

/// What is wrong with an encoded body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum DecodeError {
    /// It is not what its coding says.
    #[error("the body is no valid {0}")]
    Invalid(&'static str),
    /// It has an end, and something after it.
    #[error("something follows the end of the {0} body")]
    Trailing(&'static str),
    /// It ends before its end.
    #[error("the {0} body is cut off")]
    Truncated(&'static str),
}

impl Coding {
    /// The coding that the values of `Content-Encoding` name, if it is not `identity` or none at all.
    ///
    /// # Errors
    /// A coding that is not known, or several one over another.
    pub fn of<'a>(values: impl IntoIterator<Item = &'a [u8]>) -> Result<Option<Self>, Unsupported> {
        let mut found = None;
        for name in values.into_iter().flat_map(|value| value.split(|byte| *byte == b',')) {
            let name = name.trim_ascii();
            if name.is_empty() || name.eq_ignore_ascii_case(b"identity") {
                continue;
            }
            let coding = Self::named(name)?;
            if found.replace(coding).is_some() {
                return Err(Unsupported::Several);
            }
        }
        Ok(found)
    }

    fn named(name: &[u8]) -> Result<Self, Unsupported> {
        let names = [
            (Self::Gzip, "gzip"),
            (Self::Gzip, "x-gzip"),
            (Self::Deflate, "deflate"),
            (Self::Brotli, "br"),
            (Self::Zstd, "zstd"),
        ];
        let found = names.iter().find(|(_, known)| name.eq_ignore_ascii_case(known.as_bytes()));
        found.map(|(coding, _)| *coding).ok_or_else(|| {
            let shown = name.get(..MAX_NAME).unwrap_or(name);
            Unsupported::Unknown(shown.escape_ascii().to_string())
        })
    }

    /// As `Content-Encoding` names it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Deflate => "deflate",
            Self::Brotli => "br",
            Self::Zstd => "zstd",
        }
    }
}

/// Decodes one body.
pub struct Decoder {
    coding: Coding,
    engine: Engine,
    piece: Vec<u8>,
    /// What is wrong with the body, once something is.
    error: Option<DecodeError>,
}

impl std::fmt::Debug for Decoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Decoder")
            .field("coding", &self.coding)
            .field("error", &self.error)
            .finish_non_exhaustive()
    }
}

impl Decoder {
    /// At the beginning of a body.
    pub fn new(coding: Coding) -> Self {
        Self { coding, engine: Engine::new(coding), piece: vec![0; PIECE], error: None }
    }

    /// Decodes the next chunk, and hands what comes of it to `take`, piece by piece, until `take` breaks off. A body that
    /// was broken off is not to be fed any more.
    ///
    /// # Errors
    /// A body that is not what its coding says. It stays so: every later call gives the same error. How much is handed on
    /// before depends on how the body is cut.
    pub fn feed<B>(
        &mut self,
        chunk: &[u8],
        take: &mut impl FnMut(&[u8]) -> ControlFlow<B>,
    ) -> Result<ControlFlow<B>, DecodeError> {
        if let Some(error) = self.error {
            return Err(error);
        }
        let mut rest = chunk;
        // A full piece may have more behind it that needs no further input.
        let mut was_full = false;
        while was_full || !rest.is_empty() {
            let step = self.engine.step(rest, &mut self.piece).map_err(|broken| self.fail(broken))?;
            if step == Step::default() && !rest.is_empty() {
                return Err(self.fail(Broken::Invalid));
            }
            rest = rest.get(step.read..).unwrap_or_default();
            was_full = step.written == self.piece.len();
            let piece = self.piece.get(..step.written).unwrap_or_default();
            if !piece.is_empty()
                && let ControlFlow::Break(stop) = take(piece)
            {
                return Ok(ControlFlow::Break(stop));
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Says whether the body that was fed was whole.
    ///
    /// # Errors
    /// It was not, or it was none of its coding.
    pub fn finish(&self) -> Result<(), DecodeError> {
        match self.error {
            Some(error) => Err(error),
            None if self.engine.is_at_end() => Ok(()),
            None => Err(DecodeError::Truncated(self.coding.name())),
        }
    }

    #[cold]
    fn fail(&mut self, broken: Broken) -> DecodeError {
        let name = self.coding.name();
        let error = match broken {
            Broken::Invalid => DecodeError::Invalid(name),
            Broken::Trailing => DecodeError::Trailing(name),
        };
        self.error = Some(error);
        error
    }
}

#[cfg(test)]
mod tests;
