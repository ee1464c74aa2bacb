//! The story ends well, and the check would notice if it did not.

use std::time::Duration;

use crate::check::{Part, faults};
use crate::story::{self, Outcome, USERS};
use crate::timeline::Moment;

#[test]
fn the_program_prints_a_timeline_and_ends_well() {
    let mut out = Vec::new();
    crate::run(&mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    for expected in [
        "analytics       subscribes to user.#",
        "Leslie is user 12",
        "cannot file Ada: connection refused (attempt 1)",
        "filed Ada at attempt",
        "Every service handled every event published while it was subscribed, each once.",
    ] {
        assert!(text.contains(expected), "{expected:?} is missing in:\n{text}");
    }
}

fn handled(outcome: &mut Outcome, service: &str, user: u32) -> usize {
    let found = |moment: &Moment| moment.who == service && moment.handled == Some(user);
    outcome.moments.iter().position(found).unwrap()
}

#[test]
fn the_check_notices_what_is_missed_repeated_or_not_meant() {
    let mut outcome = story::play().unwrap();
    assert_eq!(faults(&outcome.moments, &outcome.parts), [""; 0]);

    let missed = handled(&mut outcome, "analytics", 3);
    let moment = outcome.moments.remove(missed);
    assert_eq!(faults(&outcome.moments, &outcome.parts), ["analytics handled user 3 0 times, not 1"]);
    outcome.moments.extend([moment.clone(), moment]);
    assert_eq!(faults(&outcome.moments, &outcome.parts), ["analytics handled user 3 2 times, not 1"]);
    outcome.moments.pop();

    let early =
        Moment { at: Duration::ZERO, who: "fraud check", handled: Some(1), what: "too early".to_owned() };
    outcome.moments.push(early);
    assert_eq!(faults(&outcome.moments, &outcome.parts), ["fraud check handled user 1 1 times, not 0"]);
    outcome.moments.pop();

    let part = outcome.parts.iter_mut().find(|part| part.service == "welcome email").unwrap();
    *part = Part { done: 11, unfinished: 1, retried: 2, ..part.clone() };
    assert_eq!(
        faults(&outcome.moments, &outcome.parts),
        [
            "welcome email: welcome email    12 events, 11 done,   2 attempts failed, 1 unfinished, but 12 were \
             published",
            "welcome email failed 2 times, though only the CRM was down",
        ]
    );
    outcome.parts.clear();
    assert_eq!(faults(&outcome.moments, &outcome.parts).len(), 6);
    assert_eq!(USERS.len(), 12);
}
