//! Whether several values can be pushed or popped at once: hints for those who wait, which look at one slot away from where the other
//! side works.

use super::cursor::position;
use super::many::Mpmc;
use crate::sync::atomic::Ordering;

impl<T> Mpmc<T> {
    /// Whether there is room for more than `ahead` values. A hint that looks at one slot, away from those being popped.
    #[inline]
    pub fn has_room_ahead(&self, ahead: usize) -> bool {
        if ahead >= self.capacity() {
            return false;
        }
        // ORDERING: Relaxed; a hint.
        let at = self.geometry.advance(position(self.tail.load(Ordering::Relaxed)), ahead);
        self.slot(at).is_writable(at)
    }

    /// Whether there are more than `ahead` values. A hint that looks at one slot, away from those being pushed.
    #[inline]
    pub fn has_values_ahead(&self, ahead: usize) -> bool {
        // ORDERING: Relaxed; a hint.
        self.has_values_behind(position(self.head.load(Ordering::Relaxed)), ahead)
    }

    /// As above, of a popper that knows where `head` is.
    #[inline(always)]
    pub(super) fn has_values_behind(&self, head: u64, ahead: usize) -> bool {
        if ahead >= self.capacity() {
            return false;
        }
        let at = self.geometry.advance(head, ahead);
        self.slot(at).is_readable(at)
    }
}
