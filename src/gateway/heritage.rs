//! What a gateway leaves to the one that replaces it: the health of each pair, and whose turn it is.
//!
//! A pair is the same if its AI API, environment, endpoint and model are called the same; where the endpoint is, or what
//! credential it gets, may have changed. A list is the same if it belongs to the same operation and environment.

use super::{AiApi, Environment, Gateway, Operation, Pair, Pairs};
use crate::balance::{Health, Shared, Turns, TurnsRecord};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::Arc;

/// What a gateway leaves.
#[derive(Debug, Default)]
pub struct Heritage {
    healths: HashMap<PairKey, Arc<Shared>>,
    lists: HashMap<ListKey, List>,
}

/// The same, to be carried to another process.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct HeritageRecord {
    healths: Vec<(PairKey, Health)>,
    lists: Vec<(ListKey, Vec<PairName>, TurnsRecord)>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
struct PairKey {
    api: String,
    environment: Environment,
    pair: PairName,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
struct PairName {
    endpoint: String,
    model: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
struct ListKey {
    api: String,
    environment: Environment,
    method: String,
    path: String,
}

#[derive(Debug)]
struct List {
    pairs: Vec<PairName>,
    turns: Left,
}

#[derive(Debug)]
enum Left {
    /// By a gateway of this process, which may still be choosing.
    Here(Arc<Turns>),
    /// By another process.
    Elsewhere(TurnsRecord),
}

impl PairName {
    fn of(pair: &Pair) -> Self {
        Self { endpoint: pair.endpoint.name().to_owned(), model: pair.model.name().to_owned() }
    }
}

impl PairKey {
    fn of(api: &str, environment: Environment, pair: &Pair) -> Self {
        Self { api: api.to_owned(), environment, pair: PairName::of(pair) }
    }
}

impl ListKey {
    fn of(api: &str, environment: Environment, operation: &Operation) -> Self {
        let (method, path) = (operation.method().as_str().to_owned(), operation.path().to_string());
        Self { api: api.to_owned(), environment, method, path }
    }
}

impl Gateway {
    /// What it leaves to the gateway that replaces it in this process. Both may go on choosing.
    pub fn heritage(&self) -> Heritage {
        let healths = self.pairs().map(|(api, environment, pair)| {
            (PairKey::of(api.name(), environment, pair), Arc::clone(&pair.health))
        });
        let lists = self.lists().map(|(api, operation, environment, pairs)| {
            let list = List {
                pairs: pairs.iter().map(PairName::of).collect(),
                turns: Left::Here(Arc::clone(pairs.pool().turns())),
            };
            (ListKey::of(api.name(), environment, operation), list)
        });
        Heritage { healths: healths.collect(), lists: lists.collect() }
    }

    /// What it leaves to another process.
    pub fn heritage_record(&self) -> HeritageRecord {
        let healths = self.pairs().map(|(api, environment, pair)| {
            (PairKey::of(api.name(), environment, pair), pair.health.lock().clone())
        });
        let lists = self.lists().map(|(api, operation, environment, pairs)| {
            let names = pairs.iter().map(PairName::of).collect();
            (ListKey::of(api.name(), environment, operation), names, pairs.pool().turns().record())
        });
        HeritageRecord { healths: healths.collect(), lists: lists.collect() }
    }

    /// This gateway, going on where an earlier one is. It must not be shared with anyone yet.
    #[must_use]
    pub fn inheriting(mut self, heritage: &Heritage) -> Self {
        for api in self.apis.iter_mut().filter_map(Arc::get_mut) {
            heritage.pass_on(api);
        }
        self
    }
}

impl Heritage {
    fn pass_on(&self, api: &mut AiApi) {
        let name = api.name().to_owned();
        for operation in api.operations_mut() {
            for environment in Environment::ALL {
                let key = ListKey::of(&name, environment, operation);
                if let Some(pairs) = operation.pairs_mut(environment) {
                    self.pass_healths_on(&name, environment, pairs);
                    self.pass_turns_on(&key, pairs);
                }
            }
        }
    }

    fn pass_healths_on(&self, api: &str, environment: Environment, pairs: &mut Pairs) {
        let keys: Vec<_> = pairs.iter().map(|pair| PairKey::of(api, environment, pair)).collect();
        for (place, key) in keys.iter().enumerate() {
            if let Some(health) = self.healths.get(key) {
                pairs.share_health(place, health);
            }
        }
    }

    fn pass_turns_on(&self, key: &ListKey, pairs: &mut Pairs) {
        let Some(list) = self.lists.get(key) else {
            return;
        };
        let place_there = |pair: &Pair| {
            let name = PairName::of(pair);
            list.pairs.iter().position(|there| *there == name)
        };
        let places: Vec<_> = pairs.iter().map(place_there).collect();
        let fresh = Arc::clone(pairs.pool().turns());
        let turns = match &list.turns {
            Left::Here(turns) => Turns::continued(&fresh, turns, &places),
            Left::Elsewhere(record) => Turns::restored(&fresh, record, &places),
        };
        pairs.take_turns(turns);
    }
}

impl From<HeritageRecord> for Heritage {
    fn from(record: HeritageRecord) -> Self {
        let shared = |(key, health)| (key, Arc::new(Shared::new(health)));
        let list = |(key, pairs, turns)| (key, List { pairs, turns: Left::Elsewhere(turns) });
        Self {
            healths: record.healths.into_iter().map(shared).collect(),
            lists: record.lists.into_iter().map(list).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::balance::{PairSet, Tick};
    use crate::config::{self, Process};

    fn gateway(pairs: &str, sandbox: &str) -> Gateway {
        let text = format!(
            "listeners: [{{ address: '127.0.0.1:0' }}]
apis:
  - name: A
    context: /a
    vendor: openai
    endpoints:
      production: [{{ name: P, url: 'http://127.0.0.1:1/v1' }}, {{ name: Q, url: 'http://127.0.0.1:2/v1' }}]
      sandbox: [{{ name: P, url: 'http://127.0.0.1:3/v1' }}]
    operations:
      - method: POST
        path: /chat/completions
        policy: {{ type: model_round_robin, production: [{pairs}], sandbox: [{sandbox}] }}
      - method: POST
        path: /embeddings
        policy: {{ type: model_round_robin, production: [{{ model: m1 }}] }}"
        );
        config::parse("test", &text, &Process).unwrap().gateway
    }

    /// The next three choices of the first operation's production list.
    fn choices(gateway: &Gateway) -> Vec<String> {
        let (_, _, _, pairs) = gateway.lists().next().unwrap();
        let choose = || pairs.pool().choose(Tick::ORIGIN, PairSet::EMPTY).unwrap().place;
        (0..3).map(|_| pairs.pair(choose()).unwrap().label.to_string()).collect()
    }

    fn health<'a>(gateway: &'a Gateway, environment: Environment, label: &str) -> &'a Arc<Shared> {
        let mut all = gateway.pairs();
        &all.find(|(_, e, pair)| *e == environment && &*pair.label == label).unwrap().2.health
    }

    const BEFORE: (&str, &str) =
        ("{ model: m1 }, { model: m2 }, { model: m1, endpoint: Q }", "{ model: m1 }");

    /// The ways in which a gateway is replaced.
    fn replaced(before: &Gateway, after: Gateway) -> [Gateway; 2] {
        let wire = serde_json::to_string(&before.heritage_record()).unwrap();
        let record: HeritageRecord = serde_json::from_str(&wire).unwrap();
        let again = gateway(BEFORE.0, BEFORE.1).inheriting(&record.clone().into());
        assert_eq!(again.heritage_record(), record, "nothing is lost on the way");
        [after.inheriting(&before.heritage()), again]
    }

    #[test]
    fn each_pair_has_one_number() {
        let gateway = gateway(BEFORE.0, BEFORE.1);
        assert_eq!(gateway.pair_count(), 4);
        let numbers: Vec<_> = gateway.pairs().map(|(_, _, pair)| pair.number.0).collect();
        assert_eq!(numbers, [0, 1, 2, 3]);
    }

    #[test]
    fn turns_and_healths_go_on() {
        let before = gateway(BEFORE.0, BEFORE.1);
        assert_eq!(choices(&before), ["m1@P", "m2@P", "m1@Q"]);
        before.lists().next().unwrap().3.pool().choose(Tick::ORIGIN, PairSet::EMPTY).unwrap();
        health(&before, Environment::Production, "m1@Q").lock().hold(None, None);
        for after in replaced(&before, gateway(BEFORE.0, BEFORE.1)) {
            assert!(health(&after, Environment::Production, "m1@Q").lock().is_held(Tick::ORIGIN));
            assert!(!health(&after, Environment::Production, "m1@P").lock().is_held(Tick::ORIGIN));
            assert!(!health(&after, Environment::Sandbox, "m1@P").lock().is_held(Tick::ORIGIN));
            let pool = after.lists().next().unwrap().3.pool();
            assert_eq!((pool.times_chosen(0), pool.times_chosen(1)), (2, 1));
        }
        let [here, elsewhere] = replaced(&before, gateway(BEFORE.0, BEFORE.1));
        assert_eq!(choices(&elsewhere), ["m2@P", "m1@P", "m2@P"]);
        // The two of this process share what they choose by.
        assert_eq!(choices(&here), ["m2@P", "m1@P", "m2@P"]);
        assert_eq!(choices(&before), ["m1@P", "m2@P", "m1@P"]);
        let held = health(&here, Environment::Production, "m1@Q");
        held.lock().resume(Tick::ORIGIN);
        assert!(!health(&before, Environment::Production, "m1@Q").lock().is_held(Tick::ORIGIN));
    }

    #[test]
    fn pairs_that_are_still_there_go_on() {
        let before = gateway(BEFORE.0, BEFORE.1);
        before.lists().next().unwrap().3.pool().choose(Tick::ORIGIN, PairSet::EMPTY).unwrap();
        let after = gateway("{ model: m0 }, { model: m2 }, { model: m1 }", BEFORE.1);
        let after = after.inheriting(&before.heritage());
        assert_eq!(choices(&after), ["m2@P", "m1@P", "m0@P"]);
    }

    #[test]
    fn all_operations_of_an_api_share_what_is_inherited() {
        let before = gateway(BEFORE.0, BEFORE.1);
        let after = gateway(BEFORE.0, BEFORE.1).inheriting(&before.heritage());
        health(&before, Environment::Production, "m1@P").lock().hold(None, None);
        for (_, _, environment, pairs) in after.lists() {
            let held = pairs.iter().any(|pair| pair.health.lock().is_held(Tick::ORIGIN));
            assert_eq!(held, environment == Environment::Production);
        }
    }
}
