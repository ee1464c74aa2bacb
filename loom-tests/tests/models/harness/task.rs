//! A minimal executor for models: one task per thread.

use loom::sync::atomic::{AtomicBool, Ordering};
use loom::thread::{self, Thread};
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool as PlainBool, AtomicUsize, Ordering as PlainOrdering};
use std::task::{Context, Poll, Wake, Waker};

/// Wakes a thread that is inside `block_on`.
///
/// Loom's `unpark` also releases a thread that waits for a mutex, which is wrong, and its token is lost at the next lock.
/// So the token is an atomic of the model, and `unpark` is called only while the thread is inside `park`. The second flag
/// is a plain one because nothing can run between the swap, the flag and the call that follows it.
#[derive(Debug)]
struct ThreadWaker {
    thread: Thread,
    token: AtomicBool,
    parked: PlainBool,
}

impl ThreadWaker {
    /// Sleeps until woken. A future that woke its own task waits for a peer, which gets its turn first.
    fn wait(&self) {
        if self.token.swap(false, Ordering::Acquire) {
            thread::yield_now();
            return;
        }
        while !self.token.swap(false, Ordering::Acquire) {
            self.parked.store(true, PlainOrdering::Relaxed);
            thread::park();
            self.parked.store(false, PlainOrdering::Relaxed);
        }
    }
}

impl Wake for ThreadWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.token.swap(true, Ordering::Release);
        if self.parked.load(PlainOrdering::Relaxed) {
            self.thread.unpark();
        }
    }
}

/// Runs a future to its end on this thread, asleep while it waits.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    let parker = Arc::new(ThreadWaker {
        thread: thread::current(),
        token: AtomicBool::new(false),
        parked: PlainBool::new(false),
    });
    let waker = Waker::from(Arc::clone(&parker));
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return output;
        }
        parker.wait();
    }
}

/// Polls once with the given waker.
pub(crate) fn poll_once<F: Future + ?Sized>(future: Pin<&mut F>, waker: &Waker) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(waker))
}

/// A waker that only counts its calls. It tells loom nothing.
#[derive(Debug, Default)]
pub(crate) struct Flag {
    wakes: AtomicUsize,
}

impl Flag {
    /// A new flag and a waker that counts into it.
    pub(crate) fn new() -> (Arc<Flag>, Waker) {
        let flag = Arc::new(Flag::default());
        (Arc::clone(&flag), Waker::from(flag))
    }

    /// How often it was woken.
    pub(crate) fn wakes(&self) -> usize {
        self.wakes.load(PlainOrdering::Relaxed)
    }
}

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.wakes.fetch_add(1, PlainOrdering::Relaxed);
    }
}
