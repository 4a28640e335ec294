//! The thread that writes the lines.

use super::queue::Queue;
use crate::balance::Tick;
use log::warn;
use std::io::{self, ErrorKind, Write};
use std::iter;
use std::mem;
use std::time::Duration;

/// How long it waits for a reader that does not want to be waited for.
const FULL: Duration = Duration::from_millis(2);

/// How long it waits after an error.
const FAILED: Duration = Duration::from_millis(10);

/// How often it is told that lines are lost.
const TELLING: Duration = Duration::from_secs(10);

/// Standard output, without the buffer that `std` has for it: what comes here has been collected.
pub struct Stdout;

impl Write for Stdout {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(rustix::io::write(io::stdout(), bytes)?)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Writes what waits in a queue.
pub struct Writer<'a> {
    queue: &'a Queue,
    sink: &'a mut dyn Write,
    /// What is left of a line that an error cut. It goes before all else, so that no line is broken.
    rest: Vec<u8>,
    /// The lines that have been lost since it was told.
    lost: u64,
    error: Option<io::Error>,
    told: Option<Tick>,
    now: fn() -> Tick,
}

impl<'a> Writer<'a> {
    /// Writes the lines of `queue` to `sink`; `now` is the moment that it is.
    pub fn new(queue: &'a Queue, sink: &'a mut dyn Write, now: fn() -> Tick) -> Self {
        Self { queue, sink, rest: Vec::new(), lost: 0, error: None, told: None, now }
    }

    /// Writes until the queue is closed and empty.
    pub fn run(mut self) {
        let mut chunks = Vec::new();
        while self.queue.take(&mut chunks, &mut self.lost) {
            if let Err(error) = self.write(&chunks) {
                self.error = Some(error);
                self.queue.pause(FAILED);
            }
            self.tell();
        }
        self.lost += u64::from(!self.rest.is_empty());
        self.told = None;
        self.tell();
        self.queue.end();
    }

    /// Writes all of `chunks`. After an error the lines that are left are lost.
    fn write(&mut self, chunks: &[Vec<u8>]) -> io::Result<()> {
        let rest = mem::take(&mut self.rest);
        let mut written = Ok(());
        for (chunk, is_rest) in iter::once((&rest, true)).chain(chunks.iter().map(|chunk| (chunk, false))) {
            if written.is_err() {
                self.lost += lines(chunk);
            } else if let Err((unwritten, error)) = self.write_chunk(chunk) {
                let (begun, lost) = split(chunk, unwritten, is_rest);
                self.rest = begun.to_vec();
                self.lost += lines(lost);
                written = Err(error);
            }
        }
        written
    }

    /// Writes `left`. Returns what could not be, and why.
    fn write_chunk<'c>(&mut self, mut left: &'c [u8]) -> Result<(), (&'c [u8], io::Error)> {
        while !left.is_empty() {
            match self.sink.write(left) {
                Ok(0) => return Err((left, ErrorKind::WriteZero.into())),
                Ok(written) => left = left.get(written..).unwrap_or_default(),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.queue.pause(FULL),
                Err(error) => return Err((left, error)),
            }
        }
        Ok(())
    }

    /// Tells of lost lines in the process's own log, once in a while.
    fn tell(&mut self) {
        if self.lost == 0 {
            return;
        }
        let now = (self.now)();
        if self.told.is_some_and(|told| now.since(told) < TELLING) {
            return;
        }
        self.told = Some(now);
        let lost = mem::take(&mut self.lost);
        match self.error.take() {
            Some(error) => warn!(
                "{lost} lines of the access log are lost: standard output cannot be written to: {error}"
            ),
            None => warn!(
                "{lost} lines of the access log are lost: standard output is not read as fast as they come"
            ),
        }
    }
}

/// The `unwritten` end of `chunk`: what belongs to a line that has been begun, and the others.
fn split<'c>(chunk: &[u8], unwritten: &'c [u8], is_rest: bool) -> (&'c [u8], &'c [u8]) {
    let before = chunk.len().saturating_sub(unwritten.len()).checked_sub(1).and_then(|at| chunk.get(at));
    let is_begun = before.map_or(is_rest, |byte| *byte != b'\n');
    let end = memchr::memchr(b'\n', unwritten).filter(|_| is_begun).map_or(0, |at| at + 1);
    unwritten.split_at_checked(end).unwrap_or_default()
}

fn lines(bytes: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', bytes).map(|_| 1).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_was_begun_is_told_from_the_others() {
        let chunk = b"ab\ncd\nef\n";
        for (written, is_rest, expected) in [
            (0, false, ("", "ab\ncd\nef\n")),
            (0, true, ("ab\n", "cd\nef\n")),
            (1, false, ("b\n", "cd\nef\n")),
            (2, false, ("\n", "cd\nef\n")),
            (3, true, ("", "cd\nef\n")),
            (8, false, ("\n", "")),
        ] {
            let (begun, others) = split(chunk, &chunk[written..], is_rest);
            assert_eq!((begun, others), (expected.0.as_bytes(), expected.1.as_bytes()), "{written}");
        }
    }

    /// Takes so many bytes, and no more.
    struct Disk(usize);

    impl Write for Disk {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let taken = self.0.min(bytes.len());
            self.0 -= taken;
            if taken == 0 { Err(ErrorKind::StorageFull.into()) } else { Ok(taken) }
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn lost_lines_are_counted() {
        let (queue, mut disk) = (Queue::new(1), Disk(4));
        let mut writer = Writer::new(&queue, &mut disk, || Tick::ORIGIN);
        let chunks = [b"ab\ncd\nef\n".to_vec(), b"gh\nij\n".to_vec()];
        assert_eq!(writer.write(&chunks).unwrap_err().kind(), ErrorKind::StorageFull);
        assert_eq!((writer.lost, writer.rest.as_slice()), (3, &b"d\n"[..]));
        // The cut line is still to come, and the others are not.
        writer.write(&chunks[1..]).unwrap_err();
        assert_eq!((writer.lost, writer.rest.as_slice()), (5, &b"d\n"[..]));
    }
}
