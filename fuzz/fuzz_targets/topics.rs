//! A registry of topics: who subscribes, publishes, removes and closes, against patterns that are matched one by one.
#![no_main]

use libfuzzer_sys::fuzz_target;
use millpond::topic::{Pattern, Subscription, TopicName, Topics};
use millpond_fuzz::Bytes;

struct Reader {
    pattern: Pattern,
    subscription: Subscription<u64>,
    waiting: Vec<u64>,
}

fn text(bytes: &mut Bytes<'_>, words: &[&str]) -> String {
    (0..=bytes.below(3)).map(|_| words[bytes.below(words.len())]).collect::<Vec<_>>().join(".")
}

fuzz_target!(|data: &[u8]| {
    let mut bytes = Bytes(data);
    let topics = Topics::<()>::builder().max_topics(6).max_subscriptions(6).build::<u64>();
    let mut readers: Vec<Reader> = Vec::new();
    let (mut next, mut closed) = (0, false);
    while let Some(op) = bytes.next() {
        match op % 8 {
            0 | 1 => {
                let pattern = text(&mut bytes, &["a", "b", "*", "#"]);
                let capacity = 1 + bytes.below(3);
                match topics.subscribe(&pattern).expect("the words are good").lossless(capacity) {
                    Ok(subscription) => {
                        assert!(!closed && readers.len() < 6);
                        let pattern = Pattern::new(pattern).expect("the words are good");
                        readers.push(Reader { pattern, subscription, waiting: Vec::new() });
                    }
                    Err(_) => assert!(closed || readers.len() == 6),
                }
            }
            2..5 => {
                let name = text(&mut bytes, &["a", "b", "c"]);
                let Ok(topic) = topics.topic(&name) else { continue };
                let name = TopicName::new(&name).expect("the words are good");
                next += 1;
                let matching = || readers.iter().filter(|reader| reader.pattern.matches(&name));
                let full =
                    matching().any(|reader| reader.subscription.len() == reader.subscription.capacity());
                match topic.try_publish(next) {
                    Ok(report) => {
                        assert!(!closed && !full);
                        assert_eq!(report.reached, matching().count());
                        for reader in readers.iter_mut().filter(|reader| reader.pattern.matches(&name)) {
                            reader.waiting.push(next);
                        }
                    }
                    Err(_) => assert!(closed || full),
                }
            }
            5 | 6 if !readers.is_empty() => {
                let at = bytes.below(readers.len());
                let Reader { subscription, waiting, .. } = &mut readers[at];
                match subscription.try_recv() {
                    Ok(event) => assert_eq!(*event, waiting.remove(0)),
                    Err(_) => assert!(waiting.is_empty()),
                }
            }
            7 if op > 250 => {
                assert_eq!(topics.close(), !closed);
                closed = true;
            }
            7 if op > 200 => _ = topics.remove_unused(),
            7 if op > 150 => _ = topics.remove(text(&mut bytes, &["a", "b", "c"])),
            7 if !readers.is_empty() => drop(readers.swap_remove(bytes.below(readers.len()))),
            _ => {}
        }
        assert!(topics.names().len() <= 6);
    }
});
