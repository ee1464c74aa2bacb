//! Dropping what belongs to the user, whatever its `Drop` does.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// Drops `value`. Returns false when that panicked; the panic ends here.
///
/// The payload of such a panic is the user's as well; if even its drop panics, the second payload is leaked.
pub(crate) fn discard<T>(value: T) -> bool {
    if !std::mem::needs_drop::<T>() {
        return true;
    }
    match catch_unwind(AssertUnwindSafe(|| drop(value))) {
        Ok(()) => true,
        Err(payload) => {
            if let Err(second) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
                std::mem::forget(second);
            }
            false
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Bomb(u32);

    impl Drop for Bomb {
        fn drop(&mut self) {
            if self.0 > 0 {
                std::panic::panic_any(Bomb(self.0 - 1));
            }
        }
    }

    #[test]
    fn a_panic_in_drop_ends_here_even_if_its_payload_panics_too() {
        assert!(discard(7));
        assert!(discard(Bomb(0)));
        assert!(!discard(Bomb(1)));
        assert!(!discard(Bomb(2)));
        assert!(!discard(Box::new(Bomb(3))));
    }
}
