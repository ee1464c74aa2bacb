//! Errors as their users meet them: what each says, that it gives back what was not taken, and that neither needs anything of the
//! payload.

use millpond::ring::error::{ClosedError, PopError, PushError, RelaxedPopError, RelaxedPushError};
use millpond::topic::{Pattern, TopicName};
use millpond::{
    BuildError, DeadReason, JobEnd, LeaseLost, LetterError, OnceError, RecvError, RecvTimeoutError,
    RedriveError, SelectTimeoutError, SendError, SendManyError, SendTimeoutError, StartRedriveError,
    SubmitError, TryRecvError, TryRecvRelaxedError, TrySelectError, TrySendError, TrySendRelaxedError,
    broadcast, topic,
};
use std::collections::{HashSet, VecDeque};
use std::error::Error;
use std::fmt::Display;
use std::io;

/// A payload of which nothing is known: an error must not ask it for more.
#[derive(PartialEq, Eq)]
struct Payload(u32);

/// What a user can read: a phrase that starts in lower case and has no full stop, and none of the others of its kind says the same.
fn are_phrases(messages: &[&dyn Display]) {
    let mut told = HashSet::new();
    for message in messages.iter().map(ToString::to_string) {
        let starts_well = message.starts_with(|first: char| first.is_lowercase() || first.is_numeric());
        assert!(starts_well && !message.ends_with(['.', '!', ' ', '\n']), "not a phrase: {message:?}");
        assert!(told.insert(message.clone()), "two of a kind say {message:?}");
    }
}

/// The cause behind an error, as text.
fn cause(error: &dyn Error) -> Option<String> {
    error.source().map(ToString::to_string)
}

#[test]
fn channels_say_what_is_wrong() {
    are_phrases(&[&SendError(Payload(1))]);
    are_phrases(&[&TrySendError::Full(Payload(1)), &TrySendError::Closed(Payload(1))]);
    are_phrases(&[
        &TrySendRelaxedError::Full(Payload(1)),
        &TrySendRelaxedError::Closed(Payload(1)),
        &TrySendRelaxedError::Busy(Payload(1)),
    ]);
    are_phrases(&[&SendTimeoutError::Timeout(Payload(1)), &SendTimeoutError::Closed(Payload(1))]);
    are_phrases(&[&RecvError]);
    are_phrases(&[&TryRecvError::Empty, &TryRecvError::Closed]);
    are_phrases(&[&TryRecvRelaxedError::Empty, &TryRecvRelaxedError::Closed, &TryRecvRelaxedError::Busy]);
    are_phrases(&[&RecvTimeoutError::Timeout, &RecvTimeoutError::Closed]);
    are_phrases(&[&TrySelectError::NotReady, &TrySelectError::Finished]);
    are_phrases(&[&SelectTimeoutError::Timeout, &SelectTimeoutError::Finished]);
}

#[test]
fn a_batch_says_how_far_it_came() {
    let error = SendManyError { sent: 3, unsent: VecDeque::from([Payload(4), Payload(5)]) };
    let text = error.to_string();
    assert!(text.contains('3') && text.contains('2'), "{text}");
    let debug = format!("{error:?}");
    assert!(debug.contains("sent: 3") && debug.contains("2 messages"), "{debug}");
    assert!(error.into_inner() == [Payload(4), Payload(5)]);
}

#[test]
fn rings_say_what_is_wrong() {
    are_phrases(&[&PushError::Full(Payload(1)), &PushError::Closed(Payload(1))]);
    are_phrases(&[&PopError::Empty, &PopError::Closed]);
    are_phrases(&[&ClosedError(Payload(1))]);
    are_phrases(&[
        &RelaxedPushError::Full(Payload(1)),
        &RelaxedPushError::Closed(Payload(1)),
        &RelaxedPushError::Busy(Payload(1)),
    ]);
    are_phrases(&[&RelaxedPopError::Empty, &RelaxedPopError::Closed, &RelaxedPopError::Busy]);
}

#[test]
fn broadcasts_say_what_is_wrong() {
    use broadcast::{
        PublishError, PublishTimeoutError, RecvError, RecvTimeoutError, TryPublishError, TryRecvError,
    };
    are_phrases(&[&PublishError(Payload(1))]);
    are_phrases(&[&TryPublishError::Full(Payload(1)), &TryPublishError::Closed(Payload(1))]);
    are_phrases(&[&PublishTimeoutError::Timeout(Payload(1)), &PublishTimeoutError::Closed(Payload(1))]);
    are_phrases(&[&RecvError::Lagged(7), &RecvError::Evicted, &RecvError::Closed]);
    are_phrases(&[
        &TryRecvError::Empty,
        &TryRecvError::Lagged(7),
        &TryRecvError::Evicted,
        &TryRecvError::Closed,
    ]);
    are_phrases(&[
        &RecvTimeoutError::Timeout,
        &RecvTimeoutError::Lagged(7),
        &RecvTimeoutError::Evicted,
        &RecvTimeoutError::Closed,
    ]);
    assert!(RecvError::Lagged(7).to_string().contains('7'), "how many were missed");
    assert_eq!(RecvError::Lagged(7).to_string(), TryRecvError::Lagged(7).to_string());
    assert_eq!(RecvError::Lagged(7).to_string(), RecvTimeoutError::Lagged(7).to_string());
}

#[test]
fn topics_say_what_is_wrong() {
    use topic::{RecvError, RecvTimeoutError, RemoveError, SubscribeError, TopicError, TryRecvError};
    are_phrases(&[&RecvError::Lagged(7), &RecvError::Closed]);
    are_phrases(&[&TryRecvError::Empty, &TryRecvError::Lagged(7), &TryRecvError::Closed]);
    are_phrases(&[&RecvTimeoutError::Timeout, &RecvTimeoutError::Lagged(7), &RecvTimeoutError::Closed]);
    are_phrases(&[&RemoveError::Unknown, &RemoveError::InUse]);
    are_phrases(&[&SubscribeError::NoCapacity, &SubscribeError::Limit(7), &SubscribeError::Closed]);
    are_phrases(&[&TopicError::Limit(7), &TopicError::Closed]);
    for error in [SubscribeError::Limit(7).to_string(), TopicError::Limit(7).to_string()] {
        assert!(error.contains('7'), "which limit: {error}");
    }
}

/// Where in a name the fault is, and which.
#[test]
fn names_say_where_they_are_wrong() {
    let texts =
        ["a..b".to_owned(), "a.b c".to_owned(), "a.*b".to_owned(), "a".repeat(256), ["a"; 17].join(".")];
    let names: Vec<_> = texts.iter().map(|text| TopicName::new(text).expect_err("none is a name")).collect();
    let patterns: Vec<_> = texts.iter().map(|text| Pattern::new(text).expect_err("nor a pattern")).collect();
    for (name, pattern) in names.iter().zip(&patterns) {
        assert_eq!((name.position, name.fault), (pattern.position, pattern.fault));
    }
    assert_eq!(names.iter().map(|name| name.position).collect::<Vec<_>>(), [2, 3, 2, 255, 32]);
    let faults: Vec<&dyn Display> = names.iter().map(|name| &name.fault as &dyn Display).collect();
    let told: HashSet<_> = faults.iter().map(ToString::to_string).collect();
    assert_eq!(told.len(), texts.len(), "{told:?}");
    assert!(names[1].to_string().contains("' '"), "which character: {}", names[1]);
}

/// A name and a pattern are read from text, and shown as it.
#[test]
fn names_and_patterns_come_from_text() {
    let (name, pattern): (TopicName, Pattern) =
        ("a.b".parse().expect("a name"), "a.*".parse().expect("a pattern"));
    assert!(pattern.matches(&name));
    assert_eq!((name.as_ref(), pattern.as_ref()), ("a.b", "a.*"));
    assert_eq!((name.to_string(), pattern.to_string()), ("a.b".to_owned(), "a.*".to_owned()));
    assert!("a..b".parse::<TopicName>().is_err() && "a.b*".parse::<Pattern>().is_err());
}

#[test]
fn pools_say_what_is_wrong() {
    are_phrases(&[
        &SubmitError::Full(Payload(1)),
        &SubmitError::Timeout(Payload(1)),
        &SubmitError::Closed(Payload(1)),
        &SubmitError::Keys(Payload(1)),
    ]);
    are_phrases(&[&RedriveError::NotFound, &RedriveError::InUse, &RedriveError::Full, &RedriveError::Closed]);
    are_phrases(&[&LetterError::NotFound, &LetterError::InUse]);
    are_phrases(&[
        &StartRedriveError::Rate,
        &StartRedriveError::Running,
        &StartRedriveError::Closed,
        &StartRedriveError::Spawn(io::Error::other("no thread")),
    ]);
    are_phrases(&[
        &BuildError::NoWorkers,
        &BuildError::NoConcurrency,
        &BuildError::LeasedOnce,
        &BuildError::Capacity(7),
        &BuildError::NoDeadLetters,
        &BuildError::OverflowBlocks,
        &BuildError::Spawn(io::Error::other("no thread")),
    ]);
    are_phrases(&[&LeaseLost::default()]);
}

#[test]
fn ends_and_deaths_have_names() {
    let reasons = [
        DeadReason::Rejected,
        DeadReason::Attempts,
        DeadReason::Panic,
        DeadReason::Deliveries,
        DeadReason::Expired,
        DeadReason::Elapsed,
        DeadReason::Budget,
        DeadReason::Overflow,
    ];
    are_phrases(&reasons.each_ref().map(|reason| reason as &dyn Display));
    are_phrases(&[
        &JobEnd::Done,
        &JobEnd::Dead(DeadReason::Expired),
        &JobEnd::Dropped,
        &JobEnd::Cancelled,
        &JobEnd::Released,
        &JobEnd::CutOff,
    ]);
    for reason in reasons {
        assert!(JobEnd::Dead(reason).to_string().ends_with(&reason.to_string()));
    }
}

#[test]
fn effects_say_what_is_wrong() {
    let broken = || Box::new(io::Error::other("the disk is full"));
    are_phrases(&[
        &OnceError::<io::Error>::Mismatch,
        &OnceError::<io::Error>::InProgress,
        &OnceError::<io::Error>::Timeout,
        &OnceError::<io::Error>::Full,
        &OnceError::<io::Error>::Unset,
        &OnceError::Effect(io::Error::other("no money")),
        &OnceError::<io::Error>::Store(broken()),
    ]);
    assert_eq!(cause(&OnceError::<io::Error>::Full), None);
    assert_eq!(cause(&OnceError::Effect(io::Error::other("no money"))), Some("no money".to_owned()));
    assert_eq!(cause(&OnceError::<io::Error>::Store(broken())), Some("the disk is full".to_owned()));
    let error = OnceError::Effect(io::Error::other("no money")).into_effect();
    assert_eq!(error.map(|error| error.to_string()), Some("no money".to_owned()));
}

/// What the system said is behind what the pool says.
#[test]
fn a_cause_is_kept() {
    assert_eq!(cause(&BuildError::Spawn(io::Error::other("no thread"))), Some("no thread".to_owned()));
    assert_eq!(cause(&StartRedriveError::Spawn(io::Error::other("no thread"))), Some("no thread".to_owned()));
    assert_eq!(cause(&BuildError::NoWorkers), None);
    assert_eq!(cause(&StartRedriveError::Rate), None);
}

/// The value comes back, and the reason can be asked for.
#[test]
fn what_was_not_taken_comes_back() {
    assert_eq!(SendError(Payload(7)).into_inner().0, 7);
    for (error, is) in [
        (TrySendRelaxedError::Full(Payload(7)), [true, false, false]),
        (TrySendRelaxedError::Closed(Payload(7)), [false, true, false]),
        (TrySendRelaxedError::Busy(Payload(7)), [false, false, true]),
    ] {
        assert_eq!([error.is_full(), error.is_closed(), error.is_busy()], is);
        assert_eq!(error.into_inner().0, 7);
    }
    for (error, is) in [
        (RelaxedPushError::Full(Payload(7)), [true, false, false]),
        (RelaxedPushError::Closed(Payload(7)), [false, true, false]),
        (RelaxedPushError::Busy(Payload(7)), [false, false, true]),
    ] {
        assert_eq!([error.is_full(), error.is_closed(), error.is_busy()], is);
        assert_eq!(error.into_inner().0, 7);
    }
    for (error, is) in [
        (RelaxedPopError::Empty, [true, false, false]),
        (RelaxedPopError::Closed, [false, true, false]),
        (RelaxedPopError::Busy, [false, false, true]),
    ] {
        assert_eq!([error.is_empty(), error.is_closed(), error.is_busy()], is);
    }
    use broadcast::{PublishTimeoutError, TryPublishError};
    for (error, is_full) in
        [(TryPublishError::Full(Payload(7)), true), (TryPublishError::Closed(Payload(7)), false)]
    {
        assert_eq!((error.is_full(), error.is_closed()), (is_full, !is_full));
        assert_eq!(error.into_inner().0, 7);
    }
    for (error, is_timeout) in
        [(PublishTimeoutError::Timeout(Payload(7)), true), (PublishTimeoutError::Closed(Payload(7)), false)]
    {
        assert_eq!((error.is_timeout(), error.is_closed()), (is_timeout, !is_timeout));
        assert_eq!(error.into_inner().0, 7);
    }
}

/// `{:?}` names the reason and keeps quiet about the payload, of which nothing is known.
#[test]
fn debug_asks_nothing_of_the_payload() {
    let told = [
        format!("{:?}", SendError(Payload(1))),
        format!("{:?}", TrySendError::Full(Payload(1))),
        format!("{:?}", TrySendRelaxedError::Full(Payload(1))),
        format!("{:?}", SendTimeoutError::Timeout(Payload(1))),
        format!("{:?}", PushError::Closed(Payload(1))),
        format!("{:?}", ClosedError(Payload(1))),
        format!("{:?}", RelaxedPushError::Busy(Payload(1))),
        format!("{:?}", broadcast::PublishError(Payload(1))),
        format!("{:?}", broadcast::TryPublishError::Full(Payload(1))),
        format!("{:?}", broadcast::PublishTimeoutError::Timeout(Payload(1))),
        format!("{:?}", SubmitError::Keys(Payload(1))),
        format!("{:?}", topic::PublishError::Closed(Payload(1))),
    ];
    let reasons = [
        "SendError",
        "Full",
        "Full",
        "Timeout",
        "Closed",
        "ClosedError",
        "Busy",
        "PublishError",
        "Full",
        "Timeout",
        "Keys",
        "Closed",
    ];
    assert_eq!(told.to_vec(), reasons.map(|reason| format!("{reason}(..)")).to_vec());
}

/// An error of one operation is the same error of another that can fail in more ways.
#[test]
fn errors_turn_into_wider_ones() {
    use broadcast::{
        PublishError, PublishTimeoutError, RecvError, RecvTimeoutError, TryPublishError, TryRecvError,
    };
    assert!(TryPublishError::from(PublishError(Payload(7))).is_closed());
    assert!(PublishTimeoutError::from(PublishError(Payload(7))).is_closed());
    for (error, tried, timed) in [
        (RecvError::Lagged(7), TryRecvError::Lagged(7), RecvTimeoutError::Lagged(7)),
        (RecvError::Evicted, TryRecvError::Evicted, RecvTimeoutError::Evicted),
        (RecvError::Closed, TryRecvError::Closed, RecvTimeoutError::Closed),
    ] {
        assert_eq!((TryRecvError::from(error), RecvTimeoutError::from(error)), (tried, timed));
    }
}

#[cfg(feature = "cron")]
#[test]
fn schedules_say_what_is_wrong() {
    use millpond::{CronError, CronSchedule};
    for (text, part) in [
        ("", "fields"),
        ("* * *", "not 3"),
        ("99 * * * *", "minute at byte 0"),
        ("* * * 13 *", "month at byte 6"),
        ("0 0 31 2 *", "no such date"),
        ("@sometimes", "known name"),
    ] {
        let error = CronSchedule::parse(text).expect_err(text);
        assert!(error.to_string().contains(part), "{text:?}: {error}");
        assert_eq!(text.parse::<CronSchedule>().expect_err(text), error);
    }
    are_phrases(&[&CronError::Never, &CronError::Zone("Nowhere".to_owned()), &CronError::Fields(3)]);
}
