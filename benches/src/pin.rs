//! Where threads run.

#![forbid(unsafe_code)]

use core_affinity::CoreId;
use std::fmt;
use std::str::FromStr;
use std::sync::OnceLock;

/// How many cores the pinned threads are spread over: those of the reference machine.
const CORES: usize = 2;

/// Whether threads are left to the scheduler, each kept on one core, or all kept on the same one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placement {
    /// The scheduler decides.
    Free,
    /// Producer `i` on core `i % 2`, consumer `i` on core `(i + 1) % 2`.
    Pinned,
    /// The whole process on one core.
    OneCpu,
}

impl Placement {
    /// All of them, in the order in which they are run.
    pub const ALL: [Self; 3] = [Self::Free, Self::Pinned, Self::OneCpu];

    /// Prepares the process. Call it first in `main`: threads that are started later inherit the one core, and libraries that
    /// ask how many cores there are see one.
    pub fn process(self) {
        if self == Self::OneCpu
            && let Some(&first) = cores().first()
        {
            core_affinity::set_for_current(first);
        }
    }

    /// Puts the calling thread where producer `index` belongs.
    pub fn producer(self, index: usize) {
        if self == Self::Pinned && !cores().is_empty() {
            let used = cores().len().min(CORES);
            core_affinity::set_for_current(cores()[index % used]);
        }
    }

    /// Puts the calling thread where consumer `index` belongs.
    pub fn consumer(self, index: usize) {
        self.producer(index + 1);
    }
}

/// The cores that the process may use, as they are when first asked for.
fn cores() -> &'static [CoreId] {
    static CORES: OnceLock<Vec<CoreId>> = OnceLock::new();
    CORES.get_or_init(|| core_affinity::get_core_ids().unwrap_or_default())
}

impl fmt::Display for Placement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Free => "free",
            Self::Pinned => "pinned",
            Self::OneCpu => "one-cpu",
        })
    }
}

impl FromStr for Placement {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|mode| mode.to_string() == text);
        found.ok_or_else(|| format!("no such mode: {text}; there are free, pinned and one-cpu"))
    }
}
