//! bus.

use crate::ends::{Broadcast, Publish, Subscribe};
use crate::peer::Peer;
use bus::{Bus, BusReader};

pub(super) fn peers() -> Vec<Peer> {
    vec![Peer::new("bus").broadcast::<Lossless>()]
}

struct Lossless;

impl Publish for Bus<u64> {
    #[inline]
    fn publish_one(&mut self, number: u64) {
        self.broadcast(number);
    }
}

impl Subscribe for BusReader<u64> {
    #[inline]
    fn receive_some(&mut self, take: &mut impl FnMut(u64)) -> Option<u64> {
        take(self.recv().ok()?);
        Some(0)
    }
}

impl Broadcast for Lossless {
    const LOSSY: bool = false;

    fn open_broadcast(capacity: usize, subscribers: usize) -> (impl Publish + Send, Vec<impl Subscribe>) {
        let mut bus = Bus::new(capacity);
        let readers = (0..subscribers).map(|_| bus.add_rx()).collect();
        (bus, readers)
    }
}
