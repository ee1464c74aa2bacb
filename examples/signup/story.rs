//! What happens: services start, users sign up, one service is down for a while, one comes later.

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use millpond::topic::Topics;

use crate::check::Part;
use crate::service::{Idle, Service};
use crate::timeline::{Moment, Timeline};

/// What is published when somebody has signed up.
#[derive(Clone, Debug)]
pub(crate) struct UserCreated {
    /// Counted from 1.
    pub(crate) id: u32,
    pub(crate) name: &'static str,
}

/// Who signs up, in this order.
pub(crate) const USERS: [&str; 12] = [
    "Ada",
    "Barbara",
    "Charles",
    "Donald",
    "Edsger",
    "Frances",
    "Grace",
    "Hedy",
    "Ivan",
    "John",
    "Katherine",
    "Leslie",
];
/// After so many users the fraud check joins.
pub(crate) const FRAUD_CHECK_JOINS_AFTER: usize = 5;
/// After so many users the CRM is repaired.
const CRM_IS_REPAIRED_AFTER: usize = 8;
/// Between two users, so that the timeline can be followed.
const PAUSE: Duration = Duration::from_millis(25);

/// All that is known in the end.
pub(crate) struct Outcome {
    pub(crate) moments: Vec<Moment>,
    pub(crate) parts: Vec<Part>,
}

/// Lets it happen.
pub(crate) fn play() -> Result<Outcome, Box<dyn Error>> {
    let timeline = Timeline::start();
    let topics = Topics::<UserCreated>::new();
    let crm_is_up = Arc::new(AtomicBool::new(false));
    let mut services = vec![
        Idle::new("welcome email", 2, |user| {
            thread::sleep(Duration::from_millis(5));
            Ok(format!("mailed {}", user.name))
        }),
        Idle::new("analytics", 1, |user| Ok(format!("counted {}", user.name))),
        Idle::new("recommendations", 2, |user| {
            thread::sleep(Duration::from_millis(40));
            Ok(format!("chose three books for {}", user.name))
        }),
        Idle::new("CRM", 1, {
            let crm_is_up = Arc::clone(&crm_is_up);
            move |user| match crm_is_up.load(Ordering::Relaxed) {
                true => Ok(format!("filed {}", user.name)),
                false => Err(format!("cannot file {}: connection refused", user.name)),
            }
        }),
    ]
    .into_iter()
    // Each chooses its own pattern; here all of them match the one topic there is.
    .zip(["user.created", "user.#", "user.created", "*.created"])
    .map(|(service, pattern)| service.subscribe(&topics, pattern, &timeline))
    .collect::<Result<Vec<_>, _>>()?;

    let created = topics.topic("user.created")?;
    for (number, name) in (1..).zip(USERS) {
        timeline.note("sign-up", format!("{name} is user {number}"));
        created.publish(UserCreated { id: number as u32, name })?;
        if number == FRAUD_CHECK_JOINS_AFTER {
            let service = Idle::new("fraud check", 1, |user| Ok(format!("{} looks honest", user.name)));
            services.push(service.subscribe(&topics, "user.*", &timeline)?);
        }
        if number == CRM_IS_REPAIRED_AFTER {
            // On a busy machine the CRM may not have refused anybody yet.
            while services.iter().all(|service| service.retried() == 0) {
                thread::sleep(PAUSE);
            }
            crm_is_up.store(true, Ordering::Relaxed);
            timeline.note("CRM", "is up again".to_owned());
        }
        thread::sleep(PAUSE);
    }

    // Nothing is published any more; the queues are worked off, the retries included.
    topics.close();
    let parts = services.into_iter().map(Service::finish).collect();
    Ok(Outcome { moments: timeline.into_moments(), parts })
}
