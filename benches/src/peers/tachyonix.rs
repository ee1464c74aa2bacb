//! tachyonix.

use crate::ends::{AsyncRx, AsyncTx, Asynchronous, Shape};
use crate::peer::Peer;
use tachyonix::{Receiver, Sender, channel};

pub(super) fn peers() -> Vec<Peer> {
    vec![Peer::new("tachyonix").asynchronous::<Mpsc>().select_async::<Mpsc>()]
}

struct Mpsc;

impl AsyncTx<u64> for Sender<u64> {
    #[inline]
    async fn send_one_async(&mut self, message: u64) {
        self.send(message).await.expect("the receiver is alive");
    }
}

impl AsyncRx<u64> for Receiver<u64> {
    #[inline]
    async fn recv_one_async(&mut self) -> Option<u64> {
        self.recv().await.ok()
    }
}

impl Asynchronous for Mpsc {
    fn fits(shape: &Shape) -> bool {
        shape.is_mpsc()
    }

    fn open_async(shape: Shape) -> (Vec<impl AsyncTx<u64>>, Vec<impl AsyncRx<u64>>) {
        let (sender, receiver) = channel(shape.capacity);
        (shape.senders(sender), vec![receiver])
    }
}
