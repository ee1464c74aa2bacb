//! The waiting protocol against sources that answer by a script: the races that cannot be had at will otherwise.

use super::{Attempt, Deadline, Others, Source, WaitSet, WaitStrategy, Waiting, block_on};
use crate::sync::single_cpu;
use std::cell::{Cell, RefCell};
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Instant;

type Answers = Rc<RefCell<Vec<Attempt<()>>>>;

/// A source that gives written answers, the last one first, then `Busy`.
struct Scripted<'a> {
    waiters: &'a WaitSet,
    answers: Answers,
}

impl Source for Scripted<'_> {
    type Output = ();

    fn attempt(&mut self) -> Attempt<()> {
        self.answers.borrow_mut().pop().unwrap_or(Attempt::Busy)
    }

    fn waiters(&self) -> &WaitSet {
        self.waiters
    }

    fn arm(&self) {}

    fn disarm(&self) {}
}

/// As [`Scripted`], of a channel whose other side can be far ahead.
struct Streaming<'a> {
    script: Scripted<'a>,
    armed: Rc<Cell<bool>>,
}

impl Source for Streaming<'_> {
    type Output = ();

    fn attempt(&mut self) -> Attempt<()> {
        self.script.attempt()
    }

    fn waiters(&self) -> &WaitSet {
        self.script.waiters
    }

    fn others(&self) -> Option<Others<'_>> {
        Some(Others { set: self.script.waiters, most: 1024 })
    }

    fn arm(&self) {
        self.armed.set(true);
    }

    fn disarm(&self) {}
}

#[derive(Default)]
struct Bell(AtomicUsize);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, SeqCst);
    }
}

/// A task that was polled once.
struct Task<'a> {
    future: Pin<Box<Waiting<Scripted<'a>>>>,
    answers: Answers,
    bell: Arc<Bell>,
}

impl<'a> Task<'a> {
    /// Polls a future of these answers once: pending.
    fn scripted(waiters: &'a WaitSet, answers: Vec<Attempt<()>>) -> Self {
        let answers = Rc::new(RefCell::new(answers));
        let future = Box::pin(Waiting::new(Scripted { waiters, answers: Rc::clone(&answers) }));
        let mut task = Self { future, answers, bell: Arc::default() };
        assert!(task.poll().is_pending());
        task
    }

    /// Registers a task that is really blocked, and meets a busy peer from then on.
    fn blocked(waiters: &'a WaitSet) -> Self {
        Self::scripted(waiters, vec![Attempt::Blocked, Attempt::Blocked])
    }

    fn poll(&mut self) -> Poll<()> {
        let waker = Waker::from(Arc::clone(&self.bell));
        self.future.as_mut().poll(&mut Context::from_waker(&waker))
    }

    fn poll_for(&mut self, answer: Attempt<()>) -> Poll<()> {
        self.answers.borrow_mut().push(answer);
        self.poll()
    }

    fn rings(&self) -> usize {
        self.bell.0.load(SeqCst)
    }
}

/// A notified future that met a busy peer has not used its wake-up: cancelled, it passes it on (promise 3).
#[test]
fn a_wake_up_outlives_a_busy_peer() {
    let waiters = WaitSet::new();
    let (mut first, second) = (Task::blocked(&waiters), Task::blocked(&waiters));
    waiters.notify(1, || ());
    assert!(first.poll().is_pending(), "the peer is busy");
    assert!(first.poll().is_pending(), "and stays so");
    assert_eq!(second.rings(), 0);
    drop(first);
    assert_eq!(second.rings(), 1);
    drop(second);
    assert!(waiters.is_empty());
}

/// A final answer uses the wake-up, also after busy ones: nobody else is woken for it.
#[test]
fn a_final_answer_uses_the_wake_up() {
    for answer in [Attempt::Done(()), Attempt::Blocked] {
        let waiters = WaitSet::new();
        let (mut first, second) = (Task::blocked(&waiters), Task::blocked(&waiters));
        waiters.notify(1, || ());
        assert!(first.poll().is_pending(), "the peer is busy");
        let _ = first.poll_for(answer);
        drop(first);
        assert_eq!(second.rings(), 0);
    }
}

/// A future that met a busy peer right after registering is still in R2 when it is notified (see the module's head): what
/// it then finds may be older than what it was woken for, so the wake-up goes to the next.
#[test]
fn an_unsettled_success_passes_the_wake_up_on() {
    let waiters = WaitSet::new();
    let mut first = Task::scripted(&waiters, vec![Attempt::Blocked]);
    let second = Task::blocked(&waiters);
    waiters.notify(1, || ());
    assert!(first.poll_for(Attempt::Done(())).is_ready());
    assert_eq!(second.rings(), 1);
}

/// A source that is never ready, and knows whether somebody is said to wait.
struct Marked<'a> {
    waiters: &'a WaitSet,
    mark: &'a Cell<bool>,
}

impl Source for Marked<'_> {
    type Output = ();

    fn attempt(&mut self) -> Attempt<()> {
        Attempt::Blocked
    }

    fn waiters(&self) -> &WaitSet {
        self.waiters
    }

    fn arm(&self) {
        self.mark.set(true);
    }

    fn disarm(&self) {
        self.mark.set(false);
    }
}

/// The last to leave the line takes the mark along: nobody comes to the lock for those who are gone.
#[test]
fn the_last_to_leave_takes_the_mark_along() {
    let (waiters, mark) = (WaitSet::new(), Cell::new(false));
    let [mut first, mut second] =
        [(); 2].map(|()| Box::pin(Waiting::new(Marked { waiters: &waiters, mark: &mark })));
    for future in [&mut first, &mut second] {
        assert!(future.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    }
    drop(first);
    assert!(mark.get(), "one still waits");
    drop(second);
    assert!(!mark.get());
}

/// A thread's source that is blocked until the thread has registered. Then others join the line behind it, and it is
/// notified, at a moment that the test chooses.
struct Staged<'a, F: FnMut() -> Attempt<()>> {
    waiters: &'a WaitSet,
    /// Whether the thread has registered.
    armed: Cell<bool>,
    /// How often the set was asked for since: by a thread whose time runs out, 1 is to rest, 2 to leave.
    asked: Cell<usize>,
    /// Notifies when the thread leaves.
    at_leaving: bool,
    registered: F,
}

impl<'a, F: FnMut() -> Attempt<()>> Staged<'a, F> {
    fn new(waiters: &'a WaitSet, at_leaving: bool, registered: F) -> Self {
        Self { waiters, armed: Cell::new(false), asked: Cell::new(0), at_leaving, registered }
    }
}

impl<F: FnMut() -> Attempt<()>> Source for Staged<'_, F> {
    type Output = ();

    fn attempt(&mut self) -> Attempt<()> {
        if self.armed.get() { (self.registered)() } else { Attempt::Blocked }
    }

    fn waiters(&self) -> &WaitSet {
        self.asked.set(self.asked.get() + usize::from(self.armed.get()));
        if self.at_leaving && self.asked.get() == 2 {
            self.waiters.notify(1, || ());
        }
        self.waiters
    }

    fn arm(&self) {
        self.armed.set(true);
    }

    fn disarm(&self) {}
}

/// A deadline that has passed: the thread registers without spinning first.
fn passed() -> Deadline {
    Deadline::at(Instant::now())
}

/// W5: a thread that succeeds right after registering, and was notified meanwhile, passes the wake-up on.
#[test]
fn a_thread_that_succeeds_passes_its_wake_up_on() {
    let waiters = WaitSet::new();
    let behind = RefCell::new(None);
    let mut source = Staged::new(&waiters, false, || {
        behind.replace(Some(Task::blocked(&waiters)));
        waiters.notify(1, || ());
        Attempt::Done(())
    });
    assert_eq!(block_on(&mut source, passed()), Ok(()));
    assert_eq!(behind.take().map(|task| task.rings()), Some(1));
    assert!(waiters.is_empty());
}

/// W5, promise 10: so does a thread whose attempt panics.
#[test]
fn a_thread_that_panics_passes_its_wake_up_on() {
    let waiters = WaitSet::new();
    let behind = RefCell::new(None);
    let mut source = Staged::new(&waiters, false, || {
        behind.replace(Some(Task::blocked(&waiters)));
        waiters.notify(1, || ());
        panic!("an attempt that panics")
    });
    assert!(catch_unwind(AssertUnwindSafe(|| block_on(&mut source, passed()))).is_err());
    assert_eq!(behind.take().map(|task| task.rings()), Some(1));
    assert!(waiters.is_empty());
}

/// W11: a thread that is notified just as its time runs out tries once more instead of taking the wake-up along.
#[test]
fn a_thread_that_times_out_uses_its_wake_up() {
    let waiters = WaitSet::new();
    let mut attempts = 0;
    let mut source = Staged::new(&waiters, true, || {
        attempts += 1;
        if attempts == 1 { Attempt::Blocked } else { Attempt::Done(()) }
    });
    assert_eq!(block_on(&mut source, passed()), Ok(()));
    assert!(waiters.is_empty());
}

/// W10: the same without a wake-up is a timeout, and leaves nobody in the line.
#[test]
fn a_thread_that_times_out_leaves_the_line() {
    let waiters = WaitSet::new();
    let mut source = Staged::new(&waiters, false, || Attempt::Blocked);
    assert!(block_on(&mut source, passed()).is_err());
    assert!(waiters.is_empty());
}

/// The gate `one-processor` runs this where the second attempt comes before the registration.
#[test]
fn a_task_on_one_processor_lets_others_run_before_it_sleeps() {
    for strategy in [WaitStrategy::Adaptive, WaitStrategy::Park] {
        let set = WaitSet::with(strategy, false);
        let answers = Rc::new(RefCell::new(vec![Attempt::Done(()), Attempt::Blocked]));
        let armed = Rc::new(Cell::new(false));
        let script = Scripted { waiters: &set, answers };
        let mut future = Box::pin(Waiting::new(Streaming { script, armed: Rc::clone(&armed) }));
        assert_eq!(future.as_mut().poll(&mut Context::from_waker(Waker::noop())), Poll::Ready(()));
        assert_eq!(armed.get(), !single_cpu() || strategy == WaitStrategy::Park);
    }
}
