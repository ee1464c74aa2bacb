//! Sends, receives, permits and selects that wait, are polled, woken and dropped: nothing is lost, nobody sleeps without a reason,
//! and no waker is kept.
#![no_main]

use libfuzzer_sys::fuzz_target;
use millpond::{Permit, RecvError, Select, SendError, bounded};
use millpond_fuzz::Bytes;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::task::{Context, Poll, Wake, Waker};

struct Bell(AtomicBool);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.0.store(true, SeqCst);
    }
}

enum Done<'a> {
    Sent(bool),
    Received(Option<u32>),
    Permit(Option<Permit<'a, u32>>),
}

struct Task<'a> {
    future: Pin<Box<dyn Future<Output = Done<'a>> + 'a>>,
    bell: Arc<Bell>,
}

fuzz_target!(|data: &[u8]| {
    let mut bytes = Bytes(data);
    let capacity = bytes.below(4);
    let (tx, rx) = bounded::<u32>(capacity);
    let mut tasks: Vec<Task<'_>> = Vec::new();
    let mut permits = Vec::new();
    let (mut next, mut sent, mut received) = (0, 0, 0);
    let mut closed = false;
    while let Some(op) = bytes.next() {
        match op % 10 {
            0 | 1 if tasks.len() < 6 => {
                next += 1;
                let send = tx.send_async(next);
                let future = Box::pin(async move { Done::Sent(!matches!(send.await, Err(SendError(_)))) });
                tasks.push(Task { future, bell: Arc::new(Bell(AtomicBool::new(true))) });
            }
            2 | 3 if tasks.len() < 6 => {
                let recv = rx.recv_async();
                let future = Box::pin(async move { Done::Received(recv.await.ok()) });
                tasks.push(Task { future, bell: Arc::new(Bell(AtomicBool::new(true))) });
            }
            4 if tasks.len() < 6 && capacity > 0 => {
                let reserve = tx.reserve_async();
                let future = Box::pin(async move { Done::Permit(reserve.await.ok()) });
                tasks.push(Task { future, bell: Arc::new(Bell(AtomicBool::new(true))) });
            }
            5 if tasks.len() < 6 => {
                let select = async {
                    let either = |message: Result<u32, RecvError>| message.ok();
                    Done::Received(
                        Select::new().recv(&rx, either).recv(&rx, either).wait_async().await.flatten(),
                    )
                };
                tasks.push(Task { future: Box::pin(select), bell: Arc::new(Bell(AtomicBool::new(true))) });
            }
            6 if !tasks.is_empty() => drop(tasks.swap_remove(bytes.below(tasks.len()))),
            7 => {
                if let Some(permit) = permits.pop() {
                    let permit: Permit<'_, u32> = permit;
                    if op % 2 == 0 {
                        next += 1;
                        let answer = permit.send(next).is_ok();
                        assert_eq!(answer, !closed);
                        sent += u32::from(answer);
                    }
                }
            }
            8 => received += u32::from(rx.try_recv().is_ok()),
            9 if op > 249 => {
                assert_eq!(tx.close(), !closed);
                closed = true;
            }
            _ => {
                next += 1;
                sent += u32::from(tx.try_send(next).is_ok());
            }
        }
        // Runs whoever was woken, and each new task once, until all of them sleep.
        let mut at = 0;
        let mut rounds = 0;
        while at < tasks.len() {
            rounds += 1;
            assert!(rounds < 1_000, "tasks wake each other for ever");
            if !tasks[at].bell.0.swap(false, SeqCst) {
                at += 1;
                continue;
            }
            let waker = Waker::from(Arc::clone(&tasks[at].bell));
            if let Poll::Ready(done) = tasks[at].future.as_mut().poll(&mut Context::from_waker(&waker)) {
                drop(tasks.swap_remove(at));
                match done {
                    Done::Sent(ok) => sent += u32::from(ok),
                    Done::Received(message) => received += u32::from(message.is_some()),
                    Done::Permit(permit) => permits.extend(permit),
                }
            }
            at = 0;
        }
        // Nobody sleeps with a reason to be awake.
        if closed {
            assert!(tasks.is_empty(), "somebody sleeps past a close");
        }
        assert!(rx.len() <= capacity.max(6));
        assert_eq!(sent - received, rx.len() as u32);
    }
    drop(permits);
    let bells: Vec<_> = tasks.iter().map(|task| Arc::clone(&task.bell)).collect();
    drop(tasks);
    assert!(bells.iter().all(|bell| Arc::strong_count(bell) == 1), "a waker is kept");
    assert_eq!(rx.try_iter().count() as u32, sent - received);
});
