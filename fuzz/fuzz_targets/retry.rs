//! Retry policies, breakers and budgets with any numbers: delays within their bounds, and no arithmetic that panics.
#![no_main]

use libfuzzer_sys::fuzz_target;
use millpond::{Admit, Breaker, Jitter, Report, RetryBudget, RetryPolicy, VirtualClock};
use millpond_fuzz::Bytes;
use std::time::Duration;

fn duration(bytes: &mut Bytes<'_>) -> Duration {
    match bytes.below(4) {
        0 => Duration::from_nanos(bytes.word()),
        1 => Duration::from_secs(bytes.word()),
        2 => Duration::MAX,
        _ => Duration::from_millis(bytes.word() % 100_000),
    }
}

fn plans(bytes: &mut Bytes<'_>) {
    let policy = match bytes.below(9) {
        0 => RetryPolicy::none(),
        1 => RetryPolicy::fixed(duration(bytes)),
        2 => RetryPolicy::linear(duration(bytes)),
        3 => RetryPolicy::exponential(duration(bytes), duration(bytes)),
        4 => RetryPolicy::polynomial(bytes.word() as u32, duration(bytes)),
        5 => RetryPolicy::decorrelated(duration(bytes), duration(bytes)),
        6 => RetryPolicy::oban(),
        7 => RetryPolicy::webhook_72h(),
        _ => RetryPolicy::table((0..bytes.below(6)).map(|_| duration(bytes)).collect::<Vec<_>>()),
    };
    let jitter = [
        Jitter::None,
        Jitter::Full,
        Jitter::Equal,
        Jitter::Proportional(bytes.next().unwrap_or(0)),
        Jitter::Above(bytes.next().unwrap_or(0)),
    ][bytes.below(5)];
    let mut policy = policy.jitter(jitter);
    if bytes.below(2) == 0 {
        policy = policy.cap(duration(bytes));
    }
    if bytes.below(2) == 0 {
        policy = policy.max_attempts(bytes.word().max(1) as u32 | 1);
    }
    if bytes.below(2) == 0 {
        policy = policy.within(duration(bytes));
    }
    let mut last = Duration::ZERO;
    for planned in policy.plan(bytes.word()).take(200) {
        assert!(planned.delay_min <= planned.delay && planned.delay <= planned.delay_max);
        assert!(planned.offset_min <= planned.offset && planned.offset <= planned.offset_max);
        assert!(planned.offset >= last);
        last = planned.offset;
    }
}

fn breakers(bytes: &mut Bytes<'_>) {
    let time = VirtualClock::new();
    let clock = time.clock();
    let breaker = match bytes.below(2) {
        0 => Breaker::failures(1 + bytes.below(5) as u32),
        _ => Breaker::ratio(0.5).minimum(1 + bytes.below(9) as u32),
    };
    let breaker = breaker.open_for(Duration::from_secs(1)).probes(1 + bytes.below(3) as u32);
    let mut passes = Vec::new();
    while let Some(op) = bytes.next() {
        match op % 4 {
            0 => {
                if let Admit::Pass(pass) = breaker.admit(&clock) {
                    passes.push(pass);
                }
            }
            3 => time.advance(Duration::from_millis(u64::from(op) * 10)),
            _ if passes.is_empty() => {}
            kind => {
                let pass = passes.swap_remove(bytes.below(passes.len()));
                let report = if kind == 1 { Report::Success } else { Report::Failure };
                breaker.record(&clock, pass, report);
            }
        }
        let _ = breaker.state();
    }
}

fn budgets(bytes: &mut Bytes<'_>) {
    let time = VirtualClock::new();
    let clock = time.clock();
    let budget = RetryBudget::ratio(f64::from(bytes.next().unwrap_or(0)) / 255.0)
        .floor_per_sec(bytes.below(9) as u32)
        .window(Duration::from_secs(1 + bytes.below(60) as u64));
    while let Some(op) = bytes.next() {
        match op % 3 {
            0 => budget.deposit(&clock),
            1 => {
                let there = budget.available(&clock);
                assert_eq!(budget.try_withdraw(&clock), there > 0);
            }
            _ => time.advance(Duration::from_millis(u64::from(op) * 5)),
        }
    }
}

fuzz_target!(|data: &[u8]| {
    let mut bytes = Bytes(data);
    match bytes.below(4) {
        0 | 1 => plans(&mut bytes),
        2 => breakers(&mut bytes),
        _ => budgets(&mut bytes),
    }
});
