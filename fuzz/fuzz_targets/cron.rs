//! Cron expressions: any text is a schedule or an error; a schedule's times come in order, and agree with each other.
#![no_main]

use libfuzzer_sys::fuzz_target;
use millpond::CronSchedule;
use millpond_fuzz::Bytes;
use std::time::{Duration, UNIX_EPOCH};

fuzz_target!(|data: &[u8]| {
    let mut bytes = Bytes(data);
    let time = UNIX_EPOCH + Duration::from_secs(bytes.word() % (90 * 365 * 86_400));
    let mode = bytes.next().unwrap_or(0);
    let text = if mode % 2 == 0 {
        String::from_utf8_lossy(bytes.0).into_owned()
    } else {
        bytes.0.iter().map(|byte| char::from(b"0123456789*/-, L#W?MON"[usize::from(byte % 22)])).collect()
    };
    match CronSchedule::parse(&text) {
        Err(error) => {
            if let Some(range) = error.position() {
                assert!(range.start <= range.end && range.end <= text.len());
            }
            assert!(!error.to_string().is_empty());
        }
        Ok(schedule) => {
            let Some(next) = schedule.next_after(time) else { return };
            assert!(next > time);
            let latest = schedule.latest_until(next).expect("the time itself is one");
            assert_eq!(latest, next);
            if let Some(second) = schedule.next_after(next) {
                assert!(second > next);
            }
        }
    }
});
