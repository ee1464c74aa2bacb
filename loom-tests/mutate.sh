#!/usr/bin/env bash
# Breaks the library on purpose, one line at a time, and checks that a loom model notices.
#
#   loom-tests/mutate.sh            all mutations
#   loom-tests/mutate.sh stamp      those whose name contains "stamp"
#
# Works on a copy in target/mutants. Each mutation names the models to run, for speed; "SURVIVED" means that none failed.
# A mutation whose text is not found any more is an error: the list must follow the code.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD/target/mutants
# Shared, so that no dependency is built again.
target=${CARGO_TARGET_DIR:-$PWD/target}
# A build takes longer than most models do.
quick=(--config 'profile.dev.package.loom-tests.opt-level=0')
mkdir -p "$root"
survivors=0

# mutate NAME FILE OLD NEW MODELS...: replaces the first OLD in FILE by NEW, which may span lines.
mutate() {
    local name=$1 file=$2 old=$3 new=$4
    shift 4
    case $name in *"$filter"*) ;; *) return 0 ;; esac
    rm -rf "$root/tree"
    mkdir "$root/tree"
    cp -r Cargo.toml Cargo.lock src loom-tests benches examples "$root/tree"
    OLD=$old NEW=$new perl -0pi -e '
        my ($old, $new) = ($ENV{OLD}, $ENV{NEW});
        s/\Q$old\E/$new/ or die "not found: $old\n"' "$root/tree/$file"
    local log=$root/${name// /-}.log
    if ! (cd "$root/tree" && CARGO_TARGET_DIR=$target cargo test -q "${quick[@]}" -p loom-tests --no-run) >"$log" 2>&1; then
        echo "$name: DOES NOT COMPILE (see $log)"
        exit 1
    fi
    local code=0
    (cd "$root/tree" && CARGO_TARGET_DIR=$target RUST_BACKTRACE=0 timeout 600 \
        cargo test -q "${quick[@]}" -p loom-tests -- "$@") >>"$log" 2>&1 || code=$?
    local first
    first=$(grep -m1 -o 'model [^:]*: spawn order.*' "$log" || true)
    if [ -n "$first" ]; then
        echo "$name: caught: ${first:0:160}"
    elif [ "$code" -eq 0 ]; then
        echo "$name: SURVIVED $*"
        survivors=$((survivors + 1))
    else
        echo "$name: UNDECIDED, exit code $code (see $log)"
        survivors=$((survivors + 1))
    fi
}

filter=${1-}
slot=src/ring/slot.rs ring=src/ring/many.rs block=src/wait/block.rs future=src/wait/future.rs
list=src/wait/list.rs waiter=src/wait/waiter.rs waits=src/channel/waits.rs receiver=src/channel/mpmc.rs
spsc=src/ring/two.rs lane=src/ring/lane.rs raw=src/ring/spsc/mod.rs write=src/ring/spsc/write.rs
read=src/ring/spsc/read.rs bell=src/ring/bell.rs

mutate 'stamp: publish relaxed' $slot 'self.stamp.store(position | FULL, Ordering::Release)' \
    'self.stamp.store(position | FULL, Ordering::Relaxed)' try_ops::one_by_one
mutate 'stamp: readable relaxed' $slot 'self.stamp.load(Ordering::Acquire) == position | FULL' \
    'self.stamp.load(Ordering::Relaxed) == position | FULL' try_ops::one_by_one
mutate 'stamp: release relaxed' $slot 'self.stamp.store(position, Ordering::Release)' \
    'self.stamp.store(position, Ordering::Relaxed)' try_ops::one_by_one
mutate 'stamp: writable relaxed' $slot 'self.stamp.load(Ordering::Acquire) == position
' 'self.stamp.load(Ordering::Relaxed) == position
' try_ops::one_by_one
mutate 'cursor: tail relaxed' $ring 'self.tail.compare_exchange_weak(tail, next, Ordering::Release' \
    'self.tail.compare_exchange_weak(tail, next, Ordering::Relaxed' a_channel_that_is_never
mutate 'cursor: head relaxed' $ring 'self.head.compare_exchange_weak(head, next, Ordering::Release' \
    'self.head.compare_exchange_weak(head, next, Ordering::Relaxed' a_channel_that_is_never
mutate 'cursor: displacing head relaxed' $ring 'self.head.compare_exchange(head, next, Ordering::Release' \
    'self.head.compare_exchange(head, next, Ordering::Relaxed' force::force_
mutate 'fence: none before Full' $ring "fence(Ordering::SeqCst);
        // ORDERING: Relaxed, behind the fence; a \`head\`" "// ORDERING: Relaxed; a \`head\`" a_channel_that_is_never
mutate 'fence: none before Empty' $ring "fence(Ordering::SeqCst);
        // ORDERING: Relaxed, behind the fence; a \`tail\`" "// ORDERING: Relaxed; a \`tail\`" a_channel_that_is_never
mutate 'displace: claimed too early' $ring '                if slot.is_writable(at) {
                    break None;
                }' '                if !slot.is_writable(at) {
                    break None;
                }' force::force_against_receive
mutate 'notify: no receiver' $waits 'self.waits().receivers.notify(count, || self.clear_receivers_wait());' 'let _ = count;' \
    blocking::one_by_one_capacity_1
mutate 'notify: no sender' $waits 'self.waits().senders.notify(count, || self.clear_senders_wait());' 'let _ = count;' \
    blocking::one_by_one_capacity_1
mutate 'notify: one for a batch' $waits 'self.waits().receivers.notify(count,' 'self.waits().receivers.notify(count.min(1),' batch::send_many
mutate 'close: receivers sleep on' $waits 'self.waits().receivers.notify_all(|| self.clear_receivers_wait());' '' \
    closing::close_against_a
mutate 'close: senders sleep on' $waits 'self.waits().senders.notify_all(|| self.clear_senders_wait());' '' \
    closing::close_against_a
mutate 'close: closed without a flag' $ring 'self.tail.fetch_or(CLOSED, Ordering::Relaxed) & CLOSED == 0' \
    'self.tail.load(Ordering::Relaxed) & CLOSED == 0' closing::
mutate 'drop: values discarded before the close' $receiver '            let _rest = Discard(shared);
            shared.close();' '            drop(Discard(shared));
            shared.close();' dropping::
mutate 'park: on Busy' src/channel/source.rs 'Err(PopError::Busy) => Attempt::Busy,' 'Err(PopError::Busy) => Attempt::Blocked,' \
    blocking::one_by_one blocking::one_by_two blocking::a_value
mutate 'park: no look after registering' $block 'Attempt::Blocked => return None,
                Attempt::Busy => busy.wait(),' 'Attempt::Blocked | Attempt::Busy => return None,' blocking::one_by_one blocking::one_by_two
mutate 'forward: not after a success' $block 'source.waiters().notify(1, || source.disarm());' '' waiting::a_wake_up
mutate 'forward: not from a dropped future' $future 'source.waiters().notify(1, || source.disarm());' '' cancel::
mutate 'forward: not from a timeout' $block 'Left::Notified => self.attempt_until_blocked().map_or(Rest::TimedOut, Rest::Done),' \
    'Left::Notified => Rest::TimedOut,' deadline::
mutate 'waker: not replaced' $list 'links.wake.replace(Wake::Task(waker))' 'Some(Wake::Task(waker)).filter(|_| links.wake.is_some())' tasks::
mutate 'wait flag: cleared outside the lock' $list '            let wake = self.list.lock().pop_front(&disarm);' \
    '            let (wake, empty) = { let mut list = self.list.lock(); let wake = list.pop_front(&|| ()); (wake, list.first.is_none()) };
            if empty { crate::sync::thread::yield_now(); disarm(); }' waiting:: blocking::one_by_one
mutate 'wait flag: never set' $ring 'self.tail.fetch_or(WAIT, Ordering::Relaxed);' '' blocking::one_by_one
mutate 'wait flag: lost by a push' $ring 'let next = after | flags(tail);' 'let next = after;' blocking::one_by_two
mutate 'notified: relaxed store' $waiter 'self.state.store(NOTIFIED, Ordering::Release)' 'self.state.store(NOTIFIED, Ordering::Relaxed)' \
    waiting::
mutate 'notified: relaxed load' $waiter 'self.state.load(Ordering::Acquire) == NOTIFIED' 'self.state.load(Ordering::Relaxed) == NOTIFIED' \
    waiting::
mutate 'gate: one woken for many' src/gate.rs 'if before & MANY != 0 {' 'if false && before & MANY != 0 {' gate::a_pair
mutate 'spsc: tail relaxed' $lane 'self.tail.store(to, Ordering::Release);' 'self.tail.store(to, Ordering::Relaxed);' spsc::try
mutate 'spsc: head relaxed' $lane 'self.head.store(to, Ordering::Release);' 'self.head.store(to, Ordering::Relaxed);' spsc::try
mutate 'spsc: tail read relaxed' $lane 'self.tail.load(Ordering::Acquire)' 'self.tail.load(Ordering::Relaxed)' spsc::try
mutate 'spsc: head read relaxed' $lane 'self.head.load(Ordering::Acquire)' 'self.head.load(Ordering::Relaxed)' spsc::try
mutate 'spsc: a push that lies behind the end counts' $spsc '*self.ring.end.lock() != Some(first)' 'first == first' \
    spsc::the_receiver_closes
mutate 'spsc: read beyond the end' $spsc 'tail = self.ring.end.lock().unwrap_or(tail);' '' spsc::the_receiver_closes
mutate 'spsc: end set before closed' $spsc '        self.poppers.close();
        *end = Some(self.lane.tail());' '        *end = Some(self.lane.tail());
        self.poppers.close();' spsc::the_receiver_closes
mutate 'bell: no fence before the look' $bell '        light_fence();' '' unique::spsc::blocking unique::mpsc::blocking
# Loom has no membarrier: there both fences of the pair are full ones, so it cannot tell the strict mode of a bell from
# the other, nor miss the heavy fence of `ring` beside the one that each refusal passes.
mutate 'bell: no fence after closing' $bell 'self.0.fetch_or(CLOSED, Ordering::Relaxed);
        // ORDERING: the heavy half of the pair: a mover that does not hear of it has stored its cursor before.
        heavy_fence();' 'self.0.fetch_or(CLOSED, Ordering::Relaxed);' spsc::the_receiver_closes
mutate 'bell: never rung' $bell 'let before = self.0.fetch_or(flags, Ordering::Relaxed);' \
    'let before = self.0.load(Ordering::Relaxed) | (flags & 0);' unique::spsc::blocking

mutate 'raw: tail relaxed' $lane 'self.tail.store(to, Ordering::Release);' 'self.tail.store(to, Ordering::Relaxed);' raw::
mutate 'raw: head relaxed' $lane 'self.head.store(to, Ordering::Release);' 'self.head.store(to, Ordering::Relaxed);' raw::
mutate 'raw: tail read relaxed' $lane 'self.tail.load(Ordering::Acquire)' 'self.tail.load(Ordering::Relaxed)' raw::
mutate 'raw: head read relaxed' $lane 'self.head.load(Ordering::Acquire)' 'self.head.load(Ordering::Relaxed)' raw::
mutate 'raw: closed relaxed' $raw 'self.closed.store(true, Ordering::Release);' 'self.closed.store(true, Ordering::Relaxed);' raw::the_
mutate 'raw: closed read relaxed' $raw 'self.closed.load(Ordering::Acquire)' 'self.closed.load(Ordering::Relaxed)' raw::the_
mutate 'raw: no look behind closed' $raw 'if self.sees_values() { Ok(()) } else { Err(PopError::Closed) }' \
    'Err(PopError::Closed)' raw::the_
mutate 'raw: chunk published one by one' $write 'self.filled += 1;
' 'self.filled += 1; self.producer.shared.lane.set_tail(at);
' raw::a_written_chunk
mutate 'raw: dropped chunk leaks' $write 'if self.filled > 0 {' 'if false {' raw::
mutate 'raw: chunk given back one by one' $read 'self.consumer.head = self.consumer.shared.lane.geometry().next(at);' \
    'self.consumer.move_head(self.consumer.shared.lane.geometry().next(at));' raw::

echo "survivors: $survivors"
[ "$survivors" -eq 0 ]
