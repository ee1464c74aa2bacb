//! The one door to threads, locks, atomics and the processor: the standard library's, or loom's.
//!
//! Every other file takes these names from here, so that the loom build (a private cfg, set by the build script of the
//! `loom-tests` package) checks the very code that ships. No other file names `std::sync`, `std::thread` or `loom`.

#![allow(unreachable_pub, reason = "the loom models reach some of this through a hidden module")]

pub(crate) use crossbeam_utils::CachePadded;
pub(crate) use imp::*;
#[cfg(not(millpond_loom))]
pub(crate) use std::sync::Weak;

/// How many processors the process may use, read once.
///
/// `num_cpus` asks for the calling thread, and would answer 1 on a pinned one: the first caller decides for all.
pub(crate) fn cores() -> usize {
    static CORES: std::sync::OnceLock<usize> = std::sync::OnceLock::new();
    *CORES.get_or_init(|| num_cpus::get().max(1))
}

/// Whether the whole process is confined to one processor, where spinning for a peer only keeps the peer from running.
pub(crate) fn single_cpu() -> bool {
    static SINGLE: std::sync::OnceLock<bool> = std::sync::OnceLock::new();
    *SINGLE.get_or_init(|| process_cpus() == 1)
}

/// Counts the processors in the affinity mask of the main thread, which a worker's own pinning does not change.
#[cfg(target_os = "linux")]
fn process_cpus() -> usize {
    // SAFETY: a `cpu_set_t` is a plain array of integers, for which all zeroes is a value.
    let mut set: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    let size = std::mem::size_of::<libc::cpu_set_t>();
    let main_thread = i32::try_from(std::process::id()).unwrap_or(0);
    // SAFETY: `set` is writable and `size` bytes long; the call writes nothing else.
    let failed = unsafe { libc::sched_getaffinity(main_thread, size, &raw mut set) } != 0;
    if failed {
        return cores();
    }
    // SAFETY: `set` was filled in by the call above.
    let count = unsafe { libc::CPU_COUNT(&set) };
    usize::try_from(count).unwrap_or(1).max(1)
}

#[cfg(not(target_os = "linux"))]
fn process_cpus() -> usize {
    cores()
}

/// The point from which the process counts its time: that of the first call.
#[cfg(not(millpond_loom))]
pub(crate) fn process_origin() -> std::time::Instant {
    static ORIGIN: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
    *ORIGIN.get_or_init(std::time::Instant::now)
}

/// Returns the time of day in nanoseconds since 1970, to within a tick of the system's timer: 1 to 10 ms on Linux.
///
/// For a stamp on each of millions of jobs: it took 17 ns where the exact time took 62 to 91. Never ahead of the latter.
#[cfg(all(target_os = "linux", not(millpond_loom)))]
pub(crate) fn coarse_unix_nanos() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is writable and of the type that the call fills in; it writes nothing else.
    let failed = unsafe { libc::clock_gettime(libc::CLOCK_REALTIME_COARSE, &raw mut time) } != 0;
    if failed {
        return 0;
    }
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    let nanos = u64::try_from(time.tv_nsec).unwrap_or(0);
    seconds.saturating_mul(1_000_000_000).saturating_add(nanos)
}

/// As above, exactly, where there is no cheaper clock.
#[cfg(all(not(target_os = "linux"), not(millpond_loom)))]
pub(crate) fn coarse_unix_nanos() -> u64 {
    let time = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// Waits for a peer that is in the middle of a few instructions: pauses, then yields, then naps.
///
/// Never an unbounded spin: a peer that lost its processor gets ours, and one that is stopped costs next to nothing.
#[derive(Debug, Default)]
pub(crate) struct BusyWait {
    step: u32,
}

impl BusyWait {
    /// About a microsecond: longer than the peer needs if it is running.
    const PAUSES: u32 = 32;
    /// About 50 us when nobody else wants the processor, a scheduling slice of each other thread when somebody does.
    const YIELDS: u32 = 64;
    /// The first nap; each further one is twice as long, up to [`Self::NAP_DOUBLINGS`] times.
    const NAP: std::time::Duration = std::time::Duration::from_micros(50);
    const NAP_DOUBLINGS: u32 = 4;

    /// Starts a wait.
    pub(crate) const fn new() -> Self {
        Self { step: 0 }
    }

    /// Lets a little time pass, more at each call.
    #[cold]
    pub(crate) fn wait(&mut self) {
        let step = self.step;
        self.step = step.saturating_add(1);
        if cfg!(millpond_loom) {
            thread::yield_now();
        } else if step < Self::PAUSES {
            hint::spin_loop();
        } else if step < Self::PAUSES + Self::YIELDS {
            thread::yield_now();
        } else {
            let doublings = (step - Self::PAUSES - Self::YIELDS).min(Self::NAP_DOUBLINGS);
            thread::sleep(Self::NAP * (1 << doublings));
        }
    }

    /// Whether the cheap part of the wait is over, so that a task had better give its thread back.
    pub(crate) const fn is_long(&self) -> bool {
        cfg!(millpond_loom) || self.step > Self::PAUSES
    }
}

/// Asks for the cache line at `address` to be fetched for writing, so that a later store finds it at hand.
///
/// A hint: nothing is read or written, and any address will do.
#[inline(always)]
pub(crate) fn prefetch_for_write<T>(address: *const T) {
    // Not the intrinsic: for a processor that is not known to have the instruction it asks for the line to be read, which
    // leaves the store to wait. Every 64-bit processor executes it, those without the hint as nothing.
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a prefetch faults on no address and changes nothing but the state of the cache.
    unsafe {
        std::arch::asm!("prefetchw [{}]", in(reg) address, options(nostack, preserves_flags));
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = address;
}

/// Who goes to sleep. It decides what the fence before the last look may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sleeper {
    /// A thread that parks, which takes longer than any fence.
    Thread,
    /// A task that is put aside, which it may be millions of times a second.
    Task,
}

/// The cheap half of a pair of fences: orders this thread's earlier stores before its later loads, as seen by a thread
/// that calls [`heavy_fence`].
///
/// Of two threads, one that stores `x`, calls this and loads `y`, and one that stores `y`, calls `heavy_fence` and loads `x`, at
/// least one sees the other's store: what two `fence(SeqCst)` would give. Where the system can interrupt the other
/// threads of the process this costs no instruction, else it is that fence.
#[inline(always)]
pub(crate) fn light_fence() {
    if membarrier::is_there() {
        // ORDERING: SeqCst for the compiler alone; `membarrier` in `heavy_fence` does what the processor has to.
        std::sync::atomic::compiler_fence(std::sync::atomic::Ordering::SeqCst);
    } else {
        // ORDERING: SeqCst pairs with the one in `heavy_fence`.
        atomic::fence(atomic::Ordering::SeqCst);
    }
}

/// The dear half of the pair: see [`light_fence`]. Some microseconds; meant for a thread that is about to sleep.
#[cold]
pub(crate) fn heavy_fence() {
    if membarrier::is_there() {
        membarrier::run();
    } else {
        // ORDERING: SeqCst pairs with the one in `light_fence`.
        atomic::fence(atomic::Ordering::SeqCst);
    }
}

/// The system call that makes every running thread of the process pass a full fence (Linux 4.14 and later).
#[cfg(all(target_os = "linux", not(millpond_loom)))]
mod membarrier {
    use std::sync::OnceLock;

    /// Whether the process may use it. Asked once: both halves of the pair must agree for good.
    #[inline(always)]
    pub(super) fn is_there() -> bool {
        static REGISTERED: OnceLock<bool> = OnceLock::new();
        *REGISTERED.get_or_init(|| call(libc::MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED))
    }

    pub(super) fn run() {
        assert!(call(libc::MEMBARRIER_CMD_PRIVATE_EXPEDITED), "a registered process may use membarrier");
    }

    fn call(command: libc::c_int) -> bool {
        const FLAGS: libc::c_uint = 0;
        const CPU: libc::c_int = 0;
        // SAFETY: the call takes three integers and touches no memory of ours.
        unsafe { libc::syscall(libc::SYS_membarrier, command, FLAGS, CPU) == 0 }
    }
}

#[cfg(not(all(target_os = "linux", not(millpond_loom))))]
mod membarrier {
    pub(super) const fn is_there() -> bool {
        false
    }

    pub(super) const fn run() {}
}

#[cfg(not(millpond_loom))]
mod imp {
    pub use parking_lot::{Condvar, Mutex, MutexGuard};
    pub use std::sync::{Arc, atomic};

    pub mod hint {
        pub use std::hint::spin_loop;
    }

    pub mod thread {
        pub use std::thread::{Builder, JoinHandle, Thread, current, park, park_timeout, sleep, yield_now};
    }

    /// A cell whose content is reached through raw pointers in closures only, as loom's.
    #[derive(Debug)]
    #[repr(transparent)]
    pub struct UnsafeCell<T>(std::cell::UnsafeCell<T>);

    impl<T> UnsafeCell<T> {
        pub const fn new(value: T) -> Self {
            Self(std::cell::UnsafeCell::new(value))
        }

        #[inline(always)]
        pub fn with<R>(&self, read: impl FnOnce(*const T) -> R) -> R {
            read(self.0.get())
        }

        #[inline(always)]
        pub fn with_mut<R>(&self, write: impl FnOnce(*mut T) -> R) -> R {
            write(self.0.get())
        }
    }
}

#[cfg(millpond_loom)]
mod imp {
    pub use loom::cell::UnsafeCell;
    pub use loom::sync::{Arc, MutexGuard, atomic};

    pub mod hint {
        pub use loom::hint::spin_loop;
    }

    pub mod thread {
        use loom::sync::atomic::{AtomicBool, Ordering};
        pub use loom::thread::yield_now;
        use std::cell::Cell;
        use std::sync::Arc;
        use std::sync::atomic::AtomicBool as PlainBool;

        loom::thread_local! {
            static NAPS: Cell<usize> = Cell::new(0);
            static PARKER: Arc<Parker> = Arc::new(Parker {
                token: AtomicBool::new(false),
                parked: PlainBool::new(false),
            });
        }

        /// A thread that can be unparked.
        ///
        /// Loom's own `unpark` also releases a thread that waits for a mutex, which is wrong, and its token is lost at the next
        /// lock. So the token is an atomic of the model, and `unpark` is called only while the thread is inside `park`.
        #[derive(Clone, Debug)]
        pub struct Thread {
            thread: loom::thread::Thread,
            parker: Arc<Parker>,
        }

        #[derive(Debug)]
        struct Parker {
            token: AtomicBool,
            /// A plain one, for loom lets nothing run between the swap of the token, this flag and the call that follows.
            parked: PlainBool,
        }

        impl Thread {
            /// Lets the thread's `park`, or its next one, return.
            pub fn unpark(&self) {
                // ORDERING: Release pairs with the Acquire in `park`, as the standard library promises.
                self.parker.token.swap(true, Ordering::Release);
                // ORDERING: Relaxed; see `parked`.
                if self.parker.parked.load(Ordering::Relaxed) {
                    self.thread.unpark();
                }
            }
        }

        /// The calling thread.
        pub fn current() -> Thread {
            Thread { thread: loom::thread::current(), parker: PARKER.with(Arc::clone) }
        }

        /// Parks, and counts it.
        pub fn park() {
            let parker = PARKER.with(Arc::clone);
            // ORDERING: Acquire pairs with the Release in `unpark`.
            while !parker.token.swap(false, Ordering::Acquire) {
                NAPS.with(|naps| naps.set(naps.get() + 1));
                // ORDERING: Relaxed; see `parked`.
                parker.parked.store(true, Ordering::Relaxed);
                loom::thread::park();
                // ORDERING: Relaxed; see `parked`.
                parker.parked.store(false, Ordering::Relaxed);
            }
        }

        /// How often the calling thread has gone to sleep: lets a model tell apart who slept and who did not.
        pub fn naps() -> usize {
            NAPS.with(Cell::get)
        }

        /// Time does not pass under loom: a nap is a yield.
        pub fn sleep(_: std::time::Duration) {
            yield_now();
        }
    }

    /// Loom's lock with the shape of `parking_lot`'s: a model that panicked has failed, so poisoning says nothing.
    #[derive(Debug)]
    pub struct Mutex<T>(loom::sync::Mutex<T>);

    impl<T> Mutex<T> {
        pub fn new(value: T) -> Self {
            Self(loom::sync::Mutex::new(value))
        }

        pub fn lock(&self) -> MutexGuard<'_, T> {
            self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
        }
    }
}
