//! Failures as the command line has them: `MODEL@ENDPOINT:FROM-TO[=WHAT]`.

use crate::balance::Outcome;
use crate::config::parse_duration;
use crate::gateway::{Pair, Pairs};
use crate::simulate::Failure;
use std::time::Duration;

/// A time, and what the tries in it come to.
type Window = (Duration, Duration, Outcome);

/// Reads a failure of one of `pairs`. Names may hold `@`, `:`, `-` and `=` themselves: the text is held against each
/// pair's name, and against the whole rest after it.
pub(super) fn parse(pairs: &Pairs, text: &str) -> Result<Failure, String> {
    let after_name = |pair| text.strip_prefix(&name(pair))?.strip_prefix(':');
    let rests = pairs.iter().enumerate().filter_map(|(place, pair)| Some((place, after_name(pair)?)));
    let read: Vec<_> = rests.map(|(place, rest)| (place, window(rest))).collect();
    let mut fitting = read.iter().filter_map(|(place, window)| Some((*place, window.as_ref().ok()?)));
    match (fitting.next(), fitting.next()) {
        (Some((place, &(from, to, outcome))), None) => Ok(Failure { place, from, to, outcome }),
        (Some(_), Some(_)) => Err(format!("`{text}` could be of more than one pair")),
        (None, _) => Err(match read.into_iter().find_map(|(_, window)| window.err()) {
            Some(problem) => format!("`{text}`: {problem}"),
            None => {
                let known: Vec<_> = pairs.iter().map(|pair| format!("`{}`", name(pair))).collect();
                let known = known.join(", ");
                format!("`{text}` is no `MODEL@ENDPOINT:FROM-TO` of a pair; the pairs are {known}")
            }
        }),
    }
}

/// A pair as the command line and the output call it.
pub(super) fn name(pair: &Pair) -> String {
    format!("{}@{}", pair.model.name(), pair.endpoint.name())
}

/// Reads `FROM-TO[=WHAT]`.
fn window(text: &str) -> Result<Window, String> {
    let (times, what) = text.split_once('=').unwrap_or((text, "500"));
    let (from, to) = times.split_once('-').ok_or("expected a time such as `10s-40s`")?;
    let outcome = outcome(what)
        .ok_or("expected `=` and a status from 400 to 599, `connect`, `timeout`, `stream` or `quota`")?;
    let (from, to) = (moment(from)?, moment(to)?);
    if from >= to {
        return Err("the end of the time is not after its beginning".to_owned());
    }
    Ok((from, to, outcome))
}

/// A duration from the beginning, which may itself be meant.
fn moment(text: &str) -> Result<Duration, String> {
    match text.trim() {
        "0" | "0ms" | "0s" | "0m" | "0h" => Ok(Duration::ZERO),
        text => parse_duration(text).map_err(|error| format!("`{text}`: {error}")),
    }
}

fn outcome(text: &str) -> Option<Outcome> {
    Some(match text {
        "connect" => Outcome::Connect,
        "timeout" => Outcome::Timeout,
        "stream" => Outcome::Stream,
        "quota" => Outcome::Quota,
        status => Outcome::Status(status.parse().ok().filter(|status| (400..600).contains(status))?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{self, Process};
    use crate::gateway::{Environment, Operation};
    use std::sync::Arc;

    /// Pairs whose names hold all that could be taken for the rest: on the endpoints `Main`, `b@c` and `c`.
    fn pairs() -> Arc<Pairs> {
        let text = "
            listeners: [{ address: '127.0.0.1:0' }]
            state_dir: /nowhere
            apis:
              - name: A
                context: /a
                vendor: openai
                endpoints:
                  production:
                    - { name: 'Main: 1s-2s', url: 'http://a.example' }
                    - { name: b@c, url: 'http://b.example' }
                    - { name: c, url: 'http://c.example' }
                operations:
                  - method: POST
                    path: /x
                    policy:
                      type: model_round_robin
                      production:
                        - { model: 'ft:gpt-4o', endpoint: 'Main: 1s-2s' }
                        - { model: a, endpoint: b@c }
                        - { model: a@b, endpoint: c }
                        - { model: own, endpoint: c }
        ";
        let loaded = config::parse("test", text, &Process).unwrap();
        let operation: &Operation = &loaded.gateway.apis()[0].operations()[0];
        operation.pairs(Environment::Production).unwrap().clone()
    }

    #[test]
    fn failures_are_read() {
        let pairs = pairs();
        let table = [
            ("own@c:10s-40s", (3, 10_000, 40_000, Outcome::Status(500))),
            ("own@c:0-1", (3, 0, 1_000, Outcome::Status(500))),
            ("own@c:0s-250ms=429", (3, 0, 250, Outcome::Status(429))),
            ("own@c: 1m - 1.5m =connect", (3, 60_000, 90_000, Outcome::Connect)),
            ("own@c:1-2=timeout", (3, 1_000, 2_000, Outcome::Timeout)),
            ("own@c:1-2=stream", (3, 1_000, 2_000, Outcome::Stream)),
            ("own@c:1-2=quota", (3, 1_000, 2_000, Outcome::Quota)),
            ("ft:gpt-4o@Main: 1s-2s:3s-4s", (0, 3_000, 4_000, Outcome::Status(500))),
        ];
        for (text, (place, from, to, outcome)) in table {
            let (from, to) = (Duration::from_millis(from), Duration::from_millis(to));
            assert_eq!(parse(&pairs, text), Ok(Failure { place, from, to, outcome }), "{text}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_told() {
        let pairs = pairs();
        let table = [
            ("a@b@c:1-2", "more than one pair"),
            ("none@c:1-2", "the pairs are `ft:gpt-4o@Main: 1s-2s`, `a@b@c`, `a@b@c`, `own@c`"),
            ("own@c", "the pairs are"),
            ("", "the pairs are"),
            ("own@c:", "such as `10s-40s`"),
            ("own@c:10s", "such as `10s-40s`"),
            ("own@c:10s-10s", "not after its beginning"),
            ("own@c:1-0", "not after its beginning"),
            ("own@c:x-2", "`x`: expected a duration"),
            ("own@c:1-25h", "`25h`: expected a duration"),
            ("own@c:1-2=200", "a status from 400 to 599"),
            ("own@c:1-2=600", "a status from 400 to 599"),
            ("own@c:1-2=", "a status from 400 to 599"),
        ];
        for (text, part) in table {
            let problem = parse(&pairs, text).unwrap_err();
            assert!(problem.contains(part), "{text}: {problem}");
        }
    }
}
