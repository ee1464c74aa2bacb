//! The orders in which the threads of a model are spawned.

/// Which spawn orders a model is run in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Orders {
    /// Every permutation: 2 for two threads, 6 for three, 24 for four. Twins only in the order in which they were declared.
    All,
    /// Each thread once in each place: as many orders as threads.
    Rotations,
}

impl Orders {
    /// Lists the orders for threads of these kinds. The first is always the order in which they were declared.
    ///
    /// Threads of one kind do the same work, so an order that only swaps them would repeat a search.
    pub(crate) fn list(self, kinds: &[usize]) -> Vec<Vec<usize>> {
        let threads = kinds.len();
        match self {
            Orders::All => {
                let mut all = permutations(threads);
                all.retain(|order| {
                    order.iter().enumerate().all(|(place, &thread)| {
                        order[place..].iter().all(|&later| kinds[later] != kinds[thread] || later >= thread)
                    })
                });
                all
            }
            Orders::Rotations => {
                (0..threads).map(|first| (0..threads).map(|i| (first + i) % threads).collect()).collect()
            }
        }
    }
}

/// All permutations of `0..n`, in lexicographic order.
fn permutations(n: usize) -> Vec<Vec<usize>> {
    if n == 0 {
        return vec![Vec::new()];
    }
    let mut all = Vec::new();
    for first in 0..n {
        for rest in permutations(n - 1) {
            let mut order = vec![first];
            order.extend(rest.into_iter().map(|i| if i < first { i } else { i + 1 }));
            all.push(order);
        }
    }
    all
}

#[test]
fn permutations_are_complete_and_distinct() {
    for (n, count) in [(2, 2), (3, 6), (4, 24)] {
        let mut all = Orders::All.list(&(0..n).collect::<Vec<_>>());
        assert_eq!(all[0], (0..n).collect::<Vec<_>>());
        assert_eq!(all.len(), count);
        all.sort();
        all.dedup();
        assert_eq!(all.len(), count, "two orders are equal");
        assert!(all.iter().all(|order| (0..n).all(|i| order.contains(&i))));
    }
}

#[test]
fn rotations_put_each_thread_in_each_place() {
    assert_eq!(Orders::Rotations.list(&[0, 1, 2]), [[0, 1, 2], [1, 2, 0], [2, 0, 1]]);
}

#[test]
fn twins_are_not_swapped() {
    assert_eq!(Orders::All.list(&[0, 1, 1]), [[0, 1, 2], [1, 0, 2], [1, 2, 0]]);
    assert_eq!(Orders::All.list(&[0, 0, 1, 1]).len(), 6);
    assert_eq!(Orders::All.list(&[0, 0, 0]), [[0, 1, 2]]);
}
