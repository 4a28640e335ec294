use super::*;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::UNIX_EPOCH;
use tokio::sync::{mpsc, oneshot};
use tokio::task::{JoinSet, yield_now};

/// What a fetch brings: a secret and its life in seconds, an error, or the end of the task.
enum Bring {
    Secret(&'static str, Option<u64>),
    Failure(&'static str),
    Panic,
}

/// A source whose fetches bring what the test sends them.
struct Fake {
    fetches: AtomicUsize,
    brought: tokio::sync::Mutex<mpsc::UnboundedReceiver<Bring>>,
}

#[async_trait]
impl Source for Fake {
    type Secret = &'static str;

    fn from(&self) -> Arc<str> {
        "a fake".into()
    }

    async fn fetch(&self, now: SystemTime) -> Result<Lease<&'static str>, SignError> {
        self.fetches.fetch_add(1, SeqCst);
        match self.brought.lock().await.recv().await.unwrap() {
            Bring::Secret(secret, life) => {
                Ok(Lease { secret, expires: life.map(|life| now + Duration::from_secs(life)) })
            }
            Bring::Failure(why) => Err(SignError::Fetch { from: self.from(), why: why.into() }),
            Bring::Panic => panic!("as the test wants it"),
        }
    }
}

fn cache() -> (Arc<Cache<Fake>>, mpsc::UnboundedSender<Bring>) {
    let (bring, brought) = mpsc::unbounded_channel();
    let fake = Fake { fetches: AtomicUsize::new(0), brought: tokio::sync::Mutex::new(brought) };
    (Arc::new(Cache::new(fake)), bring)
}

fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_800_000_000 + seconds)
}

fn fetches(cache: &Cache<Fake>) -> usize {
    cache.source.fetches.load(SeqCst)
}

/// Until `begun` fetches have begun, and none of them is under way.
async fn landed(cache: &Cache<Fake>, begun: usize) {
    while fetches(cache) < begun || cache.state.lock().flight.is_some() {
        yield_now().await;
    }
}

async fn get(cache: &Arc<Cache<Fake>>, seconds: u64) -> Result<&'static str, String> {
    cache.secret(at(seconds)).await.map(|secret| *secret).map_err(|error| error.to_string())
}

#[tokio::test]
async fn many_requests_at_once_are_one_fetch() {
    let (cache, bring) = cache();
    let mut requests = JoinSet::new();
    for _ in 0..100 {
        let cache = Arc::clone(&cache);
        requests.spawn(async move { get(&cache, 0).await });
    }
    while fetches(&cache) == 0 {
        yield_now().await;
    }
    bring.send(Bring::Secret("one", Some(3600))).unwrap();
    for answer in requests.join_all().await {
        assert_eq!(answer, Ok("one"));
    }
    assert_eq!(fetches(&cache), 1);
    assert_eq!(get(&cache, 3299).await, Ok("one"), "kept until it is time");
    assert_eq!(fetches(&cache), 1);
}

#[tokio::test]
async fn a_secret_is_fetched_again_before_it_ends_and_used_meanwhile() {
    let (cache, bring) = cache();
    bring.send(Bring::Secret("one", Some(3600))).unwrap();
    assert_eq!(get(&cache, 0).await, Ok("one"));
    // Nothing is brought yet: a request that waited would wait for ever.
    assert_eq!(get(&cache, 3300).await, Ok("one"));
    assert_eq!(get(&cache, 3400).await, Ok("one"));
    while fetches(&cache) < 2 {
        yield_now().await;
    }
    assert_eq!(get(&cache, 3589).await, Ok("one"));
    bring.send(Bring::Secret("two", Some(3600))).unwrap();
    landed(&cache, 2).await;
    assert_eq!(get(&cache, 3589).await, Ok("two"));
    assert_eq!(fetches(&cache), 2);
}

#[tokio::test]
async fn a_secret_about_to_end_is_not_used() {
    let (cache, bring) = cache();
    bring.send(Bring::Secret("one", Some(3600))).unwrap();
    assert_eq!(get(&cache, 0).await, Ok("one"));
    assert_eq!(get(&cache, 3589).await, Ok("one"), "the fetch that this begins is under way");
    bring.send(Bring::Secret("two", Some(3600))).unwrap();
    assert_eq!(get(&cache, 3590).await, Ok("two"), "waited for");
    assert_eq!(fetches(&cache), 2, "and not begun again");
}

#[tokio::test]
async fn a_short_life_is_used_in_proportion() {
    let (cache, bring) = cache();
    bring.send(Bring::Secret("one", Some(8))).unwrap();
    assert_eq!(get(&cache, 0).await, Ok("one"));
    assert_eq!(get(&cache, 5).await, Ok("one"));
    assert_eq!(fetches(&cache), 1);
    assert_eq!(get(&cache, 6).await, Ok("one"), "a quarter before its end it is fetched again");
    bring.send(Bring::Secret("two", Some(8))).unwrap();
    landed(&cache, 2).await;
    assert_eq!(get(&cache, 6).await, Ok("two"));
}

#[tokio::test]
async fn what_does_not_say_when_it_ends_is_looked_at_again() {
    let (cache, bring) = cache();
    bring.send(Bring::Secret("one", None)).unwrap();
    assert_eq!(get(&cache, 0).await, Ok("one"));
    assert_eq!(get(&cache, 599).await, Ok("one"));
    assert_eq!(fetches(&cache), 1);
    bring.send(Bring::Failure("no")).unwrap();
    assert_eq!(get(&cache, 600).await, Ok("one"));
    landed(&cache, 2).await;
    assert_eq!(get(&cache, 100_000).await, Ok("one"), "it may be good for ever");
}

#[tokio::test]
async fn a_failure_is_told_to_all_who_wait_and_tried_again_a_second_later() {
    let (cache, bring) = cache();
    let others = Arc::clone(&cache);
    let other = tokio::spawn(async move { get(&others, 0).await });
    bring.send(Bring::Failure("it said no")).unwrap();
    let failure = Err("no credential from a fake: it said no".to_owned());
    assert_eq!(get(&cache, 0).await, failure);
    assert_eq!(other.await.unwrap(), failure);
    assert_eq!(get(&cache, 0).await, failure, "told again without a fetch");
    assert_eq!(fetches(&cache), 1);
    bring.send(Bring::Secret("one", Some(3600))).unwrap();
    assert_eq!(get(&cache, 1).await, Ok("one"));
    assert_eq!(fetches(&cache), 2);
}

#[tokio::test]
async fn a_clock_that_is_set_back_does_not_prolong_a_failure() {
    let (cache, bring) = cache();
    bring.send(Bring::Failure("no")).unwrap();
    assert!(get(&cache, 5000).await.is_err());
    bring.send(Bring::Secret("one", Some(3600))).unwrap();
    assert_eq!(get(&cache, 0).await, Ok("one"));
}

#[tokio::test]
async fn a_failure_to_fetch_again_leaves_the_old_one_in_use_until_it_ends() {
    let (cache, bring) = cache();
    bring.send(Bring::Secret("one", Some(3600))).unwrap();
    assert_eq!(get(&cache, 0).await, Ok("one"));
    bring.send(Bring::Failure("no")).unwrap();
    assert_eq!(get(&cache, 3500).await, Ok("one"));
    landed(&cache, 2).await;
    assert_eq!(get(&cache, 3509).await, Ok("one"));
    assert_eq!(fetches(&cache), 2, "not again within ten seconds");
    bring.send(Bring::Failure("not now")).unwrap();
    assert_eq!(get(&cache, 3510).await, Ok("one"));
    landed(&cache, 3).await;
    bring.send(Bring::Failure("never")).unwrap();
    assert_eq!(get(&cache, 3590).await, Err("no credential from a fake: never".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn a_fetch_that_hangs_ends_at_its_deadline() {
    let (cache, bring) = cache();
    let begun = tokio::time::Instant::now();
    assert_eq!(get(&cache, 0).await, Err("no credential from a fake: no answer within 10 s".to_owned()));
    assert_eq!(begun.elapsed().as_secs(), 10);
    bring.send(Bring::Secret("one", Some(3600))).unwrap();
    assert_eq!(get(&cache, 10).await, Ok("one"));
}

#[tokio::test(start_paused = true)]
async fn a_fetch_that_hangs_is_waited_for_as_long_as_each_request_may() {
    let (cache, bring) = cache();
    let begun = tokio::time::Instant::now();
    let within = async |milliseconds, seconds| {
        let secret = cache.secret_within(Duration::from_millis(milliseconds), at(seconds)).await;
        secret.map(|secret| *secret).map_err(|error| error.to_string())
    };
    let slow =
        |limit| Err(format!("no credential from a fake yet: no answer within the connect timeout, {limit}"));
    assert_eq!(within(300, 0).await, slow("300ms"));
    assert_eq!(begun.elapsed().as_millis(), 300);
    // One that looks whether it is there by now, such as a probe, waits no longer and begins no other.
    assert_eq!(within(5000, 1).await, slow("5s"));
    assert_eq!(begun.elapsed().as_millis(), 5300);
    assert_eq!(fetches(&cache), 1);
    bring.send(Bring::Secret("one", Some(3600))).unwrap();
    assert_eq!(within(300, 6).await, Ok("one"), "brought by the fetch that the first began");
    assert_eq!(begun.elapsed().as_millis(), 5300);
    assert_eq!(fetches(&cache), 1);
}

#[tokio::test(start_paused = true)]
async fn a_fetch_that_nobody_waits_for_any_more_ends_at_its_own_deadline() {
    let (cache, bring) = cache();
    let begun = tokio::time::Instant::now();
    assert!(cache.secret_within(Duration::from_secs(5), at(0)).await.is_err());
    let error = cache.secret_within(Duration::from_secs(20), at(5)).await.unwrap_err();
    assert_eq!(error.to_string(), "no credential from a fake: no answer within 10 s");
    assert_eq!((begun.elapsed().as_secs(), fetches(&cache)), (10, 1));
    bring.send(Bring::Secret("one", Some(3600))).unwrap();
    assert_eq!(get(&cache, 10).await, Ok("one"), "the next one fetches");
    assert_eq!(fetches(&cache), 2);
}

#[tokio::test]
async fn a_fetch_goes_on_without_the_request_that_began_it() {
    let (cache, bring) = cache();
    let own = Arc::clone(&cache);
    let (begun, has_begun) = oneshot::channel();
    let first = tokio::spawn(async move {
        begun.send(()).unwrap();
        get(&own, 0).await
    });
    has_begun.await.unwrap();
    while fetches(&cache) == 0 {
        yield_now().await;
    }
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    bring.send(Bring::Secret("one", Some(3600))).unwrap();
    assert_eq!(get(&cache, 0).await, Ok("one"));
    assert_eq!(fetches(&cache), 1);
}

#[tokio::test]
async fn a_fetch_that_breaks_off_is_an_error_and_the_next_request_fetches() {
    let (cache, bring) = cache();
    bring.send(Bring::Panic).unwrap();
    assert_eq!(get(&cache, 0).await, Err("no credential from a fake: the fetch was broken off".to_owned()));
    bring.send(Bring::Secret("one", Some(3600))).unwrap();
    assert_eq!(get(&cache, 0).await, Ok("one"));
}

#[tokio::test]
async fn what_has_expired_on_arrival_is_a_failure() {
    let (cache, bring) = cache();
    bring.send(Bring::Secret("one", Some(0))).unwrap();
    let error = get(&cache, 0).await.unwrap_err();
    assert_eq!(error, "no credential from a fake: it had expired already; is this machine's clock right?");
    assert_eq!(get(&cache, 0).await, Err(error), "which does not make every request fetch");
    assert_eq!(fetches(&cache), 1);
}
