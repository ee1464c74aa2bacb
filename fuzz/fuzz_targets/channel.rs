//! Channels and rings of every kind, one operation after the other, against a plain queue.
#![no_main]

use libfuzzer_sys::fuzz_target;
use millpond::ring::error::{PopError, PushError};
use millpond::{TryRecvError, TrySendError, bounded, mpsc, ring, spsc};
use millpond_fuzz::Bytes;
use std::collections::VecDeque;
use std::rc::Rc;

/// A value that knows how many of its kind are alive.
type Value = (u32, Rc<()>);

struct Model {
    queue: VecDeque<u32>,
    capacity: usize,
    closed: bool,
    next: u32,
    alive: Rc<()>,
}

impl Model {
    fn new(capacity: usize) -> Self {
        Self { queue: VecDeque::new(), capacity, closed: false, next: 0, alive: Rc::new(()) }
    }

    fn value(&mut self) -> Value {
        self.next += 1;
        (self.next, Rc::clone(&self.alive))
    }

    fn room(&self) -> usize {
        self.capacity - self.queue.len()
    }

    fn sent(&mut self, answer: Result<(), TrySendError<Value>>) {
        let number = self.next;
        match answer {
            Ok(()) => {
                assert!(!self.closed && self.room() > 0);
                self.queue.push_back(number);
            }
            Err(TrySendError::Full(value)) => assert!(!self.closed && self.room() == 0 && value.0 == number),
            Err(TrySendError::Closed(value)) => assert!(self.closed && value.0 == number),
        }
    }

    fn received(&mut self, answer: Result<Value, TryRecvError>) {
        match answer {
            Ok(value) => assert_eq!(Some(value.0), self.queue.pop_front()),
            Err(TryRecvError::Empty) => assert!(!self.closed && self.queue.is_empty()),
            Err(TryRecvError::Closed) => assert!(self.closed && self.queue.is_empty()),
        }
    }

    fn batch(&mut self, count: usize) -> VecDeque<Value> {
        (0..count).map(|_| self.value()).collect()
    }

    fn sent_many(&mut self, answer: Result<usize, TrySendError<()>>, batch: &VecDeque<Value>, count: usize) {
        let first = self.next - count as u32 + 1;
        let sent = count - batch.len();
        match answer {
            Ok(told) => assert!(told == sent && sent == if self.closed { 0 } else { count.min(self.room()) }),
            Err(TrySendError::Full(())) => assert!(!self.closed && sent == 0 && self.room() == 0),
            Err(TrySendError::Closed(())) => assert!(self.closed && sent == 0),
        }
        self.queue.extend((0..sent as u32).map(|n| first + n));
        assert!(batch.iter().map(|value| value.0).eq((sent as u32..count as u32).map(|n| first + n)));
    }

    fn received_many(&mut self, values: Vec<Value>) {
        for value in values {
            assert_eq!(Some(value.0), self.queue.pop_front());
        }
    }

    /// The values that are alive are those in the queue.
    fn check(&self, len: usize) {
        assert_eq!(len, self.queue.len());
        assert_eq!(Rc::strong_count(&self.alive), 1 + self.queue.len());
    }
}

/// The operations that all three flavours share.
macro_rules! program {
    ($bytes:ident, $make:path, $special:expr) => {{
        let capacity = 1 + $bytes.below(5);
        let mut model = Model::new(capacity);
        #[allow(unused_mut)]
        let (mut tx, mut rx) = $make(capacity);
        while let Some(op) = $bytes.next() {
            match op % 12 {
                0..4 => {
                    let value = model.value();
                    model.sent(tx.try_send(value));
                }
                4..7 => model.received(rx.try_recv()),
                7 => {
                    let count = 1 + $bytes.below(7);
                    let mut batch = model.batch(count);
                    let answer = tx.try_send_many(&mut batch);
                    model.sent_many(answer, &batch, count);
                }
                8 => {
                    let mut values = Vec::new();
                    let limit = $bytes.below(7);
                    let there = model.queue.len();
                    match rx.try_recv_many(&mut values, limit) {
                        Ok(count) => assert!(count == values.len() && count == limit.min(there)),
                        Err(TryRecvError::Empty) => assert!(!model.closed && there == 0),
                        Err(TryRecvError::Closed) => assert!(model.closed && there == 0),
                    }
                    model.received_many(values);
                }
                9 => {
                    let mut values = Vec::new();
                    assert_eq!(rx.drain(&mut values), model.queue.len());
                    model.received_many(values);
                }
                10 if op > 240 => {
                    let first = if op % 2 == 0 { tx.close() } else { rx.close() };
                    assert_eq!(first, !model.closed);
                    model.closed = true;
                }
                _ => $special(op, &mut tx, &mut rx, &mut model),
            }
            model.check(rx.len());
            assert!(
                tx.len() == rx.len() && tx.is_closed() == model.closed && tx.is_full() == (model.room() == 0)
            );
        }
        drop(rx);
        assert_eq!(Rc::strong_count(&model.alive), 1);
        drop(tx);
    }};
}

fn plain_ring(bytes: &mut Bytes<'_>) {
    let capacity = 1 + bytes.below(5);
    let mut model = Model::new(capacity);
    let ring = ring::mpmc::Ring::new(capacity);
    while let Some(op) = bytes.next() {
        match op % 5 {
            0 | 1 => {
                let value = model.value();
                model.sent(ring.push(value).map_err(|error| match error {
                    PushError::Full(value) => TrySendError::Full(value),
                    PushError::Closed(value) => TrySendError::Closed(value),
                }));
            }
            2 | 3 => model.received(ring.pop().map_err(|error| match error {
                PopError::Empty => TryRecvError::Empty,
                PopError::Closed => TryRecvError::Closed,
            })),
            _ if op > 245 => {
                assert_eq!(ring.close(), !model.closed);
                model.closed = true;
            }
            _ => {
                let value = model.value();
                let full = model.room() == 0;
                match ring.force_push(value) {
                    Ok(evicted) => {
                        assert_eq!(
                            evicted.map(|value| value.0),
                            if full { model.queue.pop_front() } else { None }
                        );
                        model.queue.push_back(model.next);
                    }
                    Err(_) => assert!(model.closed),
                }
            }
        }
        model.check(ring.len());
    }
}

fuzz_target!(|data: &[u8]| {
    let mut bytes = Bytes(data);
    match bytes.below(4) {
        0 => program!(bytes, bounded, |op: u8,
                                       tx: &mut millpond::Sender<Value>,
                                       rx: &mut millpond::Receiver<Value>,
                                       model: &mut Model| {
            match op % 3 {
                0 => {
                    let value = model.value();
                    let full = model.room() == 0;
                    match tx.force_send(value) {
                        Ok(evicted) => {
                            assert_eq!(
                                evicted.map(|value| value.0),
                                if full { model.queue.pop_front() } else { None }
                            );
                            model.queue.push_back(model.next);
                        }
                        Err(_) => assert!(model.closed),
                    }
                }
                1 => *tx = tx.clone(),
                _ => *rx = rx.clone(),
            }
        }),
        1 => program!(bytes, mpsc::bounded, |op: u8,
                                             tx: &mut mpsc::Sender<Value>,
                                             _: &mut mpsc::Receiver<Value>,
                                             model: &mut Model| {
            if op % 2 == 0 {
                *tx = tx.clone();
            } else if let Ok(permit) = tx.try_reserve() {
                assert!(model.room() > 0 && !model.closed);
                let value = model.value();
                assert!(permit.send(value).is_ok());
                model.queue.push_back(model.next);
            }
        }),
        2 => program!(bytes, spsc::bounded, |_: u8,
                                             _: &mut spsc::Sender<Value>,
                                             _: &mut spsc::Receiver<Value>,
                                             _: &mut Model| ()),
        _ => plain_ring(&mut bytes),
    }
});
