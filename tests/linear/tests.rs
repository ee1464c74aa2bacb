//! The search is itself tested: wrong histories that it must reject, right ones that it must accept.

use super::check::is_answer_of;
use super::{Answer, Call, Kind, Op, is_linearizable};
use Answer::{Busy, Closed, Empty, Flag, Full, Number, Sent};
use Op::{
    Close, IsEmpty, Len, Recv, RecvRelaxed, Send, SendMany, SendRelaxed, TryRecv, TryRecvMany, TrySend,
    TrySendMany,
};

/// Operation, answer, beginning, end.
type Entry = (Op, Answer, u64, u64);
/// What it shows, the capacity, and what was recorded.
type Case<'a> = (&'a str, usize, &'a [Entry]);

fn history(calls: &[Entry]) -> Vec<Call> {
    let call = |(op, answer, begun, ended): &Entry| {
        assert!(is_answer_of(op, answer) && begun < ended);
        Call { thread: 0, op: op.clone(), answer: answer.clone(), begun: *begun, ended: *ended }
    };
    calls.iter().map(call).collect()
}

/// Asserts that each case is accepted, or rejected.
#[track_caller]
fn judge(cases: &[Case], accepted: bool) {
    for (what, capacity, calls) in cases {
        let answer = is_linearizable(&history(calls), Kind::Mpmc, *capacity);
        assert_eq!(answer, accepted, "{what}");
    }
}

fn received(values: &[u32]) -> Answer {
    Answer::Received(values.to_vec())
}

#[test]
fn wrong_histories_are_rejected() {
    let wrong: &[Case] = &[
        (
            "received twice",
            2,
            &[(TrySend(1), Sent(1), 0, 1), (TryRecv, received(&[1]), 2, 5), (TryRecv, received(&[1]), 3, 4)],
        ),
        ("lost", 2, &[(TrySend(1), Sent(1), 0, 1), (TryRecv, Empty, 2, 3)]),
        ("invented", 2, &[(TrySend(1), Sent(1), 0, 1), (Recv, received(&[7]), 2, 3)]),
        (
            "out of order",
            2,
            &[
                (TrySend(1), Sent(1), 0, 1),
                (TrySend(2), Sent(1), 2, 3),
                (Recv, received(&[2]), 4, 7),
                (Recv, received(&[1]), 8, 9),
            ],
        ),
        ("full with room", 2, &[(TrySend(1), Sent(1), 0, 1), (TrySend(2), Full, 2, 3)]),
        (
            "more than fits",
            1,
            &[(TrySend(1), Sent(1), 0, 1), (Send(2), Sent(1), 2, 3), (Recv, received(&[1]), 4, 5)],
        ),
    ];
    judge(wrong, false);
}

#[test]
fn wrong_ends_lengths_and_batches_are_rejected() {
    let wrong: &[Case] = &[
        (
            "closed before it is empty",
            2,
            &[(TrySend(1), Sent(1), 0, 1), (Close, Flag(true), 2, 3), (Recv, Closed(0), 4, 5)],
        ),
        ("sent after the end", 2, &[(Close, Flag(true), 0, 1), (Send(1), Sent(1), 2, 3)]),
        ("closed twice", 1, &[(Close, Flag(true), 0, 3), (Close, Flag(true), 1, 2)]),
        ("a wrong length", 2, &[(TrySend(1), Sent(1), 0, 1), (Len, Number(0), 2, 3)]),
        ("not empty, and nothing in it", 2, &[(IsEmpty, Flag(false), 0, 1)]),
        (
            "two see them in another order",
            2,
            &[
                (TrySend(1), Sent(1), 0, 3),
                (TrySend(2), Sent(1), 1, 2),
                (TryRecv, received(&[1]), 4, 5),
                (TryRecv, Empty, 6, 7),
            ],
        ),
        (
            "another's message inside a batch",
            4,
            &[
                (TrySendMany(vec![1, 2]), Sent(2), 0, 5),
                (TrySend(7), Sent(1), 1, 4),
                (TryRecvMany(3), received(&[1, 7, 2]), 6, 9),
            ],
        ),
        (
            "a batch that is not all in",
            2,
            &[(SendMany(vec![1, 2, 3]), Sent(3), 0, 1), (Recv, received(&[1]), 2, 3)],
        ),
    ];
    judge(wrong, false);
}

#[test]
fn right_histories_are_accepted() {
    let right: &[Case] = &[
        ("nothing", 1, &[]),
        (
            "one after the other",
            1,
            &[
                (TrySend(1), Sent(1), 0, 1),
                (TrySend(2), Full, 2, 3),
                (Len, Number(1), 4, 5),
                (Recv, received(&[1]), 6, 7),
                (TryRecv, Empty, 8, 9),
                (Close, Flag(true), 10, 11),
                (TryRecv, Closed(0), 12, 13),
            ],
        ),
        ("received while it is sent", 1, &[(Send(1), Sent(1), 0, 3), (TryRecv, received(&[1]), 1, 2)]),
        (
            "either order of two that overlap",
            2,
            &[
                (TrySend(1), Sent(1), 0, 3),
                (TrySend(2), Sent(1), 1, 2),
                (Recv, received(&[2]), 4, 5),
                (Recv, received(&[1]), 6, 7),
            ],
        ),
    ];
    judge(right, true);
}

#[test]
fn right_histories_of_those_who_wait_are_accepted() {
    let right: &[Case] = &[
        (
            "a blocked send gets the room",
            1,
            &[
                (Send(1), Sent(1), 0, 1),
                (Send(2), Sent(1), 2, 9),
                (Recv, received(&[1]), 3, 4),
                (Recv, received(&[2]), 5, 6),
            ],
        ),
        (
            "a batch by parts, with another's message between",
            1,
            &[
                (SendMany(vec![1, 2]), Sent(2), 0, 9),
                (Recv, received(&[1]), 1, 2),
                (Send(7), Sent(1), 3, 8),
                (Recv, received(&[7]), 4, 5),
                (Recv, received(&[2]), 6, 7),
            ],
        ),
        (
            "a batch that the end cuts short",
            1,
            &[
                (SendMany(vec![1, 2]), Closed(1), 0, 5),
                (Close, Flag(true), 2, 3),
                (Recv, received(&[1]), 6, 7),
            ],
        ),
        (
            "busy says nothing",
            1,
            &[(SendRelaxed(1), Busy, 0, 1), (RecvRelaxed, Busy, 2, 3), (TryRecv, Empty, 4, 5)],
        ),
    ];
    judge(right, true);
}

/// A lone receiver takes a batch message by message, and one that has rivals takes it as one.
#[test]
fn a_batch_longer_than_the_channel_has_one_receiver() {
    let calls =
        [(TrySend(1), Sent(1), 0, 1), (TryRecvMany(2), received(&[1, 2]), 2, 5), (TrySend(2), Sent(1), 3, 4)];
    assert!(!is_linearizable(&history(&calls), Kind::Mpmc, 1));
    assert!(is_linearizable(&history(&calls), Kind::Mpsc, 1));
}
