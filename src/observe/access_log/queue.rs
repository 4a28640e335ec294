//! The lines that wait to be written.

use log::warn;
use parking_lot::{Condvar, Mutex};
use std::mem;
use std::time::Duration;

/// How much is written at once. As much as a pipe holds.
pub const CHUNK: usize = 64 << 10;

/// How long lines are collected after others were written. A line is that late at most, as long as its reader reads.
const COLLECTING: Duration = Duration::from_millis(10);

/// How long the end of the process may wait for the last lines to be read.
const LAST_LINES: Duration = Duration::from_secs(1);

/// How many chunks are kept to be filled again.
const SPARES: usize = 4;

/// Lines on their way from those who serve requests to the one thread that writes them.
///
/// Who adds a line wakes that thread only if there was none before, not for each: while lines come, it looks for them by
/// itself every ten milliseconds.
#[derive(Debug)]
pub struct Queue {
    waiting: Mutex<Waiting>,
    came: Condvar,
    ended: Condvar,
    max: usize,
}

/// Whole lines, and what is to be known of them.
#[derive(Debug, Default)]
struct Waiting {
    /// Chunks of some 64 KiB, so that no line has to wait for a big buffer to grow.
    full: Vec<Vec<u8>>,
    last: Vec<u8>,
    spares: Vec<Vec<u8>>,
    /// The bytes that wait.
    bytes: usize,
    /// The bytes that are being written.
    taken: usize,
    /// The lines that there was no room for.
    dropped: u64,
    /// Whether the thread that writes waits to be woken.
    is_idle: bool,
    is_closed: bool,
    has_ended: bool,
}

impl Queue {
    /// A queue for `max` bytes, those that are being written among them.
    pub fn new(max: usize) -> Self {
        Self { waiting: Mutex::default(), came: Condvar::new(), ended: Condvar::new(), max }
    }

    /// Lets `line` wait, or drops it if too much is waiting. Returns whether the thread that writes was woken for it.
    pub fn add(&self, line: &[u8]) -> bool {
        let mut waiting = self.waiting.lock();
        if waiting.is_closed || line.is_empty() {
            return false;
        }
        if waiting.bytes + waiting.taken + line.len() > self.max {
            waiting.dropped += 1;
            return false;
        }
        if !waiting.last.is_empty() && waiting.last.len() + line.len() > CHUNK {
            let next = waiting.spares.pop().unwrap_or_default();
            let full = mem::replace(&mut waiting.last, next);
            waiting.full.push(full);
        }
        if waiting.last.capacity() == 0 {
            // All at once: growing copies, and the other threads wait for it.
            waiting.last.reserve_exact(CHUNK);
        }
        waiting.last.extend_from_slice(line);
        waiting.bytes += line.len();
        let wakes = mem::take(&mut waiting.is_idle);
        drop(waiting);
        if wakes {
            self.came.notify_one();
        }
        wakes
    }

    /// Waits for lines and exchanges them for `chunks`, which have been written. Adds to `lost` how many were dropped.
    /// Returns `false` if there are none and there will be none.
    pub fn take(&self, chunks: &mut Vec<Vec<u8>>, lost: &mut u64) -> bool {
        chunks.truncate(SPARES);
        chunks.retain(|chunk| chunk.capacity() <= CHUNK);
        chunks.iter_mut().for_each(Vec::clear);
        let mut waiting = self.waiting.lock();
        waiting.taken = 0;
        let room = SPARES.saturating_sub(waiting.spares.len()).min(chunks.len());
        waiting.spares.extend(chunks.drain(..room));
        if waiting.full.is_empty() && !waiting.is_closed {
            self.came.wait_for(&mut waiting, COLLECTING);
        }
        while waiting.bytes == 0 && !waiting.is_closed {
            waiting.is_idle = true;
            self.came.wait(&mut waiting);
        }
        waiting.is_idle = false;
        chunks.clear();
        mem::swap(&mut waiting.full, chunks);
        let next = waiting.spares.pop().unwrap_or_default();
        chunks.push(mem::replace(&mut waiting.last, next));
        waiting.taken = mem::take(&mut waiting.bytes);
        *lost += mem::take(&mut waiting.dropped);
        waiting.taken > 0
    }

    /// Waits for `time`. Lines that come do not end it.
    pub fn pause(&self, time: Duration) {
        self.came.wait_for(&mut self.waiting.lock(), time);
    }

    /// The thread that writes is done.
    pub fn end(&self) {
        self.waiting.lock().has_ended = true;
        self.ended.notify_all();
    }

    /// Takes no more lines. Returns whether there are some to be written still.
    pub fn close(&self) -> bool {
        let mut waiting = self.waiting.lock();
        let was_closed = mem::replace(&mut waiting.is_closed, true);
        waiting.is_idle = false;
        self.came.notify_all();
        !was_closed && waiting.bytes + waiting.taken > 0
    }

    /// Waits until all lines are written, though not for a reader that hangs.
    pub fn wait_for_end(&self) {
        let mut waiting = self.waiting.lock();
        self.ended.wait_while_for(&mut waiting, |waiting| !waiting.has_ended, LAST_LINES);
        if !waiting.has_ended {
            let (bytes, dropped) = (waiting.bytes + waiting.taken, waiting.dropped);
            drop(waiting);
            warn!(
                "the access log ends before all was read: up to {bytes} bytes of it are not written, \
                 and {dropped} lines were dropped for want of room"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(queue: &Queue) -> (String, u64) {
        let (mut chunks, mut lost) = (Vec::new(), 0);
        assert!(queue.take(&mut chunks, &mut lost));
        (String::from_utf8(chunks.concat()).unwrap(), lost)
    }

    #[test]
    fn lines_wait_up_to_the_limit_and_in_order() {
        let queue = Queue::new(8);
        for line in ["a\n", "bc\n", "too long\n", "d\n", "e\n", "\n"] {
            queue.add(line.as_bytes());
        }
        assert_eq!(taken(&queue), ("a\nbc\nd\n\n".to_owned(), 2));
        // What is being written counts until it has been.
        queue.add(b"f\n");
        assert_eq!(queue.waiting.lock().dropped, 1);
        queue.waiting.lock().taken = 0;
        queue.add(b"g\n");
        assert_eq!(taken(&queue), ("g\n".to_owned(), 1));
    }

    #[test]
    fn only_the_first_line_wakes_the_thread() {
        let queue = Queue::new(CHUNK);
        assert!(!queue.add(b"a\n"), "it is at work");
        queue.waiting.lock().is_idle = true;
        assert!(queue.add(b"b\n"));
        assert!((0..100).all(|_| !queue.add(b"c\n")));
    }

    #[test]
    fn chunks_hold_whole_lines() {
        let queue = Queue::new(10 * CHUNK);
        let line = [&[b'x'; CHUNK / 2][..], b"\n"].concat();
        let long = [&[b'y'; 2 * CHUNK][..], b"\n"].concat();
        for line in [&line, &line, &long, &line] {
            queue.add(line);
        }
        let mut chunks = Vec::new();
        assert!(queue.take(&mut chunks, &mut 0));
        assert_eq!(chunks, [line.clone(), line.clone(), long, line]);
    }

    #[test]
    fn written_chunks_are_filled_again_though_not_all_are_kept() {
        let queue = Queue::new(100 * CHUNK);
        let mut chunks: Vec<_> = (0..2 * SPARES).map(|_| Vec::with_capacity(1_000)).collect();
        chunks.insert(0, Vec::with_capacity(2 * CHUNK));
        queue.add(b"a\n");
        assert!(queue.take(&mut chunks, &mut 0));
        assert_eq!(chunks, [b"a\n"]);
        let waiting = queue.waiting.lock();
        // One of the four was too big, and one is being filled.
        assert_eq!(waiting.spares.len(), SPARES - 2);
        assert_eq!(waiting.last.capacity(), 1_000);
    }

    #[test]
    fn a_closed_queue_gives_what_it_has_and_takes_nothing() {
        let queue = Queue::new(CHUNK);
        assert!(!Queue::new(CHUNK).close(), "there is nothing to be written");
        queue.add(b"a\n");
        assert!(queue.close());
        assert!(!queue.close(), "the first one has waited");
        queue.add(b"b\n");
        assert_eq!(taken(&queue), ("a\n".to_owned(), 0));
        assert!(!queue.take(&mut Vec::new(), &mut 0));
    }
}
