//! Every public type, and what it is: `Send`, `Sync`, `Unpin`, `UnwindSafe`, `RefUnwindSafe`. Each answer is written down, and
//! checked with each of a type's parameters in turn `Send` but not `Sync`, `Sync` but not `Send`, neither, and so on.
//!
//! Most advisories about thread safety are a bound that was forgotten. A type that is missing here fails a test as well.
//!
//! The five marks of a row, one for each trait:
//!
//! | mark | the type has the trait |
//! |---|---|
//! | `1`, `0` | always, never |
//! | `S`, `Y`, `B` | if the payload is `Send`, if it is `Sync`, if it is both |
//! | `P` | if the payload is `Unpin` |
//! | `U`, `R`, `W` | if the payload is `UnwindSafe`, if it is `RefUnwindSafe`, if it is both |

#![allow(clippy::unwrap_used, reason = "a helper of a test may unwrap as the test may")]

use std::cell::Cell;
use std::collections::BTreeSet;
use std::fs;
use std::marker::{PhantomData, PhantomPinned};
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::MutexGuard;

/// The answer for every type ...
trait Otherwise {
    const ANSWER: bool = false;
}

impl<T: ?Sized> Otherwise for T {}

/// ... which an inherent constant hides where the bound holds.
macro_rules! probe {
    ($($name:ident: $bound:path),*) => {$(
        #[allow(dead_code, reason = "a type that is only named")]
        struct $name<T: ?Sized>(PhantomData<T>);

        impl<T: ?Sized + $bound> $name<T> {
            #[allow(dead_code, reason = "hidden from the compiler's eye where the bound does not hold")]
            const ANSWER: bool = true;
        }
    )*};
}

probe!(IsSend: Send, IsSync: Sync, IsUnpin: Unpin, IsUnwindSafe: UnwindSafe, IsRefUnwindSafe: RefUnwindSafe);

/// Which of the five traits a type has.
type Traits = [bool; 5];

macro_rules! traits {
    ($type:ty) => {
        [
            <IsSend<$type>>::ANSWER,
            <IsSync<$type>>::ANSWER,
            <IsUnpin<$type>>::ANSWER,
            <IsUnwindSafe<$type>>::ANSWER,
            <IsRefUnwindSafe<$type>>::ANSWER,
        ]
    };
}

/// The payloads. Nothing makes them: only what they are counts.
macro_rules! payloads {
    ($($name:ident: $like:ty),*) => {$(
        #[derive(Clone)]
        #[allow(dead_code, reason = "a type that is only named")]
        struct $name(PhantomData<$like>);
    )*};
}

payloads!(
    Plain: u8,
    SendOnly: Cell<u8>,
    SyncOnly: MutexGuard<'static, u8>,
    Neither: Rc<Cell<u8>>,
    Pinned: PhantomPinned,
    Interrupted: &'static mut u8
);

/// What is written down for a type, and what it is with one payload.
struct Row {
    marks: &'static str,
    name: String,
    payload: Traits,
    found: Traits,
}

impl Row {
    fn new(marks: &'static str, name: &str, [payload, found]: [Traits; 2], payload_name: &str) -> Self {
        let name = name.split_whitespace().collect::<String>().replace(payload_name, "T");
        Self { marks, name, payload, found }
    }

    /// Whether the mark allows what was found for one of the traits.
    fn agrees(&self, mark: &str, at: usize) -> bool {
        let [send, sync, unpin, unwind, ref_unwind] = self.payload;
        let expected = match mark {
            "1" => true,
            "0" => false,
            "S" => send,
            "Y" => sync,
            "B" => send && sync,
            "P" => unpin,
            "U" => unwind,
            "R" => ref_unwind,
            "W" => unwind && ref_unwind,
            other => panic!("{}: what is the mark {other}?", self.name),
        };
        self.found[at] == expected
    }

    fn breach(&self) -> Option<String> {
        let marks: Vec<_> = self.marks.split(' ').collect();
        assert_eq!(marks.len(), 5, "{}", self.name);
        let agrees = marks.iter().enumerate().all(|(at, mark)| self.agrees(mark, at));
        let (Self { marks, name, payload, found }, digits) = (self, |traits: Traits| traits.map(u8::from));
        (!agrees).then(|| format!("{name} ({marks}), payload {:?}: {:?}", digits(*payload), digits(*found)))
    }
}

macro_rules! row {
    ($payload:ty, $marks:literal, $($type:tt)*) => {
        Row::new(
            $marks,
            stringify!($($type)*),
            [traits!($payload), traits!(millpond::$($type)*)],
            stringify!($payload),
        )
    };
}

/// All types with a parameter that may be anything.
macro_rules! of_anything {
    ($T:ident) => {
        [
            // The channels.
            row!($T, "S S 0 0 0", ClosedFuture<'static, $T>),
            row!($T, "S S 1 1 1", IntoIter<$T>),
            row!($T, "S S 1 1 1", Iter<'static, $T>),
            row!($T, "S S 1 1 1", OwnedPermit<$T>),
            row!($T, "S S 1 1 1", Permit<'static, $T>),
            row!($T, "S S 1 1 1", Receiver<$T>),
            row!($T, "S S 0 0 0", RecvFuture<'static, $T>),
            row!($T, "S B 0 0 0", RecvManyFuture<'static, $T>),
            #[cfg(feature = "stream")]
            row!($T, "S S 1 0 0", RecvStream<$T>),
            row!($T, "S S 0 0 0", ReserveFuture<'static, $T>),
            row!($T, "1 0 1 0 0", Select<'static, $T>),
            row!($T, "1 0 0 0 0", SelectFuture<'static, 'static, $T>),
            row!($T, "S Y P U R", SendError<$T>),
            row!($T, "S B 0 0 0", SendFuture<'static, $T>),
            row!($T, "S Y P U R", SendManyError<$T>),
            row!($T, "S B 0 0 0", SendManyFuture<'static, $T>),
            #[cfg(feature = "sink")]
            row!($T, "S S 1 0 0", SendSink<$T>),
            row!($T, "S S 1 1 1", Sender<$T>),
            row!($T, "S S 1 1 1", TryIter<'static, $T>),
            row!($T, "S S 1 1 1", WeakReceiver<$T>),
            row!($T, "S S 1 1 1", WeakSender<$T>),
            row!($T, "S Y P U R", SendTimeoutError<$T>),
            row!($T, "S Y P U R", TrySendError<$T>),
            row!($T, "S Y P U R", TrySendRelaxedError<$T>),
            // Mpsc.
            row!($T, "S S 0 0 0", mpsc::ClosedFuture<'static, $T>),
            row!($T, "S S 1 1 1", mpsc::IntoIter<$T>),
            row!($T, "S S 1 0 1", mpsc::Iter<'static, $T>),
            row!($T, "S S 1 1 1", mpsc::OwnedPermit<$T>),
            row!($T, "S S 1 1 1", mpsc::Permit<'static, $T>),
            row!($T, "S S 1 1 1", mpsc::Receiver<$T>),
            row!($T, "S S 0 0 0", mpsc::RecvFuture<'static, $T>),
            row!($T, "S B 0 0 0", mpsc::RecvManyFuture<'static, $T>),
            #[cfg(feature = "stream")]
            row!($T, "S S 1 0 0", mpsc::RecvStream<$T>),
            row!($T, "S S 0 0 0", mpsc::ReserveFuture<'static, $T>),
            row!($T, "S B 0 0 0", mpsc::SendFuture<'static, $T>),
            row!($T, "S B 0 0 0", mpsc::SendManyFuture<'static, $T>),
            #[cfg(feature = "sink")]
            row!($T, "S S 1 0 0", mpsc::SendSink<$T>),
            row!($T, "S S 1 1 1", mpsc::Sender<$T>),
            row!($T, "S S 1 0 1", mpsc::TryIter<'static, $T>),
            row!($T, "S S 1 1 1", mpsc::WeakSender<$T>),
            // Spsc.
            row!($T, "S S 0 0 0", spsc::ClosedFuture<'static, $T>),
            row!($T, "S S 1 1 1", spsc::IntoIter<$T>),
            row!($T, "S S 1 0 1", spsc::Iter<'static, $T>),
            row!($T, "S S 1 0 1", spsc::Permit<'static, $T>),
            row!($T, "S S 1 1 1", spsc::Receiver<$T>),
            row!($T, "S S 0 0 0", spsc::RecvFuture<'static, $T>),
            row!($T, "S B 0 0 0", spsc::RecvManyFuture<'static, $T>),
            #[cfg(feature = "stream")]
            row!($T, "S S 1 0 0", spsc::RecvStream<$T>),
            row!($T, "S S 0 0 0", spsc::ReserveFuture<'static, $T>),
            row!($T, "S B 0 0 0", spsc::SendFuture<'static, $T>),
            row!($T, "S B 0 0 0", spsc::SendManyFuture<'static, $T>),
            #[cfg(feature = "sink")]
            row!($T, "S S 1 0 0", spsc::SendSink<$T>),
            row!($T, "S S 1 1 1", spsc::Sender<$T>),
            row!($T, "S S 1 0 1", spsc::TryIter<'static, $T>),
            // The rings.
            row!($T, "S Y P U R", ring::error::ClosedError<$T>),
            row!($T, "S Y P U R", ring::error::PushError<$T>),
            row!($T, "S Y P U R", ring::error::RelaxedPushError<$T>),
            row!($T, "S S 1 1 1", ring::mpmc::Ring<$T>),
            row!($T, "S S 1 1 1", ring::spsc::Consumer<$T>),
            row!($T, "S S 1 0 1", ring::spsc::Drain<'static, $T>),
            row!($T, "S S 1 1 1", ring::spsc::Producer<$T>),
            row!($T, "S B P 0 R", ring::spsc::ReadChunk<'static, $T>),
            row!($T, "S S 1 0 1", ring::spsc::WriteChunk<'static, $T>),
            // Broadcast.
            row!($T, "B B 1 1 1", broadcast::IntoIter<$T>),
            row!($T, "B B 1 0 1", broadcast::Iter<'static, $T>),
            row!($T, "B B 1 0 1", broadcast::MessageRef<'static, $T>),
            row!($T, "S Y P U R", broadcast::PublishError<$T>),
            row!($T, "B 0 0 0 0", broadcast::PublishFuture<'static, $T>),
            row!($T, "B B 1 1 1", broadcast::Publisher<$T>),
            row!($T, "B B 0 0 0", broadcast::RecvFuture<'static, $T>),
            row!($T, "B B 0 0 0", broadcast::RecvManyFuture<'static, $T>),
            row!($T, "B B 1 1 1", broadcast::Subscriber<$T>),
            #[cfg(feature = "stream")]
            row!($T, "B B 1 0 0", broadcast::SubscriberStream<$T>),
            row!($T, "B B 1 0 1", broadcast::TryIter<'static, $T>),
            row!($T, "S Y P U R", broadcast::PublishTimeoutError<$T>),
            row!($T, "S Y P U R", broadcast::TryPublishError<$T>),
            // Topics.
            row!($T, "S Y P U R", topic::Event<$T>),
            row!($T, "1 1 1 1 1", topic::Feed<$T>),
            row!($T, "B B 1 1 1", topic::IntoIter<$T>),
            row!($T, "B B 1 0 1", topic::Iter<'static, $T>),
            row!($T, "1 1 1 0 0", topic::Subscribe<$T>),
            row!($T, "B B 1 1 1", topic::Subscription<$T>),
            #[cfg(feature = "stream")]
            row!($T, "B B 1 0 0", topic::SubscriptionStream<$T>),
            row!($T, "1 1 1 1 1", topic::Topic<$T>),
            row!($T, "1 1 1 1 1", topic::Topics<$T>),
            row!($T, "B B 1 0 1", topic::TryIter<'static, $T>),
            row!($T, "S Y P U R", topic::PublishError<$T>),
            // The pool and the queue.
            row!($T, "S Y P 0 0", CutOff<$T>),
            row!($T, "1 1 1 0 0", DeadFilter<$T>),
            row!($T, "S Y P 0 0", DeadLetter<$T>),
            row!($T, "S S 1 1 1", DeadLetters<$T>),
            row!($T, "S S 1 0 0", Drained<'static, $T>),
            row!($T, "S S 1 1 1", Handle<$T>),
            #[cfg(feature = "tokio")]
            row!($T, "1 0 1 0 0", HandlerFuture<'static, $T>),
            row!($T, "S S 1 1 1", JobHandle<$T>),
            row!($T, "B B 1 1 1", MemoryStore<$T>),
            row!($T, "B B 1 1 1", Once<$T>),
            row!($T, "S S 1 1 1", Pool<$T>),
            row!($T, "S S 1 0 0", RedriveBuilder<$T>),
            row!($T, "S Y P 0 0", Released<$T>),
            row!($T, "S B P 0 0", Request<'static, $T>),
            row!($T, "S B 0 0 0", RequestFuture<'static, $T>),
            row!($T, "S S 1 0 0", Selected<'static, $T>),
            row!($T, "S Y P 0 0", ShutdownReport<$T>),
            row!($T, "S B 0 0 0", SubmitFuture<'static, $T>),
            row!($T, "S Y P U R", SubmitManyError<$T>),
            row!($T, "S B 0 0 0", TrackedFuture<'static, $T>),
            row!($T, "S B P 0 0", TrackedRequest<'static, $T>),
            row!($T, "B B 1 R R", Begun<$T>),
            row!($T, "S Y P 0 0", OnceError<$T>),
            row!($T, "S Y P U R", SubmitError<$T>),
            row!($T, "S Y P U R", Once<u8, $T>),
            row!($T, "S Y P 0 0", PoolBuilder<$T>),
            row!($T, "S Y P U R", engine::Taken<$T>),
        ]
    };
}

/// The types whose jobs must be `Send`.
macro_rules! of_jobs {
    ($T:ident) => {
        [
            // The pool and the queue.
            row!($T, "S Y P 0 0", Delivery<$T>),
            row!($T, "1 1 1 1 1", Queue<$T>),
            row!($T, "0 0 1 0 0", testing::Sim<'static, $T>),
        ]
    };
}

/// The types without a parameter.
macro_rules! of_nothing {
    () => {
        [
            // The rings.
            row!(u8, "1 1 1 1 1", ring::error::PopError),
            row!(u8, "1 1 1 1 1", ring::error::RelaxedPopError),
            // Broadcast.
            row!(u8, "1 1 1 1 1", broadcast::RecvError),
            row!(u8, "1 1 1 1 1", broadcast::RecvTimeoutError),
            row!(u8, "1 1 1 1 1", broadcast::TryRecvError),
            // Topics.
            row!(u8, "1 1 1 1 1", topic::NameError),
            row!(u8, "1 1 1 1 1", topic::Pattern),
            row!(u8, "1 1 1 1 1", topic::PatternError),
            row!(u8, "1 1 1 1 1", topic::Published),
            row!(u8, "1 1 1 1 1", topic::SubscriptionInfo),
            row!(u8, "1 1 1 1 1", topic::SubscriptionStats),
            row!(u8, "1 1 1 1 1", topic::TopicName),
            row!(u8, "1 1 1 1 1", topic::TopicsBuilder),
            row!(u8, "1 1 1 1 1", topic::TopicsStats),
            row!(u8, "1 1 1 1 1", topic::Fault),
            row!(u8, "1 1 1 1 1", topic::RecvError),
            row!(u8, "1 1 1 1 1", topic::RecvTimeoutError),
            row!(u8, "1 1 1 1 1", topic::RemoveError),
            row!(u8, "1 1 1 1 1", topic::SubscribeError),
            row!(u8, "1 1 1 1 1", topic::TopicError),
            row!(u8, "1 1 1 1 1", topic::TryRecvError),
            // The pool and the queue.
            row!(u8, "1 1 1 0 0", AnyResult),
            row!(u8, "1 1 1 0 0", AttemptRecord),
            row!(u8, "1 1 1 1 1", Breaker),
            row!(u8, "1 1 1 0 0", Classified),
            row!(u8, "1 1 1 1 1", Clock),
            row!(u8, "1 1 1 1 1", Context),
            #[cfg(feature = "cron")]
            row!(u8, "1 1 1 1 1", CronSchedule),
            row!(u8, "1 1 1 1 1", DeadInfo),
            #[cfg(feature = "cron")]
            row!(u8, "1 1 1 1 1", Due),
            #[cfg(feature = "serde")]
            row!(u8, "1 1 1 0 0", ExportError),
            row!(u8, "1 1 1 0 0", Failure),
            row!(u8, "1 1 1 1 1", Fingerprint),
            row!(u8, "1 1 1 1 1", JobId),
            row!(u8, "1 1 1 1 1", Lease),
            row!(u8, "1 1 1 1 1", LeaseLost),
            row!(u8, "1 1 1 1 1", Leased),
            row!(u8, "1 1 1 1 1", MemoryStoreStats),
            row!(u8, "1 1 1 1 1", OnceStats),
            row!(u8, "1 1 1 1 1", Pass),
            row!(u8, "1 1 1 1 1", PastDeaths),
            row!(u8, "1 1 1 0 0", Plan),
            row!(u8, "1 1 1 1 1", Planned),
            row!(u8, "1 1 1 0 0", PoolBuilder),
            row!(u8, "1 1 1 1 1", Progress),
            #[cfg(feature = "cron")]
            row!(u8, "1 1 1 1 1", Recurrence),
            #[cfg(feature = "cron")]
            row!(u8, "1 1 1 0 0", Recurring),
            row!(u8, "1 1 1 1 1", RecvError),
            row!(u8, "1 1 1 1 1", Redrive),
            row!(u8, "1 1 1 1 1", RedriveAllError),
            row!(u8, "1 1 1 1 1", RedriveProgress),
            row!(u8, "1 1 1 1 1", RetryBudget),
            row!(u8, "1 1 1 0 0", RetryPolicy),
            row!(u8, "1 1 1 1 1", Stats),
            row!(u8, "1 1 1 1 1", Unleased),
            row!(u8, "1 1 1 1 1", VirtualClock),
            row!(u8, "1 1 1 1 1", Workers),
            row!(u8, "1 1 1 1 1", Admit),
            row!(u8, "1 1 1 1 1", BreakerState),
            row!(u8, "1 1 1 0 0", BuildError),
            #[cfg(feature = "cron")]
            row!(u8, "1 1 1 1 1", CronError),
            #[cfg(feature = "cron")]
            row!(u8, "1 1 1 1 1", CronField),
            row!(u8, "1 1 1 1 1", DeadFull),
            row!(u8, "1 1 1 1 1", DeadReason),
            row!(u8, "1 1 1 1 1", Displaced),
            row!(u8, "1 1 1 1 1", Decision),
            row!(u8, "1 1 1 1 1", EmptyBudget),
            row!(u8, "1 1 1 1 1", ErrorClass),
            #[cfg(feature = "serde")]
            row!(u8, "1 1 1 0 0", ExportReason),
            row!(u8, "1 1 1 1 1", FailureKind),
            row!(u8, "1 1 1 1 1", Jitter),
            row!(u8, "1 1 1 1 1", JobEnd),
            row!(u8, "1 1 1 1 1", Lane),
            row!(u8, "1 1 1 1 1", LetterError),
            #[cfg(feature = "cron")]
            row!(u8, "1 1 1 1 1", Missed),
            row!(u8, "1 1 1 0 0", Outcome),
            row!(u8, "1 1 1 1 1", Overflow),
            row!(u8, "1 1 1 1 1", RecvTimeoutError),
            row!(u8, "1 1 1 1 1", RedriveEnd),
            row!(u8, "1 1 1 1 1", RedriveError),
            row!(u8, "1 1 1 1 1", Report),
            row!(u8, "1 1 1 1 1", SelectTimeoutError),
            row!(u8, "1 1 1 0 0", StartRedriveError),
            row!(u8, "1 1 1 1 1", TryRecvError),
            row!(u8, "1 1 1 1 1", TryRecvRelaxedError),
            row!(u8, "1 1 1 1 1", TrySelectError),
            row!(u8, "1 1 1 1 1", Unique),
            row!(u8, "1 1 1 0 0", Verdict),
            row!(u8, "1 1 1 1 1", WaitStrategy),
            row!(u8, "1 1 1 1 1", engine::Facts),
            row!(u8, "1 1 1 1 1", engine::Trials),
            row!(u8, "1 1 1 1 1", testing::Event),
            row!(u8, "1 1 1 1 1", testing::Faults),
            row!(u8, "1 1 1 1 1", testing::Trace),
            row!(u8, "1 1 1 1 1", testing::Unbalanced),
            row!(u8, "1 1 1 1 1", testing::EventKind),
            row!(u8, "1 1 1 1 1", testing::Fate),
            row!(u8, "1 1 1 1 1", testing::Fault),
        ]
    };
}

fn table() -> Vec<Row> {
    let mut table = Vec::from(of_nothing!());
    table.extend(of_anything!(Plain));
    table.extend(of_anything!(SendOnly));
    table.extend(of_anything!(SyncOnly));
    table.extend(of_anything!(Neither));
    table.extend(of_anything!(Pinned));
    table.extend(of_anything!(Interrupted));
    table.extend(of_jobs!(Plain));
    table.extend(of_jobs!(SendOnly));
    table.extend(of_jobs!(Pinned));
    table.extend(of_jobs!(Interrupted));
    table
}

/// A1, A2, A3, U1: every type is what the table says, for payloads of each kind.
#[test]
fn each_type_is_what_is_written_down() {
    let breaches: Vec<_> = table().iter().filter_map(Row::breach).collect();
    assert!(breaches.is_empty(), "\n{}", breaches.join("\n"));
}

/// What finds the public types: where the crate names them, as text.
struct Sources(PathBuf);

impl Sources {
    fn new() -> Self {
        Self(Path::new(env!("CARGO_MANIFEST_DIR")).join("src"))
    }

    /// Returns a file without its comments.
    fn text(&self, file: &str) -> String {
        let text = fs::read_to_string(self.0.join(file)).unwrap();
        text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
    }

    /// The names of the types that a file declares to be public.
    fn declared(&self, file: &str) -> Vec<String> {
        let text = self.text(file);
        let after = |line: &str| {
            let rest = line
                .trim_start()
                .strip_prefix("pub struct ")
                .or(line.trim_start().strip_prefix("pub enum "))?;
            let name: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '$').collect();
            (!name.starts_with('$')).then_some(name)
        };
        text.lines().filter_map(after).collect()
    }

    /// The names in a file's `pub use`, but for those of modules and functions, and what only loom sees.
    fn reexported(&self, file: &str) -> Vec<String> {
        let text = self.text(file);
        let mut names = Vec::new();
        let mut above = "";
        for statement in text.split(';') {
            let loom_alone = statement.contains("#[cfg(millpond_loom)]") || above.contains("pub mod model {");
            let Some((_, list)) = statement.rsplit_once("pub use ") else {
                above = statement;
                continue;
            };
            let is_type = |word: &&str| word.starts_with(char::is_uppercase);
            let words = list.split(|c: char| !c.is_alphanumeric()).filter(is_type).map(str::to_owned);
            if !loom_alone {
                names.extend(words);
            }
            if statement.contains("pub mod model {") {
                break;
            }
            above = statement;
        }
        names
    }

    fn files(&self, folder: &str) -> Vec<String> {
        let entries = fs::read_dir(self.0.join(folder)).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name.ends_with(".rs")).map(|name| format!("{folder}/{name}")).collect()
    }

    /// The types that the macros of one of the channel's modules make.
    fn made_by_macros(&self, module: &str) -> Vec<String> {
        let text = self.text(module);
        let mut names = Vec::new();
        for file in self.files("channel") {
            let source = self.text(&file);
            for name in source.split("macro_rules! ").skip(1).filter_map(|rest| rest.split(' ').next()) {
                if text.contains(&format!("\n{name}!(")) {
                    names.extend(self.declared(&file));
                }
            }
        }
        let weak = text.lines().filter_map(|line| line.strip_prefix("weak!(")?.split(' ').next());
        names.extend(weak.map(str::to_owned));
        names
    }

    /// All public traits, which are no types.
    fn traits(&self) -> BTreeSet<String> {
        let folders = ["channel/select", "once", "queue", "retry"];
        let files = folders.iter().flat_map(|folder| self.files(folder));
        let texts: Vec<_> = files.map(|file| self.text(&file)).collect();
        let lines = texts.iter().flat_map(|text| text.lines());
        let names = lines.filter_map(|line| line.strip_prefix("pub trait "));
        names.map(|rest| rest.chars().take_while(|c| c.is_alphanumeric()).collect()).collect()
    }

    /// All public types by their paths. What the root shares with `mpmc` stands at the root.
    fn all(&self) -> BTreeSet<String> {
        let mut all: Vec<(&str, String)> = Vec::new();
        let mut add = |path, names: Vec<String>| all.extend(names.into_iter().map(|name| (path, name)));
        add("", self.reexported("lib.rs"));
        add("", self.declared("channel/mpmc.rs"));
        add("", self.made_by_macros("channel/mpmc.rs"));
        for (path, file) in [("mpsc::", "channel/mpsc.rs"), ("spsc::", "channel/spsc/mod.rs")] {
            add(path, self.declared(file));
            add(path, self.made_by_macros(file));
        }
        add("spsc::", self.reexported("channel/spsc/mod.rs"));
        add("broadcast::", self.reexported("broadcast/mod.rs"));
        add("topic::", self.reexported("topic/mod.rs"));
        add("testing::", self.reexported("testing/mod.rs"));
        add("engine::", self.declared("queue/engine.rs"));
        add("ring::error::", self.declared("ring/error.rs"));
        add("ring::mpmc::", self.declared("ring/mpmc/mod.rs"));
        add("ring::spsc::", self.declared("ring/spsc/mod.rs"));
        add("ring::spsc::", self.reexported("ring/spsc/mod.rs"));
        let traits = self.traits();
        all.into_iter()
            .filter(|(_, name)| !traits.contains(name))
            .map(|(path, name)| format!("{path}{name}"))
            .collect()
    }
}

/// No public type is missing from the table. Needs all features, as some types come with one.
#[test]
fn no_public_type_is_missing() {
    if !cfg!(all(feature = "stream", feature = "sink", feature = "cron", feature = "serde")) {
        return;
    }
    let name = |row: &Row| row.name.split('<').next().unwrap_or_default().to_owned();
    let listed: BTreeSet<String> = table().iter().map(name).collect();
    let public = Sources::new().all();
    assert!(public.len() > 150, "{public:?}");
    let missing: Vec<_> = public.difference(&listed).collect();
    assert!(missing.is_empty(), "not in the table: {missing:?}");
    let unknown: Vec<_> = listed.difference(&public).collect();
    assert!(unknown.is_empty(), "in the table, but where does the crate name it? {unknown:?}");
}

/// The modules of the crate are those in which the test above looks for types.
#[test]
fn the_public_modules_are_known() {
    let sources = Sources::new();
    let modules = |file: &str| {
        let text = sources.text(file);
        let names = text.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'));
        names.map(str::to_owned).collect::<BTreeSet<_>>()
    };
    let known = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
    assert_eq!(modules("lib.rs"), known(&["broadcast", "ring", "testing", "topic"]));
    assert_eq!(modules("ring/mod.rs"), known(&["error", "mpmc", "spsc"]));
    assert!(sources.text("lib.rs").contains("pub use channel::{mpmc, mpsc, spsc};"));
    for file in ["broadcast/mod.rs", "topic/mod.rs", "testing/mod.rs", "queue/engine.rs"] {
        assert_eq!(modules(file), known(&[]), "{file}");
    }
}

/// Asserts the sizes of types, in words.
macro_rules! words {
    ($($type:ty: $words:literal),* $(,)?) => {$(
        assert_eq!(size_of::<$type>(), $words * size_of::<usize>(), stringify!($type));
    )*};
}

/// A handle is a few words, a shared one a pointer or two, whatever it carries: it costs nothing to keep or to pass on.
#[test]
fn handles_are_small() {
    type Large = [u64; 99];
    words!(
        millpond::Sender<Large>: 1, Option<millpond::Receiver<Large>>: 1,
        millpond::WeakSender<Large>: 1, Option<millpond::WeakReceiver<Large>>: 1,
        millpond::Permit<'_, Large>: 1, Option<millpond::OwnedPermit<Large>>: 2,
        millpond::mpsc::Sender<Large>: 1, millpond::mpsc::Receiver<Large>: 3,
        millpond::spsc::Sender<Large>: 4, millpond::spsc::Receiver<Large>: 4,
        millpond::ring::spsc::Producer<Large>: 3, millpond::ring::spsc::Consumer<Large>: 3,
        millpond::broadcast::Publisher<Large>: 2, millpond::broadcast::Subscriber<Large>: 12,
        millpond::topic::Topics<Large>: 1, millpond::topic::Topic<Large>: 2,
        millpond::Handle<Large>: 1, millpond::JobHandle<Large>: 3, millpond::DeadLetters<Large>: 1,
        millpond::topic::TopicName: 2, millpond::topic::Pattern: 2, millpond::JobId: 1,
        millpond::Breaker: 1, millpond::RetryBudget: 1, millpond::VirtualClock: 1, millpond::Clock: 2,
    );
}

/// An error is its message and a reason; one that carries none is a byte or nothing.
#[test]
fn errors_are_small() {
    words!(
        millpond::SendError<u64>: 1, Result<(), millpond::SendError<Box<u8>>>: 1,
        millpond::TrySendError<u64>: 2, millpond::SendTimeoutError<u64>: 2, millpond::TrySendRelaxedError<u64>: 2,
        millpond::broadcast::PublishError<u64>: 1, millpond::broadcast::TryPublishError<u64>: 2,
        millpond::broadcast::RecvError: 2, Option<millpond::broadcast::TryRecvError>: 2,
        millpond::ring::error::PushError<u64>: 2, millpond::ring::error::RelaxedPushError<u64>: 2,
        millpond::topic::PublishError<u64>: 3, millpond::SubmitError<u64>: 3, Option<millpond::Failure>: 2,
    );
    let none = [size_of::<millpond::RecvError>(), size_of::<millpond::LeaseLost>()];
    assert_eq!(none, [0; 2]);
    let one = [
        size_of::<millpond::TryRecvError>(),
        size_of::<millpond::TryRecvRelaxedError>(),
        size_of::<millpond::RecvTimeoutError>(),
        size_of::<millpond::SelectTimeoutError>(),
        size_of::<millpond::ring::error::PopError>(),
        size_of::<millpond::ring::error::RelaxedPopError>(),
    ];
    assert_eq!(one, [1; 6]);
}
