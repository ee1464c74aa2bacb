//! The pool at work: submit every picture, make its thumbnail on some worker, account for each.
//!
//! * **Backpressure.** [`Pool::submit`] blocks while the pool holds `--capacity` jobs, so a million pictures never pile up.
//! * **Retry or reject.** The handler's [`Outcome`] tells trouble that may pass from trouble that cannot ([`Trouble`]).
//! * **Dead letters.** What is given up keeps its job and the failure of each attempt, until somebody takes it.
//! * **Results** come back over a channel of millpond's own, whose room for all of them means that no worker waits there.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use indicatif::ProgressBar;
use millpond::{Context, DeadFull, DeadLetter, DeadReason, Outcome, Pool, RetryPolicy, Sender};

use crate::args::Options;
use crate::inputs::Picture;
use crate::picture::{self, Unusable};
use crate::report::{Dead, Finished, Report};
use crate::store::Store;

/// Before the first retry a picture waits up to this long, then up to twice that, and so on. A guess.
const RETRY_BASE: Duration = Duration::from_millis(100);
/// The longest wait before a retry. A guess.
const RETRY_CAP: Duration = Duration::from_secs(5);
/// How often the progress bar is drawn: often enough to look alive, too seldom to cost anything.
const TICK: Duration = Duration::from_millis(20);
/// A larger file is no photograph. It bounds what a worker reads, as the decoder's limits bound what it unpacks.
const MAX_FILE_BYTES: u64 = 512 << 20;

/// What can go wrong with one picture.
enum Trouble {
    /// Reading or writing failed, which may pass: a network drive, a full disk.
    Passing(io::Error),
    /// The file is no good picture, and stays so.
    Lasting(Unusable),
}

impl From<Trouble> for Outcome {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Passing(error) => Outcome::retry(error),
            Trouble::Lasting(error) => Outcome::dead(error),
        }
    }
}

/// Makes all thumbnails, and returns when each picture is done or dead.
///
/// # Errors
///
/// A message for the user: the pool cannot start its threads, or did not account for every picture.
pub(crate) fn make_thumbnails(
    pictures: Vec<Picture>,
    store: &Store,
    options: &Options,
    bar: &ProgressBar,
) -> Result<Report, String> {
    let inputs = pictures.len();
    let started = Instant::now();
    let (finished, results) = millpond::bounded(inputs);
    let pool = start(inputs, store, options, finished)?;

    for picture in pictures {
        // Waits here while the pool is full.
        pool.submit(picture).map_err(|error| format!("the pool refused a picture: {error}"))?;
        show(&pool, bar);
    }
    wait(&pool, bar);

    let elapsed = started.elapsed();
    let stats = pool.stats();
    let mut dead: Vec<Dead> = pool.dead().take_all().into_iter().map(give_up).collect();
    let mut done: Vec<Finished> = results.try_iter().collect();
    dead.sort_by_key(|dead| dead.number);
    done.sort_by_key(|done| done.number);
    if done.len() + dead.len() != inputs {
        return Err(format!("of {inputs} pictures {} are done and {} dead", done.len(), dead.len()));
    }
    Ok(Report {
        done,
        dead,
        retried: stats.retried,
        elapsed,
        folder: store.folder().to_owned(),
        sheet: Ok(None),
    })
}

/// Starts the workers. The handler owns what it needs: a store, the size, and the sending end for results.
fn start(
    inputs: usize,
    store: &Store,
    options: &Options,
    finished: Sender<Finished>,
) -> Result<Pool<Picture>, String> {
    let (store, size) = (store.clone(), options.size);
    let mut builder = Pool::builder()
        .name("thumbnails")
        .capacity(options.capacity)
        .retry(RetryPolicy::exponential(RETRY_BASE, RETRY_CAP).max_attempts(options.attempts))
        // Room for every picture, so that none is dropped unseen.
        .dead_letters(inputs, DeadFull::Block);
    if let Some(workers) = options.workers {
        builder = builder.workers(workers);
    }
    builder
        .start(move |job: &Picture, _: &Context| match make(job, &store, size) {
            Ok(result) => {
                // There is room, and a receiver, as long as anybody wants to know.
                let _ = finished.send(result);
                Outcome::Done
            }
            Err(trouble) => trouble.into(),
        })
        .map_err(|error| format!("cannot start the pool: {error}"))
}

/// One picture, from its file to its thumbnail's file.
fn make(job: &Picture, store: &Store, size: u32) -> Result<Finished, Trouble> {
    let started = Instant::now();
    let bytes = read(&job.source)?;
    let thumbnail = picture::thumbnail(&bytes, size).map_err(Trouble::Lasting)?;
    let file = format!("{}.{}", job.stem, thumbnail.extension);
    store.write(&file, &thumbnail.bytes).map_err(Trouble::Passing)?;
    Ok(Finished { number: job.number, file, took: started.elapsed() })
}

/// The whole file, unless it is absurdly large.
fn read(path: &Path) -> Result<Vec<u8>, Trouble> {
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(Trouble::Passing)?;
    file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes).map_err(Trouble::Passing)?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(Trouble::Lasting("the file is larger than 512 MiB".into()));
    }
    Ok(bytes)
}

/// Waits until every picture is settled. A picture that waits for its retry is held, though no worker is busy with it.
fn wait(pool: &Pool<Picture>, bar: &ProgressBar) {
    while pool.stats().held > 0 {
        // Nothing to do until a retry is due.
        if pool.wait_idle(TICK) && pool.stats().scheduled > 0 {
            thread::sleep(TICK);
        }
        show(pool, bar);
    }
}

fn show(pool: &Pool<Picture>, bar: &ProgressBar) {
    let stats = pool.stats();
    bar.set_position(stats.done + stats.dead);
    if stats.retried + stats.dead > 0 {
        bar.set_message(format!("{} retried, {} dead", stats.retried, stats.dead));
    }
}

/// What the summary says of a dead letter: the last failure is the reason.
fn give_up(letter: DeadLetter<Picture>) -> Dead {
    let failure = letter.last_failure().map_or_else(String::new, ToString::to_string);
    let (reason, rejected) = match letter.reason {
        DeadReason::Rejected => (failure, true),
        _ => (format!("{failure} (after {} attempts)", letter.attempts_total), false),
    };
    Dead { number: letter.job.number, source: letter.job.source, reason, rejected }
}
