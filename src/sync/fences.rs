//! A pair of fences of which one costs nothing, where the system can pay for it in the other.

use super::atomic;

/// Who goes to sleep. It decides what the fence before the last look may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sleeper {
    /// A thread that parks, which takes longer than any fence.
    Thread,
    /// A task that is put aside, which it may be millions of times a second.
    Task,
}

/// Whether [`free_fence`] is a fence: where the system can interrupt the other threads of the process. The answer never changes.
///
/// The first to ask registers the process with the system. That takes microseconds while it has one thread, and 10 to 25 ms
/// once it has several: ask when something is made, not on the way of a message.
pub(crate) fn fences_are_free() -> bool {
    cfg!(millpond_model) || membarrier::is_there()
}

/// The cheap half of a pair of fences: orders this thread's earlier stores before its later loads, as seen by a thread
/// that calls [`heavy_fence`]. It costs no instruction. For those who have asked whether [`fences_are_free`].
///
/// Of two threads, one that stores `x`, calls this and loads `y`, and one that stores `y`, calls `heavy_fence` and loads `x`, at
/// least one sees the other's store: what two `fence(SeqCst)` would give.
///
/// In the models, which know no `membarrier`, a fence stands for what the heavy one does to this thread.
#[inline(always)]
pub(crate) fn free_fence() {
    if cfg!(millpond_model) {
        // ORDERING: SeqCst pairs with the one in `heavy_fence`.
        atomic::fence(atomic::Ordering::SeqCst);
    } else {
        // ORDERING: SeqCst for the compiler alone; `membarrier` in `heavy_fence` does what the processor has to.
        std::sync::atomic::compiler_fence(std::sync::atomic::Ordering::SeqCst);
    }
}

/// The dear half of the pair: see [`free_fence`]. Some microseconds; meant for a thread that is about to sleep.
#[cold]
pub(crate) fn heavy_fence() {
    if membarrier::is_there() {
        membarrier::run();
    } else {
        // ORDERING: SeqCst pairs with that of the other side, which is strict where its half is not free.
        atomic::fence(atomic::Ordering::SeqCst);
    }
}

/// The system call that makes every running thread of the process pass a full fence (Linux 4.14 and later).
#[cfg(all(target_os = "linux", not(any(millpond_model, millpond_tsan))))]
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

#[cfg(not(all(target_os = "linux", not(any(millpond_model, millpond_tsan)))))]
mod membarrier {
    pub(super) const fn is_there() -> bool {
        false
    }

    pub(super) const fn run() {}
}
