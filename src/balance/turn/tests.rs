use super::*;
use proptest::prelude::*;

fn choices(turn: &mut Turn, eligible: PairSet, count: usize) -> Vec<usize> {
    (0..count).map(|_| turn.next(eligible).unwrap()).collect()
}

fn weighted(weights: &[u32]) -> Turn {
    Turn::weighted(weights).unwrap()
}

#[test]
fn round_robin_takes_each_in_the_order_listed() {
    let mut turn = Turn::round_robin(3).unwrap();
    let all = turn.members();
    assert_eq!(choices(&mut turn, all, 7), [0, 1, 2, 0, 1, 2, 0]);
}

#[test]
fn round_robin_passes_over_those_that_are_out() {
    let mut turn = Turn::round_robin(3).unwrap();
    let without_1 = [0, 2].into_iter().collect();
    assert_eq!(choices(&mut turn, without_1, 4), [0, 2, 0, 2]);
}

#[test]
fn weighted_choices_are_spread() {
    let mut turn = weighted(&[5, 1, 1]);
    let all = turn.members();
    assert_eq!(choices(&mut turn, all, 7), [0, 0, 1, 0, 2, 0, 0]);
}

#[test]
fn equal_weights_alternate() {
    let mut turn = weighted(&[50, 50]);
    let all = turn.members();
    assert_eq!(choices(&mut turn, all, 4), [0, 1, 0, 1]);
}

#[test]
fn the_full_set_goes_on_where_it_stopped() {
    let mut turn = weighted(&[2, 1]);
    let (all, only_1) = (turn.members(), [1].into_iter().collect());
    assert_eq!(choices(&mut turn, all, 1), [0]);
    assert_eq!(choices(&mut turn, only_1, 5), [1; 5]);
    assert_eq!(choices(&mut turn, all, 2), [1, 0]);
}

#[test]
fn the_set_unused_for_longest_is_forgotten() {
    let mut turn = weighted(&[1; 40]);
    for place in 0..40 {
        turn.next([place, (place + 1) % 40].into_iter().collect());
    }
    let Turn::Weighted(weighted) = turn else { unreachable!() };
    assert_eq!(weighted.credits.len(), REMEMBERED_SETS);
}

#[test]
fn shares_are_told() {
    let turn = weighted(&[50, 0, 150]);
    assert_eq!([0, 1, 2, 3].map(|place| turn.share(place)), [0.25, 0.0, 0.75, 0.0]);
    let turn = Turn::round_robin(4).unwrap();
    assert_eq!([0, 3, 4].map(|place| turn.share(place)), [0.25, 0.25, 0.0]);
}

#[test]
fn a_pair_with_a_part_of_its_weight_gets_that_and_the_rest_stay_exact() {
    let mut turn = weighted(&[60, 30, 10]);
    let all = turn.members();
    // A third of 60 beside 30 and 10: 20 of 60.
    let chosen: Vec<_> = (0..600).map(|_| turn.next_ramping(all, &[(0, 1.0 / 3.0)]).unwrap()).collect();
    let count = chosen.iter().filter(|&&place| place == 0).count();
    assert!((199..=200).contains(&count), "{count}");
    let rest: Vec<_> = chosen.into_iter().filter(|&place| place != 0).collect();
    for window in rest.windows(4) {
        assert_eq!(window.iter().filter(|&&place| place == 1).count(), 3);
    }
}

#[test]
fn with_nobody_else_a_part_is_all() {
    let mut turn = weighted(&[60, 30]);
    let only_0 = [0].into_iter().collect();
    assert_eq!(turn.next_ramping(only_0, &[(0, 0.1)]), Some(0));
}

#[test]
fn nobody_is_chosen_from_nobody() {
    assert_eq!(weighted(&[1, 2]).next(PairSet::EMPTY), None);
    assert_eq!(Turn::round_robin(2).unwrap().next(PairSet::EMPTY), None);
}

#[test]
fn impossible_weights_are_refused() {
    let table: [(&[u32], WeightError); 4] = [
        (&[], WeightError::AllZero),
        (&[0, 0], WeightError::AllZero),
        (&[1, MAX_WEIGHT + 1], WeightError::TooGreat(MAX_WEIGHT + 1)),
        (&[1; MAX_PAIRS + 1], WeightError::TooMany(MAX_PAIRS + 1)),
    ];
    for (weights, expected) in table {
        assert_eq!(Turn::weighted(weights).unwrap_err(), expected);
    }
    assert_eq!(Turn::round_robin(0).unwrap_err(), WeightError::AllZero);
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// Checks that each window of `sum ÷ gcd` consecutive choices among `eligible` is exactly in proportion.
fn assert_windows_exact(turn: &mut Turn, weights: &[u32], eligible: PairSet) {
    let weight = |place: usize| u64::from(weights[place]);
    let sum: u64 = eligible.iter().map(weight).sum();
    let divisor = eligible.iter().map(weight).fold(0, gcd);
    let period = usize::try_from(sum / divisor).unwrap();
    let chosen = choices(turn, eligible, period * 3);
    for window in chosen.windows(period) {
        for place in 0..weights.len() {
            let seen = window.iter().filter(|&&chosen| chosen == place).count();
            let due = if eligible.contains(place) { weight(place) / divisor } else { 0 };
            assert_eq!(seen as u64, due, "pair {place} of {weights:?} in {window:?}");
        }
    }
}

proptest! {
    #[test]
    fn every_window_is_exactly_in_proportion(
        weights in prop::collection::vec(0u32..12, 1..6),
        scale in 1u32..1000,
    ) {
        let weights: Vec<u32> = weights.iter().map(|w| w * scale).collect();
        if let Ok(mut turn) = Turn::weighted(&weights) {
            let all = turn.members();
            assert_windows_exact(&mut turn, &weights, all);
        }
    }

    #[test]
    fn with_any_pairs_out_the_rest_stay_exact(
        weights in prop::collection::vec(1u32..9, 2..6),
        sets in prop::collection::vec(prop::bits::u8::between(0, 5), 1..8),
    ) {
        let mut turn = Turn::weighted(&weights).unwrap();
        let members = turn.members();
        for mask in sets {
            let eligible: PairSet =
                members.iter().filter(|place| mask & (1 << place) != 0).collect();
            // A few choices of a window left unfinished must not show in the next one.
            turn.next(members);
            if !eligible.is_empty() && eligible != members {
                assert_windows_exact(&mut turn, &weights, eligible);
            }
        }
    }

    #[test]
    fn round_robin_windows_hold_each_once(
        count in 1usize..9, mask in 1u16..512, warm_up in 0usize..20,
    ) {
        let mut turn = Turn::round_robin(count).unwrap();
        let eligible: PairSet = (0..count).filter(|place| mask & (1 << place) != 0).collect();
        for _ in 0..warm_up {
            turn.next(turn.members());
        }
        if !eligible.is_empty() {
            let chosen = choices(&mut turn, eligible, eligible.len() * 3);
            for window in chosen.windows(eligible.len()) {
                prop_assert_eq!(window.iter().copied().collect::<PairSet>(), eligible);
            }
        }
    }

    #[test]
    fn only_an_eligible_pair_is_chosen(
        weights in prop::collection::vec(0u32..=MAX_WEIGHT, 1..MAX_PAIRS),
        sets in prop::collection::vec(any::<u128>(), 1..50),
    ) {
        if let Ok(mut turn) = Turn::weighted(&weights) {
            for mask in sets {
                let members = turn.members();
                let eligible: PairSet =
                    members.iter().filter(|place| mask & (1 << place) != 0).collect();
                match turn.next(eligible) {
                    Some(place) => prop_assert!(eligible.contains(place)),
                    None => prop_assert!(eligible.is_empty()),
                }
            }
        }
    }
}
