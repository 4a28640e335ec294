//! What part of the requests each pair gets, and what part it should get.

use super::{AiApi, Environment, Pair, PairNumber};

/// A pair's part of the choices of all operations of its AI API and environment.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Share {
    /// How many times it has been chosen.
    pub chosen: u64,
    /// The part, 0 to 1, that the configuration gives it of this mix of operations: of each operation's choices its share
    /// there. While nothing has been chosen, all operations count alike.
    pub expected: f64,
    /// The part, 0 to 1, that it has got; 0 while nothing has been chosen.
    pub actual: f64,
}

/// A pair in the list of one operation.
#[derive(Debug, Clone, Copy)]
struct Entry {
    number: PairNumber,
    chosen: u64,
    share: f64,
}

impl AiApi {
    /// Each distinct pair of its operations in `environment`, in the order in which they are first listed, with its
    /// share.
    pub fn shares(&self, environment: Environment) -> Vec<(&Pair, Share)> {
        let mut distinct: Vec<&Pair> = Vec::new();
        let mut lists = Vec::new();
        for pairs in self.operations().iter().filter_map(|operation| operation.pairs(environment)) {
            let pool = pairs.pool();
            let entries = pairs.iter().enumerate().map(|(place, pair)| Entry {
                number: pair.number,
                chosen: pool.times_chosen(place),
                share: pool.share(place),
            });
            lists.push(entries.collect::<Vec<_>>());
            for pair in pairs.iter() {
                if distinct.iter().all(|known| known.number != pair.number) {
                    distinct.push(pair);
                }
            }
        }
        distinct.into_iter().map(|pair| (pair, share(&lists, pair.number))).collect()
    }
}

fn share(lists: &[Vec<Entry>], number: PairNumber) -> Share {
    let total: u64 = lists.iter().flatten().map(|entry| entry.chosen).sum();
    let mut share = Share::default();
    for list in lists {
        let Some(entry) = list.iter().find(|entry| entry.number == number) else {
            continue;
        };
        let choices: u64 = list.iter().map(|entry| entry.chosen).sum();
        let part = match total {
            0 => 1.0 / lists.len() as f64,
            total => choices as f64 / total as f64,
        };
        share.expected += part * entry.share;
        share.chosen += entry.chosen;
    }
    if total > 0 {
        share.actual = share.chosen as f64 / total as f64;
    }
    share
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lists of (pair, times chosen, share in the list).
    fn shares(lists: &[&[(usize, u64, f64)]], number: usize) -> (u64, f64, f64) {
        let entry = |&(number, chosen, share)| Entry { number: PairNumber(number), chosen, share };
        let lists: Vec<Vec<_>> = lists.iter().map(|list| list.iter().map(entry).collect()).collect();
        let Share { chosen, expected, actual } = share(&lists, PairNumber(number));
        (chosen, expected, actual)
    }

    #[test]
    fn of_one_operation_the_weights_tell_what_to_expect() {
        let list: &[_] = &[(0, 30, 0.75), (1, 20, 0.25)];
        assert_eq!(shares(&[list], 0), (30, 0.75, 0.6));
        assert_eq!(shares(&[list], 1), (20, 0.25, 0.4));
        assert_eq!(shares(&[list], 2), (0, 0.0, 0.0));
    }

    #[test]
    fn operations_count_as_they_are_used() {
        // 90 requests over two pairs, 10 over one of them and a third.
        let lists: [&[_]; 2] = [&[(0, 45, 0.5), (1, 45, 0.5)], &[(1, 4, 0.4), (2, 6, 0.6)]];
        assert_eq!(shares(&lists, 0), (45, 0.45, 0.45));
        assert_eq!(shares(&lists, 1), (49, 0.49, 0.49));
        assert_eq!(shares(&lists, 2), (6, 0.06, 0.06));
    }

    #[test]
    fn before_the_first_request_all_operations_count_alike() {
        let lists: [&[_]; 2] = [&[(0, 0, 0.5), (1, 0, 0.5)], &[(1, 0, 1.0)]];
        assert_eq!(shares(&lists, 0), (0, 0.25, 0.0));
        assert_eq!(shares(&lists, 1), (0, 0.75, 0.0));
    }
}
