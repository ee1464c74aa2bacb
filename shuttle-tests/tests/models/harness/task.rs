//! A minimal executor for models: one task per thread.

use shuttle::sync::atomic::{AtomicBool, Ordering};
use shuttle::thread::{self, Thread};
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

/// Wakes a thread that is inside `block_on`.
#[derive(Debug)]
struct ThreadWaker {
    thread: Thread,
    token: AtomicBool,
}

impl ThreadWaker {
    /// Sleeps until woken. A future that woke its own task waits for a peer, which gets its turn first: shuttle's own executor
    /// does not say so to its scheduler, which then may poll for ever.
    fn wait(&self) {
        if self.token.swap(false, Ordering::SeqCst) {
            thread::yield_now();
            return;
        }
        while !self.token.swap(false, Ordering::SeqCst) {
            thread::park();
        }
    }
}

impl Wake for ThreadWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.token.store(true, Ordering::SeqCst);
        self.thread.unpark();
    }
}

/// Runs a future to its end on this thread, asleep while it waits.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    let parker = Arc::new(ThreadWaker { thread: thread::current(), token: AtomicBool::new(false) });
    let waker = Waker::from(Arc::clone(&parker));
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return output;
        }
        parker.wait();
    }
}

/// Polls once, with a waker that wakes nobody.
pub(crate) fn poll_once<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}
