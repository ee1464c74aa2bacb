//! Receives that are cancelled by the thousand, in `tokio::select!` and `futures::select!`: no message is lost.

#![allow(clippy::unwrap_used, reason = "a helper of a test may unwrap as the test may")]

mod common;

use common::Watchdog;
use futures::FutureExt;
use std::pin::pin;

/// Messages through each of the four channels.
const COUNT: u64 = 25_000;

macro_rules! by_tokio {
    ($a:ident, $b:ident, $c:ident, $d:ident) => {
        tokio::select! {
            n = $a.recv_async() => (0, n),
            n = $b.recv_async() => (1, n),
            n = $c.recv_async() => (2, n),
            n = $d.recv_async() => (3, n),
        }
    };
}

macro_rules! by_futures {
    ($a:ident, $b:ident, $c:ident, $d:ident) => {{
        let (mut a, mut b) = (pin!($a.recv_async().fuse()), pin!($b.recv_async().fuse()));
        let (mut c, mut d) = (pin!($c.recv_async().fuse()), pin!($d.recv_async().fuse()));
        futures::select! {
            n = a => (0, n),
            n = b => (1, n),
            n = c => (2, n),
            n = d => (3, n),
        }
    }};
}

/// Sends to four channels from tasks, and receives from all four in one loop. A borrow `&mut` does for shared ends too.
macro_rules! four_channels {
    ($bounded:path, $select:ident) => {
        for capacity in [0, 1, 64] {
            let ends: [_; 4] = std::array::from_fn(|_| $bounded(capacity));
            let mut receivers = Vec::new();
            let mut open = Vec::new();
            for (mut tx, rx) in ends {
                receivers.push(rx);
                open.push(tokio::spawn(async move {
                    for n in 0..COUNT {
                        let tx = &mut tx;
                        tx.send_async(n).await.unwrap();
                    }
                    // Kept open, so that no closed channel is ready before the others.
                    tx
                }));
            }
            let [a, b, c, d] = &mut receivers[..] else { unreachable!("there are four") };
            let mut next = [0; 4];
            for _ in 0..4 * COUNT {
                let (from, n): (usize, _) = $select!(a, b, c, d);
                assert_eq!(n, Ok(next[from]), "in order, and none missing");
                next[from] += 1;
            }
            assert_eq!(next, [COUNT; 4]);
            for task in open {
                drop(task.await.unwrap());
            }
            for rx in &mut receivers {
                assert!(rx.recv_async().await.is_err(), "nothing is left");
            }
        }
    };
}

macro_rules! cases {
    ($($family:ident)*) => {
        $(
            mod $family {
                use super::*;
                use millpond::$family::bounded;

                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn two_workers() {
                    let _dog = Watchdog::start(stringify!($family));
                    four_channels!(bounded, by_tokio);
                }

                #[tokio::test]
                async fn one_thread() {
                    let _dog = Watchdog::start(stringify!($family));
                    four_channels!(bounded, by_tokio);
                }

                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn futures_select() {
                    let _dog = Watchdog::start(stringify!($family));
                    four_channels!(bounded, by_futures);
                }
            }
        )*
    };
}

cases!(mpmc mpsc spsc);
