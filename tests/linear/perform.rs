//! Operations on the ends of real channels.

use super::history::{Answer, Kind, Op};
use millpond::{TryRecvError, TryRecvRelaxedError, TrySendError, TrySendRelaxedError, mpmc, mpsc, spsc};

/// What one thread has of a channel.
#[derive(Debug)]
pub(crate) enum Ends {
    Mpmc(mpmc::Sender<u32>, mpmc::Receiver<u32>),
    MpscSender(mpsc::Sender<u32>),
    MpscReceiver(mpsc::Receiver<u32>),
    SpscSender(spsc::Sender<u32>),
    SpscReceiver(spsc::Receiver<u32>),
}

/// Makes a channel, and hands its ends out as `Kind::roles` has it. Ends outlive the history, so that only `close` closes.
pub(crate) fn ends(kind: Kind, threads: usize, capacity: usize) -> Vec<Ends> {
    match kind {
        Kind::Mpmc => {
            let (tx, rx) = mpmc::bounded(capacity);
            (0..threads).map(|_| Ends::Mpmc(tx.clone(), rx.clone())).collect()
        }
        Kind::Mpsc => {
            let (tx, rx) = mpsc::bounded(capacity);
            let senders = (1..threads).map(|_| Ends::MpscSender(tx.clone()));
            std::iter::once(Ends::MpscReceiver(rx)).chain(senders).collect()
        }
        Kind::Spsc => {
            let (tx, rx) = spsc::bounded(capacity);
            vec![Ends::SpscReceiver(rx), Ends::SpscSender(tx)]
        }
    }
}

macro_rules! ask {
    ($end:expr, $op:expr) => {
        match $op {
            Op::Len => Answer::Number($end.len()),
            Op::IsEmpty => Answer::Flag($end.is_empty()),
            Op::IsFull => Answer::Flag($end.is_full()),
            Op::IsClosed => Answer::Flag($end.is_closed()),
            Op::Close => Answer::Flag($end.close()),
            other => panic!("the wrong end for {other:?}"),
        }
    };
}

macro_rules! send {
    ($tx:expr, $op:expr) => {
        match $op {
            Op::TrySend(value) => match $tx.try_send(*value) {
                Ok(()) => Answer::Sent(1),
                Err(TrySendError::Full(_)) => Answer::Full,
                Err(TrySendError::Closed(_)) => Answer::Closed(0),
            },
            Op::SendRelaxed(value) => match $tx.try_send_relaxed(*value) {
                Ok(()) => Answer::Sent(1),
                Err(TrySendRelaxedError::Full(_)) => Answer::Full,
                Err(TrySendRelaxedError::Closed(_)) => Answer::Closed(0),
                Err(TrySendRelaxedError::Busy(_)) => Answer::Busy,
            },
            Op::Send(value) => $tx.send(*value).map_or(Answer::Closed(0), |()| Answer::Sent(1)),
            Op::TrySendMany(values) => match $tx.try_send_many(&mut values.clone().into()) {
                Ok(count) => Answer::Sent(count),
                Err(TrySendError::Full(())) => Answer::Full,
                Err(TrySendError::Closed(())) => Answer::Closed(0),
            },
            Op::SendMany(values) => match $tx.send_many(values.clone()) {
                Ok(_) => Answer::Sent(values.len()),
                Err(error) => Answer::Closed(values.len() - error.into_inner().len()),
            },
            other => ask!($tx, other),
        }
    };
}

macro_rules! receive {
    ($rx:expr, $op:expr) => {
        match $op {
            Op::TryRecv => match $rx.try_recv() {
                Ok(value) => Answer::Received(vec![value]),
                Err(TryRecvError::Empty) => Answer::Empty,
                Err(TryRecvError::Closed) => Answer::Closed(0),
            },
            Op::RecvRelaxed => match $rx.try_recv_relaxed() {
                Ok(value) => Answer::Received(vec![value]),
                Err(TryRecvRelaxedError::Empty) => Answer::Empty,
                Err(TryRecvRelaxedError::Closed) => Answer::Closed(0),
                Err(TryRecvRelaxedError::Busy) => Answer::Busy,
            },
            Op::Recv => $rx.recv().map_or(Answer::Closed(0), |value| Answer::Received(vec![value])),
            Op::TryRecvMany(limit) => {
                let mut values = Vec::new();
                match $rx.try_recv_many(&mut values, *limit) {
                    Ok(_) => Answer::Received(values),
                    Err(TryRecvError::Empty) => Answer::Empty,
                    Err(TryRecvError::Closed) => Answer::Closed(0),
                }
            }
            Op::RecvMany(limit) => {
                let mut values = Vec::new();
                $rx.recv_many(&mut values, *limit).map_or(Answer::Closed(0), |_| Answer::Received(values))
            }
            other => ask!($rx, other),
        }
    };
}

impl Ends {
    pub(crate) fn perform(&mut self, op: &Op) -> Answer {
        match self {
            Self::Mpmc(tx, rx) => match op {
                Op::TrySend(_) | Op::SendRelaxed(_) | Op::Send(_) | Op::TrySendMany(_) | Op::SendMany(_) => {
                    send!(tx, op)
                }
                _ => receive!(rx, op),
            },
            Self::MpscSender(tx) => send!(tx, op),
            Self::MpscReceiver(rx) => receive!(rx, op),
            Self::SpscSender(tx) => send!(tx, op),
            Self::SpscReceiver(rx) => receive!(rx, op),
        }
    }
}
