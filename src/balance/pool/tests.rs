use super::*;
use proptest::prelude::*;

const DURATION: Duration = Duration::from_secs(30);
const PATIENCE: Duration = Duration::from_secs(10);

fn at(seconds: u64) -> Tick {
    Tick::at(Duration::from_secs(seconds))
}

fn rules() -> Rules {
    Rules {
        duration: DURATION,
        max_duration: None,
        threshold: 1,
        window: Duration::from_secs(60),
        ramp: None,
    }
}

fn pool_of(turn: Turn, count: usize, when_all_suspended: WhenAllSuspended) -> Pool {
    let member = || Member { health: Arc::default(), probe_patience: PATIENCE };
    let suspension = Suspension { causes: CauseSet::standard(), rules: rules() };
    Pool::new(turn, (0..count).map(|_| member()).collect(), Some(suspension), when_all_suspended)
}

fn pool(weights: &[u32]) -> Pool {
    pool_of(Turn::weighted(weights).unwrap(), weights.len(), WhenAllSuspended::Reject)
}

fn finding(outcome: Outcome) -> Finding {
    Finding { outcome, vendor_delay: None, jitter: 0.0, poisoned: false }
}

fn choose(pool: &Pool, now: u64) -> Choice {
    pool.choose(at(now), PairSet::EMPTY).unwrap()
}

fn places(pool: &Pool, now: u64, count: usize) -> Vec<usize> {
    (0..count).map(|_| choose(pool, now).place).collect()
}

fn fail(pool: &Pool, place: usize, began: u64, now: u64) -> bool {
    let choice = Choice { place, role: Role::Regular, began: at(began) };
    pool.report(choice, &finding(Outcome::Status(500)), at(now))
}

#[test]
fn a_failed_pair_gets_nothing_and_is_then_probed_once_at_a_time() {
    let pool = pool(&[1, 1]);
    assert!(fail(&pool, 0, 1, 1));
    assert_eq!(places(&pool, 2, 3), [1, 1, 1]);
    let probe = choose(&pool, 31);
    assert_eq!((probe.place, probe.role), (0, Role::Probe));
    assert_eq!(places(&pool, 32, 3), [1, 1, 1]);
    assert!(!pool.report(probe, &finding(Outcome::Status(200)), at(33)));
    assert_eq!(places(&pool, 33, 4), [0, 1, 0, 1]);
}

#[test]
fn a_request_that_has_failed_once_goes_to_a_pair_that_is_well() {
    let pool = pool(&[1, 1, 1]);
    fail(&pool, 0, 1, 1);
    let tried: PairSet = [1].into_iter().collect();
    assert_eq!(pool.choose(at(31), tried).unwrap().place, 2);
    let tried: PairSet = [1, 2].into_iter().collect();
    let last = pool.choose(at(31), tried).unwrap();
    assert_eq!((last.place, last.role), (0, Role::Probe));
}

#[test]
fn all_suspended_tells_when_the_first_is_back() {
    let pool = pool(&[1, 1, 0]);
    fail(&pool, 0, 5, 5);
    fail(&pool, 1, 3, 3);
    assert_eq!(pool.choose(at(6), PairSet::EMPTY), Err(NoChoice::AllSuspended { until: Some(at(33)) }));
}

#[test]
fn a_pair_that_is_being_probed_may_be_back_at_any_moment() {
    let pool = pool(&[1]);
    fail(&pool, 0, 5, 5);
    assert_eq!(choose(&pool, 40).role, Role::Probe);
    assert_eq!(pool.choose(at(41), PairSet::EMPTY), Err(NoChoice::AllSuspended { until: Some(at(41)) }));
}

#[test]
fn a_request_that_has_tried_all_is_told_so() {
    let pool = pool(&[1, 1]);
    assert_eq!(pool.choose(at(6), PairSet::first(2)), Err(NoChoice::AllTried));
}

#[test]
fn or_the_one_that_is_back_first_is_tried() {
    let pool = pool_of(Turn::round_robin(2).unwrap(), 2, WhenAllSuspended::TrySoonest);
    fail(&pool, 0, 5, 5);
    fail(&pool, 1, 3, 3);
    let early = choose(&pool, 6);
    assert_eq!((early.place, early.role), (1, Role::Probe));
    pool.report(early, &finding(Outcome::Status(200)), at(7));
    assert_eq!(places(&pool, 7, 2), [1, 1]);
}

#[test]
fn a_poisoned_request_suspends_nothing() {
    let pool = pool(&[1, 1]);
    let choice = choose(&pool, 1);
    let poisoned = Finding { poisoned: true, ..finding(Outcome::Status(500)) };
    assert!(!pool.report(choice, &poisoned, at(1)));
    assert_eq!(places(&pool, 2, 2), [1, 0]);
}

#[test]
fn what_is_not_a_cause_is_a_good_answer_to_a_probe() {
    let pool = pool(&[1, 1]);
    fail(&pool, 0, 1, 1);
    let probe = choose(&pool, 31);
    assert!(!pool.report(probe, &finding(Outcome::Status(404)), at(32)));
    assert_eq!(pool.phase(0, at(32)), Some(Phase::Active));
}

#[test]
fn without_a_suspend_duration_nothing_is_remembered_but_a_suspension_of_others_is_seen() {
    let shared = Member { health: Arc::default(), probe_patience: PATIENCE };
    let other = Member { health: Arc::default(), probe_patience: PATIENCE };
    let suspension = Suspension { causes: CauseSet::standard(), rules: rules() };
    let turn = || Turn::round_robin(2).unwrap();
    let reject = WhenAllSuspended::Reject;
    let judging = Pool::new(turn(), vec![shared.clone(), other.clone()], Some(suspension), reject);
    let forgetful = Pool::new(turn(), vec![other, shared], None, reject);
    assert!(!fail(&forgetful, 1, 1, 1));
    assert_eq!(places(&forgetful, 1, 2), [0, 1]);
    fail(&judging, 0, 1, 1);
    assert_eq!(places(&forgetful, 2, 2), [0, 0]);
    // Its failed probe frees the place, and leaves the judgement to the other.
    let probe = choose(&forgetful, 31);
    assert_eq!((probe.place, probe.role), (1, Role::Probe));
    forgetful.report(probe, &finding(Outcome::Connect), at(32));
    assert_eq!(choose(&judging, 32), Choice { place: 0, role: Role::Probe, began: at(32) });
}

#[test]
fn shares_are_exact_when_many_threads_choose() {
    let pool = pool(&[3, 1]);
    let firsts = std::thread::scope(|scope| {
        let worker = || places(&pool, 1, 1_000).into_iter().filter(|&place| place == 0).count();
        let workers: Vec<_> = (0..8).map(|_| scope.spawn(worker)).collect();
        workers.into_iter().map(|worker| worker.join().unwrap()).sum::<usize>()
    });
    assert_eq!(firsts, 6_000);
}

#[test]
fn one_of_many_threads_probes() {
    let pool = pool(&[1, 1]);
    fail(&pool, 0, 1, 1);
    let probes = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..8).map(|_| scope.spawn(|| choose(&pool, 40).role)).collect();
        workers.into_iter().filter_map(|w| w.join().ok()).filter(|role| *role == Role::Probe).count()
    });
    assert_eq!(probes, 1);
}

/// What one step of a random schedule does.
#[derive(Debug, Clone)]
enum Step {
    Pause(u64),
    Choose,
    End { which: usize, outcome: Outcome },
    Abandon { which: usize },
}

fn step() -> impl Strategy<Value = Step> {
    let outcome = prop::sample::select(vec![
        Outcome::Status(200),
        Outcome::Status(404),
        Outcome::Status(429),
        Outcome::Status(500),
        Outcome::Connect,
        Outcome::Stream,
        Outcome::Quota,
    ]);
    prop_oneof![
        (0u64..25).prop_map(Step::Pause),
        Just(Step::Choose),
        Just(Step::Choose),
        (any::<usize>(), outcome).prop_map(|(which, outcome)| Step::End { which, outcome }),
        any::<usize>().prop_map(|which| Step::Abandon { which }),
    ]
}

/// Plays a schedule, and checks after each step what must always hold.
fn play(pool: &Pool, count: usize, steps: Vec<Step>) -> u64 {
    let mut now = 1;
    let mut open: Vec<Choice> = Vec::new();
    let mut deadlines = vec![Tick::ORIGIN; count];
    for step in steps {
        match step {
            Step::Pause(seconds) => now += seconds,
            Step::Choose => {
                let before: Vec<_> = (0..count).map(|place| pool.phase(place, at(now)).unwrap()).collect();
                match pool.choose(at(now), PairSet::EMPTY) {
                    Ok(choice) => {
                        let phase = before[choice.place];
                        assert!(matches!(phase, Phase::Active | Phase::Due { .. }), "{phase:?} was chosen");
                        assert_eq!(choice.role == Role::Probe, matches!(phase, Phase::Due { .. }));
                        open.push(choice);
                    }
                    Err(_) => {
                        assert!(before.iter().all(|phase| {
                            matches!(phase, Phase::Suspended { .. } | Phase::Probing { .. })
                        }));
                    }
                }
            }
            Step::End { which, outcome } if !open.is_empty() => {
                let choice = open.swap_remove(which % open.len());
                pool.report(choice, &finding(outcome), at(now));
            }
            Step::Abandon { which } if !open.is_empty() => {
                let which = which % open.len();
                pool.abandon(open.swap_remove(which));
            }
            Step::End { .. } | Step::Abandon { .. } => {}
        }
        for (place, deadline) in deadlines.iter_mut().enumerate() {
            if let Some(Phase::Suspended { until, .. }) = pool.phase(place, at(now)) {
                assert!(until >= *deadline, "the deadline of {place} moved back");
                *deadline = until;
            }
        }
    }
    now
}

proptest! {
    #[test]
    fn whatever_happens_the_rules_hold_and_all_pairs_come_back(
        weights in prop::collection::vec(1u32..5, 1..6),
        steps in prop::collection::vec(step(), 1..120),
    ) {
        let pool = pool(&weights);
        let mut now = play(&pool, weights.len(), steps);
        // Failures stop and time passes: every pair is probed, and active again.
        now += 4_000;
        for _ in 0..weights.len() {
            let choice = choose(&pool, now);
            pool.report(choice, &finding(Outcome::Status(200)), at(now));
        }
        for place in 0..weights.len() {
            prop_assert_eq!(pool.phase(place, at(now)), Some(Phase::Active));
        }
    }

    #[test]
    fn with_any_pairs_out_the_rest_are_exact_on_every_window(
        weights in prop::collection::vec(1u32..6, 2..6),
        out in prop::bits::u8::between(0, 5),
    ) {
        let pool = pool(&weights);
        let is_out = |place: usize| out & (1 << place) != 0;
        let rest: Vec<usize> = (0..weights.len()).filter(|&place| !is_out(place)).collect();
        places(&pool, 1, 3);
        (0..weights.len()).filter(|&place| is_out(place)).for_each(|place| { fail(&pool, place, 2, 2); });
        if rest.is_empty() {
            let until = Some(at(32));
            prop_assert_eq!(pool.choose(at(3), PairSet::EMPTY), Err(NoChoice::AllSuspended { until }));
            return Ok(());
        }
        let sum: u32 = rest.iter().map(|&place| weights[place]).sum();
        let chosen = places(&pool, 3, 3 * sum as usize);
        for window in chosen.windows(sum as usize) {
            for &place in &rest {
                let count = window.iter().filter(|&&chosen| chosen == place).count();
                prop_assert_eq!(count, weights[place] as usize);
            }
        }
    }
}

#[test]
fn what_an_operator_holds_is_never_tried_early() {
    let pool = pool_of(Turn::weighted(&[1, 1]).unwrap(), 2, WhenAllSuspended::TrySoonest);
    pool.pairs[0].health.lock().hold(Some(at(20)), None);
    pool.pairs[1].health.lock().hold(None, None);
    assert_eq!(pool.choose(at(5), PairSet::EMPTY), Err(NoChoice::AllSuspended { until: Some(at(20)) }));
    pool.pairs[0].health.lock().hold(None, None);
    assert_eq!(pool.choose(at(5), PairSet::EMPTY), Err(NoChoice::AllSuspended { until: None }));
    pool.pairs[1].health.lock().resume(at(6));
    assert_eq!(pool.choose(at(7), PairSet::EMPTY).unwrap().place, 1);
}

#[test]
fn choices_are_counted() {
    let pool = pool(&[3, 1]);
    for _ in 0..8 {
        pool.choose(at(5), PairSet::EMPTY).unwrap();
    }
    assert_eq!((pool.times_chosen(0), pool.times_chosen(1), pool.times_chosen(2)), (6, 2, 0));
}
