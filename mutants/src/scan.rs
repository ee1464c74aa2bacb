//! Finds the atomic operations in a source file, and how each can be weakened by one step.

use std::ops::Range;

/// A change of one stretch of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Change {
    /// An ordering takes the place of a stronger one.
    Weaken { from: &'static str, to: &'static str },
    /// A call is left out.
    Skip,
    /// A text takes the place of another. With `SWITCH` in it, it is both, and is decided when it runs.
    Replace(String),
}

/// A place to change, and what is to be said of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Site {
    pub(crate) at: Range<usize>,
    pub(crate) change: Change,
    /// The function, the operation, the step.
    pub(crate) what: String,
}

/// What a text in a rule stands for: whether the mutant is on.
pub(crate) const SWITCH: &str = "MUTANT";

const ORDERINGS: [&str; 5] = ["Relaxed", "Acquire", "Release", "AcqRel", "SeqCst"];
/// Calls that order and do nothing else.
const FENCES: [&str; 3] = ["fence", "free_fence", "heavy_fence"];

/// Finds all sites outside the file's test module, in order.
pub(crate) fn sites(text: &str) -> Vec<Site> {
    let code = blank(text);
    let end = tests_start(&code);
    let mut sites = Vec::new();
    for (at, name) in words(&code[..end]) {
        if FENCES.contains(&name) {
            sites.extend(fence(&code, at, name));
        } else if let Some(from) = ordering(&code, at, name) {
            sites.extend(weaker(&code, at, from));
        }
    }
    number_twins(&mut sites);
    sites
}

/// A call of a fence, as a statement.
fn fence(code: &str, at: usize, name: &str) -> Option<Site> {
    let is_call = code[at + name.len()..].starts_with('(') && !code[..at].ends_with("fn ");
    // The fences of `sync` are made of others, and are named with their path.
    let alone = !code[..at].ends_with("::");
    let end = at + code[at..].find(';')?;
    let what = format!("{}: {name} left out", function(code, at));
    (is_call && alone).then_some(Site { at: at..end, change: Change::Skip, what })
}

/// The ordering that is named at `at`.
fn ordering(code: &str, at: usize, name: &str) -> Option<&'static str> {
    let from = ORDERINGS.iter().find(|known| **known == name)?;
    code[..at].ends_with("Ordering::").then_some(*from)
}

/// The steps by which the ordering of one operation can be weakened.
fn weaker(code: &str, at: usize, from: &'static str) -> Vec<Site> {
    let Some((method, receiver, second)) = operation(code, at) else { return Vec::new() };
    let is_load = method == "load" || second;
    let to: &[&'static str] = match from {
        "SeqCst" if is_load => &["Acquire"],
        "SeqCst" if method == "store" => &["Release"],
        "SeqCst" => &["AcqRel"],
        "AcqRel" => &["Acquire", "Release"],
        "Acquire" | "Release" => &["Relaxed"],
        _ => &[],
    };
    let start = at - "Ordering::".len();
    let second = if second { " (failure)" } else { "" };
    let site = |to: &&'static str| Site {
        at: start..at + from.len(),
        change: Change::Weaken { from, to },
        what: format!("{}: {receiver}.{method}{second} {from} to {to}", function(code, at)),
    };
    to.iter().map(site).collect()
}

/// The method whose argument stands at `at`, what it is called on, and whether the argument is its second ordering.
fn operation(code: &str, at: usize) -> Option<(&str, &str, bool)> {
    let mut depth = 0;
    let open = code[..at].char_indices().rev().find(|(_, part)| {
        depth += match part {
            ')' => 1,
            '(' => -1,
            _ => 0,
        };
        depth < 0
    })?;
    let method = last_word(&code[..open.0]);
    if method == "fence" || method == "compiler_fence" {
        return None;
    }
    let before = code[..open.0].strip_suffix(method)?.trim_end().strip_suffix('.')?.trim_end();
    let second = code[open.0..at].matches("Ordering::").count() > 1;
    Some((method, last_word(before), second))
}

fn last_word(code: &str) -> &str {
    let start = code.rfind(|part: char| !part.is_alphanumeric() && part != '_').map_or(0, |at| at + 1);
    &code[start..]
}

/// The name of the function in which `at` stands.
fn function(code: &str, at: usize) -> &str {
    let after = code[..at].rfind("fn ").map_or("", |start| &code[start + 3..]);
    after.split(|part: char| !part.is_alphanumeric() && part != '_').next().unwrap_or_default()
}

/// Tells sites apart that would be called the same.
fn number_twins(sites: &mut [Site]) {
    for at in (0..sites.len()).rev() {
        let twins = sites[..at].iter().filter(|site| site.what == sites[at].what).count();
        if twins > 0 {
            sites[at].what = format!("{} #{}", sites[at].what, twins + 1);
        }
    }
}

/// Where the file's test module begins, or its end.
fn tests_start(code: &str) -> usize {
    let marks = code.match_indices("#[cfg(").filter(|(at, _)| {
        let line = code[*at..].lines().next().unwrap_or_default();
        let next = code[*at..].lines().nth(1).unwrap_or_default();
        line.contains("test") && next.starts_with("mod ") && next.ends_with('{')
    });
    marks.map(|(at, _)| at).next().unwrap_or(code.len())
}

/// The words of the code, with their places.
fn words(code: &str) -> impl Iterator<Item = (usize, &str)> {
    let is_part = |part: char| part.is_alphanumeric() || part == '_';
    let starts =
        code.char_indices().filter(move |(at, part)| is_part(*part) && !code[..*at].ends_with(is_part));
    starts.map(move |(at, _)| {
        let end = code[at..].find(|part: char| !is_part(part)).unwrap_or(code.len() - at);
        (at, &code[at..at + end])
    })
}

/// Puts spaces in the place of line comments and strings, so that every place stays where it is.
fn blank(text: &str) -> String {
    let mut code = Vec::with_capacity(text.len());
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let length = match bytes[at] {
            b'/' if bytes.get(at + 1) == Some(&b'/') => line_length(&bytes[at..]),
            b'"' => string_length(&bytes[at..]),
            b'\'' if bytes.get(at + 2) == Some(&b'\'') => 3,
            part => {
                // Only comments and strings hold more than ASCII.
                code.push(part);
                at += 1;
                continue;
            }
        };
        code.extend(bytes[at..at + length].iter().map(|part| if *part == b'\n' { b'\n' } else { b' ' }));
        at += length;
    }
    String::from_utf8_lossy(&code).into_owned()
}

fn line_length(bytes: &[u8]) -> usize {
    bytes.iter().position(|part| *part == b'\n').unwrap_or(bytes.len())
}

fn string_length(bytes: &[u8]) -> usize {
    let mut at = 1;
    while at < bytes.len() && bytes[at] != b'"' {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    (at + 1).min(bytes.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<String> {
        sites(text).into_iter().map(|site| site.what).collect()
    }

    #[test]
    fn each_operation_is_weakened_as_it_allows() {
        assert_eq!(found("fn f() { self.a.load(Ordering::Acquire) }"), ["f: a.load Acquire to Relaxed"]);
        assert_eq!(found("fn f() { a.store(g(1), Ordering::Release) }"), ["f: a.store Release to Relaxed"]);
        assert_eq!(
            found("fn f() { a.fetch_add(1, Ordering::AcqRel) }"),
            ["f: a.fetch_add AcqRel to Acquire", "f: a.fetch_add AcqRel to Release"]
        );
        assert_eq!(
            found("fn f() { a.compare_exchange(1, 2, Ordering::Release,\n Ordering::Acquire) }"),
            [
                "f: a.compare_exchange Release to Relaxed",
                "f: a.compare_exchange (failure) Acquire to Relaxed"
            ]
        );
        assert_eq!(found("fn f() { a.load(Ordering::SeqCst) }"), ["f: a.load SeqCst to Acquire"]);
        assert_eq!(found("fn f() { a.store(1, Ordering::Relaxed); }"), [""; 0]);
    }

    #[test]
    fn fences_are_left_out() {
        assert_eq!(
            found("fn f() { fence(Ordering::SeqCst); g(); heavy_fence(); }"),
            ["f: fence left out", "f: heavy_fence left out"]
        );
        assert_eq!(found("pub(crate) fn free_fence() { atomic::fence(Ordering::SeqCst); }"), [""; 0]);
    }

    #[test]
    fn comments_strings_and_tests_do_not_count() {
        assert_eq!(found("// a.load(Ordering::Acquire)\n\"a.load(Ordering::Acquire)\""), [""; 0]);
        assert_eq!(found("#[cfg(test)]\nmod tests {\nfn f() { a.load(Ordering::Acquire) }}"), [""; 0]);
        assert_eq!(found("use std::cmp::Ordering; fn f() { Ordering::Less }"), [""; 0]);
    }

    #[test]
    fn twins_are_told_apart() {
        let twice = "fn f() { a.load(Ordering::Acquire); a.load(Ordering::Acquire) }";
        assert_eq!(found(twice), ["f: a.load Acquire to Relaxed", "f: a.load Acquire to Relaxed #2"]);
    }

    #[test]
    fn places_are_those_of_the_text() {
        let text = "/* */ fn f() { \"\u{e4}\"; a.load(Ordering::Acquire) }";
        let sites = sites(text);
        assert_eq!(&text[sites[0].at.clone()], "Ordering::Acquire");
    }
}
