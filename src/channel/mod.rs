//! Bounded channels: each message goes to one receiver. Blocking and async ends mix freely on one channel.
//!
//! A channel is a ring, two sets of waiters and two handle counts. There is one ring for each cardinality, for capacity 0 an
//! `exchange` in its place (and for 1 and 2 on a single processor), and all else is written once: `end` joins moving a value with waking the other side, `source` holds what a send or a receive tries and
//! where it waits, for threads and tasks alike, and `sender`, `receiver`, `future`, `iter`, `stream` and `weak` are the public face
//! of it, which `mpmc`, `mpsc` and `spsc` put on: shared ends by `&self`, unique ends by `&mut self`. `select` waits for the first of several.

#![forbid(unsafe_code)]

mod count;
mod end;
mod error;
mod exchange;
mod future;
mod iter;
pub mod mpmc;
pub mod mpsc;
mod observers;
mod permit;
mod receiver;
mod reserve;
pub(crate) mod select;
mod sender;
mod shared;
mod sides;
#[cfg(feature = "sink")]
mod sink;
mod source;
pub mod spsc;
#[cfg(feature = "stream")]
mod stream;
mod waits;
mod weak;

pub use error::{
    RecvError, RecvTimeoutError, SendError, SendManyError, SendTimeoutError, TryRecvError,
    TryRecvRelaxedError, TrySendError, TrySendRelaxedError,
};
#[cfg(all(feature = "stream", not(millpond_lower)))]
pub(crate) use mpmc::RecvStream;
#[cfg(not(millpond_lower))]
pub(crate) use mpmc::{Receiver, Sender, bounded};
