//! Operations, what they answered, and when.

use std::sync::atomic::{AtomicU64, Ordering};

/// One operation of a channel's end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    TrySend(u32),
    Send(u32),
    SendRelaxed(u32),
    TrySendMany(Vec<u32>),
    SendMany(Vec<u32>),
    TryRecv,
    Recv,
    RecvRelaxed,
    TryRecvMany(usize),
    RecvMany(usize),
    Len,
    IsEmpty,
    IsFull,
    IsClosed,
    Close,
}

/// What it answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// So many messages went in.
    Sent(usize),
    Full,
    /// The channel was closed, after so many messages went in.
    Closed(usize),
    /// For the relaxed ones: a peer was in the way.
    Busy,
    Received(Vec<u32>),
    Empty,
    Number(usize),
    Flag(bool),
}

/// An operation with its beginning and its end on the global line of tickets.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) thread: usize,
    pub(crate) op: Op,
    pub(crate) answer: Answer,
    pub(crate) begun: u64,
    pub(crate) ended: u64,
}

/// Gives out tickets.
#[derive(Debug, Default)]
pub(crate) struct Clock(AtomicU64);

impl Clock {
    /// Records an operation.
    pub(crate) fn record(&self, thread: usize, op: Op, perform: impl FnOnce(&Op) -> Answer) -> Call {
        let begun = self.0.fetch_add(1, Ordering::SeqCst);
        let answer = perform(&op);
        let ended = self.0.fetch_add(1, Ordering::SeqCst);
        Call { thread, op, answer, begun, ended }
    }
}

/// How many ends of which kind a channel has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Mpmc,
    Mpsc,
    Spsc,
}

impl Kind {
    pub(crate) const ALL: [Self; 3] = [Self::Mpmc, Self::Mpsc, Self::Spsc];

    /// Which of `threads` threads send, and which receive.
    pub(crate) fn roles(self, threads: usize) -> Vec<(bool, bool)> {
        match self {
            Self::Mpmc => vec![(true, true); threads],
            Self::Mpsc => (0..threads).map(|thread| (thread > 0, thread == 0)).collect(),
            Self::Spsc => vec![(false, true), (true, false)],
        }
    }
}

/// Marsaglia's xorshift64: a script follows from its seed.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

/// Writes what each thread does: up to `most` operations. Those of the last thread never block, and end with `close`, so that
/// every history ends.
pub(crate) fn scripts(kind: Kind, threads: usize, most: u64, random: &mut Random) -> Vec<Vec<Op>> {
    let roles = kind.roles(threads);
    let mut scripts: Vec<Vec<Op>> = Vec::new();
    for (thread, (sends, receives)) in roles.iter().enumerate() {
        let closes = thread + 1 == roles.len();
        let count = 1 + random.below(most - u64::from(closes));
        let mut next = (thread as u32) * 100;
        let mut script: Vec<Op> =
            (0..count).map(|_| operation(*sends, *receives, !closes, &mut next, random)).collect();
        if closes {
            script.push(Op::Close);
        }
        scripts.push(script);
    }
    scripts
}

fn operation(sends: bool, receives: bool, blocks: bool, next: &mut u32, random: &mut Random) -> Op {
    if random.below(6) == 0 {
        return match random.below(5) {
            0 => Op::IsEmpty,
            1 => Op::IsFull,
            2 => Op::IsClosed,
            _ => Op::Len,
        };
    }
    let mut fresh = |count: u64| -> Vec<u32> {
        (0..count)
            .map(|_| {
                *next += 1;
                *next
            })
            .collect()
    };
    let blocks = blocks && random.below(2) == 0;
    if sends && (!receives || random.below(2) == 0) {
        return match random.below(6) {
            0 if blocks => Op::SendMany(fresh(1 + random.below(3))),
            0 => Op::TrySendMany(fresh(1 + random.below(3))),
            1 => Op::SendRelaxed(fresh(1)[0]),
            _ if blocks => Op::Send(fresh(1)[0]),
            _ => Op::TrySend(fresh(1)[0]),
        };
    }
    match random.below(6) {
        0 if blocks => Op::RecvMany(1 + random.below(3) as usize),
        0 => Op::TryRecvMany(1 + random.below(3) as usize),
        1 => Op::RecvRelaxed,
        _ if blocks => Op::Recv,
        _ => Op::TryRecv,
    }
}
