//! Which ends a select takes, and how: shared ones by `&`, unique ones by `&mut`.

use crate::channel::error::{RecvError, SendError};
use crate::wait::Source;

/// A receiver as [`Select::recv`](super::Select::recv) takes it: `&Receiver` where the receiver can be shared, `&mut Receiver`
/// where it is the only one.
///
/// Implemented by this crate alone.
pub trait RecvEnd: Sealed {
    /// What is received.
    type Message: Send;

    /// Makes a receive of it.
    #[doc(hidden)]
    fn receiving(self) -> impl Source<Output = Result<Self::Message, RecvError>> + Send;
}

/// A sender as [`Select::send`](super::Select::send) takes it: `&Sender` where senders can be shared, `&mut Sender` where it is
/// the only one.
///
/// Implemented by this crate alone.
pub trait SendEnd: Sealed {
    /// What is sent.
    type Message: Send;

    /// Makes a send of it, of the message in the slot. `None`: the slot is empty.
    #[doc(hidden)]
    fn sending(
        self,
        slot: &mut Option<Self::Message>,
    ) -> Option<impl Source<Output = Result<(), SendError<Self::Message>>> + Send>;
}

/// Nobody else can name it.
pub trait Sealed {}

/// Lets a module's `Sender` and `Receiver` take part in selects, by a reference each.
macro_rules! selectable {
    ([$($send_by:tt)+], [$($recv_by:tt)+]) => {
        const _: () = {
            use crate::channel::select::{Choice, RecvEnd, Sealed, SendEnd, SlotSource};
            use crate::wait::Source;

            impl<T> Sender<T> {
                /// Makes a send for `select!`.
                #[doc(hidden)]
                pub fn __sending(
                    $($send_by)+ self,
                    slot: &mut Option<T>,
                ) -> Choice<impl Source<Output = Result<(), SendError<T>>>> {
                    Choice::new(SlotSource::new(self.end(), slot))
                }
            }

            impl<T> Receiver<T> {
                /// Makes a receive for `select!`.
                #[doc(hidden)]
                pub fn __receiving(
                    $($recv_by)+ self,
                ) -> Choice<impl Source<Output = Result<T, RecvError>>> {
                    Choice::new(Some(RecvSource::new(self.end())))
                }
            }

            impl<T> Sealed for $($send_by)+ Sender<T> {}
            impl<T> Sealed for $($recv_by)+ Receiver<T> {}

            impl<T: Send> SendEnd for $($send_by)+ Sender<T> {
                type Message = T;

                fn sending(
                    self,
                    slot: &mut Option<T>,
                ) -> Option<impl Source<Output = Result<(), SendError<T>>> + Send> {
                    SlotSource::new(self.end(), slot)
                }
            }

            impl<T: Send> RecvEnd for $($recv_by)+ Receiver<T> {
                type Message = T;

                fn receiving(self) -> impl Source<Output = Result<T, RecvError>> + Send {
                    RecvSource::new(self.end())
                }
            }
        };
    };
}

pub(in crate::channel) use selectable;
