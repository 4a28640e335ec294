//! The libraries that decode, behind one face.

use super::Coding;
use brotli_decompressor::{BrotliDecompressStream, BrotliResult, BrotliState, StandardAlloc};
use flate2::{Decompress, FlushDecompress, Status};
use zstd::stream::raw::{DParameter, InBuffer, Operation as _, OutBuffer};

/// The greatest window of gzip and deflate, as a power of two: what they have all have.
const ZLIB_WINDOW: u8 = 15;

/// What a member of gzip begins with: RFC 1952, section 2.3.1.
const GZIP_MEMBER: u8 = 0x1F;

/// The greatest window of zstd, as a power of two: RFC 9659.
const ZSTD_WINDOW: u32 = 23;

/// What a zstd frame begins with: RFC 8878, section 3.1.1.
const ZSTD_FRAME: [u8; 4] = [0x28, 0xB5, 0x2F, 0xFD];

/// What follows the first byte of one that is to be skipped: section 3.1.2.
const ZSTD_SKIPPED: [u8; 3] = [0x2A, 0x4D, 0x18];

type Brotli = BrotliState<StandardAlloc, StandardAlloc, StandardAlloc>;

/// How far a step has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Step {
    pub(super) read: usize,
    pub(super) written: usize,
}

/// Why there is no next step.
#[derive(Debug, Clone, Copy)]
pub(super) enum Broken {
    Invalid,
    Trailing,
}

pub(super) enum Engine {
    Gzip { zlib: Decompress, at_end: bool, begun: bool },
    Deflate(Deflate),
    Brotli { state: Box<Brotli>, at_end: bool },
    Zstd(Zstd),
}

impl Engine {
    pub(super) fn new(coding: Coding) -> Self {
        match coding {
            Coding::Gzip => {
                Self::Gzip { zlib: Decompress::new_gzip(ZLIB_WINDOW), at_end: true, begun: false }
            }
            Coding::Deflate => Self::Deflate(Deflate::Unknown(None)),
            Coding::Brotli => {
                let alloc = StandardAlloc::default;
                let state = BrotliState::new_strict(alloc(), alloc(), alloc());
                Self::Brotli { state: Box::new(state), at_end: false }
            }
            Coding::Zstd => Self::Zstd(Zstd::new()),
        }
    }

    /// Decodes from `input`, which is not empty but where the last step has filled all of `output`.
    pub(super) fn step(&mut self, input: &[u8], output: &mut [u8]) -> Result<Step, Broken> {
        match self {
            Self::Gzip { zlib, at_end, begun } => {
                if *at_end && let [first, ..] = input {
                    // The first member, or another one, if it begins as one.
                    if *begun {
                        if *first != GZIP_MEMBER {
                            return Err(Broken::Trailing);
                        }
                        zlib.reset(true);
                    }
                    (*at_end, *begun) = (false, true);
                }
                match *at_end {
                    true => Ok(Step::default()),
                    false => inflate(zlib, at_end, input, output),
                }
            }
            Self::Deflate(deflate) => deflate.step(input, output),
            Self::Brotli { state, at_end } => brotli(state, at_end, input, output),
            Self::Zstd(zstd) => zstd.step(input, output),
        }
    }

    /// Whether the body may end here.
    pub(super) fn is_at_end(&self) -> bool {
        match self {
            Self::Gzip { at_end, begun, .. } => *at_end && *begun,
            Self::Deflate(deflate) => matches!(deflate, Deflate::Known { at_end: true, .. }),
            Self::Brotli { at_end, .. } => *at_end,
            Self::Zstd(zstd) => zstd.begun && zstd.head_len == 0 && zstd.at_end,
        }
    }
}

fn inflate(
    zlib: &mut Decompress,
    at_end: &mut bool,
    input: &[u8],
    output: &mut [u8],
) -> Result<Step, Broken> {
    let (read, written) = (zlib.total_in(), zlib.total_out());
    let status = zlib.decompress(input, output, FlushDecompress::None).map_err(|_| Broken::Invalid)?;
    *at_end = status == Status::StreamEnd;
    let length = |now: u64, then: u64| usize::try_from(now - then).unwrap_or(usize::MAX);
    Ok(Step { read: length(zlib.total_in(), read), written: length(zlib.total_out(), written) })
}

fn brotli(state: &mut Brotli, at_end: &mut bool, input: &[u8], output: &mut [u8]) -> Result<Step, Broken> {
    if *at_end {
        return if input.is_empty() { Ok(Step::default()) } else { Err(Broken::Trailing) };
    }
    let (mut available_in, mut available_out) = (input.len(), output.len());
    let mut step = Step::default();
    let result = BrotliDecompressStream(
        &mut available_in,
        &mut step.read,
        input,
        &mut available_out,
        &mut step.written,
        output,
        &mut 0,
        state,
    );
    match result {
        BrotliResult::ResultFailure => return Err(Broken::Invalid),
        BrotliResult::ResultSuccess => *at_end = true,
        BrotliResult::NeedsMoreInput | BrotliResult::NeedsMoreOutput => {}
    }
    Ok(step)
}

/// `deflate`, of which the first two bytes tell what it is.
pub(super) enum Deflate {
    Unknown(Option<u8>),
    Known { zlib: Decompress, at_end: bool },
}

impl Deflate {
    fn step(&mut self, input: &[u8], output: &mut [u8]) -> Result<Step, Broken> {
        match self {
            Self::Unknown(first) => {
                let (first, second, read) = match (*first, input) {
                    (None, [only]) => {
                        *first = Some(*only);
                        return Ok(Step { read: 1, written: 0 });
                    }
                    (None, [first, second, ..]) => (*first, *second, 2),
                    (Some(first), [second, ..]) => (first, *second, 1),
                    (_, []) => return Ok(Step::default()),
                };
                let mut zlib = Decompress::new(is_zlib(first, second));
                let mut at_end = false;
                // The two bytes can be no more than a header, or the beginning of a bare block.
                let step = inflate(&mut zlib, &mut at_end, &[first, second], output)?;
                *self = Self::Known { zlib, at_end };
                match step.read {
                    2 => Ok(Step { read, ..step }),
                    _ => Err(Broken::Trailing),
                }
            }
            Self::Known { at_end: true, .. } if !input.is_empty() => Err(Broken::Trailing),
            Self::Known { at_end: true, .. } => Ok(Step::default()),
            Self::Known { zlib, at_end } => inflate(zlib, at_end, input, output),
        }
    }
}

/// Whether these two bytes are a zlib header: RFC 1950, section 2.2. A bare body that began with them would have to begin
/// with a stored block whose padding is not zero.
fn is_zlib(first: u8, second: u8) -> bool {
    first & 0x0F == 8 && u16::from_be_bytes([first, second]).is_multiple_of(31)
}

/// `zstd`, frame by frame. The library also knows what its format was before it was one; that is kept from it, by a look at
/// what each frame begins with.
pub(super) struct Zstd {
    /// `None` if there was no memory for it.
    context: Option<zstd::stream::raw::Decoder<'static>>,
    /// The beginning of a frame, as far as it has come.
    head: [u8; 4],
    head_len: usize,
    begun: bool,
    at_end: bool,
}

impl Zstd {
    fn new() -> Self {
        let mut context = zstd::stream::raw::Decoder::new().ok();
        if let Some(decoder) = &mut context
            && decoder.set_parameter(DParameter::WindowLogMax(ZSTD_WINDOW)).is_err()
        {
            context = None;
        }
        Self { context, head: [0; 4], head_len: 0, begun: false, at_end: true }
    }

    fn step(&mut self, input: &[u8], output: &mut [u8]) -> Result<Step, Broken> {
        if !self.at_end {
            return self.decode(input, output);
        }
        let missing = self.head.get_mut(self.head_len..).unwrap_or_default();
        let read = missing.len().min(input.len());
        missing.iter_mut().zip(input).for_each(|(to, from)| *to = *from);
        self.head_len += read;
        if self.head_len == self.head.len() {
            let [kind, magic @ ..] = self.head;
            if self.head != ZSTD_FRAME && (magic != ZSTD_SKIPPED || kind & 0xF0 != 0x50) {
                return Err(if self.begun { Broken::Trailing } else { Broken::Invalid });
            }
            (self.begun, self.at_end, self.head_len) = (true, false, 0);
            let head = self.head;
            self.decode(&head, output)?;
        }
        Ok(Step { read, written: 0 })
    }

    fn decode(&mut self, input: &[u8], output: &mut [u8]) -> Result<Step, Broken> {
        let context = self.context.as_mut().ok_or(Broken::Invalid)?;
        let mut input = InBuffer::around(input);
        let mut output = OutBuffer::around(output);
        let hint = context.run(&mut input, &mut output).map_err(|_| Broken::Invalid)?;
        self.at_end = hint == 0;
        Ok(Step { read: input.pos(), written: output.pos() })
    }
}
