//! Some threads send, some receive, and every message is accounted for.

use crate::peers::Channel;
use std::fmt;
use std::sync::{Arc, Barrier};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// How many threads on each side, and how large the channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Sending threads.
    pub senders: usize,
    /// Receiving threads.
    pub receivers: usize,
    /// Messages the channel holds.
    pub capacity: usize,
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{} cap {}", self.senders, self.receivers, self.capacity)
    }
}

/// Messages counted and summed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Account {
    count: u64,
    sum: u64,
}

/// Sends the numbers `0..messages` through a new channel, and returns the time from the common start of all threads to
/// the end of the last receiver. The threads are started before.
///
/// # Panics
/// If a message is lost, invented or doubled, as far as count and sum can tell.
pub fn run<C: Channel>(shape: Shape, messages: u64, pinned: bool) -> Duration {
    let (sender, receiver) = C::bounded(shape.capacity);
    let start = Arc::new(Barrier::new(shape.senders + shape.receivers + 1));
    let receivers: Vec<JoinHandle<Account>> = (0..shape.receivers)
        .map(|i| {
            let (receiver, start) = (receiver.clone(), Arc::clone(&start));
            thread::spawn(move || {
                pin(pinned, i + 1);
                start.wait();
                let mut account = Account::default();
                while let Some(message) = C::recv(&receiver) {
                    account.count += 1;
                    account.sum = account.sum.wrapping_add(message);
                }
                account
            })
        })
        .collect();
    let senders: Vec<JoinHandle<()>> = (0..shape.senders)
        .map(|i| {
            let (sender, start) = (sender.clone(), Arc::clone(&start));
            let numbers = share(messages, shape.senders, i);
            thread::spawn(move || {
                pin(pinned, i);
                start.wait();
                numbers.for_each(|number| C::send(&sender, number));
            })
        })
        .collect();
    drop((sender, receiver));
    start.wait();
    let begin = Instant::now();
    for thread in senders {
        thread.join().expect("a sender does not panic");
    }
    let mut received = Account::default();
    for thread in receivers {
        let account = thread.join().expect("a receiver does not panic");
        received.count += account.count;
        received.sum = received.sum.wrapping_add(account.sum);
    }
    let elapsed = begin.elapsed();
    assert_eq!(received, expected(messages), "{shape}: messages were lost, invented or doubled");
    elapsed
}

/// The numbers that thread `i` of `threads` sends.
fn share(messages: u64, threads: usize, i: usize) -> std::ops::Range<u64> {
    let (threads, i) = (threads as u64, i as u64);
    messages * i / threads..messages * (i + 1) / threads
}

fn expected(messages: u64) -> Account {
    let sum = (0..messages).fold(0u64, u64::wrapping_add);
    Account { count: messages, sum }
}

/// Binds the calling thread to processor `place` modulo their number.
fn pin(pinned: bool, place: usize) {
    if pinned {
        let cores = core_affinity::get_core_ids().expect("the system tells which processors there are");
        assert!(core_affinity::set_for_current(cores[place % cores.len()]), "a thread may be pinned");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_cover_every_number_once() {
        for messages in [0, 1, 7, 100] {
            for threads in 1..=5 {
                let all: Vec<u64> = (0..threads).flat_map(|i| share(messages, threads, i)).collect();
                assert_eq!(all, (0..messages).collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn every_peer_delivers_every_message() {
        for peer in crate::peers::channels() {
            for (senders, receivers, capacity) in [(1, 1, 1), (4, 2, 64)] {
                peer.run(Shape { senders, receivers, capacity }, 1_000, false);
            }
        }
    }
}
