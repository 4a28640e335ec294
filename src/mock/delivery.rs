//! How a good answer is delivered: as it should be, or as the fault that its request met leaves it.

use std::time::Duration;

use bytes::Bytes;

use super::body::{AnswerBody, Ending, Pace};
use super::faults::{Dialect, Fault, Met};
use super::ledger::UnderWay;
use super::script::Script;

/// Into how many pieces a whole answer falls that drips.
const DRIPS: usize = 8;

type Frames = Box<dyn Iterator<Item = Bytes> + Send>;

/// The body of a streamed answer, `interval` between its chunks.
pub(super) fn streamed(script: Script, met: Met, interval: Duration, under_way: UnderWay) -> AnswerBody {
    let usual = match met.gate {
        Some(gate) => Pace::Gate(gate, interval),
        None => Pace::Interval(interval),
    };
    let (frames, pace, ending): (Frames, _, _) = match met.fault {
        Some(Fault::StallAfterHeaders) => (Box::new(std::iter::empty()), usual, Ending::Never),
        Some(Fault::StallMidStream) => (Box::new(script.take(1)), usual, Ending::Never),
        Some(Fault::CloseAfterHeaders) => (Box::new(std::iter::empty()), usual, Ending::BrokenOff),
        Some(Fault::CloseMidStream(chunks)) => (Box::new(script.take(chunks)), usual, Ending::BrokenOff),
        Some(Fault::Drip(interval)) => (Box::new(script), Pace::Interval(interval), Ending::Proper),
        Some(Fault::ErrorEvent { dialect, after }) => {
            (Box::new(script.take(after).chain([error_event(dialect)])), usual, Ending::Proper)
        }
        _ => (Box::new(script), usual, Ending::Proper),
    };
    AnswerBody::paced(frames, pace, ending, under_way)
}

/// The body of a whole answer.
pub(super) fn whole(json: Bytes, met: Met, under_way: UnderWay) -> AnswerBody {
    let at_once = Pace::Interval(Duration::ZERO);
    let first_half = json.slice(..json.len() / 2);
    let (frames, pace, ending) = match met.fault {
        Some(Fault::StallAfterHeaders) => (Vec::new(), at_once, Ending::Never),
        Some(Fault::StallMidStream) => (vec![first_half], at_once, Ending::Never),
        Some(Fault::CloseAfterHeaders) => (Vec::new(), at_once, Ending::BrokenOff),
        Some(Fault::CloseMidStream(_)) => (vec![first_half], at_once, Ending::BrokenOff),
        Some(Fault::Drip(interval)) => (pieces(&json), Pace::Interval(interval), Ending::Proper),
        _ => return AnswerBody::whole(json, under_way),
    };
    AnswerBody::paced(frames.into_iter(), pace, ending, under_way)
}

fn pieces(json: &Bytes) -> Vec<Bytes> {
    let size = json.len().div_ceil(DRIPS).max(1);
    json.chunks(size).map(|piece| json.slice_ref(piece)).collect()
}

fn error_event(dialect: Dialect) -> Bytes {
    Bytes::from_static(match dialect {
        Dialect::OpenAi => {
            b"data: {\"error\":{\"message\":\"The mock vendor was told to fail.\",\"type\":\"server_error\",\"param\":null,\"code\":null}}\n\n"
        }
        Dialect::Anthropic => {
            b"event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}}\n\n"
        }
    })
}
