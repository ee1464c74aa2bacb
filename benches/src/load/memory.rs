//! Bytes on the heap.

use crate::ends::{Blocking, Shape, Tx};
use crate::heap;

/// Returns the bytes that a channel of `u64` holds, empty or full.
pub fn bytes<P: Blocking>(capacity: usize, full: bool) -> f64 {
    // Once before, so that what is allocated once in a process is not counted. It is sent and received in, too: some libraries
    // set up thread-local things at the first operation.
    drop(heap::bytes_held_by(|| fill::<P>(capacity, full)));
    let (bytes, channel) = heap::bytes_held_by(|| fill::<P>(capacity, full));
    drop(channel);
    bytes
}

/// The vectors that the ends come in do not belong to the channel, so they go to the stack.
fn fill<P: Blocking>(capacity: usize, full: bool) -> (impl Tx<u64>, impl Sized) {
    let (mut senders, mut receivers) = P::open::<u64>(Shape::new(1, 1, capacity));
    let (mut sender, receiver) = (senders.remove(0), receivers.remove(0));
    if full {
        (0..capacity as u64).for_each(|number| sender.send_one(number));
    }
    (sender, receiver)
}
