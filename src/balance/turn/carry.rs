//! Going on with the turns of an earlier list, of which some pairs may have gone and others come.

use super::{Credits, RoundRobin, Turn, Weighted};
use crate::balance::PairSet;

impl Turn {
    /// Goes on where `earlier` is; `places` has, for each pair of this list, its place in the earlier one.
    ///
    /// A round robin goes on with the first pair that would have come next and is still there. Weighted, each set of
    /// pairs that are all still there with their weights keeps its credits, and a set that is new begins anew, so that
    /// windows stay exact. A list that takes its turns differently begins anew. `earlier` may come from another process:
    /// what makes no sense in it is left out.
    pub fn continue_from(&mut self, earlier: &Self, places: &[Option<usize>]) {
        match (self, earlier) {
            (Self::RoundRobin(turn), Self::RoundRobin(earlier)) => turn.continue_from(earlier, places),
            (Self::Weighted(turn), Self::Weighted(earlier)) => turn.continue_from(earlier, places),
            (Self::RoundRobin(_), Self::Weighted(_)) | (Self::Weighted(_), Self::RoundRobin(_)) => {}
        }
    }
}

impl RoundRobin {
    fn continue_from(&mut self, earlier: &Self, places: &[Option<usize>]) {
        let round = (earlier.next..earlier.count).chain(0..earlier.next);
        let mut round = round.take(super::MAX_PAIRS);
        let place_here = |place| places.iter().take(self.count).position(|there| *there == Some(place));
        self.next = round.find_map(place_here).unwrap_or(0);
    }
}

impl Weighted {
    fn continue_from(&mut self, earlier: &Self, places: &[Option<usize>]) {
        self.credits = earlier.credits.iter().filter_map(|c| self.carried(earlier, c, places)).collect();
        self.credits.truncate(super::REMEMBERED_SETS);
        for (part, there) in self.saved_parts.iter_mut().zip(places) {
            let saved = there.and_then(|there| earlier.saved_parts.get(there)).copied().unwrap_or(0.0);
            *part = if saved.is_finite() { saved.clamp(0.0, 1.0) } else { 0.0 };
        }
    }

    /// The credits of a set, if all its pairs are still here with the weights that they had.
    fn carried(&self, earlier: &Self, credits: &Credits, places: &[Option<usize>]) -> Option<Credits> {
        let mut saved = vec![0; self.weights.len()].into_boxed_slice();
        let mut eligible = PairSet::EMPTY;
        let mut sum = 0i64;
        for there in credits.eligible.iter() {
            let here = places.iter().position(|place| *place == Some(there))?;
            let (weight, credit) = (*earlier.weights.get(there)?, *credits.saved.get(there)?);
            if self.weights.get(here) != Some(&weight) {
                return None;
            }
            *saved.get_mut(here)? = credit;
            sum = sum.checked_add(credit)?;
            eligible.insert(here);
        }
        // No pair ever owes or saves more than all weights together.
        let total: i64 = eligible.iter().filter_map(|place| self.weights.get(place)).sum();
        let sound = sum == 0 && saved.iter().all(|credit| (-total..=total).contains(credit));
        (sound && !eligible.is_empty()).then_some(Credits { eligible, saved })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// `count` choices among all pairs of `turn`, by the names of its pairs.
    fn choices(turn: &mut Turn, names: &[char], count: usize) -> String {
        let members = turn.members();
        (0..count).map(|_| names[turn.next(members).unwrap()]).collect()
    }

    fn places(names: &[char], earlier: &[char]) -> Vec<Option<usize>> {
        names.iter().map(|name| earlier.iter().position(|there| there == name)).collect()
    }

    #[test]
    fn a_round_robin_goes_on_with_whoever_is_next_and_still_there() {
        for (first, then, taken, expected) in [
            ("abc", "abc", 1, "bcab"),
            ("abc", "abcd", 1, "bcda"),
            ("abc", "cab", 1, "bcab"),
            ("abc", "ac", 1, "caca"),
            ("abc", "ac", 2, "caca"),
            ("abc", "xy", 1, "xyxy"),
            ("ab", "abc", 2, "abca"),
        ] {
            let (first, then): (Vec<_>, Vec<_>) = (first.chars().collect(), then.chars().collect());
            let mut earlier = Turn::round_robin(first.len()).unwrap();
            choices(&mut earlier, &first, taken);
            let mut turn = Turn::round_robin(then.len()).unwrap();
            turn.continue_from(&earlier, &places(&then, &first));
            assert_eq!(choices(&mut turn, &then, 4), expected, "{first:?} {then:?} after {taken}");
        }
    }

    #[test]
    fn a_set_whose_weights_have_changed_begins_anew() {
        let mut earlier = Turn::weighted(&[3, 1]).unwrap();
        choices(&mut earlier, &['a', 'b'], 1);
        let mut turn = Turn::weighted(&[1, 1]).unwrap();
        turn.continue_from(&earlier, &[Some(0), Some(1)]);
        assert_eq!(turn, Turn::weighted(&[1, 1]).unwrap());
    }

    #[test]
    fn what_makes_no_sense_is_left_out() {
        for credits in [
            r#"[{"eligible":[0,1],"saved":[5,-4]}]"#,
            r#"[{"eligible":[0,1],"saved":[900,-900]}]"#,
            r#"[{"eligible":[0,1],"saved":[1]}]"#,
            r#"[{"eligible":[0,127],"saved":[1,-1]}]"#,
            r#"[{"eligible":[],"saved":[1,-1]}]"#,
        ] {
            let text =
                format!(r#"{{"Weighted":{{"weights":[3,1],"credits":{credits},"saved_parts":[1e9,-3.0]}}}}"#);
            let earlier: Turn = serde_json::from_str(&text).unwrap();
            let mut turn = Turn::weighted(&[3, 1]).unwrap();
            turn.continue_from(&earlier, &[Some(0), Some(1)]);
            assert_eq!(choices(&mut turn, &['a', 'b'], 8), "aabaaaba", "{credits}");
        }
        let earlier = serde_json::from_str(r#"{"RoundRobin":{"count":9000000000,"next":77}}"#).unwrap();
        let mut turn = Turn::round_robin(2).unwrap();
        turn.continue_from(&earlier, &[Some(0), Some(1)]);
        assert_eq!(choices(&mut turn, &['a', 'b'], 2), "ab");
    }

    proptest! {
        /// Choices among the pairs that stayed go on as if nothing had happened, whoever else has come.
        #[test]
        fn those_that_stay_go_on_as_before(
            weights in proptest::collection::vec((0u32..9, 0usize..3), 1..6),
            taken in 0usize..40,
            out in any::<u8>(),
        ) {
            let kept: Vec<_> = weights.iter().map(|(weight, _)| *weight).collect();
            prop_assume!(kept.iter().any(|weight| *weight > 0));
            let mut earlier = Turn::weighted(&kept).unwrap();
            let some: PairSet = earlier.members().iter().filter(|place| out >> place & 1 == 0).collect();
            for n in 0..taken {
                earlier.next(if n % 3 == 0 { some } else { earlier.members() });
            }
            // Before each of them, some that are new.
            let (mut there, mut all) = (Vec::new(), Vec::new());
            for (place, &(weight, new)) in weights.iter().enumerate() {
                there.extend(std::iter::repeat_n(None, new).chain([Some(place)]));
                all.extend(std::iter::repeat_n(5, new).chain([weight]));
            }
            let mut turn = Turn::weighted(&all).unwrap();
            let wire = serde_json::to_string(&earlier).unwrap();
            turn.continue_from(&serde_json::from_str(&wire).unwrap(), &there);
            let stayed: PairSet = turn.members().iter().filter(|here| there[*here].is_some()).collect();
            for _ in 0..30 {
                let here = turn.next(stayed).unwrap();
                prop_assert_eq!(there[here], earlier.next(earlier.members()));
            }
        }
    }
}
