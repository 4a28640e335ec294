//! What follows a try: the decisions that the server and `evenkeel simulate` both take.

use super::{Commit, Pairs};
use crate::balance::{Outcome, Tick, Trail};

impl Pairs {
    /// Whether the request of `trail` may be tried on another pair at `now`. Its latest try has come to `outcome`, and
    /// nothing of a response has gone to the client.
    pub fn may_try_another(&self, trail: &Trail, outcome: Outcome, now: Tick) -> bool {
        let listed = trail.may_go_on(self.retry(), outcome, now);
        // A stream that dies before its content is what `commit: first_byte` is for.
        let uncommitted = outcome == Outcome::Stream && self.holds_streams(trail, now);
        (listed || uncommitted) && self.pool().has_another(now, trail.tried())
    }

    /// Whether a stream that answers the request of `trail` is held until its first event, because another pair could
    /// be tried if that is an error.
    pub fn holds_streams(&self, trail: &Trail, now: Tick) -> bool {
        self.commit() == Commit::FirstByte && trail.has_more_tries(self.retry(), now)
    }
}
