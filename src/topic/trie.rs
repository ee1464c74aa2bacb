//! Patterns by their words: finds those that match a name without looking at the others.
//!
//! ```text
//!   user.signed_up, user.*, #.changed:
//!
//!   root -- user --> . -- signed_up --> (1)
//!    |               '---- * ----------> (2)
//!    '----- # -----> . -- changed -----> (3)
//! ```
//!
//! A name is looked up word by word, with the set of all nodes that the words so far can lead to. A node behind `#` stays in
//! the set at every word, and is in it from the node before on, as `#` may stand for no word. No node is in the set twice, so a
//! pattern that matches in several ways is found once, and a look-up visits `words x nodes of matching prefixes` at most.
//!
//! T1. A node other than the root has a value or a child: what is removed leaves nothing behind.

use super::name::TopicName;
use super::pattern::{MANY, ONE, Pattern};
use super::word::WORDS_MAX;
use std::collections::{BTreeMap, HashMap};

/// The place of a node.
type Node = usize;

/// Where every pattern begins.
const ROOT: Node = 0;

/// A set of patterns, each with any number of numbered values.
pub(super) struct Trie<V> {
    /// Nodes that are in use, and those in `free`.
    nodes: Vec<Place<V>>,
    free: Vec<Node>,
    /// Distinguishes the sets of nodes that were ever built: see [`Place::seen`].
    sets: u64,
}

struct Place<V> {
    words: HashMap<Box<str>, Node>,
    one: Option<Node>,
    many: Option<Node>,
    /// Whether the way here ends with `#`.
    is_many: bool,
    values: BTreeMap<u64, V>,
    /// The last set of nodes that this one was put into.
    seen: u64,
}

impl<V> Place<V> {
    fn new(is_many: bool) -> Self {
        Self { words: HashMap::new(), one: None, many: None, is_many, values: BTreeMap::new(), seen: 0 }
    }

    fn child(&self, word: &str) -> Option<Node> {
        match word {
            ONE => self.one,
            MANY => self.many,
            word => self.words.get(word).copied(),
        }
    }

    fn set_child(&mut self, word: &str, child: Option<Node>) {
        match (word, child) {
            (ONE, child) => self.one = child,
            (MANY, child) => self.many = child,
            (word, Some(child)) => {
                self.words.insert(word.into(), child);
            }
            (word, None) => {
                self.words.remove(word);
            }
        }
    }

    fn is_bare(&self) -> bool {
        self.values.is_empty() && self.words.is_empty() && self.one.is_none() && self.many.is_none()
    }
}

impl<V> Trie<V> {
    pub(super) fn new() -> Self {
        Self { nodes: vec![Place::new(false)], free: Vec::new(), sets: 0 }
    }

    /// Adds a value under a pattern. Its number is its own among all values.
    pub(super) fn insert(&mut self, pattern: &Pattern, number: u64, value: V) {
        let mut node = ROOT;
        for word in pattern.words() {
            node = match self.nodes[node].child(word) {
                Some(child) => child,
                None => {
                    let child = self.add_node(word == MANY);
                    self.nodes[node].set_child(word, Some(child));
                    child
                }
            };
        }
        let before = self.nodes[node].values.insert(number, value);
        debug_assert!(before.is_none(), "numbers are given once");
    }

    /// Takes a value out.
    pub(super) fn remove(&mut self, pattern: &Pattern, number: u64) -> Option<V> {
        let mut way = Vec::with_capacity(WORDS_MAX);
        let mut node = ROOT;
        for word in pattern.words() {
            way.push((node, word));
            node = self.nodes[node].child(word)?;
        }
        let value = self.nodes[node].values.remove(&number)?;
        // T1.
        while let Some((parent, word)) = way.pop().filter(|_| self.nodes[node].is_bare()) {
            self.nodes[parent].set_child(word, None);
            self.nodes[node] = Place::new(false);
            self.free.push(node);
            node = parent;
        }
        Some(value)
    }

    /// Calls `found` with each value whose pattern matches this name. Returns how many nodes it has visited.
    pub(super) fn look_up(&mut self, name: &TopicName, mut found: impl FnMut(u64, &V)) -> u64 {
        let mut visited = 0;
        let (mut set, mut next) = (Vec::new(), Vec::new());
        self.sets += 1;
        self.put_into(&mut set, Some(ROOT));
        for word in name.words() {
            self.sets += 1;
            visited += set.len() as u64;
            for node in set.drain(..) {
                let place = &self.nodes[node];
                let (word, one) = (place.words.get(word).copied(), place.one);
                let again = place.is_many.then_some(node);
                self.put_into(&mut next, word);
                self.put_into(&mut next, one);
                self.put_into(&mut next, again);
            }
            std::mem::swap(&mut set, &mut next);
        }
        visited += set.len() as u64;
        for node in set {
            self.nodes[node].values.iter().for_each(|(&number, value)| found(number, value));
        }
        visited
    }

    /// Puts a node into the set that is being built, and those that follow it without a word.
    fn put_into(&mut self, set: &mut Vec<Node>, node: Option<Node>) {
        let mut next = node;
        while let Some(node) = next {
            let place = &mut self.nodes[node];
            if place.seen == self.sets {
                return;
            }
            place.seen = self.sets;
            set.push(node);
            next = place.many;
        }
    }

    /// Empties the trie, and calls `taken` with each value.
    pub(super) fn drain(&mut self, mut taken: impl FnMut(V)) {
        for place in std::mem::replace(self, Self::new()).nodes {
            place.values.into_values().for_each(&mut taken);
        }
    }

    fn add_node(&mut self, is_many: bool) -> Node {
        let place = Place::new(is_many);
        if let Some(node) = self.free.pop() {
            self.nodes[node] = place;
            return node;
        }
        self.nodes.push(place);
        self.nodes.len() - 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What the words of a pattern mean, written down without any thought of cost.
    fn matches(pattern: &[&str], name: &[&str]) -> bool {
        match (pattern, name) {
            ([], name) => name.is_empty(),
            ([MANY, rest @ ..], name) => (0..=name.len()).any(|skipped| matches(rest, &name[skipped..])),
            ([_, ..], []) => false,
            ([word, rest @ ..], [first, name @ ..]) => (*word == ONE || word == first) && matches(rest, name),
        }
    }

    fn split(text: &str) -> Vec<&str> {
        text.split('.').collect()
    }

    fn found<V: Copy + Ord>(trie: &mut Trie<V>, name: &str) -> (Vec<V>, u64) {
        let mut values = Vec::new();
        let visited = trie.look_up(&TopicName::new(name).unwrap(), |_, &value| values.push(value));
        values.sort_unstable();
        (values, visited)
    }

    fn text(words: &'static [&'static str], most: usize) -> impl Strategy<Value = String> {
        prop::collection::vec(prop::sample::select(words), 1..=most).prop_map(|words| words.join("."))
    }

    proptest! {
        /// Both matchers agree with the naive one, before and after some patterns are gone, and nothing is left behind.
        #[test]
        fn finds_what_the_naive_matcher_finds(
            patterns in prop::collection::vec(text(&["a", "b", "c", "*", "#"], 7), 0..40),
            names in prop::collection::vec(text(&["a", "b", "c"], 7), 1..12),
            gone in prop::collection::vec(any::<prop::sample::Index>(), 0..20),
        ) {
            let patterns: Vec<Pattern> = patterns.iter().map(|text| Pattern::new(text).unwrap()).collect();
            let mut trie = Trie::new();
            let mut held = vec![true; patterns.len()];
            for (number, pattern) in patterns.iter().enumerate() {
                trie.insert(pattern, number as u64, number);
            }
            for index in gone.iter().filter(|_| !patterns.is_empty()) {
                let number = index.index(patterns.len());
                let removed = trie.remove(&patterns[number], number as u64);
                prop_assert_eq!(removed, std::mem::take(&mut held[number]).then_some(number));
            }
            for name in &names {
                let words = split(name);
                let expected: Vec<usize> = (0..patterns.len())
                    .filter(|&number| held[number] && matches(&split(patterns[number].as_str()), &words))
                    .collect();
                prop_assert_eq!(found(&mut trie, name).0, expected, "{}", name);
                let topic = TopicName::new(name).unwrap();
                for pattern in &patterns {
                    prop_assert_eq!(pattern.matches(&topic), matches(&split(pattern.as_str()), &words));
                }
            }
            for (number, pattern) in patterns.iter().enumerate() {
                trie.remove(pattern, number as u64);
            }
            prop_assert_eq!(trie.nodes.len(), trie.free.len() + 1, "only the root is in use");
        }
    }

    #[test]
    fn a_pattern_that_matches_in_many_ways_is_found_once_and_soon() {
        let mut trie = Trie::new();
        let pattern = Pattern::new("#.a.#.a.#.a.#.a.#.a.#.a.#.a.#").unwrap();
        trie.insert(&pattern, 1, 1);
        let name = ["a"; 16].join(".");
        let (values, visited) = found(&mut trie, &name);
        assert_eq!(values, [1]);
        assert!(visited <= 17 * 16, "{visited} nodes for 17 steps over 16 nodes");
    }

    /// The cost of a look-up follows from the patterns that match, or begin to, and not from how many there are.
    #[test]
    fn ten_thousand_other_patterns_cost_nothing() {
        let others: [fn(usize) -> String; 5] = [
            |n| format!("order{n}.placed"),
            |n| format!("user{n}.#"),
            |n| format!("#.other{n}"),
            |n| format!("*.other{n}"),
            |n| format!("user.other{n}.*.#"),
        ];
        for (shape, other) in others.into_iter().enumerate() {
            let mut visits = Vec::new();
            for count in [1, 10, 10_000] {
                let mut trie = Trie::new();
                trie.insert(&Pattern::new("user.signed_up").unwrap(), 0, 0);
                for n in 1..=count {
                    trie.insert(&Pattern::new(other(n)).unwrap(), n as u64, n);
                }
                let (values, visited) = found(&mut trie, "user.signed_up");
                assert_eq!(values, [0]);
                visits.push(visited);
            }
            assert_eq!(visits[0], visits[2], "shape {shape}: {visits:?}");
            assert!(visits[0] <= 6, "shape {shape}: {visits:?}");
        }
    }
}
