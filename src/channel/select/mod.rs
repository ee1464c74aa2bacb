//! Waiting for the first of several sends and receives, over any channels: [`Select`], and [`select!`](crate::select!).

#![forbid(unsafe_code)]

mod choice;
mod ends;
mod error;
mod future;
mod macros;
mod operation;
mod shuffle;
mod wait;

pub(super) use choice::Choice;
pub use choice::{choose, choose_now, choose_within};
pub use ends::{RecvEnd, SendEnd};
pub(super) use ends::{Sealed, selectable};
pub use error::{SelectTimeoutError, TrySelectError};
pub use future::SelectFuture;
pub(super) use operation::SlotSource;
pub use wait::Select;
