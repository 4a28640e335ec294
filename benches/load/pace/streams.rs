//! So many streamed answers at once; one that has ended is followed by the next on its connection.

use super::clock::{Metronome, nanoseconds, now};
use super::spread::spread;
use super::{Connection, Failure, Target, Window, tell};
use bytes::Bytes;
use http_body_util::BodyExt;
use parking_lot::Mutex;
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::task::JoinSet;

/// What has been seen in the measured time.
#[derive(Default)]
struct Seen {
    /// From sending a request to the first event of its answer.
    firsts: Vec<u64>,
    /// From one event to the next; zero for those that come together.
    gaps: Vec<u64>,
    streams: usize,
    errors: usize,
    first_error: Option<String>,
}

#[derive(Clone)]
struct Stage {
    target: Target,
    window: Window,
    events: usize,
    seen: Arc<Mutex<Seen>>,
}

pub(crate) async fn run(
    target: Target,
    streams: u32,
    events: usize,
    over: f64,
    (warm_up, seconds): (f64, f64),
) -> Result<Value, Failure> {
    let between = nanoseconds(over / f64::from(streams.max(1)))?;
    // All are to be open before anything counts.
    let window = Window::new(over + warm_up, seconds)?;
    let stage = Stage { target, window, events, seen: Arc::default() };
    let mut open = JoinSet::new();
    let mut metronome = Metronome::new(window.start, between)?;
    for _ in 0..streams {
        metronome.tick().await?;
        open.spawn(stage.clone().keep_streaming());
    }
    Metronome::new(window.from, 1)?.tick().await?;
    tell("measuring")?;
    Metronome::new(window.until, 1)?.tick().await?;
    tell("measured")?;
    // The streams still open have done their part.
    open.shutdown().await;
    let seen = std::mem::take(&mut *stage.seen.lock());
    Ok(json!({
        "events": seen.firsts.len() + seen.gaps.len(),
        "streams": seen.streams,
        "errors": seen.errors,
        "first_error": seen.first_error,
        "first": spread(seen.firsts),
        "gap": spread(seen.gaps),
    }))
}

impl Stage {
    async fn keep_streaming(self) {
        let mut connection = None;
        loop {
            match self.stream(connection.take()).await {
                Ok(again) => connection = Some(again),
                Err(failure) => {
                    let mut seen = self.seen.lock();
                    seen.errors += 1;
                    seen.first_error.get_or_insert(failure.to_string());
                    // One that never comes to be would try without end.
                    return;
                }
            }
        }
    }

    /// One stream to its end; returns its connection.
    async fn stream(&self, connection: Option<Connection>) -> Result<Connection, Failure> {
        let mut connection = match connection {
            Some(connection) => connection,
            None => Connection::open(&self.target).await?,
        };
        let sent = now();
        let mut response = connection.send().await?;
        let (mut before, mut events, mut last) = (sent, 0, Bytes::new());
        while let Some(frame) = response.frame().await {
            let Ok(data) = frame?.into_data() else { continue };
            let new = memchr::memmem::find_iter(&data, b"\n\n").count();
            self.note(now(), before, (events == 0).then_some(sent), new);
            if new > 0 {
                before = now();
            }
            events += new;
            last = data;
        }
        if events != self.events || !last.ends_with(b"data: [DONE]\n\n") {
            return Err(format!("a stream ended after {events} of {} events", self.events).into());
        }
        self.seen.lock().streams += 1;
        Ok(connection)
    }

    /// `new` events are here, `before` is when the last one was; `first` is when a request was sent whose first they are.
    fn note(&self, at: u64, before: u64, first: Option<u64>, new: usize) {
        if new == 0 || !self.window.has(at) {
            return;
        }
        let mut seen = self.seen.lock();
        match first {
            Some(sent) => seen.firsts.push(at - sent),
            None => seen.gaps.push(at - before),
        }
        seen.gaps.extend(std::iter::repeat_n(0, new - 1));
    }
}
