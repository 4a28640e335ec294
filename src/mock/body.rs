//! Bodies of answers: whole, or frame by frame at the pace that was asked for.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures::stream;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Body, Frame, SizeHint};
use tokio::sync::Semaphore;

use super::ledger::UnderWay;

/// Enough for the peer to take in what came before: over HTTP/2, a reset takes back what it has not.
const BEFORE_BREAKING_OFF: Duration = Duration::from_millis(100);

type BoxBody = http_body_util::combinators::UnsyncBoxBody<Bytes, BrokenOff>;

/// The body ends before its end. hyper closes the connection or resets the stream for it.
#[derive(Debug, thiserror::Error)]
#[error("broken off within the answer, as switched")]
pub(super) struct BrokenOff;

/// How a body ends after its last frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// As it should.
    Proper,
    /// The connection is closed, or the stream reset.
    BrokenOff,
    /// Not at all.
    Never,
}

/// A body that keeps its request under way until hyper has taken it whole or the client has gone.
#[derive(Debug)]
pub(super) struct AnswerBody {
    inner: BoxBody,
    _under_way: UnderWay,
}

impl AnswerBody {
    /// All at once, with its length known.
    pub(super) fn whole(bytes: Bytes, under_way: UnderWay) -> Self {
        let inner = Full::new(bytes).map_err(|never| match never {}).boxed_unsync();
        Self { inner, _under_way: under_way }
    }

    /// Each item of `frames` as a frame of its own, flushed before the next.
    pub(super) fn paced<I>(frames: I, pace: Pace, ending: Ending, under_way: UnderWay) -> Self
    where
        I: Iterator<Item = Bytes> + Send + 'static,
    {
        let frames =
            stream::unfold((frames, pace, ending, true), |(mut frames, pace, ending, first)| async move {
                let Some(frame) = frames.next() else {
                    return ending
                        .reach()
                        .await
                        .map(|broken| (Err(broken), (frames, pace, Ending::Proper, false)));
                };
                if !first {
                    pace.wait().await;
                }
                Some((Ok(Frame::data(frame)), (frames, pace, ending, false)))
            });
        Self { inner: StreamBody::new(frames).boxed_unsync(), _under_way: under_way }
    }
}

impl Ending {
    async fn reach(self) -> Option<BrokenOff> {
        match self {
            Self::Proper => None,
            Self::BrokenOff => {
                pause(BEFORE_BREAKING_OFF).await;
                Some(BrokenOff)
            }
            Self::Never => std::future::pending().await,
        }
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = BrokenOff;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BrokenOff>>> {
        Pin::new(&mut self.inner).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// What a stream waits for between two frames.
#[derive(Debug)]
pub(super) enum Pace {
    /// This long; zero is as fast as the socket takes them.
    Interval(Duration),
    /// A permit of the gate, then this long. A closed gate is an open door.
    Gate(Arc<Semaphore>, Duration),
}

impl Pace {
    async fn wait(&self) {
        match self {
            Self::Interval(interval) => pause(*interval).await,
            Self::Gate(gate, interval) => {
                if let Ok(permit) = gate.acquire().await {
                    permit.forget();
                }
                pause(*interval).await;
            }
        }
    }
}

async fn pause(interval: Duration) {
    if interval.is_zero() {
        // hyper flushes when a body has nothing ready: without this, frames would leave in heaps.
        tokio::task::yield_now().await;
        return;
    }
    tokio::time::sleep(interval).await;
}
