//! A bare `thread::park` and `unpark`: what waking a thread costs with no channel around it.

use crate::ends::{Blocking, Message, Rx, Shape, Tx};
use crate::peer::Peer;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::{self, Thread};

pub(super) fn peers() -> Vec<Peer> {
    vec![Peer::reference("unpark").bare::<OneWord>()]
}

/// What stands in the place when there is nothing.
const EMPTY: u64 = u64::MAX;

/// What stands in the place when the sender is gone.
const CLOSED: u64 = u64::MAX - 1;

struct OneWord;

/// A place for one number, and who waits for it.
struct Place {
    word: AtomicU64,
    waits: OnceLock<Thread>,
}

impl Place {
    fn put(&self, word: u64) {
        // ORDERING: SeqCst throughout, the simplest that is right; it is nothing beside the wake-up.
        while self.word.compare_exchange(EMPTY, word, Ordering::SeqCst, Ordering::SeqCst).is_err() {
            thread::yield_now();
        }
        if let Some(thread) = self.waits.get() {
            thread.unpark();
        }
    }
}

struct Waker(Arc<Place>);
struct Sleeper(Arc<Place>);

impl<M: Message> Tx<M> for Waker {
    fn send_one(&mut self, message: M) {
        self.0.put(message.number());
    }
}

impl Drop for Waker {
    fn drop(&mut self) {
        self.0.put(CLOSED);
    }
}

impl<M: Message> Rx<M> for Sleeper {
    fn recv_one(&mut self) -> Option<M> {
        self.0.waits.get_or_init(thread::current);
        loop {
            match self.0.word.swap(EMPTY, Ordering::SeqCst) {
                EMPTY => thread::park(),
                CLOSED => return None,
                number => return Some(M::wrap(number)),
            }
        }
    }
}

impl Blocking for OneWord {
    fn fits(shape: &Shape) -> bool {
        shape.is_spsc()
    }

    fn open<M: Message>(_: Shape) -> (Vec<impl Tx<M>>, Vec<impl Rx<M>>) {
        let place = Arc::new(Place { word: AtomicU64::new(EMPTY), waits: OnceLock::new() });
        (vec![Waker(Arc::clone(&place))], vec![Sleeper(place)])
    }
}
