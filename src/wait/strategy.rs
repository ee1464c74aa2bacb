//! How a thread waits: the choice of whoever makes a channel.

/// What a thread does when it has to wait for a channel: trades the time to notice against processor time.
///
/// Chosen when a channel is made, with [`bounded_with`](crate::mpmc::bounded_with) and its namesakes, for both sides. It is
/// looked at only by a thread that is about to wait: what finds a message or room at once costs the same with all three. Tasks
/// (`*_async`, streams) never spin, whatever the strategy. Where all threads of the process share one processor a task may give it
/// away once before it sleeps, if other threads then bring many messages at once (not with `Park`).
///
/// | | to notice what happened | processor time of one that waits |
/// |---|---|---|
/// | `Adaptive` | at once for some 60 us, then as `Park` | 60 us for each wait, or less where spinning fails; then none |
/// | `Park` | a wake-up by the system: some 50 us, and 10 us for the one who wakes | none |
/// | `Busy` | at once | all of it, for as long as it waits |
///
/// The figures are those of one machine with two processors: take them as orders of magnitude.
///
/// # Examples
/// ```
/// use millpond::{WaitStrategy, mpmc};
///
/// // Messages are rare here: do not spend a processor's time on looking out for them.
/// let (tx, rx) = mpmc::bounded_with(64, WaitStrategy::Park);
/// std::thread::spawn(move || tx.send("rare"));
/// assert_eq!(rx.recv(), Ok("rare"));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum WaitStrategy {
    /// Spins for some 10 us where that has paid lately, then gives the processor away a few times, looking in between, then
    /// parks. The default, and right unless you know better.
    #[default]
    Adaptive,
    /// Parks at once. For threads that mostly wait, on machines whose processor time is wanted elsewhere (or paid for, or
    /// drawn from a battery). Where messages come in quick succession it is an order of magnitude slower: each may cost a
    /// wake-up.
    Park,
    /// Spins until there is something to do or the time limit has passed, and never parks. Gives the processor away now and
    /// then, so that it does not starve a peer that shares it.
    ///
    /// **A thread that waits so uses up a whole processor, idle or not.** Only for threads that have a processor to themselves;
    /// with more such threads than processors it is slower than `Adaptive`.
    Busy,
}
