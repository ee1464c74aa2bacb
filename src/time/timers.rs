//! Tasks that wait for their time.

use super::alarm::Alarm;
use super::clock::Clock;
use super::moment::Moment;
use crate::sync::{Arc, Mutex};
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

/// How many tasks are taken out with the lock held once: a guess, large enough to make the lock cheap.
const DUE_BATCH: usize = 64;

/// Wakers of tasks, by the time when they are to be woken. Some thread has to look after it: the alarm says when.
pub(crate) struct Timers {
    waiting: Mutex<Waiting>,
    alarm: Arc<Alarm>,
}

struct Waiting {
    by_time: BTreeMap<Key, Waker>,
    /// Number of the next to come: keeps those apart that are due at the same moment, and in their order.
    next: u64,
}

type Key = (Moment, u64);

impl Timers {
    pub(crate) fn new(alarm: Arc<Alarm>) -> Arc<Self> {
        let waiting = Mutex::new(Waiting { by_time: BTreeMap::new(), next: 0 });
        Arc::new(Self { waiting, alarm })
    }

    /// Moves the wakers that are due at `now` into `wakers`, a batch at most. Returns when the next is due.
    ///
    /// The caller wakes them: that is user code.
    pub(crate) fn take_due(&self, now: Moment, wakers: &mut Vec<Waker>) -> Option<Moment> {
        let mut waiting = self.waiting.lock();
        while let Some(first) = waiting.by_time.first_entry() {
            let due = first.key().0;
            if due > now || wakers.len() >= DUE_BATCH {
                return Some(due);
            }
            wakers.push(first.remove());
        }
        None
    }

    fn add(&self, due: Moment, waker: Waker) -> Key {
        let mut waiting = self.waiting.lock();
        let key = (due, waiting.next);
        waiting.next += 1;
        waiting.by_time.insert(key, waker);
        let earliest = waiting.by_time.first_key_value().is_some_and(|(first, _)| *first == key);
        drop(waiting);
        if earliest {
            self.alarm.ring();
        }
        key
    }

    /// Takes a waker out. None if it was woken already.
    fn remove(&self, key: Key) -> Option<Waker> {
        self.waiting.lock().by_time.remove(&key)
    }

    /// Has another waker woken. Returns the one that stood there; none if it was woken already.
    fn replace(&self, key: Key, fresh: Waker) -> Option<Waker> {
        let mut waiting = self.waiting.lock();
        waiting.by_time.get_mut(&key).map(|place| std::mem::replace(place, fresh))
    }

    /// Returns how many tasks wait.
    #[cfg(test)]
    fn len(&self) -> usize {
        self.waiting.lock().by_time.len()
    }
}

impl Drop for Timers {
    /// Whoever looks after it looks again, and finds it gone.
    fn drop(&mut self) {
        self.alarm.ring();
    }
}

/// Waits until a moment has come. Any number may wait; each takes O(log n) to begin and to end.
///
/// Cancel-safe: dropped, it leaves nothing behind.
pub(crate) struct Sleep {
    timers: Arc<Timers>,
    clock: Clock,
    due: Moment,
    key: Option<Key>,
}

impl Sleep {
    pub(crate) fn new(timers: Arc<Timers>, clock: Clock, due: Moment) -> Self {
        Self { timers, clock, due, key: None }
    }

    pub(crate) fn after(timers: &Arc<Timers>, clock: &Clock, delay: Duration) -> Self {
        Self::new(Arc::clone(timers), clock.clone(), clock.moment().after(delay))
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.clock.moment() >= self.due {
            return Poll::Ready(());
        }
        // Cloned before the lock is taken, and what it replaces dropped after: user code.
        let waker = cx.waker().clone();
        let replaced = self.key.and_then(|key| self.timers.replace(key, waker.clone()));
        if replaced.is_none() {
            self.key = Some(self.timers.add(self.due, waker));
        }
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            drop(self.timers.remove(key));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::VirtualClock;
    use super::*;
    use std::pin::pin;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::task::Wake;

    #[derive(Default)]
    struct Count(AtomicU32);

    impl Wake for Count {
        fn wake(self: std::sync::Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    fn wake_due(timers: &Timers, clock: &Clock) -> Option<Moment> {
        let mut wakers = Vec::new();
        let next = timers.take_due(clock.moment(), &mut wakers);
        wakers.into_iter().for_each(Waker::wake);
        next
    }

    #[test]
    fn sleepers_are_woken_in_their_time_and_leave_nothing_behind() {
        let (time, timers) = (VirtualClock::new(), Timers::new(Arc::new(Alarm::new())));
        let clock = time.clock();
        let count = std::sync::Arc::new(Count::default());
        let waker = Waker::from(std::sync::Arc::clone(&count));
        let mut cx = Context::from_waker(&waker);
        let second = Duration::from_secs(1);

        let mut first = pin!(Sleep::after(&timers, &clock, second));
        let mut later = Box::pin(Sleep::after(&timers, &clock, second * 2));
        assert!(first.as_mut().poll(&mut cx).is_pending());
        assert!(first.as_mut().poll(&mut cx).is_pending(), "polled again, it waits once all the same");
        assert!(later.as_mut().poll(&mut cx).is_pending());
        assert_eq!(timers.len(), 2);

        assert_eq!(wake_due(&timers, &clock), Some(Moment::ORIGIN.after(second)));
        time.advance(second);
        assert_eq!(wake_due(&timers, &clock), Some(Moment::ORIGIN.after(second * 2)));
        assert_eq!(count.0.load(Ordering::SeqCst), 1);
        assert!(first.as_mut().poll(&mut cx).is_ready());
        drop(later);
        assert_eq!((timers.len(), wake_due(&timers, &clock)), (0, None));
    }
}
