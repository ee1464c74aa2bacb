//! Rounds in which as many messages go through as a channel can take: all three kinds of channels, wide ones, mostly in batches.

use super::Progress;
use super::common::Random;
use futures::executor::block_on;
use millpond::{mpmc, mpsc, spsc};
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::thread::{self, JoinHandle};

/// Messages of one sender in one round.
const BULK: u64 = if cfg!(debug_assertions) { 1 << 14 } else { 1 << 22 };
/// Capacities of these channels.
const CAPACITIES: [usize; 4] = [256, 1000, 1024, 4096];
/// How many messages are sent or received at a time.
const SIZES: [usize; 4] = [64, 100, 256, 1024];

/// The ways in which a sender of any kind sends some messages. Those that stay were refused: the channel is closed.
trait SendsSome: Send + 'static {
    fn send_some(&mut self, way: usize, messages: &mut VecDeque<u64>);
}

/// The ways in which a receiver of any kind receives some messages. False: the channel is closed and empty.
trait ReceivesSome: Send + 'static {
    fn receive_some(&mut self, way: usize, into: &mut Vec<u64>, limit: usize) -> bool;
    fn close(&mut self);
}

macro_rules! some {
    ($channel:ident) => {
        impl SendsSome for $channel::Sender<u64> {
            fn send_some(&mut self, way: usize, messages: &mut VecDeque<u64>) {
                match way {
                    0 => {
                        while let Some(message) = messages.pop_front() {
                            if let Err(error) = self.send(message) {
                                messages.push_front(error.0);
                                break;
                            }
                        }
                    }
                    1 => {
                        if let Err(error) = block_on(self.send_many_async(std::mem::take(messages))) {
                            *messages = error.unsent;
                        }
                    }
                    2 => {
                        while !messages.is_empty() && !self.is_closed() {
                            if self.try_send_many(messages).is_err() {
                                thread::yield_now();
                            }
                        }
                    }
                    _ => _ = self.send_from(messages),
                }
            }
        }

        impl ReceivesSome for $channel::Receiver<u64> {
            fn receive_some(&mut self, way: usize, into: &mut Vec<u64>, limit: usize) -> bool {
                match way {
                    0 => (0..limit).all(|_| self.recv().map(|message| into.push(message)).is_ok()),
                    1 => block_on(self.recv_many_async(into, limit)).is_ok(),
                    2 => {
                        let answer = self.try_recv_many(into, limit);
                        if answer == Err(millpond::TryRecvError::Empty) {
                            thread::yield_now();
                        }
                        answer != Err(millpond::TryRecvError::Closed)
                    }
                    _ => self.recv_many(into, limit).is_ok(),
                }
            }

            fn close(&mut self) {
                $channel::Receiver::close(self);
            }
        }
    };
}

some!(mpmc);
some!(mpsc);
some!(spsc);

type Ends = (Vec<Box<dyn SendsSome>>, Vec<Box<dyn ReceivesSome>>);

/// The ends of a channel of a kind and shape that chance decides.
fn ends(random: &mut Random) -> Ends {
    let capacity = CAPACITIES[random.below(CAPACITIES.len())];
    let (senders, receivers) = (1 + random.below(3), 1 + random.below(3));
    match random.below(4) {
        0 => {
            let (tx, rx) = spsc::bounded(capacity);
            (vec![Box::new(tx)], vec![Box::new(rx)])
        }
        1 => {
            let (tx, rx) = mpsc::bounded(capacity);
            let senders = (0..senders).map(|_| Box::new(tx.clone()) as Box<dyn SendsSome>);
            (senders.collect(), vec![Box::new(rx)])
        }
        _ => {
            let (tx, rx) = mpmc::bounded(capacity);
            let senders = (0..senders).map(|_| Box::new(tx.clone()) as Box<dyn SendsSome>);
            let receivers = (0..receivers).map(|_| Box::new(rx.clone()) as Box<dyn ReceivesSome>);
            (senders.collect(), receivers.collect())
        }
    }
}

/// What one receiver received: a bit for each id.
struct Seen {
    bits: Vec<u64>,
    last: Vec<Option<u64>>,
}

impl Seen {
    fn new(senders: usize) -> Self {
        Self { bits: vec![0; senders * BULK as usize / 64], last: vec![None; senders] }
    }

    fn add(&mut self, messages: &mut Vec<u64>) {
        for message in messages.drain(..) {
            let (sender, number) = ((message >> 32) as usize, message & u64::from(u32::MAX));
            assert!(self.last[sender] < Some(number), "the order of a sender is kept");
            self.last[sender] = Some(number);
            let id = sender as u64 * BULK + number;
            self.bits[(id / 64) as usize] |= 1 << (id % 64);
        }
    }
}

/// Sends the numbers below `BULK` as sender number `sender`. Returns how many were sent.
fn run_sender(mut tx: Box<dyn SendsSome>, sender: u64, mut random: Random) -> u64 {
    let (mut next, mut messages) = (0, VecDeque::new());
    while next < BULK && messages.is_empty() {
        let count = (SIZES[random.below(SIZES.len())] as u64).min(BULK - next);
        messages.extend((next..next + count).map(|number| sender << 32 | number));
        next += count;
        tx.send_some(random.below(16), &mut messages);
    }
    next - messages.len() as u64
}

/// Receives until the channel is closed and empty. Closes it after so many messages.
fn run_receiver(
    mut rx: Box<dyn ReceivesSome>,
    mut seen: Seen,
    closes_after: Option<u64>,
    mut random: Random,
    progress: &Progress,
) -> Seen {
    let (mut messages, mut count, mut open) = (Vec::new(), 0, true);
    while open {
        let limit = SIZES[random.below(SIZES.len())];
        open = rx.receive_some(random.below(16), &mut messages, limit);
        count += messages.len() as u64;
        progress.received.fetch_add(messages.len() as u64, Relaxed);
        seen.add(&mut messages);
        if closes_after.is_some_and(|limit| count >= limit) {
            rx.close();
        }
    }
    seen
}

/// One round. Returns how many messages went through.
pub(super) fn round(random: &mut Random, progress: &Arc<Progress>) -> u64 {
    let (senders, receivers) = ends(random);
    let count = senders.len();
    let closes_after = (random.below(8) == 0).then(|| random.next() % BULK);
    let _watchdog = super::watch(Arc::clone(progress), || "a bulk round".to_owned());
    let sending: Vec<JoinHandle<u64>> = senders
        .into_iter()
        .zip(0..)
        .map(|(tx, sender)| {
            let random = Random::seeded(random.next());
            thread::spawn(move || run_sender(tx, sender, random))
        })
        .collect();
    let receiving: Vec<JoinHandle<Seen>> = receivers
        .into_iter()
        .map(|rx| {
            let (progress, random) = (Arc::clone(progress), Random::seeded(random.next()));
            let seen = Seen::new(count);
            thread::spawn(move || run_receiver(rx, seen, closes_after, random, &progress))
        })
        .collect();
    let sent: Vec<u64> = sending.into_iter().map(|thread| thread.join().unwrap()).collect();
    let mut all = Seen::new(count);
    for thread in receiving {
        for (bits, more) in all.bits.iter_mut().zip(thread.join().unwrap().bits) {
            assert_eq!(*bits & more, 0, "received twice");
            *bits |= more;
        }
    }
    for (bits, sent) in all.bits.chunks(BULK as usize / 64).zip(&sent) {
        let expected = |word: usize| match sent.saturating_sub(word as u64 * 64) {
            0 => 0,
            rest @ 1..64 => (1 << rest) - 1,
            _ => u64::MAX,
        };
        let exact = bits.iter().enumerate().all(|(word, bits)| *bits == expected(word));
        assert!(exact, "what was sent is received, no more, no less");
    }
    sent.iter().sum()
}
