//! Iterators over the messages of a channel: written once, for shared and unique receivers.

/// Writes the iterators of a module's `Receiver`. `$mutable` is `mut` where it is unique.
macro_rules! iterators {
    ($($mutable:ident)?) => {
        /// Blocks for each message; ends when the channel is closed and empty. Made by [`Receiver::iter`].
        pub struct Iter<'a, T> {
            receiver: &'a $($mutable)? Receiver<T>,
        }

        impl<T> Iterator for Iter<'_, T> {
            type Item = T;

            fn next(&mut self) -> Option<T> {
                self.receiver.recv().ok()
            }
        }

        impl<T> FusedIterator for Iter<'_, T> {}

        /// Takes the messages that are there, without blocking. Made by [`Receiver::try_iter`].
        ///
        /// After `None` it may bring messages again, once there are some.
        pub struct TryIter<'a, T> {
            receiver: &'a $($mutable)? Receiver<T>,
        }

        impl<T> Iterator for TryIter<'_, T> {
            type Item = T;

            fn next(&mut self) -> Option<T> {
                self.receiver.try_recv().ok()
            }
        }

        /// Blocks for each message, and owns its receiver; ends when the channel is closed and empty.
        pub struct IntoIter<T> {
            receiver: Receiver<T>,
        }

        impl<T> Iterator for IntoIter<T> {
            type Item = T;

            fn next(&mut self) -> Option<T> {
                self.receiver.recv().ok()
            }
        }

        impl<T> FusedIterator for IntoIter<T> {}

        impl<'a, T> IntoIterator for &'a $($mutable)? Receiver<T> {
            type Item = T;
            type IntoIter = Iter<'a, T>;

            fn into_iter(self) -> Iter<'a, T> {
                self.iter()
            }
        }

        impl<T> IntoIterator for Receiver<T> {
            type Item = T;
            type IntoIter = IntoIter<T>;

            fn into_iter(self) -> IntoIter<T> {
                IntoIter { receiver: self }
            }
        }

        impl<T> fmt::Debug for Iter<'_, T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_tuple("Iter").field(&self.receiver).finish()
            }
        }

        impl<T> fmt::Debug for TryIter<'_, T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_tuple("TryIter").field(&self.receiver).finish()
            }
        }

        impl<T> fmt::Debug for IntoIter<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_tuple("IntoIter").field(&self.receiver).finish()
            }
        }
    };
}

pub(super) use iterators;
