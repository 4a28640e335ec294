//! The numbers of a gateway, laid out so that a request finds its own by index.

use super::buckets::{DURATIONS, OVERHEADS};
use super::cells::{Count, Histogram, Outcomes, Statuses};
use super::gen_ai::{ClientLabels, ClientMeter};
use crate::keys::Environment;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

/// What is measured.
#[derive(Debug, Clone, Default)]
pub struct Layout {
    /// The AI APIs, in the order of their numbers.
    pub apis: Vec<ApiLayout>,
    /// The pairs, in the order of their numbers.
    pub pairs: Vec<(TargetLabels, ClientLabels)>,
    /// Whether the GenAI conventions' metrics are kept, too.
    pub gen_ai: bool,
}

/// An AI API.
#[derive(Debug, Clone)]
pub struct ApiLayout {
    /// Its name.
    pub name: Arc<str>,
    /// The primary endpoint of each environment that it has.
    pub primaries: Vec<Primary>,
}

/// An environment's primary endpoint, where requests without a policy go.
#[derive(Debug, Clone)]
pub struct Primary {
    /// The environment.
    pub environment: Environment,
    /// The endpoint's name.
    pub endpoint: Arc<str>,
    /// The vendor behind it, as the GenAI conventions see it.
    pub client: ClientLabels,
}

/// What a try goes to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TargetLabels {
    /// The AI API's name.
    pub api: Arc<str>,
    /// The environment.
    pub environment: Environment,
    /// The model of the pair; empty where there is no policy.
    pub model: Arc<str>,
    /// The endpoint's name.
    pub endpoint: Arc<str>,
}

/// The numbers of a gateway.
#[derive(Debug, Default)]
pub struct Meters {
    /// Answers to requests for no AI API.
    unrouted: Arc<Statuses>,
    apis: Vec<ApiMeters>,
    pairs: Vec<Target>,
    clients: HashMap<ClientLabels, Arc<ClientMeter>>,
}

#[derive(Debug)]
struct ApiMeters {
    name: Arc<str>,
    /// Answers to requests that were refused before they had an environment.
    unserved: Arc<Statuses>,
    served: Vec<Served>,
}

/// The numbers of an AI API in one environment, and of its primary endpoint.
#[derive(Debug)]
pub struct Served {
    /// Its own.
    pub meter: Arc<ServedMeter>,
    /// Those of the primary endpoint, for requests without a policy.
    pub primary: Target,
}

/// The numbers of an AI API in one environment.
#[derive(Debug)]
pub struct ServedMeter {
    /// The environment.
    pub environment: Environment,
    /// Requests, by the status that the client got.
    pub requests: Statuses,
    /// Further tries.
    pub retries: Count,
    /// What the gateway added.
    pub overhead: Histogram,
    /// From a request's beginning to the header of the vendor's response.
    pub first_byte: Histogram,
    /// From a request's beginning to its end.
    pub duration: Histogram,
    /// Good responses whose usage could not be read.
    pub usage_unread: Count,
}

/// What a try goes to: a pair, or an environment's primary endpoint.
#[derive(Debug, Clone)]
pub struct Target {
    /// Its numbers.
    pub meter: Arc<TargetMeter>,
    /// Those of the GenAI conventions, if they are kept.
    pub client: Option<Arc<ClientMeter>>,
}

/// The numbers of what tries go to.
#[derive(Debug)]
pub struct TargetMeter {
    /// Its names.
    pub labels: TargetLabels,
    /// Tries, by what came of them.
    pub attempts: Outcomes,
    /// Suspensions, by what they were for.
    pub suspensions: Outcomes,
    /// Suspensions by an operator.
    pub holds: Count,
    /// Tokens of requests, those in the vendor's cache included.
    pub prompt_tokens: Count,
    /// Tokens of answers.
    pub completion_tokens: Count,
    /// Tokens of requests that were in the vendor's cache.
    pub cached_tokens: Count,
}

impl Meters {
    /// The numbers of what `layout` has. Those of `previous` go on where it has the same.
    pub fn new(layout: Layout, previous: &Self) -> Self {
        let earlier = Earlier::of(previous);
        let mut clients = HashMap::new();
        let mut target = |labels: TargetLabels, client: ClientLabels| Target {
            meter: go_on(&earlier.targets, &labels, || TargetMeter::new(labels.clone())),
            client: layout.gen_ai.then(|| {
                let meter = clients.entry(client);
                let meter = meter.or_insert_with_key(|client| {
                    go_on(&earlier.clients, client, || ClientMeter::new(client.clone()))
                });
                meter.clone()
            }),
        };
        let mut served = |api: &Arc<str>, Primary { environment, endpoint, client }| Served {
            meter: go_on(&earlier.served, &(api.clone(), environment), || ServedMeter::new(environment)),
            primary: target(
                TargetLabels { api: api.clone(), environment, model: "".into(), endpoint },
                client,
            ),
        };
        let api = |ApiLayout { name, primaries }| ApiMeters {
            unserved: go_on(&earlier.unserved, &name, Statuses::default),
            served: primaries.into_iter().map(|primary| served(&name, primary)).collect(),
            name,
        };
        Self {
            unrouted: previous.unrouted.clone(),
            apis: layout.apis.into_iter().map(api).collect(),
            pairs: layout.pairs.into_iter().map(|(labels, client)| target(labels, client)).collect(),
            clients,
        }
    }

    /// Counts a request that was refused before it had an environment: for the AI API of this number, or for none.
    pub fn count_unserved(&self, api: Option<usize>, status: u16) {
        let api = api.and_then(|number| self.apis.get(number));
        api.map_or(&self.unrouted, |api| &api.unserved).count(status);
    }

    /// The numbers of the AI API of this number in `environment`.
    pub fn served(&self, api: usize, environment: Environment) -> Option<&Served> {
        let mut served = self.apis.get(api)?.served.iter();
        served.find(|served| served.meter.environment == environment)
    }

    /// The numbers of the pair of this number.
    pub fn pair(&self, number: usize) -> Option<&Target> {
        self.pairs.get(number)
    }

    /// Answers to requests for no AI API.
    pub(super) fn unrouted(&self) -> &Statuses {
        &self.unrouted
    }

    /// Each AI API's name, with the answers to requests that had no environment.
    pub(super) fn unserved(&self) -> impl Iterator<Item = (&str, &Statuses)> {
        self.apis.iter().map(|api| (&*api.name, &*api.unserved))
    }

    /// Each AI API's name, with its numbers in each environment.
    pub(super) fn all_served(&self) -> impl Iterator<Item = (&str, &Served)> {
        self.apis.iter().flat_map(|api| api.served.iter().map(|served| (&*api.name, served)))
    }

    /// The pairs, in the order of their numbers.
    pub(super) fn pairs(&self) -> impl Iterator<Item = &TargetMeter> {
        self.pairs.iter().map(|pair| &*pair.meter)
    }

    /// The pairs and the primary endpoints.
    pub(super) fn targets(&self) -> impl Iterator<Item = &TargetMeter> {
        self.pairs().chain(self.all_served().map(|(_, served)| &*served.primary.meter))
    }

    /// The vendors as the GenAI conventions see them, in a lasting order.
    pub(super) fn clients(&self) -> Vec<&ClientMeter> {
        let mut clients: Vec<_> = self.clients.values().map(|client| &**client).collect();
        clients.sort_by_key(|client| client.labels());
        clients
    }
}

/// The numbers of an earlier layout, by what they are of.
struct Earlier<'a> {
    unserved: HashMap<Arc<str>, &'a Arc<Statuses>>,
    served: HashMap<(Arc<str>, Environment), &'a Arc<ServedMeter>>,
    targets: HashMap<TargetLabels, &'a Arc<TargetMeter>>,
    clients: HashMap<ClientLabels, &'a Arc<ClientMeter>>,
}

impl<'a> Earlier<'a> {
    fn of(meters: &'a Meters) -> Self {
        let served = meters.apis.iter().flat_map(|api| api.served.iter().map(move |served| (api, served)));
        let primaries = served.clone().map(|(_, served)| &served.primary);
        let targets = meters.pairs.iter().chain(primaries);
        Self {
            unserved: meters.apis.iter().map(|api| (api.name.clone(), &api.unserved)).collect(),
            served: served
                .map(|(api, served)| ((api.name.clone(), served.meter.environment), &served.meter))
                .collect(),
            targets: targets.map(|target| (target.meter.labels.clone(), &target.meter)).collect(),
            clients: meters.clients.iter().map(|(labels, client)| (labels.clone(), client)).collect(),
        }
    }
}

/// What was there under `key`, or a new one.
fn go_on<K: Eq + Hash, T>(earlier: &HashMap<K, &Arc<T>>, key: &K, new: impl FnOnce() -> T) -> Arc<T> {
    earlier.get(key).map_or_else(|| Arc::new(new()), |meter| Arc::clone(meter))
}

impl ServedMeter {
    fn new(environment: Environment) -> Self {
        Self {
            environment,
            requests: Statuses::default(),
            retries: Count::default(),
            overhead: Histogram::new(&OVERHEADS),
            first_byte: Histogram::new(&DURATIONS),
            duration: Histogram::new(&DURATIONS),
            usage_unread: Count::default(),
        }
    }
}

impl TargetMeter {
    fn new(labels: TargetLabels) -> Self {
        Self {
            labels,
            attempts: Outcomes::default(),
            suspensions: Outcomes::default(),
            holds: Count::default(),
            prompt_tokens: Count::default(),
            completion_tokens: Count::default(),
            cached_tokens: Count::default(),
        }
    }
}
