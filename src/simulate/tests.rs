use super::*;
use crate::config::{self, Process};
use crate::gateway::Environment;
use std::sync::Arc;

/// The pairs `a`, `b` … of these weights, and what else their policy says.
fn pairs(weights: &[u32], rest: &str) -> Arc<Pairs> {
    let entry = |(model, weight)| format!("{{ model: {model}, weight: {weight} }}");
    let entries: Vec<_> = ('a'..='z').zip(weights).map(entry).collect();
    let text = format!(
        "
        listeners: [{{ address: '127.0.0.1:0' }}]
        state_dir: /nowhere
        apis:
          - name: A
            context: /a
            vendor: openai
            endpoints: {{ production: [{{ name: Primary, url: 'http://a.example' }}] }}
            operations:
              - method: POST
                path: /x
                policy: {{ type: model_weighted_round_robin, production: [{}], {rest} }}
        ",
        entries.join(", ")
    );
    let loaded = config::parse("test", &text, &Process).unwrap();
    loaded.gateway.apis()[0].operations()[0].pairs(Environment::Production).unwrap().clone()
}

/// A pair is out for these seconds.
fn failure(place: usize, from: u64, to: u64, outcome: Outcome) -> Failure {
    Failure { place, from: Duration::from_secs(from), to: Duration::from_secs(to), outcome }
}

/// So many requests at ten per second.
fn script(requests: u64, failures: &[Failure]) -> Script {
    Script { requests, rate: 10.0, failures: failures.to_vec() }
}

fn served(table: &Table) -> Vec<u64> {
    table.pairs.iter().map(|row| row.served).collect()
}

/// The suspensions of a pair that are listed, in milliseconds.
fn suspensions(row: &PairRow) -> Vec<(u128, u128, Outcome)> {
    let millis = |tick: Tick| tick.since(Tick::ORIGIN).as_millis();
    row.listed.iter().map(|s| (millis(s.from), millis(s.until), s.reason)).collect()
}

const FAILED: Outcome = Outcome::Status(500);

#[test]
fn without_failures_shares_are_exact() {
    let table = play(&pairs(&[50, 30, 20, 0], "suspend_duration: 30s"), &script(1_000, &[]));
    assert_eq!(served(&table), [500, 300, 200, 0]);
    let totals = Totals { requests: 1_000, served: 1_000, ..Totals::default() };
    assert_eq!(table.totals, totals);
    for (place, share) in [0.5, 0.3, 0.2, 0.0].into_iter().enumerate() {
        assert_eq!(table.pairs[place].expected_share, share);
        assert_eq!(table.actual_share(place), share);
    }
}

#[test]
fn while_a_pair_is_out_the_others_share_exactly_and_nobody_notices() {
    // `a` fails from second 10 to 45: it is found out at once, probed at 40 in vain, and at 70 with success.
    let script = script(1_000, &[failure(0, 10, 45, FAILED)]);
    let table = play(&pairs(&[50, 30, 20], "suspend_duration: 30s"), &script);
    assert_eq!(suspensions(&table.pairs[0]), [(10_000, 40_000, FAILED), (40_000, 70_000, FAILED)]);
    let out = &table.pairs[0];
    assert_eq!((out.tries, out.failures, out.probes, out.suspensions), (out.served + 2, 2, 2, 2));
    let totals = Totals { requests: 1_000, served: 1_000, retries: 2, ..Totals::default() };
    assert_eq!(table.totals, totals);
    // Of the 600 requests from second 10 to 70 the others have three and two fifths; of the 400 around them `a` has
    // half, the probe at 70 standing for the turn that failed at 10.
    assert_eq!(served(&table), [200, 360 + 120, 240 + 80]);
}

#[test]
fn a_probe_that_succeeds_restores() {
    let script = script(600, &[failure(0, 0, 1, FAILED)]);
    let table = play(&pairs(&[1, 1], "suspend_duration: 10s"), &script);
    assert_eq!(suspensions(&table.pairs[0]), [(0, 10_000, FAILED)]);
    assert_eq!(table.pairs[0].probes, 1);
    // 100 requests without it, and half of the other 500.
    assert_eq!(served(&table), [250, 100 + 250]);
}

#[test]
fn without_retries_the_failures_are_the_clients() {
    let script = script(1_000, &[failure(0, 10, 45, Outcome::Connect)]);
    let table = play(&pairs(&[1, 1], "suspend_duration: 10s, retry: { attempts: 0 }"), &script);
    // At 10, 20, 30 and 40; the probe at 50 is well.
    assert_eq!(table.pairs[0].suspensions, 4);
    let totals = Totals { requests: 1_000, served: 996, failed: 4, ..Totals::default() };
    assert_eq!(table.totals, totals);
}

#[test]
fn without_a_suspend_duration_every_turn_of_a_sick_pair_is_retried() {
    let table = play(&pairs(&[1, 1], ""), &script(100, &[failure(0, 0, 10, FAILED)]));
    assert_eq!(served(&table), [0, 100]);
    assert_eq!((table.pairs[0].failures, table.pairs[0].suspensions), (50, 0));
    assert_eq!(table.totals.retries, 50);
}

#[test]
fn with_all_pairs_out_requests_are_refused_or_tried_all_the_same() {
    let failures = [failure(0, 0, 60, Outcome::Timeout), failure(1, 0, 60, Outcome::Timeout)];
    let script = script(50, &failures);
    let table = play(&pairs(&[1, 1], "suspend_duration: 30s"), &script);
    // The first takes both out, and gets the second's failure.
    let totals = Totals { requests: 50, failed: 1, refused: 49, retries: 1, ..Totals::default() };
    assert_eq!(table.totals, totals);
    assert_eq!((table.actual_share(0), table.actual_share(7)), (0.0, 0.0));

    let table = play(&pairs(&[1, 1], "suspend_duration: 30s, when_all_suspended: try_soonest"), &script);
    let totals = Totals { requests: 50, failed: 50, retries: 1, ..Totals::default() };
    assert_eq!(table.totals, totals);
}

#[test]
fn one_request_that_fails_alike_twice_suspends_one_pair() {
    let both = |outcome| [failure(0, 0, 1, outcome), failure(1, 0, 1, outcome)];
    let suspended = |outcome| {
        let table = play(&pairs(&[1, 1, 1], "suspend_duration: 30s"), &script(1, &both(outcome)));
        assert_eq!((table.totals.served, table.totals.retries), (1, 2));
        table.pairs.iter().map(|row| row.suspensions).collect::<Vec<_>>()
    };
    assert_eq!(suspended(FAILED), [1, 0, 0]);
    assert_eq!(suspended(Outcome::Status(429)), [1, 1, 0]);
}

#[test]
fn a_stream_that_dies_is_retried_while_nothing_of_it_is_out() {
    let script = script(10, &[failure(0, 0, 1, Outcome::Stream)]);
    let table = play(&pairs(&[1, 1], "suspend_duration: 30s"), &script);
    assert_eq!((table.totals.served, table.totals.retries, table.pairs[0].suspensions), (10, 1, 1));

    let table = play(&pairs(&[1, 1], "suspend_duration: 30s, commit: headers"), &script);
    assert_eq!((table.totals.failed, table.totals.retries, table.pairs[0].suspensions), (1, 0, 1));
}

#[test]
fn a_used_up_quota_suspends_for_a_good_answer() {
    let script = script(10, &[failure(0, 0, 1, Outcome::Quota)]);
    let table = play(&pairs(&[1, 1], "suspend_duration: 30s"), &script);
    assert_eq!(served(&table), [1, 9]);
    assert_eq!(table.totals.retries, 0);
    assert_eq!(suspensions(&table.pairs[0]), [(0, 30_000, Outcome::Quota)]);
}

#[test]
fn what_is_no_cause_is_passed_on_and_suspends_nothing() {
    let script = script(10, &[failure(0, 0, 1, Outcome::Status(404))]);
    let table = play(&pairs(&[1, 1], "suspend_duration: 30s"), &script);
    assert_eq!((table.totals.failed, table.totals.served, table.pairs[0].suspensions), (5, 5, 0));
}

#[test]
fn the_first_listed_of_two_failures_at_one_time_counts() {
    let failures = [failure(0, 0, 1, Outcome::Connect), failure(0, 0, 60, FAILED)];
    let table = play(&pairs(&[1, 1], "suspend_duration: 5s"), &script(100, &failures));
    assert_eq!(suspensions(&table.pairs[0]), [(0, 5_000, Outcome::Connect), (5_000, 10_000, FAILED)]);
}

#[test]
fn of_many_suspensions_the_first_are_listed() {
    let script = script(1_000, &[failure(0, 0, 100, FAILED)]);
    let table = play(&pairs(&[1, 1], "suspend_duration: 1s"), &script);
    assert_eq!(table.pairs[0].suspensions, 100);
    assert_eq!(table.pairs[0].listed.len(), LISTED_SUSPENSIONS);
    assert_eq!(table.totals.served, 1_000);
}

#[test]
fn a_hundred_thousand_requests_add_up() {
    let failures = [
        failure(0, 100, 700, FAILED),
        failure(1, 300, 900, Outcome::Connect),
        failure(2, 500, 600, Outcome::Status(400)),
    ];
    let script = script(100_000, &failures);
    let policy = "suspend_duration: 10s, max_suspend_duration: 5m, failure_threshold: 3, ramp: 1m";
    let table = play(&pairs(&[5, 3, 2], policy), &script);
    let Totals { requests, served, failed, refused, retries } = table.totals;
    assert_eq!((requests, served + failed + refused), (100_000, 100_000));
    let sum = |of: fn(&PairRow) -> u64| table.pairs.iter().map(of).sum::<u64>();
    assert_eq!(sum(|row| row.served), served);
    assert_eq!(sum(|row| row.tries), requests - refused + retries);
    assert_eq!(sum(|row| row.failures), failed + retries);
    assert!(table.pairs.iter().all(|row| row.tries == row.served + row.failures));
    assert_eq!(table, play(&pairs(&[5, 3, 2], policy), &script), "one script has one table");
}
