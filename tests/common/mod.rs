//! What the channel's tests share: payloads that count their drops, wakers that count their wakes, a watchdog.

#![allow(dead_code, reason = "each test file uses a part of this")]
#![allow(clippy::unwrap_used, reason = "a helper of a test may unwrap as the test may")]

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::SeqCst};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::{Duration, Instant};

/// How long a test may go without progress before the process is ended.
const PATIENCE: Duration = Duration::from_secs(60);

/// Ends the process with a message when nobody has petted it for a minute: a lost wake-up must not look like a hang.
pub(crate) struct Watchdog {
    pets: Arc<AtomicU64>,
    done: Arc<AtomicBool>,
}

impl Watchdog {
    pub(crate) fn start(name: &'static str) -> Self {
        let (pets, done) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
        let dog = Self { pets: Arc::clone(&pets), done: Arc::clone(&done) };
        thread::spawn(move || {
            let (mut seen, mut since) = (0, Instant::now());
            while !done.load(SeqCst) {
                thread::park_timeout(Duration::from_millis(200));
                let now = pets.load(SeqCst);
                if now != seen {
                    (seen, since) = (now, Instant::now());
                } else if since.elapsed() > PATIENCE {
                    eprintln!("watchdog: {name} made no progress for {PATIENCE:?}, after {seen} steps");
                    std::process::abort();
                }
            }
        });
        dog
    }

    pub(crate) fn pet(&self) {
        self.pets.fetch_add(1, SeqCst);
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        self.done.store(true, SeqCst);
    }
}

/// Yields until `condition` holds.
pub(crate) fn wait_until(what: &str, condition: impl Fn() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < PATIENCE, "waited in vain until {what}");
        thread::yield_now();
    }
}

/// A thread that runs `work`, and can be seen falling asleep in it.
pub(crate) struct Sleeper<R> {
    thread: thread::JoinHandle<R>,
    stat: String,
}

impl<R: Send + 'static> Sleeper<R> {
    /// Starts `work`; returns at once.
    pub(crate) fn start(work: impl FnOnce() -> R + Send + 'static) -> Self {
        let (tell, told) = std::sync::mpsc::channel();
        let thread = thread::spawn(move || {
            let path = std::fs::read_link("/proc/thread-self").unwrap_or_default();
            tell.send(format!("/proc/{}/stat", path.display())).unwrap();
            drop(tell);
            work()
        });
        Self { stat: told.recv().unwrap(), thread }
    }

    /// Starts `work` and waits until its thread sleeps.
    pub(crate) fn asleep(work: impl FnOnce() -> R + Send + 'static) -> Self {
        let sleeper = Self::start(work);
        wait_until("the thread sleeps", || sleeper.sleeps() && sleeper.sleeps());
        sleeper
    }

    /// Whether the system says that the thread sleeps.
    fn sleeps(&self) -> bool {
        if !cfg!(target_os = "linux") {
            thread::sleep(Duration::from_millis(20));
            return true;
        }
        thread::yield_now();
        let Ok(stat) = std::fs::read_to_string(&self.stat) else { return true };
        stat.rsplit(") ").next().is_some_and(|rest| rest.starts_with('S'))
    }

    pub(crate) fn is_finished(&self) -> bool {
        self.thread.is_finished()
    }

    pub(crate) fn join(self) -> R {
        wait_until("the thread ends", || self.is_finished());
        self.thread.join().unwrap()
    }
}

/// A waker that counts, and does what it is told when it is woken.
pub(crate) struct Bell {
    rings: AtomicUsize,
    hook: Box<dyn Fn() + Send + Sync>,
}

impl Bell {
    pub(crate) fn new() -> Arc<Self> {
        Self::with(|| ())
    }

    pub(crate) fn with(hook: impl Fn() + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Self { rings: AtomicUsize::new(0), hook: Box::new(hook) })
    }

    pub(crate) fn rings(&self) -> usize {
        self.rings.load(SeqCst)
    }

    pub(crate) fn waker(self: &Arc<Self>) -> Waker {
        Waker::from(Arc::clone(self))
    }

    /// How many wakers are held somewhere.
    pub(crate) fn held(self: &Arc<Self>) -> usize {
        Arc::strong_count(self) - 1
    }

    pub(crate) fn poll<F: Future + ?Sized>(self: &Arc<Self>, future: Pin<&mut F>) -> Poll<F::Output> {
        future.poll(&mut Context::from_waker(&self.waker()))
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.rings.fetch_add(1, SeqCst);
        (self.hook)();
    }
}

/// Counts how often each value was made and dropped, and can let one drop panic.
pub(crate) struct Ledger {
    made: Vec<AtomicUsize>,
    dropped: Vec<AtomicUsize>,
    drops: AtomicUsize,
    /// The drop, counted from 1, that panics. 0: none does.
    panic_at: AtomicUsize,
}

/// A value in a [`Ledger`].
pub(crate) struct Token {
    pub(crate) id: usize,
    ledger: Arc<Ledger>,
}

impl Ledger {
    pub(crate) fn new(ids: usize) -> Arc<Self> {
        let zeroes = || (0..ids).map(|_| AtomicUsize::new(0)).collect();
        Arc::new(Self {
            made: zeroes(),
            dropped: zeroes(),
            drops: AtomicUsize::new(0),
            panic_at: AtomicUsize::new(0),
        })
    }

    pub(crate) fn token(self: &Arc<Self>, id: usize) -> Token {
        self.made[id].fetch_add(1, SeqCst);
        Token { id, ledger: Arc::clone(self) }
    }

    /// Lets the `nth` drop from now on panic.
    pub(crate) fn panic_at(&self, nth: usize) {
        self.panic_at.store(self.drops.load(SeqCst) + nth, SeqCst);
    }

    pub(crate) fn drops(&self) -> usize {
        self.drops.load(SeqCst)
    }

    /// Asserts that each value that was made was dropped once.
    pub(crate) fn assert_settled(&self) {
        for (id, (made, dropped)) in self.made.iter().zip(&self.dropped).enumerate() {
            assert_eq!(made.load(SeqCst), dropped.load(SeqCst), "made and dropped, of value {id}");
        }
    }
}

impl Drop for Token {
    fn drop(&mut self) {
        let before = self.ledger.dropped[self.id].fetch_add(1, SeqCst);
        assert!(before < self.ledger.made[self.id].load(SeqCst), "value {} dropped twice", self.id);
        let nth = self.ledger.drops.fetch_add(1, SeqCst) + 1;
        assert!(nth != self.ledger.panic_at.load(SeqCst), "the drop that was told to panic");
    }
}

/// Marsaglia's xorshift64: pseudo-random numbers with a seed that is printed, and taken from `MILLPOND_SEED` if set.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new() -> Self {
        let seed =
            std::env::var("MILLPOND_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or_else(|| {
                let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
                now.map_or(1, |now| u64::from(now.subsec_nanos()) << 20 | 1)
            });
        println!("MILLPOND_SEED={seed}");
        Self(seed.max(1))
    }

    /// Starts from a number that another one drew.
    pub(crate) fn seeded(seed: u64) -> Self {
        Self(seed.max(1))
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    pub(crate) fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }
}
