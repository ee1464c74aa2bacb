//! Whether the one who moved a cursor owes somebody a wake-up.

/// Whether a wake-up is owed, as it travels beside a value that was popped.
///
/// Not a `bool`: the compiler would keep the error of a refused pop in the values that a `bool` does not have, and so lay the error over
/// the first byte of the value. Values are then moved in pieces, and each move waits for the one before: some ten nanoseconds for
/// messages of a cache line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owed(u8);

impl Owed {
    /// Whether it is.
    #[inline(always)]
    pub const fn is_owed(self) -> bool {
        self.0 != 0
    }
}

impl From<bool> for Owed {
    #[inline(always)]
    fn from(owed: bool) -> Self {
        Self(u8::from(owed))
    }
}
