//! In order, whole, and without anyone having to wait.

use super::super::*;
use super::entry;
use std::io;
use std::sync::mpsc::{Receiver, Sender, channel};

/// What comes of a write.
enum Next {
    /// An error.
    Error(io::ErrorKind),
    /// No more than so many bytes.
    Part(usize),
    /// A reader that hangs until something is sent, or the sender is gone.
    Hangs(Receiver<()>),
}

/// Tells of each write. The first ones go as `next` says, the others go well.
struct Sink {
    writes: Sender<Vec<u8>>,
    next: Box<dyn Iterator<Item = Next> + Send>,
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let length = match self.next.next() {
            Some(Next::Error(error)) => return Err(error.into()),
            Some(Next::Part(length)) => length.min(bytes.len()),
            Some(Next::Hangs(gate)) => {
                let _ = gate.recv();
                bytes.len()
            }
            None => bytes.len(),
        };
        let _ = self.writes.send(bytes[..length].to_vec());
        Ok(length)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn log(
    max_waiting: usize,
    next: impl IntoIterator<Item = Next, IntoIter: Send + 'static>,
) -> (AccessLog, Receiver<Vec<u8>>) {
    let (writes, written) = channel();
    (
        AccessLog::limited(Sink { writes, next: Box::new(next.into_iter()) }, || Tick::ORIGIN, max_waiting),
        written,
    )
}

/// Writes a line whose id is `id`.
fn write(log: &AccessLog, id: usize) {
    log.write(Format::Json, &Entry { request_id: &id.to_string(), ..entry() });
}

/// The ids of the lines in `text`, each of which is whole.
fn ids(text: &[u8]) -> Vec<usize> {
    let id = |line: &str| {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        line["request_id"].as_str().unwrap().parse().unwrap()
    };
    std::str::from_utf8(text).unwrap().lines().map(id).collect()
}

/// Ends `log`. Returns what was written, until the thread is gone.
fn end(log: AccessLog, written: &Receiver<Vec<u8>>) -> Vec<Vec<u8>> {
    drop(log);
    written.iter().collect()
}

#[test]
fn a_line_is_written_without_another_one() {
    let (log, written) = log(MAX_WAITING, []);
    for id in 0..3 {
        write(&log, id);
        assert_eq!(ids(&written.recv().unwrap()), [id]);
    }
}

#[test]
fn lines_that_come_meanwhile_are_written_together() {
    let (gate, hangs) = channel();
    let (log, written) = log(MAX_WAITING, [Next::Hangs(hangs)]);
    (0..10_000).for_each(|id| write(&log, id));
    drop(gate);
    let writes = end(log, &written);
    assert!(writes.iter().all(|write| write.len() <= queue::CHUNK && write.ends_with(b"\n")));
    assert_eq!(ids(&writes.concat()), (0..10_000).collect::<Vec<_>>());
    // The one or two that the first lines made, and a chunk each.
    let least = writes.concat().len().div_ceil(queue::CHUNK - 1_000);
    assert!(writes.len() <= least + 2, "{} writes, {least} would do", writes.len());
}

#[test]
fn the_lines_of_a_thread_are_in_its_order() {
    const THREADS: usize = 4;
    const LINES: usize = 5_000;
    let (log, written) = log(MAX_WAITING, []);
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let log = &log;
            scope.spawn(move || (0..LINES).for_each(|n| write(log, thread * LINES + n)));
        }
    });
    let mut ids = ids(&end(log, &written).concat());
    // Stable: within a thread, the order stays what it was.
    ids.sort_by_key(|id| id / LINES);
    assert!(ids.into_iter().eq(0..THREADS * LINES));
}

#[test]
fn a_reader_that_hangs_costs_lines_and_nothing_else() {
    let (gate, hangs) = channel();
    let (log, written) = log(100_000, [Next::Hangs(hangs)]);
    (0..10_000).for_each(|id| write(&log, id));
    // It reads again.
    gate.send(()).unwrap();
    let ids = ids(&end(log, &written).concat());
    assert!(ids.len() > 100 && ids.len() < 400, "{}", ids.len());
    assert!(ids.is_sorted_by(|one, next| one + 1 == *next) && ids.first() == Some(&0), "{ids:?}");
}

#[test]
fn the_end_does_not_wait_for_a_reader_that_hangs() {
    let (gate, hangs) = channel();
    let (log, written) = log(MAX_WAITING, [Next::Hangs(hangs)]);
    (0..10).for_each(|id| write(&log, id));
    log.close();
    assert!(written.try_recv().is_err());
    write(&log, 10);
    drop(gate);
    // Once it reads it gets what had been written before the end.
    assert!(ids(&end(log, &written).concat()).into_iter().eq(0..10));
}

#[test]
fn a_sink_that_takes_little_gets_whole_lines() {
    let next = (0..1_000).map(|n| match n % 3 {
        0 => Next::Part(n),
        1 => Next::Error(io::ErrorKind::Interrupted),
        _ => Next::Part(7),
    });
    let blocked =
        [Next::Error(io::ErrorKind::WouldBlock), Next::Part(1), Next::Error(io::ErrorKind::WouldBlock)];
    let (log, written) = log(MAX_WAITING, blocked.into_iter().chain(next.skip(1)));
    (0..1_000).for_each(|id| write(&log, id));
    assert!(ids(&end(log, &written).concat()).into_iter().eq(0..1_000));
}

#[test]
fn an_error_costs_lines_and_breaks_none() {
    let failed = || Next::Error(io::ErrorKind::StorageFull);
    let (log, written) = log(MAX_WAITING, [Next::Part(5), failed(), failed(), Next::Part(3), failed()]);
    write(&log, 0);
    let mut text = written.recv().unwrap();
    for id in 1.. {
        write(&log, id);
        text.extend(written.try_iter().flatten());
        if text.ends_with(b"\n") && ids(&text).len() > 3 {
            break;
        }
        thread::yield_now();
    }
    text.extend(end(log, &written).concat());
    let ids = ids(&text);
    assert_eq!(ids.first(), Some(&0), "the line that was cut is the first still");
    assert!(ids.is_sorted());
}

#[test]
fn a_log_without_a_reader_ends() {
    let (log, written) = log(MAX_WAITING, std::iter::repeat_with(|| Next::Error(io::ErrorKind::BrokenPipe)));
    (0..10).for_each(|id| write(&log, id));
    drop(log);
    assert!(written.recv().is_err(), "the thread is gone, and the sink with it");
}

#[test]
fn off_begins_no_thread() {
    let (log, _written) = log(MAX_WAITING, []);
    log.write(Format::Off, &entry());
    log.close();
    assert!(log.begun.get().is_none());
}
