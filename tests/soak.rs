//! All kinds of ends on real threads, round after round, for as long as is asked for: every id is received once, in its sender's
//! order. Mixed rounds send and receive in every way there is, through narrow channels as well; bulk rounds (`soak_bulk`), as
//! many again, are for the numbers. Short in the ordinary run; by hand, in release:
//!
//! ```text
//! MILLPOND_SOAK_MESSAGES=1000000000 cargo test --release --test soak -- --ignored --nocapture
//! ```
//!
//! `MILLPOND_SOAK_LOG` names a file to which each run adds its total (and how many of it were in mixed rounds, and how many
//! futures were cancelled), and from which it goes on. `MILLPOND_SEED` is the seed.

#![allow(clippy::unwrap_used, reason = "a helper of a test may unwrap as the test may")]

mod common;
mod soak_bulk;

use common::{Bell, Random};
use futures::executor::block_on;
use millpond::{Receiver, RecvError, Select, SendTimeoutError, Sender, TrySendError, bounded};
use std::collections::VecDeque;
use std::io::Write;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

/// A message: its sender in the upper half, its number in the lower.
type Message = u64;

const PATIENCE: Duration = Duration::from_secs(20);
/// Messages of one sender in one round. The bit map of a round is a bit for each.
const BATCH: u64 = if cfg!(debug_assertions) { 1 << 12 } else { 1 << 16 };

/// What the rounds share: how far they are, for the watchdog.
#[derive(Default)]
struct Progress {
    received: AtomicU64,
    cancelled: AtomicU64,
}

/// Aborts when nothing was received for a while, and says who waits.
fn watch(progress: Arc<Progress>, show: impl Fn() -> String + Send + 'static) -> impl Drop {
    struct Done(Option<mpsc::Sender<()>>);
    impl Drop for Done {
        fn drop(&mut self) {
            self.0.take();
        }
    }
    let (done, is_done) = mpsc::channel::<()>();
    thread::spawn(move || {
        let mut seen = 0;
        while is_done.recv_timeout(PATIENCE) == Err(mpsc::RecvTimeoutError::Timeout) {
            let now = progress.received.load(Relaxed) + progress.cancelled.load(Relaxed);
            if now == seen {
                eprintln!("no progress for {PATIENCE:?} after {now} messages: {}", show());
                std::process::abort();
            }
            seen = now;
        }
    });
    Done(Some(done))
}

/// Sends the ids from `from` on, up to 16 of them, in one of the ways there are. Returns how many were sent; fewer: it is closed.
fn send_some(
    tx: &Sender<Message>,
    from: Message,
    most: u64,
    random: &mut Random,
    progress: &Progress,
) -> u64 {
    let answer = match random.below(9) {
        0 => tx.send(from).is_ok(),
        1 => loop {
            match tx.send_timeout(from, Duration::from_micros(random.next() % 200)) {
                Ok(()) => break true,
                Err(SendTimeoutError::Timeout(_)) => {}
                Err(SendTimeoutError::Closed(_)) => break false,
            }
        },
        2 => loop {
            match tx.try_send(from) {
                Ok(()) => break true,
                Err(TrySendError::Full(_)) => thread::yield_now(),
                Err(TrySendError::Closed(_)) => break false,
            }
        },
        3 => {
            let batch: VecDeque<_> = (from..from + most.min(16)).collect();
            let count = batch.len() as u64;
            return tx.send_many(batch).map_or_else(|error| error.sent as u64, |()| count);
        }
        // Where a send and a receive meet there is no room to promise.
        4 if tx.capacity() > 0 => tx.reserve().is_ok_and(|permit| permit.send(from).is_ok()),
        5 => block_on(tx.send_async(from)).is_ok(),
        6 => {
            // Cancelled, unless it was sent at once; then sent again.
            let mut send = Box::pin(tx.send_async(from));
            if let std::task::Poll::Ready(answer) = Bell::new().poll(send.as_mut()) {
                answer.is_ok()
            } else {
                progress.cancelled.fetch_add(1, Relaxed);
                send.as_mut().into_inner().is_none() || tx.send(from).is_ok()
            }
        }
        7 => Select::new().send(tx, &mut Some(from), |answer| answer.is_ok()).wait().unwrap_or(false),
        _ => {
            // Through a weak handle and back.
            let weak = tx.downgrade();
            weak.upgrade().is_some_and(|tx| tx.send(from).is_ok())
        }
    };
    u64::from(answer)
}

/// Receives some messages in one of the ways there are. False: it is closed and empty.
fn receive_some(
    rx: &Receiver<Message>,
    into: &mut Vec<Message>,
    random: &mut Random,
    progress: &Progress,
) -> bool {
    let one = match random.below(8) {
        0 => rx.recv(),
        1 => match rx.recv_timeout(Duration::from_micros(random.next() % 200)) {
            Err(millpond::RecvTimeoutError::Timeout) => return true,
            answer => answer.map_err(|_| RecvError),
        },
        2 => match rx.try_recv() {
            Err(millpond::TryRecvError::Empty) => {
                thread::yield_now();
                return true;
            }
            answer => answer.map_err(|_| RecvError),
        },
        3 => return rx.recv_many(into, 1 + random.below(32)).is_ok(),
        4 => block_on(rx.recv_async()),
        5 => {
            let mut recv = Box::pin(rx.recv_async());
            match Bell::new().poll(recv.as_mut()) {
                std::task::Poll::Ready(answer) => answer,
                std::task::Poll::Pending => {
                    progress.cancelled.fetch_add(1, Relaxed);
                    return true;
                }
            }
        }
        6 => Select::new().recv(rx, |answer| answer).wait().unwrap_or(Err(RecvError)),
        _ => rx.clone().recv(),
    };
    one.map(|message| into.push(message)).is_ok()
}

fn set_bits(bits: &[AtomicU64], last: &mut [Option<Message>], messages: &mut Vec<Message>) {
    for message in messages.drain(..) {
        let (sender, number) = ((message >> 32) as usize, message & u64::from(u32::MAX));
        assert!(last[sender] < Some(number), "the order of a sender is kept");
        last[sender] = Some(number);
        let id = sender as u64 * BATCH + number;
        let before = bits[(id / 64) as usize].fetch_or(1 << (id % 64), Relaxed);
        assert_eq!(before >> (id % 64) & 1, 0, "{message:x} was received twice");
    }
}

/// Sends the numbers below `most`, in all ways there are. Returns how many were sent.
fn run_sender(tx: &Sender<Message>, sender: u64, most: u64, mut random: Random, progress: &Progress) -> u64 {
    let mut sent = 0;
    while sent < most {
        // A clone in place of the handle, now and then.
        let clone = (random.below(64) == 0).then(|| tx.clone());
        let tx = clone.as_ref().unwrap_or(tx);
        match send_some(tx, sender << 32 | sent, most - sent, &mut random, progress) {
            0 => break,
            count => sent += count,
        }
    }
    sent
}

/// Receives in all ways there are, until the channel is closed and empty.
fn run_receiver(rx: &Receiver<Message>, bits: &[AtomicU64], mut random: Random, progress: &Progress) {
    let senders = bits.len() * 64 / BATCH as usize;
    let (mut messages, mut last) = (Vec::new(), vec![None; senders]);
    let mut open = true;
    while open {
        open = receive_some(rx, &mut messages, &mut random, progress);
        progress.received.fetch_add(messages.len() as u64, Relaxed);
        set_bits(bits, &mut last, &mut messages);
    }
}

/// One mixed round. Returns how many messages went through.
fn round(random: &mut Random, progress: &Arc<Progress>) -> u64 {
    let (senders, receivers) = (1 + random.below(4), 1 + random.below(4));
    let capacity = [0, 1, 2, 3, 16, 100, 1024][random.below(7)];
    let per_sender = if capacity == 0 { BATCH / 16 } else { BATCH };
    let closes = random.below(4) == 0;
    let (tx, rx) = bounded::<Message>(capacity);
    let bits: Arc<[AtomicU64]> = (0..senders as u64 * BATCH / 64).map(|_| AtomicU64::new(0)).collect();
    let weak = tx.downgrade();
    let _watchdog = watch(Arc::clone(progress), move || format!("{:?}", weak.upgrade()));
    let sending: Vec<_> = (0..senders as u64)
        .map(|sender| {
            let (tx, progress, random) = (tx.clone(), Arc::clone(progress), Random::seeded(random.next()));
            thread::spawn(move || run_sender(&tx, sender, per_sender, random, &progress))
        })
        .collect();
    let receiving: Vec<_> = (0..receivers)
        .map(|_| {
            let (rx, bits, progress) = (rx.clone(), Arc::clone(&bits), Arc::clone(progress));
            let random = Random::seeded(random.next());
            thread::spawn(move || run_receiver(&rx, &bits, random, &progress))
        })
        .collect();
    if closes {
        let (weak, wait) = (tx.downgrade(), random.next() % 20_000);
        thread::spawn(move || {
            thread::sleep(Duration::from_micros(wait));
            weak.upgrade().is_some_and(|tx| tx.close())
        });
    }
    drop((tx, rx));
    let sent: Vec<u64> = sending.into_iter().map(|thread| thread.join().unwrap()).collect();
    receiving.into_iter().for_each(|thread| thread.join().unwrap());
    for (sender, sent) in sent.iter().enumerate() {
        let base = sender as u64 * BATCH;
        let is_set = |id: u64| bits[(id / 64) as usize].load(Relaxed) >> (id % 64) & 1 == 1;
        let exact = (0..BATCH).all(|number| is_set(base + number) == (number < *sent));
        assert!(exact, "what was sent is received, no more, no less");
    }
    sent.iter().sum()
}

/// What a soak did.
#[derive(Default)]
struct Sums {
    messages: u64,
    /// Of these, in mixed rounds.
    mixed: u64,
    cancelled: u64,
}

/// Rounds until so many messages were sent, or the time is over: one mixed, one in bulk, and so on.
fn soak(messages: u64, time: Duration) -> Sums {
    let mut random = Random::new();
    let progress = Arc::new(Progress::default());
    let (start, mut said) = (Instant::now(), Instant::now());
    let (mut sums, mut rounds) = (Sums::default(), 0_u64);
    while sums.messages < messages && start.elapsed() < time {
        let mixed = round(&mut random, &progress);
        sums.mixed += mixed;
        sums.messages += mixed + soak_bulk::round(&mut random, &progress);
        rounds += 2;
        if said.elapsed() > Duration::from_secs(10) {
            said = Instant::now();
            let rate = sums.messages as f64 / start.elapsed().as_secs_f64();
            println!("{} messages in {rounds} rounds, {rate:.0} a second", sums.messages);
        }
    }
    sums.cancelled = progress.cancelled.load(Relaxed);
    println!(
        "soak: {} messages in {rounds} rounds, {} of them mixed, {} cancelled, {:.1} s",
        sums.messages,
        sums.mixed,
        sums.cancelled,
        start.elapsed().as_secs_f64()
    );
    sums
}

/// G4, Q1, Q2, D5, W13: a few seconds of it.
#[test]
fn a_short_soak() {
    let sums = soak(2_000_000, Duration::from_secs(5));
    assert!(sums.mixed > 0 && sums.messages > sums.mixed);
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.replace('_', "").parse().ok()
}

/// As long as is asked for; goes on from the total in the log, if there is one.
#[test]
#[ignore = "takes as long as it is told to"]
fn a_long_soak() {
    let goal = number("MILLPOND_SOAK_MESSAGES").unwrap_or(1_000_000_000);
    let time = Duration::from_secs(number("MILLPOND_SOAK_SECONDS").unwrap_or(u64::from(u32::MAX)));
    let log = std::env::var("MILLPOND_SOAK_LOG").ok();
    let text = log.as_ref().and_then(|log| std::fs::read_to_string(log).ok()).unwrap_or_default();
    let totals = text.lines().filter_map(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    let before: u64 = totals.sum();
    println!("{before} messages before, {goal} are the goal");
    let sums = soak(goal.saturating_sub(before), time);
    if let Some(log) = log {
        let mut file = std::fs::OpenOptions::new().create(true).append(true).open(log).unwrap();
        writeln!(file, "{} {} {}", sums.messages, sums.mixed, sums.cancelled).unwrap();
    }
    println!("{} messages in all", before + sums.messages);
}

/// G6, W7: futures that are dropped, millions of them, leave nobody in a line and no waker behind.
fn cancel_storm(cancels: usize) {
    const THREADS: usize = 2;
    let (tx, rx) = bounded::<Message>(2);
    let workers: Vec<_> = (0..THREADS)
        .map(|_| {
            let (tx, rx) = (tx.clone(), rx.clone());
            thread::spawn(move || {
                let mut random = Random::seeded(random_seed());
                let bell = Bell::new();
                let mut done = 0;
                while done < cancels / THREADS {
                    let mut recv = Box::pin(rx.recv_async());
                    let mut send = Box::pin(tx.send_async(1));
                    for _ in 0..1 + random.below(3) {
                        done += usize::from(random.below(2) == 0 || bell.poll(recv.as_mut()).is_pending());
                        let mut closed = Box::pin(tx.closed());
                        let _ = bell.poll(closed.as_mut());
                        match bell.poll(send.as_mut()) {
                            std::task::Poll::Pending => done += 1,
                            std::task::Poll::Ready(_) => send = Box::pin(tx.send_async(1)),
                        }
                        recv = Box::pin(rx.recv_async());
                    }
                    drop((recv, send));
                    let _ = rx.try_recv();
                }
                assert_eq!(bell.held(), 0, "no waker is left behind");
            })
        })
        .collect();
    workers.into_iter().for_each(|worker| worker.join().unwrap());
    let shown = format!("{tx:?}");
    assert!(
        shown.contains("senders_waiting: 0, receivers_waiting: 0"),
        "somebody is left in a line: {shown}"
    );
    assert_eq!((tx.sender_count(), rx.receiver_count()), (1, 1));
}

fn random_seed() -> u64 {
    Instant::now().elapsed().as_nanos() as u64 | 1 << 40 | u64::from(std::process::id())
}

#[test]
fn a_hundred_thousand_cancels() {
    cancel_storm(100_000);
}

#[test]
#[ignore = "takes half a minute in release"]
fn ten_million_cancels() {
    cancel_storm(10_000_000);
}
