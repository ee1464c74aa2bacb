//! A select that is put together at run time.

use super::ends::{RecvEnd, SendEnd};
use super::error::{SelectTimeoutError, TrySelectError};
use super::future::SelectFuture;
use super::operation::{Entry, Kept, Receiving, Sending};
use super::shuffle::shuffle;
use crate::channel::error::{RecvError, SendError};
use crate::wait::{Deadline, block_on_any, try_any};
use std::fmt;
use std::time::{Duration, Instant};

/// Waits for the first of any number of sends and receives, over channels of different messages and kinds.
///
/// Each operation comes with a closure that turns its answer into an `R`. Exactly one operation is done by each wait; of the
/// others nothing is taken, and nothing is sent. For a fixed set of operations [`select!`](crate::select!) is shorter.
///
/// *Closed.* A closed channel is ready: a receive answers [`RecvError`] once it is empty, a send gives its message back.
///
/// *Again and again.* A receive stays for the next wait, until it has answered `RecvError` once; a send goes when it is done. When
/// no operation is left the waits say so, so that a loop over them ends when all channels have.
///
/// *Fairness.* The operations take turns, in a random order, so that of those that are always ready each is done equally often, and
/// none is left behind for ever. A turn is one wait at least and 16 at most: while a channel has more, its messages are taken in
/// a row. With [`biased`](Self::biased) the order is that in which they were added, in every wait.
///
/// *A message that is not sent* stays where it is: [`send`](Self::send) takes it out of the user's slot when there is room for it.
///
/// *Progress.* Spins and yields for a bounded time before it parks. While one waits it stands in the line of each channel. Woken by
/// one of them when it has been served by another, it passes that on, so nobody's wake-up is lost.
///
/// *Memory.* One box for each operation, made when it is added. A wait of more than 8 operations that has to park, and an
/// async wait that is pending, make one allocation.
///
/// # Examples
/// ```
/// use millpond::Select;
///
/// let (numbers, number) = millpond::bounded::<u32>(4);
/// let (words, mut word) = millpond::spsc::bounded::<&str>(4);
/// std::thread::spawn(move || numbers.send_many([1, 2]));
/// let mut words = words;
/// std::thread::spawn(move || words.send("three"));
///
/// let mut sum = 0;
/// let mut select = Select::new()
///     .recv(&number, |answer| answer.unwrap_or(0))
///     .recv(&mut word, |answer| answer.map_or(0, |word| word.len() as u32));
/// while let Some(n) = select.wait() {
///     sum += n; // ends when both channels are closed and empty
/// }
/// assert_eq!(sum, 1 + 2 + 5);
/// ```
#[must_use = "a select does nothing until it waits"]
pub struct Select<'a, R> {
    entries: Vec<Entry<'a, R>>,
    biased: bool,
    /// How many more waits may begin with the operation that was done last.
    turn: u8,
}

/// How many waits a turn may last. A guess: what looking at channels that are empty costs is then small beside the messages.
const TURN: u8 = 16;

impl<'a, R> Select<'a, R> {
    /// Makes a select without operations, which is fair.
    pub const fn new() -> Self {
        Self { entries: Vec::new(), biased: false, turn: 0 }
    }

    /// Tries the operations in the order in which they were added: of several that are ready, the first is done.
    ///
    /// An operation that is always ready then keeps the later ones from ever being done.
    ///
    /// # Examples
    /// ```
    /// let (tx, rx) = millpond::bounded(4);
    /// let (_stop, stopped) = millpond::bounded::<()>(1);
    /// tx.send(7)?;
    /// let mut select = millpond::Select::new().biased().recv(&stopped, |_| None).recv(&rx, Result::ok);
    /// assert_eq!(select.wait(), Some(Some(7)));
    /// # Ok::<(), millpond::SendError<i32>>(())
    /// ```
    pub const fn biased(mut self) -> Self {
        self.biased = true;
        self
    }

    /// Adds a receive: of a `&Receiver`, or a `&mut Receiver` where the receiver is the only one.
    ///
    /// `then` gets the message, or `RecvError` once if the channel is closed and empty; then the operation is gone. It runs when the
    /// wait is over, in the thread or task that waited; the select is usable if it panics.
    pub fn recv<E, F>(mut self, receiver: E, then: F) -> Self
    where
        E: RecvEnd + 'a,
        E::Message: 'a,
        F: FnMut(Result<E::Message, RecvError>) -> R + Send + 'a,
    {
        let kept = Kept::new(receiver.receiving());
        self.entries.push(Entry::new(Receiving { kept, then }));
        self
    }

    /// Adds a send: by a `&Sender`, or a `&mut Sender` where the sender is the only one.
    ///
    /// The message is taken out of `slot` when it is sent, or given to `then` with the error if the channel is closed. Otherwise it
    /// stays. If the slot is empty there is nothing to send, and nothing is added.
    ///
    /// # Examples
    /// ```
    /// use millpond::{Select, SelectTimeoutError};
    /// use std::time::Duration;
    ///
    /// let (tx, rx) = millpond::bounded(1);
    /// tx.send("first")?;
    /// let mut message = Some("second");
    /// let mut select = Select::new().send(&tx, &mut message, |answer| answer.is_ok());
    /// assert_eq!(select.wait_timeout(Duration::from_millis(1)), Err(SelectTimeoutError::Timeout));
    /// rx.recv().unwrap();
    /// assert_eq!(select.wait(), Some(true));
    /// assert_eq!(select.wait(), None); // nothing is left to do
    /// drop(select);
    /// assert_eq!(message, None); // it was sent
    /// # Ok::<(), millpond::SendError<&str>>(())
    /// ```
    pub fn send<E, F>(mut self, sender: E, slot: &'a mut Option<E::Message>, then: F) -> Self
    where
        E: SendEnd + 'a,
        F: FnOnce(Result<(), SendError<E::Message>>) -> R + Send + 'a,
    {
        if let Some(source) = sender.sending(slot) {
            let kept = Kept::new(source);
            self.entries.push(Entry::new(Sending { kept, then: Some(then) }));
        }
        self
    }

    /// Returns how many operations are left.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.iter().filter(|entry| !entry.is_spent()).count()
    }

    /// Whether no operation is left.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Does one operation, blocking the thread until one is ready. `None`: no operation is left.
    pub fn wait(&mut self) -> Option<R> {
        self.wait_until(Deadline::never()).ok()
    }

    /// Does one operation that is ready at once.
    ///
    /// Never parks. Waits for a peer that is in the middle of a step, as `try_send` and `try_recv` do: `NotReady` is exact.
    ///
    /// # Errors
    /// [`TrySelectError::NotReady`], with nothing done, or [`TrySelectError::Finished`] if no operation is left.
    pub fn try_wait(&mut self) -> Result<R, TrySelectError> {
        self.arrange();
        if self.entries.is_empty() {
            return Err(TrySelectError::Finished);
        }
        let index = try_any(&mut self.entries).ok_or(TrySelectError::NotReady)?;
        Ok(self.finish(index))
    }

    /// Does one operation, blocking the thread for up to `timeout` until one is ready. Tries at least once.
    ///
    /// A `timeout` that no [`Instant`] can express is waited out for ever.
    ///
    /// # Errors
    /// [`SelectTimeoutError::Timeout`], with nothing done, or [`SelectTimeoutError::Finished`] if no operation is left.
    pub fn wait_timeout(&mut self, timeout: Duration) -> Result<R, SelectTimeoutError> {
        self.wait_until(Deadline::after(timeout))
    }

    /// Does one operation, blocking the thread until `deadline` at most until one is ready. Tries at least once.
    ///
    /// # Errors
    /// As [`wait_timeout`](Self::wait_timeout).
    pub fn wait_deadline(&mut self, deadline: Instant) -> Result<R, SelectTimeoutError> {
        self.wait_until(Deadline::at(deadline))
    }

    /// Does one operation, letting the task wait until one is ready. `None`: no operation is left.
    ///
    /// Works in any executor, and never blocks the thread.
    ///
    /// *Cancel safety.* Dropping the future does nothing: no message is taken or sent, and no wake-up is lost.
    ///
    /// # Examples
    /// ```
    /// # futures::executor::block_on(async {
    /// let (tx, rx) = millpond::bounded(4);
    /// let (_other, idle) = millpond::bounded(4);
    /// std::thread::spawn(move || tx.send(7));
    /// let mut select = millpond::Select::new().recv(&idle, Result::ok).recv(&rx, Result::ok);
    /// assert_eq!(select.wait_async().await, Some(Some(7)));
    /// # });
    /// ```
    pub fn wait_async(&mut self) -> SelectFuture<'_, 'a, R> {
        self.arrange();
        SelectFuture::new(&mut self.entries)
    }

    fn wait_until(&mut self, deadline: Deadline) -> Result<R, SelectTimeoutError> {
        self.arrange();
        if self.entries.is_empty() {
            return Err(SelectTimeoutError::Finished);
        }
        let index = block_on_any(&mut self.entries, deadline).map_err(|_| SelectTimeoutError::Timeout)?;
        Ok(self.finish(index))
    }

    /// Hands an answer over. Its operation is the first to be tried for the rest of the turn.
    fn finish(&mut self, index: usize) -> R {
        let mut done = index;
        if !self.biased {
            self.entries.swap(0, index);
            done = 0;
        }
        self.entries[done].finish()
    }

    /// Lets go of what takes no part any more, and puts the rest into the order in which it is tried.
    fn arrange(&mut self) {
        self.entries.retain(|entry| !entry.is_spent());
        if self.biased {
            return;
        }
        match self.turn.checked_sub(1) {
            Some(left) => self.turn = left,
            None => {
                shuffle(&mut self.entries);
                self.turn = TURN - 1;
            }
        }
    }
}

impl<R> Default for Select<'_, R> {
    fn default() -> Self {
        Self::new()
    }
}

impl<R> fmt::Debug for Select<'_, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Select")
            .field("len", &self.len())
            .field("biased", &self.biased)
            .finish_non_exhaustive()
    }
}
