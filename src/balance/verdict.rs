//! Which outcomes of an attempt count as failures of the pair.

use serde::{Deserialize, Serialize};
use std::fmt;

/// What came of one attempt at a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The vendor answered with this status.
    Status(u16),
    /// It could not be reached, or broke off before a response.
    Connect,
    /// It did not connect, answer or go on in time.
    Timeout,
    /// Its response broke off, or carried an error event.
    Stream,
    /// Its quota is used up, though the response was good.
    Quota,
}

impl Outcome {
    /// What it is called; `None` for a status, which is called by its number.
    pub fn name(self) -> Option<&'static str> {
        match self {
            Self::Status(_) => None,
            Self::Connect => Some("connect"),
            Self::Timeout => Some("timeout"),
            Self::Stream => Some("stream"),
            Self::Quota => Some("quota"),
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => write!(f, "{status}"),
            named => f.write_str(named.name().unwrap_or_default()),
        }
    }
}

/// Something that a policy's `suspend_on` can name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// One status, 400 to 599.
    Status(u16),
    /// All statuses of a class.
    Class(StatusClass),
    /// The vendor could not be reached, or broke off before a response.
    Connect,
    /// The vendor did not connect, answer or go on in time.
    Timeout,
    /// A response broke off, or carried an error event.
    Stream,
    /// The vendor said, in a good response, that nothing is left.
    Quota,
}

/// A class of statuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatusClass {
    /// 400 to 499.
    ClientError,
    /// 500 to 599.
    ServerError,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => write!(f, "{status}"),
            Self::Class(StatusClass::ClientError) => f.write_str("4xx"),
            Self::Class(StatusClass::ServerError) => f.write_str("5xx"),
            Self::Connect => f.write_str("connect"),
            Self::Timeout => f.write_str("timeout"),
            Self::Stream => f.write_str("stream"),
            Self::Quota => f.write_str("quota"),
        }
    }
}

/// The causes for which a policy suspends a pair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CauseSet {
    causes: Vec<Cause>,
    /// Bit `status - 400`: membership of a status is looked up at every response.
    statuses: [u64; 4],
}

impl CauseSet {
    /// The causes of a policy that names none: 401, 408, 429, 5xx, connect, timeout, stream,
    /// quota.
    pub fn standard() -> Self {
        [
            Cause::Status(401),
            Cause::Status(408),
            Cause::Status(429),
            Cause::Class(StatusClass::ServerError),
            Cause::Connect,
            Cause::Timeout,
            Cause::Stream,
            Cause::Quota,
        ]
        .into_iter()
        .collect()
    }

    /// What a request is tried again for where a policy does not say: 408, 429, 5xx, connect, timeout.
    pub fn standard_for_retries() -> Self {
        [
            Cause::Status(408),
            Cause::Status(429),
            Cause::Class(StatusClass::ServerError),
            Cause::Connect,
            Cause::Timeout,
        ]
        .into_iter()
        .collect()
    }

    /// The causes, as they were given.
    pub fn causes(&self) -> &[Cause] {
        &self.causes
    }

    /// Whether `outcome` is among the causes.
    pub fn contains(&self, outcome: Outcome) -> bool {
        match outcome {
            Outcome::Status(status) => self.has_status(status),
            Outcome::Connect => self.causes.contains(&Cause::Connect),
            Outcome::Timeout => self.causes.contains(&Cause::Timeout),
            Outcome::Stream => self.causes.contains(&Cause::Stream),
            Outcome::Quota => self.causes.contains(&Cause::Quota),
        }
    }

    fn has_status(&self, status: u16) -> bool {
        let Some((word, bit)) = place(status) else {
            return false;
        };
        self.statuses.get(word).is_some_and(|bits| bits & (1 << bit) != 0)
    }

    fn add_status(&mut self, status: u16) {
        let Some((word, bit)) = place(status) else {
            return;
        };
        if let Some(bits) = self.statuses.get_mut(word) {
            *bits |= 1 << bit;
        }
    }
}

/// Where a status from 400 to 655 stands in the table: a word and a bit in it.
fn place(status: u16) -> Option<(usize, u32)> {
    let place = status.checked_sub(400)?;
    (place < 256).then_some((usize::from(place / 64), u32::from(place % 64)))
}

impl FromIterator<Cause> for CauseSet {
    fn from_iter<I: IntoIterator<Item = Cause>>(causes: I) -> Self {
        let mut set = Self { causes: causes.into_iter().collect(), statuses: [0; 4] };
        for cause in set.causes.clone() {
            match cause {
                Cause::Status(status) => set.add_status(status),
                Cause::Class(StatusClass::ClientError) => (400..500).for_each(|s| set.add_status(s)),
                Cause::Class(StatusClass::ServerError) => (500..600).for_each(|s| set.add_status(s)),
                Cause::Connect | Cause::Timeout | Cause::Stream | Cause::Quota => {}
            }
        }
        set
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_standard_causes() {
        let causes = CauseSet::standard();
        for status in [401, 408, 429, 500, 502, 503, 504, 529, 599] {
            assert!(causes.contains(Outcome::Status(status)), "{status}");
        }
        // 404 and 400 are what one caller provokes: they say nothing about the pair.
        for status in [100, 200, 204, 301, 399, 400, 403, 404, 413, 422, 600, 656, 999] {
            assert!(!causes.contains(Outcome::Status(status)), "{status}");
        }
        assert!(causes.contains(Outcome::Connect));
        assert!(causes.contains(Outcome::Timeout));
    }

    #[test]
    fn only_what_is_named_counts() {
        let causes: CauseSet = [Cause::Status(404), Cause::Timeout].into_iter().collect();
        assert!(causes.contains(Outcome::Status(404)));
        assert!(!causes.contains(Outcome::Status(500)));
        assert!(!causes.contains(Outcome::Connect));
        assert!(causes.contains(Outcome::Timeout));
    }

    #[test]
    fn a_class_holds_its_statuses() {
        let causes: CauseSet = [Cause::Class(StatusClass::ClientError)].into_iter().collect();
        for status in 400..500 {
            assert!(causes.contains(Outcome::Status(status)));
        }
        assert!(!causes.contains(Outcome::Status(500)));
    }
}
