//! What clients have seen.

/// What the clients have seen.
#[derive(Debug)]
pub struct Seen {
    /// How many short answers came.
    pub answers: usize,
    /// How many streams came whole.
    pub streams: usize,
    /// How many connections were made.
    pub connections: usize,
    /// How many requests were sent again because a GOAWAY said so.
    pub refused: usize,
    /// Whatever went wrong.
    pub failures: Vec<String>,
}

impl Seen {
    /// Nothing went wrong, and something happened.
    pub fn assert_unharmed(&self) {
        let Self { answers, streams, connections, refused, failures } = self;
        eprintln!(
            "{answers} answers, {streams} streams, {connections} connections, {refused} requests sent again"
        );
        let first = &failures[..failures.len().min(20)];
        assert!(failures.is_empty(), "{} failures, among them {first:#?}", failures.len());
        assert!(*answers > 100 && *streams > 20, "{self:?}");
    }
}
