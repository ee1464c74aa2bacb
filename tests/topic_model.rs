//! Topics against a model that knows no routes: random subscriptions, ends, publishes and removals, in one thread.

#![allow(clippy::unwrap_used, reason = "a helper of a test may unwrap as the test may")]

use millpond::topic::{Event, RemoveError, Subscription, Topic, Topics};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use std::collections::BTreeMap;

#[derive(Clone, Debug)]
enum Step {
    Subscribe { pattern: String, lossy: bool, even: bool },
    End(Index),
    Hold(String),
    LetGo(Index),
    Publish(String),
    Remove(String),
    RemoveUnused,
    Receive(Index),
}

fn text(words: &'static [&'static str], most: usize) -> impl Strategy<Value = String> {
    prop::collection::vec(select(words), 1..=most).prop_map(|words| words.join("."))
}

fn step() -> impl Strategy<Value = Step> {
    let name = || text(&["a", "b"], 3);
    prop_oneof![
        4 => (text(&["a", "b", "*", "#"], 4), any::<bool>(), any::<bool>())
            .prop_map(|(pattern, lossy, even)| Step::Subscribe { pattern, lossy, even }),
        2 => any::<Index>().prop_map(Step::End),
        2 => name().prop_map(Step::Hold),
        1 => any::<Index>().prop_map(Step::LetGo),
        12 => name().prop_map(Step::Publish),
        1 => name().prop_map(Step::Remove),
        1 => Just(Step::RemoveUnused),
        2 => any::<Index>().prop_map(Step::Receive),
    ]
}

/// What the words of a pattern mean, written down without any thought of cost.
fn matches(pattern: &[&str], name: &[&str]) -> bool {
    match (pattern, name) {
        ([], name) => name.is_empty(),
        (["#", rest @ ..], name) => (0..=name.len()).any(|skipped| matches(rest, &name[skipped..])),
        ([_, ..], []) => false,
        ([word, rest @ ..], [first, name @ ..]) => (*word == "*" || word == first) && matches(rest, name),
    }
}

/// A subscription, and what it has to receive.
struct Reader {
    pattern: String,
    even: bool,
    subscription: Subscription<u32>,
    expected: Vec<(String, u32)>,
}

impl Reader {
    fn wants(&self, name: &str, value: u32) -> bool {
        let split = |text: &'_ str| text.split('.').map(str::to_owned).collect::<Vec<_>>();
        let (pattern, name) = (split(&self.pattern), split(name));
        let pattern: Vec<_> = pattern.iter().map(String::as_str).collect();
        let name: Vec<_> = name.iter().map(String::as_str).collect();
        matches(&pattern, &name) && (!self.even || value % 2 == 0)
    }

    fn check(&mut self) {
        let seen: Vec<_> = std::iter::from_fn(|| self.subscription.try_recv().ok())
            .map(|event| (event.topic().to_string(), Event::into_value(event)))
            .collect();
        assert_eq!(seen, std::mem::take(&mut self.expected), "{}", self.pattern);
    }
}

#[derive(Default)]
struct World {
    topics: Topics<u32>,
    readers: Vec<Reader>,
    held: Vec<Topic<u32>>,
    /// The topics that there are, and how many of `held` are theirs.
    names: BTreeMap<String, usize>,
    published: u32,
}

impl World {
    fn take(&mut self, step: Step) {
        match step {
            Step::Subscribe { pattern, lossy, even } => self.subscribe(pattern, lossy, even),
            Step::End(index) if !self.readers.is_empty() => {
                self.readers.swap_remove(index.index(self.readers.len())).check();
            }
            Step::Hold(name) => {
                *self.names.entry(name.clone()).or_default() += 1;
                self.held.push(self.topics.topic(name).unwrap());
            }
            Step::LetGo(index) if !self.held.is_empty() => {
                let topic = self.held.swap_remove(index.index(self.held.len()));
                *self.names.get_mut(topic.name().as_str()).unwrap() -= 1;
            }
            Step::Publish(name) => self.publish(&name),
            Step::Remove(name) => {
                let expected = match self.names.get(&name) {
                    None => Err(RemoveError::Unknown),
                    Some(0) => Ok(()),
                    Some(_) => Err(RemoveError::InUse),
                };
                assert_eq!(self.topics.remove(&name), expected);
                if expected.is_ok() {
                    self.names.remove(&name);
                }
            }
            Step::RemoveUnused => {
                let before = self.names.len();
                self.names.retain(|_, held| *held > 0);
                assert_eq!(self.topics.remove_unused(), before - self.names.len());
            }
            Step::Receive(index) if !self.readers.is_empty() => {
                let last = self.readers.len();
                self.readers[index.index(last)].check();
            }
            Step::End(_) | Step::LetGo(_) | Step::Receive(_) => {}
        }
        let stats = self.topics.stats();
        assert_eq!((stats.topics, stats.subscriptions), (self.names.len(), self.readers.len()));
        assert!(self.topics.names().iter().map(|name| name.as_str()).eq(self.names.keys()));
    }

    fn subscribe(&mut self, pattern: String, lossy: bool, even: bool) {
        let mut subscribe = self.topics.subscribe(&pattern).unwrap();
        if even {
            subscribe = subscribe.filter(|value| **value % 2 == 0);
        }
        // Room for all that can come: being full is tested elsewhere.
        let made = if lossy { subscribe.lossy(128) } else { subscribe.lossless(128) };
        self.readers.push(Reader { pattern, even, subscription: made.unwrap(), expected: Vec::new() });
    }

    fn publish(&mut self, name: &str) {
        self.published += 1;
        let value = self.published;
        self.names.entry(name.to_owned()).or_default();
        let report = self.topics.topic(name).unwrap().try_publish(value).unwrap();
        let mut reached = 0;
        for reader in &mut self.readers {
            if reader.wants(name, value) {
                reader.expected.push((name.to_owned(), value));
                reached += 1;
            }
        }
        assert_eq!(report.reached, reached, "{name}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn topics_do_what_the_model_does(steps in prop::collection::vec(step(), 1..100)) {
        let mut world = World::default();
        for step in steps {
            world.take(step);
        }
        world.readers.iter_mut().for_each(Reader::check);
    }
}
