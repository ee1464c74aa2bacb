//! Handles that keep nothing open: written once, for every end that can be cloned.

/// Writes the weak handle `$weak` of `$handle`, which has a `shared` and is counted in `$count`. `$side` and `$end` are its names in
/// the docs, `$make` the beginning of the example.
macro_rules! weak {
    ($weak:ident of $handle:ident, $side:literal, $count:ident, $end:literal, $make:literal) => {
        #[doc = concat!("A handle that neither keeps the channel open nor counts as a ", $side, ".")]
        #[doc = concat!("Made by [`", stringify!($handle), "::downgrade`].")]
        ///
        /// It keeps the channel's memory, without the messages, until it is dropped.
        pub struct $weak<T> {
            shared: Arc<Shared<T>>,
        }

        impl<T> $handle<T> {
            /// Returns a handle that does not keep the channel open.
            ///
            /// # Examples
            /// ```
            #[doc = concat!($make, "::<u8>(1);")]
            #[doc = concat!("let weak = ", $end, ".downgrade();")]
            /// assert!(weak.upgrade().is_some());
            #[doc = concat!("drop(", $end, ");")]
            /// assert!(weak.upgrade().is_none());
            /// ```
            #[must_use]
            pub fn downgrade(&self) -> $weak<T> {
                $weak { shared: Arc::clone(&self.shared) }
            }
        }

        impl<T> $weak<T> {
            #[doc = concat!("Returns a full handle, unless the last ", $side, " is gone: then there never is one again.")]
            /// Lock-free.
            #[must_use]
            pub fn upgrade(&self) -> Option<$handle<T>> {
                let there = self.shared.waits().$count.add_to_others();
                there.then(|| $handle { shared: Arc::clone(&self.shared) })
            }
        }

        impl<T> Clone for $weak<T> {
            fn clone(&self) -> Self {
                Self { shared: Arc::clone(&self.shared) }
            }
        }

        impl<T> std::panic::UnwindSafe for $weak<T> {}
        impl<T> std::panic::RefUnwindSafe for $weak<T> {}

        impl<T> fmt::Debug for $weak<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($weak)).finish_non_exhaustive()
            }
        }
    };
}

pub(super) use weak;
