//! Policies: strategy, pairs, weights.

use super::super::document::Document;
use super::super::file::{PairEntry, PolicyEntry, Strategy};
use super::super::findings::{Finding, Spot};
use super::super::located::Located;
use super::super::nearest::did_you_mean;
use super::super::report::Severity;
use super::super::scalars::PairList;
use super::super::tree::NodeId;
use super::endpoint::Listed;
use super::resilience::{self, Resilience};
use super::showable;
use crate::balance::{MAX_PAIRS, Member, Pool, Shared, Turn};
use crate::gateway::{Endpoint, EndpointId, Model, Pair, Pairs};
use std::collections::HashMap;
use std::sync::Arc;

/// The policies of one AI API, which have a strategy and the health of their pairs in common.
pub(super) struct Policies<'b> {
    document: &'b Document,
    production: &'b Listed<'b>,
    sandbox: &'b Listed<'b>,
    /// The strategy of the first policy, and where it stands.
    strategy: Option<(Strategy, NodeId)>,
    /// An endpoint belongs to one environment, so its id tells the environments apart.
    healths: HashMap<(EndpointId, String), Arc<Shared>>,
}

impl<'b> Policies<'b> {
    pub(super) fn new(document: &'b Document, production: &'b Listed<'b>, sandbox: &'b Listed<'b>) -> Self {
        Self { document, production, sandbox, strategy: None, healths: HashMap::new() }
    }

    /// The pairs for production and for sandbox.
    pub(super) fn policy(
        &mut self,
        node: NodeId,
        entry: &PolicyEntry,
    ) -> Option<(Option<Pairs>, Option<Pairs>)> {
        let strategy = self.strategy(&entry.strategy);
        // What is wrong with it must not hide what is wrong with the pairs.
        let rules = resilience::read(self.document, entry, strategy);
        let rules = rules.as_ref();
        let none = |list: &Option<Located<PairList>>| {
            list.as_ref().is_none_or(|list| list.value().is_some_and(|list| list.0.is_empty()))
        };
        if none(&entry.production) && none(&entry.sandbox) {
            let message = "the policy names pairs neither for `production` nor for `sandbox`";
            let help = "without a policy, requests go to the primary endpoint with the model untouched";
            self.document.findings.error_with_help(Spot::Value(node), message, help);
        }
        let (production, sandbox) = (self.production, self.sandbox);
        let production = self.pairs(entry.production.as_ref(), strategy, production, sandbox, rules);
        let (listed, other) = (self.sandbox, self.production);
        let sandbox = self.pairs(entry.sandbox.as_ref(), strategy, listed, other, rules);
        Some((production?, sandbox?))
    }

    fn strategy(&mut self, given: &Located<Strategy>) -> Option<Strategy> {
        let strategy = *given.value()?;
        match self.strategy {
            None => self.strategy = Some((strategy, given.node())),
            Some((first, at)) if first != strategy => {
                let message = format!(
                    "`{}` here and `{}` above: an AI API has one load-balancing strategy at a time",
                    strategy.name(),
                    first.name(),
                );
                let help = format!("the first is {}", self.document.tree.path(at));
                self.document.findings.error_with_help(Spot::Value(given.node()), message, help);
            }
            Some(_) => {}
        }
        Some(strategy)
    }

    /// The pairs of one list. The outer `None`: something is wrong with it; the inner: there are none.
    fn pairs(
        &mut self,
        list: Option<&Located<PairList>>,
        strategy: Option<Strategy>,
        listed: &Listed<'_>,
        other: &Listed<'_>,
        rules: Option<&Resilience>,
    ) -> Option<Option<Pairs>> {
        let Some(list) = list else { return Some(None) };
        let entries = &list.value()?.0;
        if entries.is_empty() {
            return Some(None);
        }
        if entries.len() > MAX_PAIRS {
            let message =
                format!("{} pairs are more than the {MAX_PAIRS} that one list can hold", entries.len());
            self.document.findings.error(Spot::Value(list.node()), message);
            return None;
        }
        if listed.is_empty() {
            let environment = listed.environment;
            let message =
                format!("there are pairs for `{environment}`, but the AI API has no {environment} endpoint");
            let help = format!("add one under `endpoints.{environment}`, or write `{environment}: disabled`");
            self.document.findings.error_with_help(Spot::Key(list.node()), message, help);
        }
        let turn = strategy.and_then(|strategy| self.turn(list.node(), strategy, entries));
        let pairs: Vec<_> =
            entries.iter().map(|entry| self.pair(entry.value()?, listed, other, rules)).collect();
        self.check_twice(entries, &pairs);
        let pairs = pairs.into_iter().collect::<Option<Vec<_>>>()?;
        let rules = rules?;
        let members = pairs.iter().map(Self::member).collect();
        let pool = Pool::new(turn?, members, rules.suspension.clone(), rules.when_all_suspended);
        Some(Some(Pairs::new(pairs, pool, rules.retry.clone(), rules.commit)))
    }

    fn turn(&self, list: NodeId, strategy: Strategy, entries: &[Located<PairEntry>]) -> Option<Turn> {
        let weights: Vec<_> = entries.iter().map(|entry| self.weight(strategy, entry)).collect();
        let weights = weights.into_iter().collect::<Option<Vec<_>>>()?;
        let turn = match strategy {
            Strategy::ModelRoundRobin => Turn::round_robin(weights.len()),
            Strategy::ModelWeightedRoundRobin => Turn::weighted(&weights),
        };
        if let Err(error) = &turn {
            let help =
                "a weight of 0 receives no traffic; write `disabled` for an environment without a policy";
            self.document.findings.error_with_help(Spot::Value(list), error.to_string(), help);
        }
        turn.ok()
    }

    /// The weight of a pair; one of a plain round robin has none, and counts as 1.
    fn weight(&self, strategy: Strategy, entry: &Located<PairEntry>) -> Option<u32> {
        let findings = &self.document.findings;
        match (strategy, &entry.value()?.weight) {
            (Strategy::ModelRoundRobin, None) => Some(1),
            (Strategy::ModelWeightedRoundRobin, Some(weight)) => Some(weight.value()?.0),
            (Strategy::ModelRoundRobin, Some(weight)) => {
                let message =
                    "`weight` has no meaning in a `model_round_robin`: each pair has an equal share";
                let help = "remove it, or use `type: model_weighted_round_robin`";
                findings.error_with_help(Spot::Key(weight.node()), message, help);
                None
            }
            (Strategy::ModelWeightedRoundRobin, None) => {
                let message = "the key `weight` is missing here: a `model_weighted_round_robin` needs one for each pair";
                let help = "add `weight: 1`, or use `type: model_round_robin` for equal shares";
                let finding = Finding::new(Severity::Error, Spot::Value(entry.node()), message).help(help);
                findings.missing(entry.node(), "weight", finding);
                None
            }
        }
    }

    fn pair(
        &mut self,
        entry: &PairEntry,
        listed: &Listed<'_>,
        other: &Listed<'_>,
        rules: Option<&Resilience>,
    ) -> Option<Pair> {
        let model = entry.model.value().and_then(|name| match Model::new(name) {
            Ok(model) => Some(model),
            Err(error) => {
                self.document.findings.error(Spot::Value(entry.model.node()), error.to_string());
                None
            }
        });
        let named = entry.endpoint.as_ref().map(|name| name.value().map_or("", String::as_str));
        if let (Some(known), Some(_)) = (listed.vendor_of(named), &model) {
            known.check(self.document, &entry.model);
            known.check_slash(self.document, &entry.model);
        }
        let endpoint = match &entry.endpoint {
            Some(name) => self.endpoint(name, listed, other),
            None => listed.primary().flatten(),
        };
        let endpoint = Arc::clone(endpoint?);
        let timeouts = endpoint.timeouts();
        let timeouts = rules.map_or(timeouts, |rules| rules.timeouts(timeouts));
        let model = model?;
        let key = (endpoint.id(), model.name().to_owned());
        let health = Arc::clone(self.healths.entry(key).or_default());
        Some(Pair::new(model, endpoint, timeouts, health))
    }

    fn endpoint<'l>(
        &self,
        given: &Located<String>,
        listed: &'l Listed<'_>,
        other: &Listed<'_>,
    ) -> Option<&'l Arc<Endpoint>> {
        let name = given.value()?;
        if let Some(found) = listed.find(name) {
            return found;
        }
        if listed.is_empty() {
            // Said once for the list.
            return None;
        }
        let shown = self.document.shown(given.node());
        let (environment, spot) = (listed.environment, Spot::Value(given.node()));
        let mut names: Vec<_> = showable(self.document, listed.names()).collect();
        names.dedup();
        if other.find(name).is_some() {
            let message =
                format!("`{shown}` is a {} endpoint, and this is the {environment} list", other.environment);
            let help = format!("the {environment} endpoints are: {}", names.join(", "));
            self.document.findings.error_with_help(spot, message, help);
            return None;
        }
        let message =
            format!("there is no {environment} endpoint `{shown}`, expected one of: {}", names.join(", "));
        self.document.findings.error_with(spot, message, did_you_mean(name, names));
        None
    }

    fn check_twice(&self, entries: &[Located<PairEntry>], pairs: &[Option<Pair>]) {
        let mut seen = HashMap::new();
        for (entry, pair) in entries.iter().zip(pairs) {
            let (Some(pair), Some(value)) = (pair, entry.value()) else { continue };
            let first = *seen.entry((pair.endpoint.id(), pair.model.name())).or_insert(entry.node());
            if first != entry.node() {
                let model = self.document.shown(value.model.node());
                let message = format!("the model `{model}` stands twice in this list with the same endpoint");
                let help = format!("the first is {}", self.document.tree.path(first));
                self.document.findings.error_with_help(Spot::Value(entry.node()), message, help);
            }
        }
    }

    /// The pair as a pool knows it.
    fn member(pair: &Pair) -> Member {
        Member { health: Arc::clone(&pair.health), probe_patience: pair.timeouts.first_byte }
    }
}
