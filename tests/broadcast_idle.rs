//! Who waits on a broadcast burns nothing, and nothing is left when it is gone. A program of its own: processor time and
//! threads are measured for the whole process.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a helper of a test may unwrap as the test may")]

mod common;

use common::Sleeper;
use futures::executor::block_on;
use millpond::broadcast::{lossless, lossless_evicting, lossy};
use std::time::Duration;

/// Returns how long the process has kept processors busy so far, in ticks of 10 ms.
fn ticks() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<_> = stat.rsplit(") ").next().unwrap().split(' ').collect();
    // Fields 14 and 15 of the whole: time in user mode and in the system; the state, after the name, is field 3.
    fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
}

fn alarms() -> usize {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    let names = tasks.filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("comm")).ok());
    names.filter(|name| name.trim_end() == "millpond-alarm").count()
}

/// Looks again and again, for ten seconds.
fn comes_true(is_so: impl Fn() -> bool) -> bool {
    (0..1000).any(|_| {
        std::thread::sleep(Duration::from_millis(10));
        is_so()
    })
}

/// Subscribers of both kinds, threads and tasks, and a publisher before a full channel, for a second. The bound is generous:
/// one spinning thread would use 100 ticks.
#[test]
fn waiting_burns_nothing_and_an_alarm_ends_with_its_channel() {
    let (quiet, first) = lossless::<u8>(4);
    let (lossy_quiet, lossy_first) = lossy::<u8>(4);
    let mut sleepers = Vec::new();
    for mut subscriber in [first, quiet.subscribe(), lossy_first, lossy_quiet.subscribe()] {
        let asleep_as_a_task = sleepers.len() % 2 == 1;
        sleepers.push(Sleeper::asleep(move || {
            let end = if asleep_as_a_task { block_on(subscriber.recv_async()) } else { subscriber.recv() };
            end.is_err()
        }));
    }
    let (full, gates) = lossless_evicting::<u8>(1, Duration::from_secs(3600));
    full.publish(0).unwrap();
    let (task, thread) = (full.clone(), full);
    sleepers.push(Sleeper::asleep(move || block_on(task.publish_async(1)).is_ok()));
    sleepers.push(Sleeper::asleep(move || thread.publish(1).is_ok()));
    // A thread takes its name when it first runs, which may be after the publisher that started it has gone to sleep.
    assert!(comes_true(|| alarms() > 0), "a publisher that waits in an evicting channel has a clock");
    assert_eq!(alarms(), 1, "a task has no clock of its own");

    let before = ticks();
    std::thread::sleep(Duration::from_secs(1));
    let used = ticks() - before;
    assert!(used < 10, "{used} ticks of 10 ms");

    drop((quiet, lossy_quiet, gates));
    assert!(sleepers.into_iter().all(Sleeper::join));
    assert!(comes_true(|| alarms() == 0), "an alarm outlives its channel");
}
