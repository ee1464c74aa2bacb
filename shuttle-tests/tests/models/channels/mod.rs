//! Channels: each message to one receiver, whatever ends, cancels or closes meanwhile.

mod cancel;
mod closing;
mod extras;
mod flow;
mod tiny;

use crate::harness::{Ledger, Value};
use std::collections::BTreeSet;

/// Makes the channel of a model.
type Make = fn() -> (millpond::Sender<Value>, millpond::Receiver<Value>);

/// The number of a message: its sender, and its place among that sender's.
pub(crate) fn number(sender: u32, place: u32) -> u32 {
    sender * 100 + place
}

/// Asserts that what one receiver got keeps each sender's order.
fn assert_in_order(received: &[u32]) {
    for pair in received.iter().enumerate() {
        let later = received[pair.0 + 1..].iter().filter(|later| *later / 100 == pair.1 / 100);
        later.for_each(|later| assert!(later > pair.1, "out of order: {received:?}"));
    }
}

/// Takes the numbers of what one receiver got, in order, and drops the values.
fn numbers(values: Vec<Value>) -> Vec<u32> {
    let numbers: Vec<_> = values.iter().map(|value| value.id).collect();
    assert_in_order(&numbers);
    numbers
}

/// The law of all of them: what was made has been dropped once, and each message was received, or came back, or was inside
/// when the last receiver went.
fn assert_conserved(ledger: &Ledger, sent: &[u32], received: &[&[u32]], may_be_inside: bool) {
    ledger.assert_settled();
    let all: Vec<u32> = received.iter().flat_map(|some| some.iter().copied()).collect();
    let set: BTreeSet<u32> = all.iter().copied().collect();
    assert_eq!(set.len(), all.len(), "received twice: {received:?}");
    let sent: BTreeSet<u32> = sent.iter().copied().collect();
    assert!(set.is_subset(&sent), "received {set:?}, sent {sent:?}");
    assert!(may_be_inside || set == sent, "received {set:?}, sent {sent:?}");
}
