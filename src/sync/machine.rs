//! What the machine and the system offer: processors, clocks, the cache.

use super::OnceLock;

/// How many processors the process may use, read once.
///
/// `num_cpus` asks for the calling thread, and would answer 1 on a pinned one: the first caller decides for all.
pub(crate) fn cores() -> usize {
    static CORES: OnceLock<usize> = OnceLock::new();
    *CORES.get_or_init(|| num_cpus::get().max(1))
}

/// Whether the whole process is confined to one processor, where spinning for a peer only keeps the peer from running.
pub(crate) fn single_cpu() -> bool {
    cpus() == 1
}

/// To how many processors the whole process is confined, read once.
pub(crate) fn cpus() -> usize {
    static CPUS: OnceLock<usize> = OnceLock::new();
    *CPUS.get_or_init(process_cpus)
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
#[cfg(not(millpond_lower))]
pub(crate) fn process_origin() -> std::time::Instant {
    static ORIGIN: OnceLock<std::time::Instant> = OnceLock::new();
    *ORIGIN.get_or_init(std::time::Instant::now)
}

/// Returns the time of day in nanoseconds since 1970, to within a tick of the system's timer: 1 to 10 ms on Linux.
///
/// For a stamp on each of millions of jobs: it took 17 ns where the exact time took 62 to 91. Never ahead of the latter.
#[cfg(all(target_os = "linux", not(millpond_lower)))]
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
#[cfg(all(not(target_os = "linux"), not(millpond_lower)))]
pub(crate) fn coarse_unix_nanos() -> u64 {
    let time = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
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

/// Has the processor fetch the cache line of `address`, to be read soon: as [`prefetch_for_write`].
#[inline(always)]
pub(crate) fn prefetch_for_read<T>(address: *const T) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: a prefetch faults on no address and changes nothing but the state of the cache.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(address.cast()) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = address;
}
