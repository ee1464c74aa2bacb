//! Random programs of everything that does not block, against a model of a few lines: a queue and two waiting lines.

#![allow(clippy::unwrap_used, reason = "a helper of a test may unwrap as the test may")]

mod common;

use common::{Bell, Ledger, Token};
use millpond::{
    Receiver, RecvError, RecvTimeoutError, SendError, SendTimeoutError, Sender, TryRecvError, TrySendError,
    bounded,
};
use proptest::prelude::{Just, ProptestConfig, Strategy, any, prop_oneof, proptest};
use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

#[derive(Debug, Clone)]
enum Op {
    TrySend,
    SendNow,
    ForceSend,
    SendMany(usize),
    TryRecv,
    RecvNow,
    RecvMany(usize),
    StartSend,
    StartRecv,
    Poll(usize),
    Cancel(usize),
    Forget(usize),
    Close,
    CloneSender,
    CloneReceiver,
    DropSender,
    DropReceiver,
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let op = prop_oneof![
        6 => prop_oneof![Just(Op::TrySend), Just(Op::SendNow), Just(Op::ForceSend), (0..5usize).prop_map(Op::SendMany)],
        6 => prop_oneof![Just(Op::TryRecv), Just(Op::RecvNow), (0..5usize).prop_map(Op::RecvMany)],
        6 => prop_oneof![Just(Op::StartSend), Just(Op::StartRecv)],
        8 => any::<usize>().prop_map(Op::Poll),
        3 => any::<usize>().prop_map(Op::Cancel),
        1 => any::<usize>().prop_map(Op::Forget),
        2 => prop_oneof![Just(Op::CloneSender), Just(Op::CloneReceiver)],
        1 => prop_oneof![8 => Just(Op::DropSender), 8 => Just(Op::DropReceiver), 1 => Just(Op::Close)],
    ];
    proptest::collection::vec(op, 1..120)
}

/// What a future brings: the id received, or the id that came back.
type Outcome = Result<Option<usize>, Option<usize>>;

/// A future that was pending once, and what the model knows of it.
struct Kept {
    future: Pin<Box<dyn Future<Output = Outcome>>>,
    bell: Arc<Bell>,
    sending: Option<usize>,
    name: usize,
    rings: usize,
    notified: bool,
}

/// The channel, and what should be true of it.
struct World {
    ledger: Arc<Ledger>,
    senders: Vec<Sender<Token>>,
    receivers: Vec<Receiver<Token>>,
    kept: Vec<Kept>,
    capacity: usize,
    next: usize,
    names: usize,
    queue: VecDeque<usize>,
    closed: bool,
    sender_count: usize,
    receiver_count: usize,
    /// The waiting lines, by name: senders, receivers.
    lines: [VecDeque<usize>; 2],
    forgotten: usize,
    /// What was forgotten: never polled again, dropped when all has been checked, so that nothing leaks.
    graveyard: Vec<Pin<Box<dyn Future<Output = Outcome>>>>,
}

const SENDERS: usize = 0;
const RECEIVERS: usize = 1;

impl World {
    fn new(capacity: usize) -> Self {
        let (tx, rx) = bounded(capacity);
        Self {
            ledger: Ledger::new(1000),
            senders: vec![tx],
            receivers: vec![rx],
            kept: Vec::new(),
            capacity,
            next: 0,
            names: 0,
            queue: VecDeque::new(),
            closed: false,
            sender_count: 1,
            receiver_count: 1,
            lines: Default::default(),
            forgotten: 0,
            graveyard: Vec::new(),
        }
    }

    fn token(&mut self) -> Token {
        self.next += 1;
        self.ledger.token(self.next - 1)
    }

    fn is_full(&self) -> bool {
        self.queue.len() == self.capacity
    }

    /// The model of a wake-up: the longest waiting `count` of a line are rung once, and are out of the line.
    fn notify(&mut self, line: usize, count: usize) {
        for _ in 0..count {
            let Some(name) = self.lines[line].pop_front() else { return };
            // A forgotten one is rung as well, unheard.
            if let Some(kept) = self.kept.iter_mut().find(|kept| kept.name == name) {
                kept.notified = true;
                kept.rings += 1;
            }
        }
    }

    fn pushed(&mut self, id: usize) {
        self.queue.push_back(id);
        self.notify(RECEIVERS, 1);
    }

    fn popped(&mut self) -> Option<usize> {
        let id = self.queue.pop_front();
        self.notify(SENDERS, usize::from(id.is_some()));
        id
    }

    fn closes(&mut self) {
        self.closed = true;
        self.notify(RECEIVERS, usize::MAX);
        self.notify(SENDERS, usize::MAX);
    }

    fn sender_goes(&mut self) {
        self.sender_count -= 1;
        if self.sender_count == 0 {
            self.closes();
        }
    }

    fn receiver_goes(&mut self) {
        self.receiver_count -= 1;
        if self.receiver_count == 0 {
            self.closes();
            self.queue.clear();
        }
    }

    fn send(&mut self, op: &Op) {
        let Some(tx) = self.senders.first().cloned() else { return };
        let (token, id) = (self.token(), self.next - 1);
        match op {
            Op::ForceSend => {
                let answer = tx.force_send(token).map(|displaced| displaced.map(|token| token.id));
                if self.closed {
                    assert_eq!(answer.map_err(|SendError(token)| token.id), Err(id));
                } else {
                    let displaced = if self.is_full() { self.queue.pop_front() } else { None };
                    assert_eq!(answer.map_err(|_| ()), Ok(displaced));
                    self.pushed(id);
                }
                return;
            }
            Op::SendNow => match tx.send_timeout(token, Duration::ZERO) {
                Ok(()) => assert!(!self.closed && !self.is_full()),
                Err(SendTimeoutError::Closed(back)) => return assert!(self.closed && back.id == id),
                Err(SendTimeoutError::Timeout(back)) => {
                    return assert!(!self.closed && self.is_full() && back.id == id);
                }
            },
            _ => match tx.try_send(token) {
                Ok(()) => assert!(!self.closed && !self.is_full()),
                Err(TrySendError::Closed(back)) => return assert!(self.closed && back.id == id),
                Err(TrySendError::Full(back)) => {
                    return assert!(!self.closed && self.is_full() && back.id == id);
                }
            },
        }
        self.pushed(id);
    }

    fn send_many(&mut self, count: usize) {
        let Some(tx) = self.senders.first().cloned() else { return };
        if !self.closed && self.queue.len() + count > self.capacity {
            return; // It would block.
        }
        let tokens: Vec<_> = (0..count).map(|_| self.token()).collect();
        let answer = tx.send_many(tokens);
        if self.closed && count > 0 {
            let error = answer.unwrap_err();
            let ids = error.unsent.iter().map(|token| token.id);
            assert!(error.sent == 0 && ids.eq(self.next - count..self.next));
        } else {
            answer.unwrap();
            self.queue.extend(self.next - count..self.next);
            self.notify(RECEIVERS, count);
        }
    }

    fn recv(&mut self, op: &Op) {
        let Some(rx) = self.receivers.first() else { return };
        let (answer, empty) = if matches!(op, Op::RecvNow) {
            let answer = rx.recv_timeout(Duration::ZERO);
            (answer.as_ref().ok().map(|token| token.id), answer.err() == Some(RecvTimeoutError::Timeout))
        } else {
            let answer = rx.try_recv();
            (answer.as_ref().ok().map(|token| token.id), answer.err() == Some(TryRecvError::Empty))
        };
        assert_eq!(empty, self.queue.is_empty() && !self.closed);
        assert_eq!(answer, self.popped());
    }

    fn recv_many(&mut self, limit: usize) {
        let Some(rx) = self.receivers.first().cloned() else { return };
        if limit > 0 && self.queue.is_empty() && !self.closed {
            return; // It would block.
        }
        let mut list = Vec::new();
        let answer = rx.recv_many(&mut list, limit);
        if limit > 0 && self.queue.is_empty() {
            return assert_eq!(answer, Err(RecvError));
        }
        let count = limit.min(self.queue.len());
        assert_eq!(answer, Ok(count));
        assert!(list.iter().map(|token| token.id).eq(self.queue.drain(..count)));
        self.notify(SENDERS, count);
    }

    fn start(&mut self, sends: bool) {
        let mut sending = None;
        let future: Pin<Box<dyn Future<Output = Outcome>>> = if sends {
            let Some(tx) = self.senders.first().cloned() else { return };
            let token = self.token();
            sending = Some(token.id);
            self.sender_count += 1;
            Box::pin(async move {
                let answer = tx.send_async(token).await;
                answer.map(|()| None).map_err(|error| Some(error.into_inner().id))
            })
        } else {
            let Some(rx) = self.receivers.first().cloned() else { return };
            self.receiver_count += 1;
            Box::pin(async move { rx.recv_async().await.map(|token| Some(token.id)).map_err(|_| None) })
        };
        self.names += 1;
        let name = self.names;
        let kept = Kept { future, bell: Bell::new(), sending, name, rings: 0, notified: true };
        self.kept.push(kept);
        self.poll(self.kept.len() - 1);
    }

    /// Polls a future: one that stands in line, not notified, stays pending whatever the channel holds.
    fn poll(&mut self, at: usize) {
        let kept = &mut self.kept[at];
        let answer = kept.bell.poll(kept.future.as_mut());
        if !kept.notified {
            return assert_eq!(answer, Poll::Pending);
        }
        kept.notified = false;
        let (name, sending) = (kept.name, kept.sending);
        let (line, blocked) = match sending {
            Some(_) => (SENDERS, self.is_full() && !self.closed),
            None => (RECEIVERS, self.queue.is_empty() && !self.closed),
        };
        if blocked {
            assert_eq!(answer, Poll::Pending);
            return self.lines[line].push_back(name);
        }
        let closed = self.closed;
        let expected = match sending {
            Some(id) if closed => Err(Some(id)),
            Some(id) => {
                self.pushed(id);
                Ok(None)
            }
            None => self.popped().map_or(Err(None), |id| Ok(Some(id))),
        };
        assert_eq!(answer, Poll::Ready(expected));
        self.done(at);
    }

    /// A future is done: it is dropped, and with it the handle that it held is gone.
    fn done(&mut self, at: usize) {
        let kept = self.kept.swap_remove(at);
        assert_eq!((kept.bell.rings(), kept.bell.held()), (kept.rings, 0));
        if kept.sending.is_some() { self.sender_goes() } else { self.receiver_goes() }
    }

    fn cancel(&mut self, at: usize) {
        let kept = self.kept.swap_remove(at);
        let line = if kept.sending.is_some() { SENDERS } else { RECEIVERS };
        self.lines[line].retain(|name| *name != kept.name);
        self.notify(line, usize::from(kept.notified));
        let bell = Arc::clone(&kept.bell);
        let (sending, rings) = (kept.sending, kept.rings);
        drop(kept);
        assert_eq!((bell.rings(), bell.held()), (rings, 0));
        if sending.is_some() { self.sender_goes() } else { self.receiver_goes() }
    }

    fn forget(&mut self, at: usize) {
        let kept = self.kept.swap_remove(at);
        self.forgotten += usize::from(kept.sending.is_some());
        self.graveyard.push(kept.future);
    }

    fn step(&mut self, op: &Op) {
        let chosen = |at: &usize, kept: &[Kept]| (!kept.is_empty()).then(|| at % kept.len());
        match op {
            Op::TrySend | Op::SendNow | Op::ForceSend => self.send(op),
            Op::SendMany(count) => self.send_many(*count),
            Op::TryRecv | Op::RecvNow => self.recv(op),
            Op::RecvMany(limit) => self.recv_many(*limit),
            Op::StartSend => self.start(true),
            Op::StartRecv => self.start(false),
            Op::Poll(at) => chosen(at, &self.kept).into_iter().for_each(|at| self.poll(at)),
            Op::Cancel(at) => chosen(at, &self.kept).into_iter().for_each(|at| self.cancel(at)),
            Op::Forget(at) => chosen(at, &self.kept).into_iter().for_each(|at| self.forget(at)),
            Op::Close => {
                let Some(tx) = self.senders.first() else { return };
                assert_eq!(tx.close(), !self.closed);
                self.closes();
            }
            Op::CloneSender => {
                self.senders.extend(self.senders.first().cloned());
                self.sender_count += usize::from(!self.senders.is_empty());
            }
            Op::CloneReceiver => {
                self.receivers.extend(self.receivers.first().cloned());
                self.receiver_count += usize::from(!self.receivers.is_empty());
            }
            Op::DropSender => self.senders.pop().into_iter().for_each(|tx| {
                drop(tx);
                self.sender_goes();
            }),
            Op::DropReceiver => self.receivers.pop().into_iter().for_each(|rx| {
                drop(rx);
                self.receiver_goes();
            }),
        }
    }

    fn check(&self) {
        for kept in &self.kept {
            assert_eq!(kept.bell.rings(), kept.rings, "wake-ups");
        }
        if let Some(tx) = self.senders.first() {
            assert_eq!(
                (tx.len(), tx.is_full(), tx.is_closed()),
                (self.queue.len(), self.is_full(), self.closed)
            );
            assert_eq!((tx.sender_count(), tx.receiver_count()), (self.sender_count, self.receiver_count));
        }
        if let Some(rx) = self.receivers.first() {
            assert_eq!((rx.len(), rx.is_closed()), (self.queue.len(), self.closed));
            assert_eq!((rx.sender_count(), rx.receiver_count()), (self.sender_count, self.receiver_count));
        }
    }

    /// Drops everything: what was made and not dropped is with forgotten futures, or in the channel they hold.
    fn finish(mut self) {
        while !self.kept.is_empty() {
            self.cancel(0);
            self.check();
        }
        while !self.senders.is_empty() || !self.receivers.is_empty() {
            self.step(&Op::DropSender);
            self.step(&Op::DropReceiver);
            self.check();
        }
        assert_eq!(self.next - self.ledger.drops(), self.forgotten + self.queue.len());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    /// Q3, Q6, Q7, Q8, W1, W2, W5, W6, D4, D6, U4: answers, wake-ups, counts and drops are the model's, after each step.
    #[test]
    fn programs_follow_the_model(capacity in 1..5usize, program in ops()) {
        let mut world = World::new(capacity);
        for op in &program {
            world.step(op);
            world.check();
        }
        world.finish();
    }
}
