//! Who waits burns nothing. A program of its own, for the processor time of a process is all that can be measured.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a helper of a test may unwrap as the test may")]

mod common;

use common::Sleeper;
use millpond::bounded;
use std::time::Duration;

/// Returns how long the process has kept processors busy so far, in ticks of 10 ms.
fn ticks() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<_> = stat.rsplit(") ").next().unwrap().split(' ').collect();
    // Fields 14 and 15 of the whole: time in user mode and in the system; the state, after the name, is field 3.
    fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
}

/// Receivers and senders, threads and a task, that wait for a second use less than a tenth of one processor together.
///
/// The bound is generous: the time is really below one tick of 10 ms, and one spinning thread would use 100 of them.
#[test]
fn waiting_burns_nothing() {
    let (tx, rx) = bounded::<u8>(1);
    let (full_tx, full_rx) = bounded::<u8>(1);
    full_tx.send(0).unwrap();
    let sleepers = [
        Sleeper::asleep({
            let rx = rx.clone();
            move || rx.recv().is_err()
        }),
        Sleeper::asleep({
            let rx = rx.clone();
            move || rx.recv_timeout(Duration::from_secs(1000)).is_err()
        }),
        Sleeper::asleep(move || futures::executor::block_on(rx.recv_async()).is_err()),
        Sleeper::asleep(move || full_tx.send(1).is_err()),
    ];
    let before = ticks();
    std::thread::sleep(Duration::from_secs(1));
    let used = ticks() - before;
    assert!(used < 10, "{used} ticks of 10 ms");
    drop((tx, full_rx));
    assert!(sleepers.into_iter().all(Sleeper::join));
}
