//! What goes wrong with a delivery. It follows from the seed, the service, the order and how often that has come.

use std::thread;
use std::time::Duration;

use millpond::Context;

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// Nothing.
    None,
    /// It fails before anything was done.
    Before,
    /// The work is done, and it fails all the same: nobody learns of it.
    After,
    /// It panics after its work.
    Panic,
    /// The work is done, and then the worker hangs until its lease is lost.
    Hang,
}

/// Longer than anybody waits for a lease to be lost; far shorter than the program may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// Mixes the numbers that name an event. Source: the finalizer of SplitMix64.
pub(crate) fn mix(numbers: &[u64]) -> u64 {
    numbers.iter().fold(0, |state, number| {
        let mut mixed = (state ^ number).wrapping_add(0x9E37_79B9_7F4A_7C15);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    })
}

impl Trouble {
    /// Chooses what goes wrong with a delivery, in this round of the review: with one in four, something does.
    pub(crate) fn of(seed: u64, service: u64, order: u32, (round, delivery): (u32, u32)) -> Self {
        match mix(&[seed, service, u64::from(order), u64::from(round), u64::from(delivery)]) % 200 {
            0..20 => Trouble::Before,
            20..40 => Trouble::After,
            40..48 => Trouble::Panic,
            48..51 => Trouble::Hang,
            _ => Trouble::None,
        }
    }

    /// Does the work, and lets the trouble happen around it.
    pub(crate) fn around<E: From<&'static str>>(
        self,
        cx: &Context,
        work: impl FnOnce() -> Result<(), E>,
    ) -> Result<(), E> {
        if self == Trouble::Before {
            return Err("the connection was refused".into());
        }
        work()?;
        match self {
            Trouble::After => Err("the answer was lost".into()),
            // Without the message that a panic prints: there are many.
            Trouble::Panic => std::panic::resume_unwind(Box::new("an assertion has failed")),
            Trouble::Hang => {
                let start = std::time::Instant::now();
                while !cx.cancelled() && start.elapsed() < PATIENCE {
                    thread::sleep(Duration::from_millis(1));
                }
                Ok(())
            }
            Trouble::None | Trouble::Before => Ok(()),
        }
    }
}
