//! `Model`: a race, its bounds and what must be seen of it.

use super::orders::Orders;
use super::{isolate, recorder};
use loom::model::Builder;
use loom::thread;
use std::collections::BTreeSet;
use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// The most branch points of one execution. Loom's own default of 1,000 is too low for a channel's slow paths, and passing
/// it is a failure, not a cut: only a spin loop gets near.
const MAX_BRANCHES: usize = 100_000;

/// Threads loom can run, the main thread included.
const MAX_THREADS: usize = 5;

/// Variables that make loom end a search early and pass.
const CUTTING_VARIABLES: [&str; 2] = ["LOOM_MAX_DURATION", "LOOM_MAX_PERMUTATIONS"];

type Body = Box<dyn FnOnce() + Send>;

/// One execution of a model: its threads, and the check that follows them.
#[derive(Default)]
pub(crate) struct Case {
    threads: Vec<Body>,
    /// For each thread, which work it does: twins share a number.
    kinds: Vec<usize>,
    finish: Option<Box<dyn FnOnce()>>,
}

impl Case {
    /// Adds a thread.
    pub(crate) fn thread(&mut self, body: impl FnOnce() + Send + 'static) {
        self.kinds.push(self.threads.len());
        self.threads.push(Box::new(body));
    }

    /// Adds a thread that does the same work as the one added before. Spawn orders that only swap the two are left out.
    pub(crate) fn twin(&mut self, body: impl FnOnce() + Send + 'static) {
        let kind = *self.kinds.last().expect("a twin follows a thread");
        self.kinds.push(kind);
        self.threads.push(Box::new(body));
    }

    /// Sets the check that the main thread runs after all threads have been joined.
    pub(crate) fn finish(&mut self, check: impl FnOnce() + 'static) {
        assert!(self.finish.is_none(), "a case has one final check");
        self.finish = Some(Box::new(check));
    }

    /// Spawns the threads in the given order, joins them and runs the final check.
    ///
    /// Loom's own `join` is a race to explore (did the thread end before or after?), which multiplies the executions of
    /// every model and hides a model in which the threads never meet. A count and `unpark`, which passes everything the
    /// thread has done on to the main thread, add no step at all.
    fn execute(self, order: &[usize]) {
        let main = thread::current();
        let running = Arc::new(AtomicUsize::new(order.len()));
        let mut threads: Vec<_> = self.threads.into_iter().map(Some).collect();
        for &i in order {
            let body = threads[i].take().expect("an order names each thread once");
            let (main, running) = (main.clone(), Arc::clone(&running));
            let whole = move || {
                body();
                running.fetch_sub(1, Ordering::Relaxed);
                main.unpark();
            };
            thread::Builder::new().name(format!("thread {i}")).spawn(whole).expect("loom can always spawn");
        }
        while running.load(Ordering::Relaxed) > 0 {
            thread::park();
        }
        if let Some(finish) = self.finish {
            finish();
        }
    }
}

/// A race to explore. See the module head of `harness` for the rules it enforces.
#[derive(Clone, Debug)]
pub(crate) struct Model {
    name: &'static str,
    preemptions: Option<usize>,
    deeper: Option<(usize, usize)>,
    orders: Orders,
    floor: usize,
    blind_orders: bool,
    witnesses: &'static [&'static str],
}

/// What a run found.
#[derive(Clone, Debug, Default)]
pub(crate) struct Report {
    /// Executions of each spawn order.
    pub(crate) executions: Vec<usize>,
    /// How long all of them took.
    pub(crate) elapsed: Duration,
    /// How long the processor worked on it, where the system tells.
    busy: Option<Duration>,
    /// The witnesses that turned up.
    seen: BTreeSet<&'static str>,
}

impl Model {
    /// A model without a preemption bound, in all spawn orders, with a floor of 2 executions and no witnesses.
    pub(crate) fn new(name: &'static str) -> Self {
        Model {
            name,
            preemptions: None,
            deeper: None,
            orders: Orders::All,
            floor: 2,
            blind_orders: false,
            witnesses: &[],
        }
    }

    /// Explores only executions with at most `bound` preemptions. `LOOM_MAX_PREEMPTIONS` may raise it.
    pub(crate) fn preemptions(mut self, bound: usize) -> Self {
        self.preemptions = Some(bound);
        self
    }

    /// Takes a higher bound for the first `orders` spawn orders.
    pub(crate) fn deeper(mut self, bound: usize, orders: usize) -> Self {
        self.deeper = Some((bound, orders));
        self
    }

    /// Runs the rotations only, instead of every order. For models of four threads.
    pub(crate) fn rotations(mut self) -> Self {
        self.orders = Orders::Rotations;
        self
    }

    /// Requires at least `executions` executions in all orders together.
    pub(crate) fn floor(mut self, executions: usize) -> Self {
        self.floor = executions;
        self
    }

    /// Accepts orders in which loom finds nothing to vary. Only for showing that there are such orders.
    pub(crate) fn blind_orders(mut self) -> Self {
        self.blind_orders = true;
        self
    }

    /// Declares the outcomes that must be seen, each in at least one execution.
    pub(crate) fn witnesses(mut self, names: &'static [&'static str]) -> Self {
        self.witnesses = names;
        self
    }

    /// Explores the model and prints what it found.
    ///
    /// # Panics
    ///
    /// If an execution fails, deadlocks or leaks, or if the search was too small or missed a witness.
    pub(crate) fn run(&self, setup: impl Fn(&mut Case) + Send + Sync + 'static) -> Report {
        self.try_run(setup).unwrap_or_else(|failure| panic!("{failure}"))
    }

    /// Explores the model; the error describes the failure.
    pub(crate) fn try_run(
        &self,
        setup: impl Fn(&mut Case) + Send + Sync + 'static,
    ) -> Result<Report, String> {
        forbid_cuts(|name| std::env::var_os(name).is_some())?;
        let model = self.clone();
        let report = isolate::run(move || model.explore(Arc::new(setup)))?;
        println!("{}", self.describe(&report));
        self.judge(&report)?;
        Ok(report)
    }

    /// Explores all spawn orders. A failing execution panics.
    fn explore<F>(&self, setup: Arc<F>) -> Report
    where
        F: Fn(&mut Case) + Send + Sync + 'static,
    {
        let start = Instant::now();
        let mut report = Report::default();
        let mut orders = 1;
        while report.executions.len() < orders {
            let executions;
            (orders, executions) = self.explore_order(report.executions.len(), &setup);
            report.executions.push(executions);
        }
        report.elapsed = start.elapsed();
        report.busy = time_on_processor();
        report.seen = recorder::seen();
        report
    }

    /// Explores one spawn order; returns how many orders there are, and the executions of this one.
    fn explore_order<F>(&self, index: usize, setup: &Arc<F>) -> (usize, usize)
    where
        F: Fn(&mut Case) + Send + Sync + 'static,
    {
        let counts = Arc::new([AtomicUsize::new(0), AtomicUsize::new(0)]);
        let (in_model, setup, orders) = (Arc::clone(&counts), Arc::clone(setup), self.orders);
        let name = self.name;
        self.builder(index).check(move || {
            let mut case = Case::default();
            let execution = in_model[1].fetch_add(1, Ordering::Relaxed) + 1;
            recorder::begin_execution(format!("model {name}: execution {execution}"));
            setup(&mut case);
            let threads = case.threads.len();
            assert!((2..MAX_THREADS).contains(&threads), "a model has 2 to 4 threads, not {threads}");
            let orders = orders.list(&case.kinds);
            in_model[0].store(orders.len(), Ordering::Relaxed);
            let order = &orders[index];
            recorder::begin_execution(format!("model {name}: spawn order {order:?}, execution {execution}"));
            case.execute(order);
        });
        let [orders, executions] = [0, 1].map(|i| counts[i].load(Ordering::Relaxed));
        (orders, executions)
    }

    fn builder(&self, order: usize) -> Builder {
        let mut builder = Builder::new();
        builder.max_threads = MAX_THREADS;
        builder.max_branches = MAX_BRANCHES;
        let own = match self.deeper {
            Some((bound, orders)) if order < orders => Some(bound),
            _ => self.preemptions,
        };
        builder.preemption_bound = own.map(|bound| bound.max(builder.preemption_bound.unwrap_or(0)));
        builder
    }

    /// One line for the log.
    fn describe(&self, report: &Report) -> String {
        let mut line = format!(
            "model {}: orders {}, executions {} (per order {:?}), {:.2} s",
            self.name,
            report.executions.len(),
            report.total(),
            report.executions,
            report.elapsed.as_secs_f64(),
        );
        if let Some(busy) = report.busy {
            write!(line, " ({:.2} s busy)", busy.as_secs_f64()).expect("a string takes any text");
        }
        if !report.seen.is_empty() {
            write!(line, ", witnesses {:?}", report.seen).expect("a string takes any text");
        }
        line
    }

    /// Refuses a search that was too small, or that missed a witness.
    fn judge(&self, report: &Report) -> Result<(), String> {
        let name = self.name;
        let blind = report.executions.iter().position(|&executions| executions < 2);
        if let Some(order) = blind.filter(|_| !self.blind_orders) {
            return Err(format!(
                "model {name}: order number {order} had a single execution: nothing was explored"
            ));
        }
        if report.total() < self.floor {
            return Err(format!(
                "model {name}: {} executions, below its floor of {}",
                report.total(),
                self.floor
            ));
        }
        let seen = &report.seen;
        if let Some(missing) = self.witnesses.iter().find(|name| !seen.contains(*name)) {
            return Err(format!("model {name}: no execution showed \"{missing}\""));
        }
        if let Some(unknown) = seen.iter().find(|name| !self.witnesses.contains(name)) {
            return Err(format!("model {name}: witness \"{unknown}\" is not declared"));
        }
        Ok(())
    }
}

impl Report {
    /// Executions of all spawn orders together.
    pub(crate) fn total(&self) -> usize {
        self.executions.iter().sum()
    }
}

/// Refuses to run where loom would end a search early and call it a pass.
fn forbid_cuts(is_set: impl Fn(&str) -> bool) -> Result<(), String> {
    match CUTTING_VARIABLES.iter().find(|name| is_set(name)) {
        Some(name) => Err(format!("{name} is set: a search that it cuts short would pass")),
        None => Ok(()),
    }
}

/// How long the calling thread has run, waiting for the processor excluded: a model's price on a busy machine. Linux tells.
fn time_on_processor() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split_whitespace().next()?.parse().ok().map(Duration::from_nanos)
}

#[test]
fn variables_that_cut_a_search_are_refused() {
    assert!(forbid_cuts(|_| false).is_ok());
    for name in CUTTING_VARIABLES {
        assert!(forbid_cuts(|asked| asked == name).expect_err("it is set").contains(name));
    }
}
