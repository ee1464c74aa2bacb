//! What `select!` is made of: operations that stand on the stack, and the choice of one. Public for the macro alone.

use super::operation::Kept;
use super::shuffle::shuffle;
use crate::wait::{Attempt, Deadline, Source, WaitSet, block_on_any, try_any};
use std::fmt;
use std::time::Duration;

/// One operation of a `select!`.
#[doc(hidden)]
pub struct Choice<S: Source> {
    /// `None`: it takes no part.
    kept: Option<Kept<S>>,
}

impl<S: Source> Choice<S> {
    pub(in crate::channel) fn new(source: Option<S>) -> Self {
        Self { kept: source.map(Kept::new) }
    }

    /// Lends it to [`choose`] and its like.
    pub fn lend(&mut self) -> Lent<'_> {
        Lent(self.kept.as_mut().map(|kept| kept as _))
    }

    /// Returns the answer, of the operation that was done.
    pub fn answer(self) -> Option<S::Output> {
        self.kept.and_then(|kept| kept.answer)
    }
}

/// An operation that is lent out. `None`: it takes no part.
#[doc(hidden)]
pub struct Lent<'a>(Option<&'a mut dyn Source<Output = ()>>);

const TAKES_PART: &str = "those that take no part were left out";

impl Lent<'_> {
    fn source(&self) -> &dyn Source<Output = ()> {
        self.0.as_deref().expect(TAKES_PART)
    }
}

impl Source for Lent<'_> {
    type Output = ();

    #[inline]
    fn attempt(&mut self) -> Attempt<()> {
        self.0.as_deref_mut().expect(TAKES_PART).attempt()
    }

    fn is_worth(&self, ahead: usize) -> bool {
        self.source().is_worth(ahead)
    }

    fn waiters(&self) -> &WaitSet {
        self.source().waiters()
    }

    fn arm(&self) {
        self.source().arm();
    }

    fn disarm(&self) {
        self.source().disarm();
    }
}

/// Leaves out those that take no part, and puts the others into the order in which they are tried.
fn arrange<'c, 'a>(choices: &'c mut [Lent<'a>], biased: bool) -> &'c mut [Lent<'a>] {
    let mut count = 0;
    for index in 0..choices.len() {
        if choices[index].0.is_some() {
            choices.swap(count, index);
            count += 1;
        }
    }
    let choices = &mut choices[..count];
    if !biased {
        shuffle(choices);
    }
    choices
}

/// Blocks until one operation is done.
///
/// # Panics
/// If none takes part.
#[doc(hidden)]
pub fn choose(choices: &mut [Lent<'_>], biased: bool) {
    let choices = arrange(choices, biased);
    assert!(!choices.is_empty(), "a select! without a default has an operation that takes part");
    let chosen = block_on_any(choices, Deadline::never());
    debug_assert!(chosen.is_ok(), "a wait without a deadline does not time out");
}

/// Blocks until one operation is done, or the time is up.
#[doc(hidden)]
pub fn choose_within(choices: &mut [Lent<'_>], biased: bool, timeout: Duration) {
    // What was chosen has kept its answer; nothing has if the time was up.
    let _ = block_on_any(arrange(choices, biased), Deadline::after(timeout));
}

/// Does an operation that is ready, if there is one.
#[doc(hidden)]
pub fn choose_now(choices: &mut [Lent<'_>], biased: bool) {
    let _ = try_any(arrange(choices, biased));
}

impl<S: Source> fmt::Debug for Choice<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Choice").finish_non_exhaustive()
    }
}

impl fmt::Debug for Lent<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lent").finish_non_exhaustive()
    }
}
