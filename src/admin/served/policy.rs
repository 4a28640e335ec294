//! A policy as it is served in one environment.

use crate::balance::{CauseSet, RetryRules, Suspension, WhenAllSuspended};
use crate::gateway::{Commit, Pair, Pairs};
use schemars::JsonSchema;
use serde::Serialize;

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(inline)]
pub(super) struct ServedPolicy {
    r#type: &'static str,
    pairs: Vec<ServedPair>,
    /// When a pair is suspended; null if failures are not remembered.
    suspension: Option<ServedSuspension>,
    retry: ServedRetry,
    when_all_suspended: &'static str,
    commit: &'static str,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(inline)]
struct ServedPair {
    model: String,
    endpoint: String,
    /// The part of the requests, 0 to 1, that it gets while all pairs are in.
    share: f64,
    connect_timeout: f64,
    first_byte_timeout: f64,
    idle_timeout: f64,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(inline)]
struct ServedSuspension {
    suspend_duration: f64,
    suspend_on: Vec<String>,
    max_suspend_duration: Option<f64>,
    failure_threshold: u32,
    failure_window: f64,
    ramp: Option<f64>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(inline)]
struct ServedRetry {
    attempts: u32,
    on: Vec<String>,
    within: f64,
}

impl ServedPolicy {
    pub(super) fn of(pairs: &Pairs) -> Self {
        let pool = pairs.pool();
        let list = pairs.iter().enumerate().map(|(place, pair)| ServedPair::of(pair, pool.share(place)));
        Self {
            r#type: pool.policy(),
            pairs: list.collect(),
            suspension: pool.suspension().map(ServedSuspension::of),
            retry: ServedRetry::of(pairs.retry()),
            when_all_suspended: match pool.when_all_suspended() {
                WhenAllSuspended::Reject => "reject",
                WhenAllSuspended::TrySoonest => "try_soonest",
            },
            commit: match pairs.commit() {
                Commit::FirstByte => "first_byte",
                Commit::Headers => "headers",
            },
        }
    }
}

impl ServedPair {
    fn of(pair: &Pair, share: f64) -> Self {
        Self {
            model: pair.model.name().to_owned(),
            endpoint: pair.endpoint.name().to_owned(),
            share,
            connect_timeout: pair.timeouts.connect.as_secs_f64(),
            first_byte_timeout: pair.timeouts.first_byte.as_secs_f64(),
            idle_timeout: pair.timeouts.idle.as_secs_f64(),
        }
    }
}

impl ServedSuspension {
    fn of(Suspension { causes, rules }: &Suspension) -> Self {
        Self {
            suspend_duration: rules.duration.as_secs_f64(),
            suspend_on: names(causes),
            max_suspend_duration: rules.max_duration.map(|longest| longest.as_secs_f64()),
            failure_threshold: rules.threshold,
            failure_window: rules.window.as_secs_f64(),
            ramp: rules.ramp.map(|ramp| ramp.as_secs_f64()),
        }
    }
}

impl ServedRetry {
    fn of(rules: &RetryRules) -> Self {
        Self { attempts: rules.attempts, on: names(&rules.on), within: rules.within.as_secs_f64() }
    }
}

fn names(causes: &CauseSet) -> Vec<String> {
    causes.causes().iter().map(ToString::to_string).collect()
}
