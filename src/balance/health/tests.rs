use super::*;

const RULES: Rules = Rules {
    duration: Duration::from_secs(30),
    max_duration: None,
    threshold: 1,
    window: Duration::from_secs(60),
    ramp: None,
};

const PATIENCE: Duration = Duration::from_secs(10);

fn at(seconds: u64) -> Tick {
    Tick::at(Duration::from_secs(seconds))
}

fn failure() -> Failure {
    Failure { reason: Outcome::Status(500), vendor_delay: None, jitter: 0.0 }
}

fn fail(health: &mut Health, role: Role, began: u64, now: u64) -> bool {
    health.fail(role, at(began), at(now), &failure(), &RULES)
}

fn suspended_until(health: &Health, now: u64) -> Option<Tick> {
    match health.phase(at(now)) {
        Phase::Suspended { until, .. } => Some(until),
        _ => None,
    }
}

/// Out at second 10, until second 40.
fn suspended() -> Health {
    let mut health = Health::default();
    assert!(fail(&mut health, Role::Regular, 9, 10));
    health
}

/// The same, probed at second 45.
fn probing() -> Health {
    let mut health = suspended();
    assert_eq!(health.begin(at(45), PATIENCE), Some(Role::Probe));
    health
}

#[test]
fn a_failure_suspends_until_the_promised_moment() {
    let mut health = suspended();
    assert_eq!(suspended_until(&health, 39), Some(at(40)));
    assert_eq!(health.begin(at(39), PATIENCE), None);
    assert_eq!(health.phase(at(40)), Phase::Due { reason: Outcome::Status(500) });
}

#[test]
fn when_the_time_is_over_one_request_probes() {
    let mut health = probing();
    assert_eq!(health.begin(at(46), PATIENCE), None);
    assert!(health.succeed(Role::Probe, at(45), at(47)));
    assert_eq!(health.phase(at(47)), Phase::Active);
}

#[test]
fn a_failed_probe_suspends_again() {
    let mut health = probing();
    assert!(fail(&mut health, Role::Probe, 45, 46));
    assert_eq!(suspended_until(&health, 46), Some(at(76)));
}

#[test]
fn a_probe_without_an_answer_frees_its_place() {
    let mut health = probing();
    assert_eq!(health.begin(at(54), PATIENCE), None);
    assert_eq!(health.begin(at(55), PATIENCE), Some(Role::Probe));
    // What still comes of the first one is late.
    assert!(!health.succeed(Role::Probe, at(45), at(56)));
    assert!(!fail(&mut health, Role::Probe, 45, 56));
    assert!(health.succeed(Role::Probe, at(55), at(57)));
}

#[test]
fn a_probe_that_is_given_up_frees_its_place_at_once() {
    let mut health = probing();
    health.abandon(Role::Probe, at(45));
    assert_eq!(health.begin(at(45), PATIENCE), Some(Role::Probe));
}

#[test]
fn stragglers_neither_clear_nor_extend() {
    let mut health = suspended();
    assert!(!fail(&mut health, Role::Regular, 9, 20));
    assert!(!health.succeed(Role::Regular, at(9), at(20)));
    assert_eq!(suspended_until(&health, 20), Some(at(40)));
    // Nor do they suspend it again once it is back.
    let mut health = probing();
    health.succeed(Role::Probe, at(45), at(46));
    assert!(!fail(&mut health, Role::Regular, 9, 50));
    assert_eq!(health.phase(at(50)), Phase::Active);
}

#[test]
fn a_probe_whose_answer_goes_wrong_later_suspends_again() {
    let mut health = probing();
    health.succeed(Role::Probe, at(45), at(46));
    assert!(fail(&mut health, Role::Probe, 45, 60));
    assert_eq!(suspended_until(&health, 60), Some(at(90)));
}

#[test]
fn the_vendors_word_counts_where_it_is_later_and_for_an_hour_at_most() {
    let table = [(Some(5), 40), (Some(120), 130), (Some(90_000), 3610), (None, 40)];
    for (delay, until) in table {
        let vendor_delay = delay.map(Duration::from_secs);
        let mut health = Health::default();
        health.fail(Role::Regular, at(9), at(10), &Failure { vendor_delay, ..failure() }, &RULES);
        assert_eq!(suspended_until(&health, 10), Some(at(until)), "{delay:?}");
    }
}

#[test]
fn a_deadline_never_moves_back() {
    let mut health = Health::default();
    let long = Failure { vendor_delay: Some(Duration::from_secs(600)), ..failure() };
    health.fail(Role::Regular, at(9), at(10), &long, &RULES);
    assert_eq!(health.begin_early(at(20), PATIENCE), Role::Probe);
    assert!(fail(&mut health, Role::Probe, 20, 21));
    assert_eq!(suspended_until(&health, 21), Some(at(610)));
}

#[test]
fn it_takes_as_many_failures_within_the_window_as_the_threshold_says() {
    let rules = Rules { threshold: 3, ..RULES };
    let mut health = Health::default();
    let mut fail = |began: u64| health.fail(Role::Regular, at(began), at(began), &failure(), &rules);
    assert_eq!([0, 10, 60].map(&mut fail), [false, false, false], "the first has left the window");
    assert!(fail(65));
}

#[test]
fn failed_probes_double_the_time_up_to_the_greatest() {
    let rules = Rules { max_duration: Some(Duration::from_secs(100)), ..RULES };
    let mut health = suspended();
    let mut now = at(40);
    for expected in [60, 100, 100] {
        assert_eq!(health.begin(now, PATIENCE), Some(Role::Probe));
        health.fail(Role::Probe, now, now, &failure(), &rules);
        let until = now.after(Duration::from_secs(expected));
        assert_eq!(
            health.phase(now),
            Phase::Suspended { until, reason: Reason::Failed(Outcome::Status(500)) }
        );
        now = until;
    }
    health.begin(now, PATIENCE);
    health.succeed(Role::Probe, now, now);
    health.fail(Role::Regular, now, now, &failure(), &rules);
    let until = now.after(RULES.duration);
    assert_eq!(health.phase(now), Phase::Suspended { until, reason: Reason::Failed(Outcome::Status(500)) });
}

#[test]
fn jitter_spreads_by_a_tenth_and_not_beyond_the_greatest() {
    let rules = Rules { max_duration: Some(Duration::from_secs(1000)), ..RULES };
    let table = [(0.0, 60_000), (1.0, 66_000), (-1.0, 54_000), (9.0, 66_000)];
    for (jitter, milliseconds) in table {
        assert_eq!(backed_off(&rules, 1, jitter), Duration::from_millis(milliseconds));
    }
    assert_eq!(backed_off(&rules, 30, 1.0), Duration::from_secs(1000));
    let rules = Rules { max_duration: Some(rules.duration), ..rules };
    assert_eq!(backed_off(&rules, 3, -1.0), rules.duration);
}

#[test]
fn a_restored_pair_regains_its_share() {
    let ramp = Some(Duration::from_secs(10));
    let mut health = probing();
    health.succeed(Role::Probe, at(45), at(50));
    let table = [(50, 0.1), (55, 0.55), (60, 1.0), (99, 1.0)];
    for (now, expected) in table {
        assert!((health.regained(at(now), ramp) - expected).abs() < 1e-9, "at {now}");
    }
    assert_eq!(health.regained(at(50), None), 1.0);
    assert_eq!(Health::default().regained(at(0), ramp), 1.0);
}

fn held(phase: Phase) -> Option<(Tick, Reason)> {
    match phase {
        Phase::Suspended { until, reason } => Some((until, reason)),
        _ => None,
    }
}

#[test]
fn an_operator_holds_a_pair_for_a_time() {
    let mut health = Health::default();
    health.hold(Some(at(60)), Some("maintenance".into()));
    assert_eq!(held(health.phase(at(59))), Some((at(60), Reason::Operator)));
    assert_eq!(health.begin(at(59), PATIENCE), None);
    assert_eq!((health.note(at(59)), health.note(at(60))), (Some("maintenance"), None));
    // No failure, so no probe.
    assert_eq!(health.begin(at(60), PATIENCE), Some(Role::Regular));
}

#[test]
fn a_drained_pair_waits_for_the_operator() {
    let mut health = Health::default();
    health.hold(None, None);
    assert_eq!(health.phase(at(1_000_000)), Phase::Drained);
    assert_eq!(health.begin(at(1_000_000), PATIENCE), None);
    // What was under way when it was drained brings nothing back, and takes nothing out.
    assert!(!health.succeed(Role::Regular, at(5), at(1_000_001)));
    health.resume(at(1_000_002));
    assert_eq!(health.begin(at(1_000_002), PATIENCE), Some(Role::Regular));
}

#[test]
fn of_two_suspensions_the_longer_counts() {
    for (until, expected) in
        [(20, (at(40), Reason::Failed(Outcome::Status(500)))), (50, (at(50), Reason::Operator))]
    {
        let mut health = suspended();
        health.hold(Some(at(until)), None);
        assert_eq!(held(health.phase(at(11))), Some(expected), "held until {until}");
    }
    // A hold that is over leaves what it found.
    let mut health = suspended();
    health.hold(Some(at(20)), None);
    assert_eq!(suspended_until(&health, 30), Some(at(40)));
    let mut health = suspended();
    health.hold(Some(at(50)), None);
    assert_eq!(health.phase(at(50)), Phase::Due { reason: Outcome::Status(500) });
}

#[test]
fn an_operator_ends_a_suspension() {
    let mut health = suspended();
    health.resume(at(15));
    assert_eq!(health.phase(at(15)), Phase::Active);
    // What began before tells of the time before; what begins now counts, and the old end is forgotten.
    assert!(!fail(&mut health, Role::Regular, 9, 16));
    assert!(fail(&mut health, Role::Regular, 15, 17));
    assert_eq!(suspended_until(&health, 17), Some(at(47)));
}

#[test]
fn it_goes_to_another_process_as_it_is() {
    let mut held = probing();
    held.hold(Some(at(99)), Some("why".into()));
    for health in [Health::default(), suspended(), probing(), held] {
        let wire = serde_json::to_string(&health).unwrap();
        assert_eq!(serde_json::from_str::<Health>(&wire).unwrap(), health, "{wire}");
    }
}
