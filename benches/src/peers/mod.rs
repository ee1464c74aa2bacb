//! Millpond and the crates it is measured beside. One file each, and one line in the table.

#![forbid(unsafe_code)]

use crate::peer::Peer;

macro_rules! peers {
    ($($file:ident,)*) => {
        $(mod $file;)*

        /// Returns everybody, in the order of the tables. Millpond comes first.
        #[must_use]
        pub fn all() -> Vec<Peer> {
            [$($file::peers(),)*].into_iter().flatten().collect()
        }
    };
}

peers! {
    millpond,
    crossbeam_channel,
    crossfire,
    kanal,
    flume,
    async_channel,
    tokio,
    thingbuf,
    tachyonix,
    sync_channel,
    rtrb,
    ringbuf,
    array_queue,
    disruptor,
    bus,
    async_broadcast,
    rayon,
    threadpool,
    rusty_pool,
    bare_threads,
    unpark,
}
