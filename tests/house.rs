//! The house rules, read from the sources: arrows run down, `unsafe` keeps to its homes, every ordering has its reason.

#![allow(clippy::unwrap_used, reason = "a helper of a test may unwrap as the test may")]

use std::fs;
use std::path::{Path, PathBuf};

/// Which module may name which. An arrow that is not here runs up, or is new: think before adding it.
const ARROWS: &[(&str, &[&str])] = &[
    ("sync", &[]),
    ("retry", &["time", "sync"]),
    ("time", &["sync"]),
    ("once", &["retry", "time", "sync"]),
    ("stall", &["sync"]),
    ("ring", &["stall", "sync"]),
    ("wait", &["sync"]),
    ("gate", &["wait", "sync"]),
    ("channel", &["ring", "wait", "sync"]),
    ("broadcast", &["wait", "time", "stall", "sync"]),
    ("queue", &["channel", "gate", "wait", "retry", "time", "sync"]),
    ("topic", &["channel", "broadcast", "gate", "wait", "retry", "sync"]),
    // `once` knows nothing of pools, and a handler asks for it through its `Context`: so the arrow runs down.
    ("pool", &["queue", "topic", "channel", "gate", "wait", "once", "retry", "time", "sync"]),
    ("testing", &["pool", "queue", "retry", "time", "sync"]),
    (
        "lib",
        &[
            "testing",
            "pool",
            "queue",
            "once",
            "topic",
            "channel",
            "broadcast",
            "gate",
            "wait",
            "ring",
            "retry",
            "time",
            "stall",
            "sync",
        ],
    ),
];

/// The modules and folders in which `unsafe` may stand.
const UNSAFE_HOMES: &[&str] = &["ring", "wait", "sync", "broadcast/log"];
/// The one module that names the standard library's threads and locks, and the models' stand-ins.
const DOOR: &str = "sync";
const LONGEST_FILE: usize = 500;
/// How far above an atomic operation its reason may stand.
const REASON_WITHIN: usize = 4;

/// One line of a source file, with its strings blanked.
#[derive(Default, Clone)]
struct Line {
    code: String,
    comment: String,
    /// Part of a test module.
    test: bool,
}

struct Source {
    /// The first folder below `src`, or the file's own name.
    module: String,
    /// For messages: the path below `src`.
    path: String,
    lines: Vec<Line>,
}

impl Source {
    fn new(path: &str, text: &str) -> Self {
        let module = path.split('/').next().unwrap_or_default().trim_end_matches(".rs").to_owned();
        let mut lines = split(text);
        mark_tests(&mut lines);
        Self { module, path: path.to_owned(), lines }
    }

    /// The lines of code outside tests, with their numbers from 0.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        self.lines
            .iter()
            .enumerate()
            .filter(|(_, line)| !line.test)
            .map(|(at, line)| (at, line.code.as_str()))
    }

    fn breach(&self, at: usize, what: &str) -> String {
        format!("src/{}:{}: {what}", self.path, at + 1)
    }

    /// The first line of the statement that line `at` belongs to.
    fn statement(&self, at: usize) -> usize {
        let ends = |line: &Line| {
            let code = line.code.trim();
            code.is_empty()
                || code.ends_with([';', '{', '}'])
                || code.ends_with("=>")
                || code.starts_with("#[")
        };
        (0..at).rev().take_while(|above| !ends(&self.lines[*above])).last().unwrap_or(at)
    }

    /// Whether a comment with `word` stands in the statement of line `at`, in the comments and attributes right above
    /// it, or within so many lines above it.
    fn has_reason(&self, at: usize, word: &str, within: usize) -> bool {
        let start = self.statement(at);
        let is_above = |line: &Line| {
            let code = line.code.trim();
            code.starts_with("#[") || code.is_empty() && !line.comment.is_empty()
        };
        let block =
            (0..start).rev().take_while(|above| is_above(&self.lines[*above])).last().unwrap_or(start);
        let from = block.min(start.saturating_sub(within));
        self.lines[from..=at].iter().any(|line| line.comment.contains(word))
    }
}

/// Parts code from comments, and blanks strings and characters. Knows no block comments: there are none.
fn split(text: &str) -> Vec<Line> {
    let mut lines = vec![Line::default()];
    let (mut rest, mut string) = (text.chars().peekable(), None);
    while let Some(next) = rest.next() {
        let last = lines.len() - 1;
        match (next, string) {
            ('\n', _) => lines.push(Line::default()),
            ('\\', Some(_)) => drop(rest.next_if(|escaped| *escaped != '\n')),
            (quote, Some(open)) if quote == open => string = None,
            (_, Some(_)) => {}
            ('"', None) => string = Some('"'),
            ('/', None) if rest.peek() == Some(&'/') => {
                while let Some(next) = rest.next_if(|next| *next != '\n') {
                    lines[last].comment.push(next);
                }
            }
            ('\'', None) => {
                // A character, unless it is a lifetime.
                let ahead: Vec<_> = rest.clone().take(2).collect();
                if ahead.first() == Some(&'\\') || ahead.get(1) == Some(&'\'') {
                    string = Some('\'');
                }
            }
            (next, None) => lines[last].code.push(next),
        }
    }
    lines
}

/// Marks the modules behind `#[cfg(test)]`, or a cfg with `test` in it, up to their closing brace.
fn mark_tests(lines: &mut [Line]) {
    let mut at = 0;
    while at < lines.len() {
        let code = lines[at].code.trim_start();
        let indent = lines[at].code.len() - code.len();
        let is_test = code.starts_with("#[cfg(") && words(code).any(|word| word == "test");
        let item = (at + 1..lines.len()).find(|next| !lines[*next].code.trim_start().starts_with("#["));
        let module = item.filter(|item| lines[*item].code.trim_start().starts_with("mod "));
        at += 1;
        if let (true, Some(module)) = (is_test, module) {
            let end = format!("{}}}", " ".repeat(indent));
            let close = (module..lines.len()).find(|close| lines[*close].code == end).unwrap_or(module);
            lines[at - 1..=close].iter_mut().for_each(|line| line.test = true);
            at = close + 1;
        }
    }
}

fn words(code: &str) -> impl Iterator<Item = &str> {
    code.split(|part: char| !part.is_alphanumeric() && part != '_').filter(|word| !word.is_empty())
}

fn arrows(source: &Source) -> Vec<String> {
    let allowed = ARROWS.iter().find(|(module, _)| *module == source.module).map(|(_, allowed)| *allowed);
    let Some(allowed) = allowed else {
        return vec![source.breach(0, "a module that the table of arrows does not know")];
    };
    let mut breaches = Vec::new();
    for (at, code) in source.code() {
        for tail in code.split("crate::").skip(1).filter(|_| !code.contains("$crate")) {
            let target = words(tail).next().unwrap_or_default();
            if tail.starts_with('{') {
                breaches
                    .push(source.breach(at, "`crate::{`: one `use` per module keeps the arrows readable"));
            } else if target != source.module && !allowed.contains(&target) {
                breaches.push(source.breach(at, &format!("an arrow from {} to {target}", source.module)));
            }
        }
        let above = if source.path.ends_with("mod.rs") { "super::" } else { "super::super::" };
        if code.contains(above) {
            breaches.push(source.breach(at, "a way round the table of arrows: say `crate::`"));
        }
    }
    breaches
}

fn doors(source: &Source) -> Vec<String> {
    let names = ["std::sync", "std::thread", "core::sync"];
    let passes = |code: &str| {
        !names.iter().any(|name| code.contains(name))
            && !words(code).any(|word| ["loom", "shuttle"].contains(&word))
    };
    if source.module == DOOR {
        return Vec::new();
    }
    let through = source.code().filter(|(_, code)| !passes(code));
    through.map(|(at, _)| source.breach(at, "threads, locks and atomics come from crate::sync")).collect()
}

fn unsafety(source: &Source) -> Vec<String> {
    let at_home = UNSAFE_HOMES.iter().any(|home| is_inside(&source.path, home));
    let mut breaches = Vec::new();
    for (at, code) in source.code().filter(|(_, code)| words(code).any(|word| word == "unsafe")) {
        let is_declared = code.contains("unsafe fn");
        if !at_home {
            breaches.push(source.breach(at, "`unsafe` outside its homes"));
        } else if is_declared && !source.has_reason(at, "# Safety", 0) {
            breaches.push(source.breach(at, "an unsafe fn without `# Safety`"));
        } else if !is_declared && !source.has_reason(at, "SAFETY:", 0) {
            breaches.push(source.breach(at, "`unsafe` without `SAFETY:`"));
        }
    }
    let forbids = source.lines.iter().any(|line| line.code.starts_with("#![forbid(unsafe_code)]"));
    if !at_home && must_forbid(&source.path) && !forbids {
        breaches.push(source.breach(0, "a module without `#![forbid(unsafe_code)]`"));
    }
    breaches
}

/// Whether the file is the module, or part of the folder, `home`.
fn is_inside(path: &str, home: &str) -> bool {
    path.strip_prefix(home).is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
}

/// Whether a file that is no home of `unsafe` must forbid it: a lint level holds for all that lies below, so the root of a
/// module does it for the others, but where a home lies below it each of the others does it for itself.
fn must_forbid(path: &str) -> bool {
    let (folder, file) = path.rsplit_once('/').unwrap_or(("", path));
    let holds_a_home = UNSAFE_HOMES.iter().any(|home| !folder.is_empty() && is_inside(home, folder));
    let is_root = file == "mod.rs" || (folder.is_empty() && file != "lib.rs");
    is_root != holds_a_home
}

fn orderings(source: &Source) -> Vec<String> {
    let operations = [
        ".load(Ordering",
        ".load(atomic",
        ".store(",
        ".swap(Ordering",
        ".fetch_",
        "compare_exchange",
        "fence(",
    ];
    let is_atomic = |code: &str| operations.iter().any(|operation| code.contains(operation));
    let operations =
        source.code().filter(|(_, code)| is_atomic(code) && !code.trim_start().starts_with("pub"));
    let bare = operations.filter(|(at, _)| !source.has_reason(*at, "ORDERING:", REASON_WITHIN));
    bare.map(|(at, _)| source.breach(at, "an atomic operation without `ORDERING:`")).collect()
}

/// A17: an atomic lies where the compiler put it as one. On processors of 32 bits a plain number of 64 is aligned less.
fn alignment(source: &Source) -> Vec<String> {
    let makes_one = |code: &str| {
        let casts = ["*const Atomic", "*mut Atomic", "cast::<Atomic", "::<&Atomic"];
        let names = words(code).any(|word| word.starts_with("Atomic"));
        casts.iter().any(|cast| code.contains(cast))
            || names && words(code).any(|word| ["from_ptr", "from_mut", "transmute"].contains(&word))
    };
    let made = source.code().filter(|(_, code)| makes_one(code));
    made.map(|(at, _)| source.breach(at, "an atomic made of memory that was no atomic")).collect()
}

fn length(source: &Source) -> Vec<String> {
    let too_long = source.lines.len() > LONGEST_FILE + 1;
    too_long.then(|| source.breach(LONGEST_FILE, "a file that is too long")).into_iter().collect()
}

const RULES: [fn(&Source) -> Vec<String>; 6] = [arrows, doors, unsafety, orderings, alignment, length];

fn breaches(path: &str, text: &str) -> Vec<String> {
    let source = Source::new(path, text);
    RULES.iter().flat_map(|rule| rule(&source)).collect()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> =
        entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "rs"));
    files
}

/// U2, style 5: no file of the library breaks a rule. Files of tests alone are named `tests.rs`.
#[test]
fn the_house_is_in_order() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let files = files(&root);
    assert!(files.len() >= 30, "the sources are in {}", root.display());
    let library = files.iter().filter(|path| !path.ends_with("tests.rs"));
    let breaches: Vec<_> = library
        .flat_map(|path| {
            let name = path.strip_prefix(&root).unwrap().to_string_lossy().replace('\\', "/");
            breaches(&name, &fs::read_to_string(path).unwrap())
        })
        .collect();
    assert!(breaches.is_empty(), "\n{}", breaches.join("\n"));
}

/// Each rule catches what it is there for, and lets pass what it should: path, text, how many breaches.
#[test]
fn each_rule_bites() {
    let forbid = "#![forbid(unsafe_code)]\n";
    let long = "\n".repeat(LONGEST_FILE + 1);
    let cases: &[(&str, &str, usize)] = &[
        ("ring/a.rs", "use crate::sync::Arc;", 0),
        ("ring/a.rs", "use crate::wait::WaitSet;", 1),
        ("wait/a.rs", "let x = crate::ring::Mpmc::new(1);", 1),
        ("channel/a.rs", "use crate::queue::Queue;", 1),
        ("channel/a.rs", "// use crate::queue::Queue;\nlet s = \"crate::queue\";", 0),
        ("channel/a.rs", "use crate::{ring, wait};", 1),
        ("channel/a.rs", "use super::super::queue;", 1),
        ("channel/mod.rs", &format!("{forbid}use super::queue;"), 1),
        ("retry/a.rs", "use crate::Sender;", 1),
        ("new/a.rs", "", 1),
        ("channel/a.rs", "use std::sync::Arc;", 1),
        ("channel/a.rs", "/// std::thread::spawn(|| ());\nstd::thread::yield_now();", 1),
        ("wait/a.rs", "use shuttle::thread;", 1),
        ("wait/a.rs", "loom::model(|| ());\n#[cfg(millpond_loom)]", 1),
        ("wait/a.rs", "#[cfg(test)]\nmod tests {\n    use std::sync::Arc;\n}\nuse std::sync::Arc;", 1),
        ("wait/a.rs", "#[cfg(any(test, millpond_loom))]\nfn f() {\n    std::thread::park();\n}", 1),
        ("queue/a.rs", "unsafe { x() }", 1),
        ("ring/a.rs", "unsafe { x() }", 1),
        ("ring/a.rs", "// SAFETY: for a reason\n// of two lines.\nlet y =\n    unsafe { x() };", 0),
        ("ring/a.rs", "// SAFETY: of another\nz();\nlet y = unsafe { x() };", 1),
        ("ring/a.rs", "/// Does it.\n#[inline]\nunsafe fn f() {}", 1),
        ("ring/a.rs", "/// # Safety\n/// None.\n#[inline]\nunsafe fn f() {}", 0),
        ("queue/mod.rs", "", 1),
        ("queue/mod.rs", forbid, 0),
        ("ring/mod.rs", "", 0),
        ("broadcast/mod.rs", "", 0),
        ("broadcast/mod.rs", "unsafe { x() }", 1),
        ("broadcast/a.rs", "", 1),
        ("broadcast/a.rs", forbid, 0),
        ("broadcast/log/mod.rs", "", 0),
        ("broadcast/log/a.rs", "// SAFETY: for a reason\nunsafe { x() }", 0),
        ("ring/a.rs", "x.load(Ordering::Relaxed);", 1),
        ("ring/a.rs", "// ORDERING: Relaxed.\nlet y = x\n    .load(Ordering::Relaxed);", 0),
        ("ring/a.rs", "// ORDERING: Relaxed.\na();\nb();\nc();\nx.fetch_add(1, Ordering::Relaxed);", 0),
        ("ring/a.rs", "// ORDERING: Relaxed.\na();\nb();\nc();\nd();\nfence(Ordering::SeqCst);", 1),
        ("ring/a.rs", "let x = AtomicU64::from_ptr(place);", 1),
        ("ring/a.rs", "let x = place.cast::<AtomicU64>();", 1),
        ("ring/a.rs", "let x = place as *const AtomicU64;", 1),
        ("ring/a.rs", "fn head(&self) -> &AtomicU64 {", 0),
        ("ring/a.rs", &long, 1),
        ("ring/a.rs", "let c = '\"'; unsafe { x() }\nlet l: &'static str = \"\"; unsafe { x() }", 2),
    ];
    for (path, text, expected) in cases {
        let found = breaches(path, text);
        assert_eq!(found.len(), *expected, "{path}: {text}\n{found:?}");
    }
}
