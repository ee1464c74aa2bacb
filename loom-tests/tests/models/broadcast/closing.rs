//! Closing against everybody who sleeps.

use super::{Kind, Run, channel, publish};
use crate::harness::{Ledger, Model, block_on, witness};
use millpond_loom::broadcast::RecvError;

/// A subscriber falls asleep while another thread closes: it wakes up, having received what was published.
#[test]
fn close_against_a_subscriber() {
    for kind in [Kind::Lossless, Kind::Lossy] {
        Model::new("broadcast close against recv").preemptions(2).floor(20).run(move |case| {
            let ledger = Ledger::default();
            let (publisher, mut subscriber) = channel(kind, 1, 1);
            let book = ledger.clone();
            case.thread(move || {
                publish(&publisher, &book, 0..1);
                publisher.close();
            });
            case.thread(move || {
                let mut run = Run::from(0);
                run.finish(&mut subscriber);
                assert_eq!((run.received, run.lagged), (1, 0));
                assert!(matches!(subscriber.recv_ref(), Err(RecvError::Closed)));
            });
            case.finish(move || ledger.assert_settled());
        });
    }
}

/// Two subscribers sleep: closing wakes both, also as tasks.
#[test]
fn close_wakes_all() {
    Model::new("broadcast close against two").preemptions(1).floor(100).run(|case| {
        let (publisher, mut thread) = millpond_loom::broadcast::lossless::<u32>(1);
        let mut task = publisher.subscribe();
        case.thread(move || drop(publisher));
        case.thread(move || assert_eq!(thread.recv(), Err(RecvError::Closed)));
        case.thread(move || assert_eq!(block_on(task.recv_async()), Err(RecvError::Closed)));
    });
}

/// A publisher waits at the gate while another closes: it gets its message back.
#[test]
fn close_against_a_publisher() {
    Model::new("broadcast close against publish").preemptions(3).floor(50).witnesses(&["given back"]).run(
        |case| {
            let ledger = Ledger::default();
            let (publisher, subscriber) = channel(Kind::Lossless, 1, 1);
            publish(&publisher, &ledger, 0..1);
            let (other, book) = (publisher.clone(), ledger.clone());
            case.thread(move || {
                let error = publisher.publish(book.value(1)).expect_err("nobody receives");
                assert_eq!(error.into_inner().id(), 1);
                witness("given back");
            });
            case.thread(move || {
                other.close();
            });
            case.finish(move || {
                drop(subscriber);
                ledger.assert_settled();
            });
        },
    );
}

/// A publication and a close at the same time: the message is received, or it is given back.
#[test]
fn close_against_a_publication() {
    const WITNESSES: &[&str] = &["received", "given back"];
    Model::new("broadcast close against try_publish").preemptions(3).floor(20).witnesses(WITNESSES).run(
        |case| {
            let ledger = Ledger::default();
            let (publisher, mut subscriber) = channel(Kind::Lossless, 1, 1);
            let (other, book) = (publisher.clone(), ledger.clone());
            case.thread(move || {
                let is_out = publisher.try_publish(book.value(0)).is_ok();
                witness(if is_out { "received" } else { "given back" });
            });
            case.thread(move || {
                other.close();
                let mut run = Run::from(0);
                run.finish(&mut subscriber);
            });
            case.finish(move || ledger.assert_settled());
        },
    );
}
