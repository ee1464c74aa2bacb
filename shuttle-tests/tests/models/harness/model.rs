//! `Model`: a race, how often to run it, and what must be seen of it.

use super::fair::Fair;
use shuttle::rand::Rng;
use shuttle::scheduler::{DfsScheduler, PctScheduler, RandomScheduler, ReplayScheduler, Scheduler};
use shuttle::{Config, MaxSteps, Runner};
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::time::Instant;

/// How many priority changes PCT plans, counting the start: an error that takes d well-chosen orders is found with d.
const DEPTH: usize = 3;
/// For the deep calls of debug builds, where each task has a stack of its own.
const STACK: usize = 1 << 18;
/// No model takes a tenth of it, unless a thread spins on what never comes.
const MAX_STEPS: usize = 200_000;
/// For runs that repeat. Any number would do.
const SEED: u64 = 0x5EED_0B0E;

thread_local! {
    /// What the schedules of this model have shown. All its threads are one thread of the system's.
    static SEEN: RefCell<BTreeSet<&'static str>> = const { RefCell::new(BTreeSet::new()) };
}

/// Says that an outcome was seen.
pub(crate) fn witness(name: &'static str) {
    SEEN.with_borrow_mut(|seen| seen.insert(name));
}

/// Starts a thread of the model.
pub(crate) fn spawn<R: Send + 'static>(
    body: impl FnOnce() -> R + Send + 'static,
) -> shuttle::thread::JoinHandle<R> {
    shuttle::thread::spawn(body)
}

/// Lets the others go first, up to so many times: for a step that would else always come too early. Not under DFS.
pub(crate) fn stroll(most: u32) {
    let turns = shuttle::rand::thread_rng().gen_range(0..=most);
    (0..turns).for_each(|_| shuttle::thread::yield_now());
}

/// A race to explore.
#[derive(Clone, Debug)]
pub(crate) struct Model {
    name: &'static str,
    random: usize,
    pct: usize,
    dfs: usize,
    witnesses: &'static [&'static str],
}

impl Model {
    /// A model that runs `schedules` times, half of them at random and half by PCT.
    pub(crate) fn new(name: &'static str, schedules: usize) -> Self {
        Self { name, random: schedules / 2, pct: schedules / 2, dfs: 0, witnesses: &[] }
    }

    /// Runs it by depth-first search too, so many times or until no order is left.
    pub(crate) fn dfs(mut self, schedules: usize) -> Self {
        self.dfs = schedules;
        self
    }

    /// Declares the outcomes that must be seen, each in at least one schedule.
    pub(crate) fn witnesses(mut self, names: &'static [&'static str]) -> Self {
        self.witnesses = names;
        self
    }

    /// Explores the model and prints what it found.
    ///
    /// # Panics
    /// If a schedule fails, deadlocks or does not end, or if no schedule showed a witness.
    pub(crate) fn run(&self, body: impl Fn() + Send + Sync + 'static) {
        let body = Arc::new(body);
        SEEN.take();
        if let Some(file) = std::env::var_os("SHUTTLE_REPLAY") {
            let text = std::fs::read_to_string(&file).expect("SHUTTLE_REPLAY names a file");
            let schedule = text.trim().trim_matches('"').trim();
            self.engine("replay", ReplayScheduler::new_from_encoded(schedule), &body);
            return;
        }
        let (start, factor, seed) =
            (Instant::now(), number("SHUTTLE_FACTOR", 1) as usize, number("SHUTTLE_SEED", SEED));
        let random = self.engine("random", RandomScheduler::new_from_seed(seed, self.random * factor), &body);
        let pct = self.engine("PCT", PctScheduler::new_from_seed(seed, DEPTH, self.pct * factor), &body);
        let (limit, mut dfs) = (self.dfs * factor, 0);
        if limit > 0 {
            dfs = self.engine("DFS", Fair(DfsScheduler::new(Some(limit), false)), &body);
        }
        let all = if limit > 0 && dfs < limit { " (all there are)" } else { "" };
        let seen = SEEN.take();
        println!(
            "model {}: {} schedules: random {random}, PCT {pct}, DFS {dfs}{all}; {:.2} s; seed {seed}; witnesses {seen:?}",
            self.name,
            random + pct + dfs,
            start.elapsed().as_secs_f64()
        );
        let missing: Vec<_> = self.witnesses.iter().filter(|name| !seen.contains(*name)).collect();
        assert!(missing.is_empty(), "model {}: no schedule showed {missing:?}", self.name);
        let unknown: Vec<_> = seen.iter().filter(|name| !self.witnesses.contains(name)).collect();
        assert!(unknown.is_empty(), "model {}: witnesses {unknown:?} are not declared", self.name);
    }

    /// Runs one engine, and says which it was if a schedule fails. Returns the number of schedules.
    fn engine<F>(&self, engine: &str, scheduler: impl Scheduler + 'static, body: &Arc<F>) -> usize
    where
        F: Fn() + Send + Sync + 'static,
    {
        let mut config = Config::new();
        config.stack_size = STACK;
        config.max_steps = MaxSteps::FailAfter(MAX_STEPS);
        // We know: see the head of `sync::shuttle`.
        config.silence_warnings = true;
        let (runner, body) = (Runner::new(scheduler, config), Arc::clone(body));
        let run = AssertUnwindSafe(move || runner.run(move || body()));
        catch_unwind(run).unwrap_or_else(|panic| {
            let seed = number("SHUTTLE_SEED", SEED);
            eprintln!(
                "model {}: a schedule of {engine} failed, seed {seed}: see the head of `harness`",
                self.name
            );
            resume_unwind(panic)
        })
    }
}

fn number(variable: &str, otherwise: u64) -> u64 {
    std::env::var(variable).map_or(otherwise, |text| text.parse().expect("a number"))
}

#[test]
fn a_lost_wake_up_is_found() {
    use shuttle::sync::atomic::{AtomicBool, Ordering};
    let sleepy = || {
        let ready = Arc::new(AtomicBool::new(false));
        let bell = Arc::new((shuttle::sync::Mutex::new(()), shuttle::sync::Condvar::new()));
        let ringer = spawn({
            let (ready, bell) = (Arc::clone(&ready), Arc::clone(&bell));
            move || {
                ready.store(true, Ordering::SeqCst);
                // Without the lock: it may ring between the look and the sleep.
                bell.1.notify_one();
            }
        });
        let guard = bell.0.lock().expect("nobody panics");
        if !ready.load(Ordering::SeqCst) {
            drop(bell.1.wait(guard));
        }
        ringer.join().expect("it ends");
    };
    for engine in 0..3 {
        let [random, pct, dfs] = [0, 1, 2].map(|one| if one == engine { 2_000 } else { 0 });
        let model = Model { name: "planted", random, pct, dfs, witnesses: &[] };
        assert!(catch_unwind(AssertUnwindSafe(|| model.run(sleepy))).is_err(), "engine {engine} is blind");
    }
}

#[test]
fn a_missing_witness_fails() {
    let meet = || {
        let count = Arc::new(shuttle::sync::atomic::AtomicU32::new(0));
        let other = Arc::clone(&count);
        let thread = spawn(move || other.fetch_add(1, shuttle::sync::atomic::Ordering::SeqCst));
        count.fetch_add(1, shuttle::sync::atomic::Ordering::SeqCst);
        thread.join().expect("it ends");
        witness("met");
    };
    let run =
        |witnesses| catch_unwind(|| Model::new("two threads", 10).witnesses(witnesses).run(meet)).is_ok();
    assert!(run(&["met"]) && !run(&["met", "never"]) && !run(&[]));
}
