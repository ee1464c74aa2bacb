//! thingbuf's `mpsc::blocking` and `mpsc`.

use crate::ends::{AsyncRx, AsyncTx, Asynchronous, Blocking, Message, Rx, Shape, Tx};
use crate::peer::Peer;
use thingbuf::mpsc::{self, blocking};

pub(super) fn peers() -> Vec<Peer> {
    vec![Peer::new("thingbuf").blocking::<Mpsc>().asynchronous::<Mpsc>().select_async::<Mpsc>()]
}

struct Mpsc;

impl<M: Message> Tx<M> for blocking::Sender<M> {
    #[inline]
    fn send_one(&mut self, message: M) {
        assert!(self.send(message).is_ok(), "the receiver is alive");
    }
}

impl<M: Message> Rx<M> for blocking::Receiver<M> {
    #[inline]
    fn recv_one(&mut self) -> Option<M> {
        self.recv()
    }
}

impl AsyncTx<u64> for mpsc::Sender<u64> {
    #[inline]
    async fn send_one_async(&mut self, message: u64) {
        self.send(message).await.expect("the receiver is alive");
    }
}

impl AsyncRx<u64> for mpsc::Receiver<u64> {
    #[inline]
    async fn recv_one_async(&mut self) -> Option<u64> {
        self.recv().await
    }
}

impl Blocking for Mpsc {
    fn fits(shape: &Shape) -> bool {
        shape.is_mpsc()
    }

    fn open<M: Message>(shape: Shape) -> (Vec<impl Tx<M>>, Vec<impl Rx<M>>) {
        let (sender, receiver) = blocking::channel(shape.capacity);
        (shape.senders(sender), vec![receiver])
    }
}

impl Asynchronous for Mpsc {
    fn fits(shape: &Shape) -> bool {
        shape.is_mpsc()
    }

    fn open_async(shape: Shape) -> (Vec<impl AsyncTx<u64>>, Vec<impl AsyncRx<u64>>) {
        let (sender, receiver) = mpsc::channel(shape.capacity);
        (shape.senders(sender), vec![receiver])
    }
}
