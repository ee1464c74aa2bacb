//! What happens: events come, receivers are down, one is repaired in time and one is not, and the dead letters are redriven.

use std::error::Error;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use millpond::{Classified, Context, DeadFilter, DeadInfo, Pool, RedriveEnd, Stats};

use crate::client;
use crate::endpoint::{Endpoint, Receipt};
use crate::time::Time;

/// Events for the shop, and as many for the CRM.
pub(crate) const EVENTS: u32 = 12;
const HOUR: Duration = Duration::from_secs(3_600);
const SHOP_IS_REPAIRED_AFTER: Duration = Duration::from_secs(20 * 3_600);
const CRM_IS_REPAIRED_AFTER: Duration = Duration::from_secs(90 * 3_600);
const END: Duration = Duration::from_secs(96 * 3_600);
/// How far a virtual clock moves at once.
const STEP: Duration = Duration::from_secs(30);
/// Far longer than the work of one step takes.
const PATIENCE: Duration = Duration::from_secs(30);

/// An event on its way to a receiver.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub(crate) key: String,
    pub(crate) path: &'static str,
}

/// One attempt to deliver one.
#[derive(Clone, Debug)]
pub(crate) struct Attempt {
    pub(crate) key: String,
    pub(crate) at: Duration,
    pub(crate) delivered: bool,
}

/// All that is known in the end.
pub(crate) struct Outcome {
    pub(crate) told: Vec<String>,
    pub(crate) attempts: Vec<Attempt>,
    pub(crate) receipts: std::collections::BTreeMap<String, Receipt>,
    /// As they were before the redrive, and at the end.
    pub(crate) dead_before: Vec<DeadInfo>,
    pub(crate) dead_after: Vec<DeadInfo>,
    pub(crate) stats: Stats,
}

type Log = Arc<Mutex<Vec<Attempt>>>;

/// Returns all events: for the shop, for the CRM, and one for a receiver that is gone.
pub(crate) fn events() -> Vec<Event> {
    let of = |path: &'static str, count| {
        (1..=count).map(move |number| Event { key: format!("{}-{number}", &path[1..]), path })
    };
    of("/shop", EVENTS).chain(of("/crm", EVENTS)).chain(of("/gone", 1)).collect()
}

/// Lets it happen.
pub(crate) fn play(time: Time) -> Result<Outcome, Box<dyn Error>> {
    let endpoint = Endpoint::start()?;
    let log = Log::default();
    let pool = start(endpoint.address(), &time, &log)?;
    let mut told = Vec::new();
    let mut tell = |what: String| told.push(format!("{:3} h  {what}", time.now().as_secs() / 3_600));

    pool.submit_many(events())?;
    tell(format!("{} events are submitted; the shop and the CRM are down", events().len()));
    pass_until(&pool, &time, SHOP_IS_REPAIRED_AFTER)?;
    endpoint.repair_shop();
    tell(format!("the shop is up again; {} events wait for their next attempt", pool.stats().scheduled));
    pass_until(&pool, &time, CRM_IS_REPAIRED_AFTER)?;
    endpoint.repair_crm();
    let dead_before = pool.dead().list();
    tell(format!("the CRM is up again; {} events are dead letters", dead_before.len()));
    let moved = redrive(&pool, &time)?;
    tell(format!("{moved} dead letters are redriven, {} a second", time.rate()));
    pass_until(&pool, &time, END)?;
    let dead_after = pool.dead().list();
    for letter in &dead_after {
        tell(format!("event {} stays a dead letter: {}", letter.id, letter.error));
    }
    let stats = pool.stats();
    let attempts = log.lock().unwrap_or_else(PoisonError::into_inner).clone();
    Ok(Outcome { told, attempts, receipts: endpoint.receipts(), dead_before, dead_after, stats })
}

fn start(to: SocketAddr, time: &Time, log: &Log) -> Result<Pool<Event>, Box<dyn Error>> {
    let (clock, log) = (time.clone(), Arc::clone(log));
    let pool = Pool::builder()
        .name("webhooks")
        .workers(4)
        .capacity(1_000)
        .retry(time.policy())
        .clock(time.clock())
        .seed(7)
        .start(move |event: &Event, cx: &Context| -> Result<(), Classified> {
            let body = format!("{{\"event\":\"{}\",\"attempt\":{}}}", event.key, cx.attempt());
            let at = clock.now();
            let posted = client::post(to, event.path, &event.key, &body);
            let attempt = Attempt { key: event.key.clone(), at, delivered: posted.is_ok() };
            log.lock().unwrap_or_else(PoisonError::into_inner).push(attempt);
            Ok(posted?)
        })?;
    Ok(pool)
}

/// Lets time pass, and the work be done that falls due in it.
fn pass_until(pool: &Pool<Event>, time: &Time, end: Duration) -> Result<(), Box<dyn Error>> {
    while time.now() < end {
        idle(pool)?;
        time.pass(if time.is_virtual() { STEP } else { HOUR / 4 }.min(end - time.now().min(end)));
    }
    idle(pool)
}

fn idle(pool: &Pool<Event>) -> Result<(), Box<dyn Error>> {
    if pool.wait_idle(PATIENCE) { Ok(()) } else { Err("the endpoint does not answer".into()) }
}

/// Has the letters of those submitted again whose receiver was down, a few a second.
fn redrive(pool: &Pool<Event>, time: &Time) -> Result<u64, Box<dyn Error>> {
    let down = DeadFilter::all().error_contains("503");
    let redrive = pool.dead().redrive_with(down).rate(time.rate()).start()?;
    let start = std::time::Instant::now();
    while !redrive.wait(Duration::from_millis(1)) {
        if start.elapsed() > PATIENCE {
            return Err("the redrive does not end".into());
        }
        if time.is_virtual() {
            time.pass(Duration::from_millis(200));
        }
    }
    let progress = redrive.progress();
    match progress.end {
        Some(RedriveEnd::Finished) if progress.failed == 0 => Ok(progress.moved),
        _ => Err(format!("the redrive ended early: {progress:?}").into()),
    }
}
