//! The lists that are kept as data: protocol rules to remove, which checks see which file, which survivors are argued for.

use std::fs;
use std::path::Path;

/// A rule of a protocol, and the text without it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Rule {
    pub(crate) name: String,
    pub(crate) file: String,
    pub(crate) old: String,
    pub(crate) new: String,
    pub(crate) checks: Vec<Check>,
}

/// Tests to run: of the loom models, of the library's own, or of one of its test programs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Check {
    /// `loom`, `lib`, or the name of a test program.
    pub(crate) program: String,
    /// Which of its tests: those whose name holds one of these. None: all.
    pub(crate) filters: Vec<String>,
}

impl Check {
    /// Reads `PROGRAM FILTER...`.
    pub(crate) fn parse(line: &str) -> Option<Self> {
        let mut words = line.split_whitespace().map(str::to_owned);
        Some(Self { program: words.next()?, filters: words.collect() })
    }
}

impl std::fmt::Display for Check {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.program, self.filters.join(" "))
    }
}

/// Reads a list of entries: a line that begins at the margin, and indented lines that belong to it.
fn entries(path: &Path) -> Result<Vec<(String, Vec<String>)>, String> {
    let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let mut entries: Vec<(String, Vec<String>)> = Vec::new();
    for line in text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#')) {
        if !line.starts_with(' ') {
            entries.push((line.trim().to_owned(), Vec::new()));
        } else if let Some((_, lines)) = entries.last_mut() {
            lines.push(line.trim().to_owned());
        }
    }
    Ok(entries)
}

/// Which checks see mutants whose name begins in some way.
pub(crate) struct Checks(Vec<(String, Vec<Check>)>);

impl Checks {
    pub(crate) fn read(path: &Path) -> Result<Self, String> {
        let entries = entries(path)?;
        let parse = |lines: Vec<String>| lines.iter().filter_map(|line| Check::parse(line)).collect();
        Ok(Self(entries.into_iter().map(|(prefix, lines)| (prefix, parse(lines))).collect()))
    }

    /// Returns those of the longest beginning that fits.
    pub(crate) fn of(&self, name: &str) -> Vec<Check> {
        let fitting = self.0.iter().filter(|(prefix, _)| name.starts_with(prefix.as_str()));
        fitting.max_by_key(|(prefix, _)| prefix.len()).map(|(_, checks)| checks.clone()).unwrap_or_default()
    }
}

/// Survivors for which there is an argument, by their names, or by how these begin (`...*`).
pub(crate) struct Argued(Vec<(String, String)>);

impl Argued {
    pub(crate) fn read(path: &Path) -> Result<Self, String> {
        let entries = entries(path)?;
        if let Some((name, _)) = entries.iter().find(|(_, lines)| lines.is_empty()) {
            return Err(format!("{}: no argument for {name}", path.display()));
        }
        Ok(Self(entries.into_iter().map(|(name, lines)| (name, lines.join(" "))).collect()))
    }

    /// Returns the argument.
    pub(crate) fn reason(&self, mutant: &str) -> Option<&str> {
        let fits = |name: &str| match name.strip_suffix('*') {
            Some(prefix) => mutant.starts_with(prefix),
            None => mutant == name,
        };
        self.0.iter().find(|(name, _)| fits(name)).map(|(_, reason)| reason.as_str())
    }

    /// Returns the entries that fit none of the mutants.
    pub(crate) fn stale<'a>(&'a self, mutants: &[&str]) -> Vec<&'a str> {
        let all = self.0.iter().map(|(name, _)| name.as_str());
        let fits = |name: &str| match name.strip_suffix('*') {
            Some(prefix) => mutants.iter().any(|mutant| mutant.starts_with(prefix)),
            None => mutants.contains(&name),
        };
        all.filter(|name| !fits(name)).collect()
    }
}

/// Reads the rules. Each is `=== NAME`, `file PATH`, `check ...` lines, then `--- old` and `--- new` with the texts.
pub(crate) fn rules(path: &Path) -> Result<Vec<Rule>, String> {
    let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let mut rules = Vec::new();
    for entry in text.split("\n=== ").skip(1) {
        rules.push(rule(entry).ok_or_else(|| {
            format!("{}: not a rule: {}", path.display(), entry.lines().next().unwrap_or_default())
        })?);
    }
    Ok(rules)
}

fn rule(entry: &str) -> Option<Rule> {
    let (head, texts) = entry.split_once("\n--- old\n")?;
    let (old, new) = texts.split_once("\n--- new\n")?;
    let mut lines = head.lines();
    let name = format!("rule: {}", lines.next()?.trim());
    let mut rule =
        Rule { name, old: old.to_owned(), new: new.trim_end_matches('\n').to_owned(), ..Rule::default() };
    for line in lines.filter(|line| !line.starts_with('#')) {
        match line.split_once(' ')? {
            ("file", file) => rule.file = file.trim().to_owned(),
            ("check", check) => rule.checks.push(Check::parse(check)?),
            _ => return None,
        }
    }
    (!rule.file.is_empty() && !rule.checks.is_empty() && !rule.old.is_empty()).then_some(rule)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_read() {
        let rule = rule("stamp\nfile a.rs\ncheck loom x y\n--- old\none\ntwo\n--- new\nthree\n").unwrap();
        let check = Check { program: "loom".to_owned(), filters: vec!["x".to_owned(), "y".to_owned()] };
        assert_eq!((rule.name.as_str(), rule.file.as_str()), ("rule: stamp", "a.rs"));
        assert_eq!((rule.old.as_str(), rule.new.as_str()), ("one\ntwo", "three"));
        assert_eq!(rule.checks, [check]);
    }

    #[test]
    fn a_rule_needs_a_file_and_a_check() {
        assert_eq!(rule("stamp\nfile a.rs\n--- old\none\n--- new\ntwo"), None);
        assert_eq!(rule("stamp\ncheck loom\n--- old\none\n--- new\ntwo"), None);
    }

    #[test]
    fn the_longest_beginning_decides() {
        let check = |program: &str| vec![Check { program: program.to_owned(), filters: Vec::new() }];
        let checks = Checks(vec![("a".to_owned(), check("1")), ("a/b".to_owned(), check("2"))]);
        assert_eq!(
            (checks.of("a/b.rs"), checks.of("a/c.rs"), checks.of("b")),
            (check("2"), check("1"), vec![])
        );
    }
}
