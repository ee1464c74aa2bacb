//! The orders in which the threads of a model are spawned.

/// Which spawn orders a model is run in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Orders {
    /// Every permutation: 2 for two threads, 6 for three, 24 for four.
    All,
    /// Each thread once in each place: as many orders as threads.
    Rotations,
}

impl Orders {
    /// Lists the orders for `threads` threads. The first is always the order in which they were declared.
    pub(crate) fn list(self, threads: usize) -> Vec<Vec<usize>> {
        match self {
            Orders::All => permutations(threads),
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
        let mut all = Orders::All.list(n);
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
    assert_eq!(Orders::Rotations.list(3), [[0, 1, 2], [1, 2, 0], [2, 0, 1]]);
}
