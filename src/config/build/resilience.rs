//! Policies: what happens when a pair fails.

use super::super::document::Document;
use super::super::file::{AllSuspendedName, CommitName, PolicyEntry, RetrySection, Strategy};
use super::super::findings::Spot;
use super::super::located::Located;
use super::super::scalars::CauseName;
use super::super::tree::NodeId;
use super::super::units::Span;
use crate::balance::{Cause, CauseSet, RetryRules, Rules, Suspension, WhenAllSuspended};
use crate::gateway::{Commit, Timeouts};
use humantime::format_duration;
use std::time::Duration;

/// How long a failure counts unless a policy says otherwise.
const FAILURE_WINDOW: Duration = Duration::from_secs(60);

/// What a policy says of failures.
pub(super) struct Resilience {
    pub(super) suspension: Option<Suspension>,
    pub(super) when_all_suspended: WhenAllSuspended,
    pub(super) retry: RetryRules,
    pub(super) commit: Commit,
    connect: Option<Duration>,
    first_byte: Option<Duration>,
    idle: Option<Duration>,
}

impl Resilience {
    /// The timeouts of an endpoint, with those of the policy in their place.
    pub(super) fn timeouts(&self, endpoint: Timeouts) -> Timeouts {
        Timeouts {
            connect: self.connect.unwrap_or(endpoint.connect),
            first_byte: self.first_byte.unwrap_or(endpoint.first_byte),
            idle: self.idle.unwrap_or(endpoint.idle),
        }
    }
}

/// What `entry` says of failures; `None` if something is wrong with it.
pub(super) fn read(
    document: &Document,
    entry: &PolicyEntry,
    strategy: Option<Strategy>,
) -> Option<Resilience> {
    // Both are looked at before either is missed: all that is wrong is told at once.
    let suspension = suspension(document, entry, strategy);
    let retry = retry(document, entry.retry.as_ref());
    let when_all_suspended = match given(entry.when_all_suspended.as_ref())?.unwrap_or_default() {
        AllSuspendedName::Reject => WhenAllSuspended::Reject,
        AllSuspendedName::TrySoonest => WhenAllSuspended::TrySoonest,
    };
    let commit = match given(entry.commit.as_ref())?.unwrap_or_default() {
        CommitName::FirstByte => Commit::FirstByte,
        CommitName::Headers => Commit::Headers,
    };
    let duration = |span: &Option<Located<Span>>| Some(given(span.as_ref())?.map(|Span(duration)| duration));
    Some(Resilience {
        suspension: suspension?,
        when_all_suspended,
        retry: retry?,
        commit,
        connect: duration(&entry.connect_timeout)?,
        first_byte: duration(&entry.first_byte_timeout)?,
        idle: duration(&entry.idle_timeout)?,
    })
}

/// A value that may be left out. The outer `None`: something is wrong with it.
fn given<T: Copy>(value: Option<&Located<T>>) -> Option<Option<T>> {
    match value {
        None => Some(None),
        Some(located) => located.value().copied().map(Some),
    }
}

/// The outer `None`: something is wrong with it; the inner: failures are not remembered.
fn suspension(
    document: &Document,
    entry: &PolicyEntry,
    strategy: Option<Strategy>,
) -> Option<Option<Suspension>> {
    let ramp = ramp(document, entry, strategy);
    let Some(Span(duration)) = given(entry.suspend_duration.as_ref())? else {
        warn_of_idle_keys(document, entry);
        return ramp.map(|_| None);
    };
    let max_duration = max_duration(document, entry, duration);
    let causes = match &entry.suspend_on {
        None => CauseSet::standard(),
        Some(listed) => causes(listed)?,
    };
    if let Some(listed) = entry.suspend_on.as_ref().filter(|_| causes.causes().is_empty()) {
        let message = "nothing is listed: no failure suspends a pair";
        let help = "leave `suspend_on` out for the default";
        document.findings.warning(Spot::Value(listed.node()), message, help);
    }
    let threshold = given(entry.failure_threshold.as_ref())?.map_or(1, |count| count.0);
    if let Some(window) = entry.failure_window.as_ref().filter(|_| threshold == 1) {
        let message = "`failure_window` has no effect with a `failure_threshold` of 1: the first failure suspends a pair";
        let help = "add a `failure_threshold` above 1, or leave `failure_window` out";
        document.findings.warning(Spot::Key(window.node()), message, help);
    }
    let rules = Rules {
        duration,
        max_duration: max_duration?,
        threshold,
        window: given(entry.failure_window.as_ref())?.map_or(FAILURE_WINDOW, |Span(window)| window),
        ramp: ramp?,
    };
    Some(Some(Suspension { causes, rules }))
}

/// Everything about suspension that has no effect while failures are not remembered.
fn warn_of_idle_keys(document: &Document, entry: &PolicyEntry) {
    let keys: [(&str, Option<NodeId>); 6] = [
        ("suspend_on", entry.suspend_on.as_ref().map(Located::node)),
        ("max_suspend_duration", entry.max_suspend_duration.as_ref().map(Located::node)),
        ("failure_threshold", entry.failure_threshold.as_ref().map(Located::node)),
        ("failure_window", entry.failure_window.as_ref().map(Located::node)),
        ("ramp", entry.ramp.as_ref().map(Located::node)),
        ("when_all_suspended", entry.when_all_suspended.as_ref().map(Located::node)),
    ];
    for (key, node) in keys {
        let Some(node) = node else { continue };
        // Another operation of the AI API may have suspended the pairs that it lists, too.
        let except =
            if key == "when_all_suspended" { ", unless another operation's policy has one" } else { "" };
        let message =
            format!("`{key}` has no effect without `suspend_duration`{except}: failures are not remembered");
        let help = format!("add a `suspend_duration`, such as `30s`, or leave `{key}` out");
        document.findings.warning(Spot::Key(node), message, help);
    }
}

fn causes(listed: &Located<Vec<Located<CauseName>>>) -> Option<CauseSet> {
    listed.value()?.iter().map(|cause| Some(cause.value()?.0)).collect()
}

fn max_duration(document: &Document, entry: &PolicyEntry, duration: Duration) -> Option<Option<Duration>> {
    let Some(located) = &entry.max_suspend_duration else {
        return Some(None);
    };
    let Span(greatest) = *located.value()?;
    if greatest < duration {
        let given = entry.suspend_duration.as_ref();
        let is_hidden = given.is_some_and(|given| document.is_interpolated(given.node()));
        let mut message = "it is shorter than the `suspend_duration`".to_owned();
        if !is_hidden {
            message.push_str(&format!(", which is {}", format_duration(duration)));
        }
        let help = "make it longer, or leave it out: all suspensions are then of one length";
        document.findings.error_with_help(Spot::Value(located.node()), message, help);
        return None;
    }
    Some(Some(greatest))
}

fn ramp(document: &Document, entry: &PolicyEntry, strategy: Option<Strategy>) -> Option<Option<Duration>> {
    let Some(located) = &entry.ramp else {
        return Some(None);
    };
    if strategy == Some(Strategy::ModelRoundRobin) {
        let message = "`ramp` has no meaning in a `model_round_robin`: its pairs have no weights";
        let help = "remove it, or use `type: model_weighted_round_robin`";
        document.findings.error_with_help(Spot::Key(located.node()), message, help);
        return None;
    }
    Some(Some(located.value()?.0))
}

fn retry(document: &Document, section: Option<&Located<RetrySection>>) -> Option<RetryRules> {
    let standard = RetryRules::default();
    let Some(section) = section else {
        return Some(standard);
    };
    let section = section.value()?;
    warn_of_idle_retry_keys(document, section);
    let on = match &section.on {
        None => standard.on,
        Some(listed) => {
            refuse_quota(document, listed)?;
            causes(listed)?
        }
    };
    Some(RetryRules {
        attempts: given(section.attempts.as_ref())?.map_or(standard.attempts, |attempts| attempts.0),
        on,
        within: given(section.within.as_ref())?.map_or(standard.within, |Span(within)| within),
    })
}

/// What of the section has no effect.
fn warn_of_idle_retry_keys(document: &Document, section: &RetrySection) {
    let none = section.attempts.as_ref().and_then(Located::value).is_some_and(|attempts| attempts.0 == 0);
    if none {
        let on = section.on.as_ref().map(|on| ("on", on.node()));
        let within = section.within.as_ref().map(|within| ("within", within.node()));
        for (key, node) in on.into_iter().chain(within) {
            let message = format!("`{key}` has no effect with `attempts: 0`: no request is tried again");
            let help = format!("leave `{key}` out, or allow an attempt");
            document.findings.warning(Spot::Key(node), message, help);
        }
        return;
    }
    let empty = |on: &&Located<Vec<Located<CauseName>>>| on.value().is_some_and(Vec::is_empty);
    if let Some(on) = section.on.as_ref().filter(empty) {
        let message = "nothing is listed: only a stream that dies before its first event is tried again";
        let help = "leave `on` out for the default, or write `attempts: 0` for no further try at all";
        document.findings.warning(Spot::Value(on.node()), message, help);
    }
}

/// A response that says that nothing is left is good itself: there is nothing to try again.
fn refuse_quota(document: &Document, listed: &Located<Vec<Located<CauseName>>>) -> Option<()> {
    let is_quota = |cause: &&Located<CauseName>| cause.value().is_some_and(|c| c.0 == Cause::Quota);
    let Some(quota) = listed.value()?.iter().find(is_quota) else {
        return Some(());
    };
    let message = "`quota` comes with a good response: there is nothing to try again";
    document.findings.error_with_help(Spot::Value(quota.node()), message, "list it in `suspend_on` only");
    None
}
