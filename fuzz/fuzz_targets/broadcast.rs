//! Broadcasts, one operation after the other, against a list of all messages.
#![no_main]

use libfuzzer_sys::fuzz_target;
use millpond::broadcast::{self, Subscriber, TryPublishError, TryRecvError};
use millpond_fuzz::Bytes;

struct Reader {
    subscriber: Subscriber<u64>,
    next: u64,
}

fuzz_target!(|data: &[u8]| {
    let mut bytes = Bytes(data);
    let lossy = bytes.below(2) == 0;
    let capacity = 1 + bytes.below(6);
    let (publisher, subscriber) =
        if lossy { broadcast::lossy(capacity) } else { broadcast::lossless(capacity) };
    let mut readers = vec![Reader { subscriber, next: 0 }];
    let (mut count, mut closed) = (0_u64, false);
    while let Some(op) = bytes.next() {
        let slowest = readers.iter().map(|reader| reader.next).min().unwrap_or(count);
        match op % 8 {
            0..3 => match publisher.try_publish(count) {
                Ok(sequence) => {
                    assert!(!closed && sequence == count && (lossy || count - slowest < capacity as u64));
                    count += 1;
                }
                Err(TryPublishError::Full(_)) => {
                    assert!(!closed && !lossy && count - slowest == capacity as u64)
                }
                Err(TryPublishError::Closed(_)) => assert!(closed),
            },
            3..6 if !readers.is_empty() => {
                let at = bytes.below(readers.len());
                let reader = &mut readers[at];
                let answer = if op % 2 == 0 {
                    reader.subscriber.try_recv()
                } else {
                    reader.subscriber.try_recv_ref().map(|message| *message)
                };
                match answer {
                    Ok(message) => {
                        assert_eq!(message, reader.next);
                        reader.next += 1;
                    }
                    Err(TryRecvError::Empty) => assert!(!closed && reader.next == count),
                    Err(TryRecvError::Closed) => assert!(closed && reader.next == count),
                    Err(TryRecvError::Lagged(missed)) => {
                        assert!(lossy && missed > 0 && count - reader.next > capacity as u64);
                        reader.next += missed;
                        assert!(
                            count - reader.next <= capacity as u64,
                            "a lag is no greater than it has to be"
                        );
                    }
                    Err(error) => panic!("{error}"),
                }
            }
            6 if readers.len() < 5 => readers.push(Reader { subscriber: publisher.subscribe(), next: count }),
            7 if op > 247 => {
                assert_eq!(publisher.close(), !closed);
                closed = true;
            }
            7 if op > 200 && !readers.is_empty() => drop(readers.swap_remove(bytes.below(readers.len()))),
            _ => {}
        }
        assert_eq!((publisher.sequence(), publisher.is_closed()), (count, closed));
        assert_eq!(publisher.subscriber_count(), readers.len());
        for reader in &readers {
            assert_eq!(reader.subscriber.lag(), count - reader.next);
        }
    }
});
