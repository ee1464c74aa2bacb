//! kanal.

use crate::channel::ChannelPeer;
use kanal::{Receiver, Sender, bounded};

pub(super) struct Kanal;

impl ChannelPeer for Kanal {
    const NAME: &'static str = "kanal";
    type Sender = Sender<u64>;
    type Receiver = Receiver<u64>;

    fn bounded(capacity: usize) -> (Sender<u64>, Receiver<u64>) {
        bounded(capacity)
    }

    #[inline]
    fn send(sender: &Sender<u64>, message: u64) {
        sender.send(message).expect("the receivers are alive");
    }

    #[inline]
    fn recv(receiver: &Receiver<u64>) -> Option<u64> {
        receiver.recv().ok()
    }
}
