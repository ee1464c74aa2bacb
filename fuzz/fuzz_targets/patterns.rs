//! Names and patterns: any text is a name, a pattern or a fault; matching agrees with a matcher that tries everything.
#![no_main]

use libfuzzer_sys::fuzz_target;
use millpond::topic::{Pattern, TopicName};

/// Tries every way that each `#` could stand for words.
fn matches(pattern: &[&str], name: &[&str]) -> bool {
    match (pattern.split_first(), name.split_first()) {
        (None, None) => true,
        (Some((&"#", rest)), _) => matches(rest, name) || !name.is_empty() && matches(pattern, &name[1..]),
        (Some((&"*", rest)), Some((_, words))) => matches(rest, words),
        (Some((word, rest)), Some((first, words))) => word == first && matches(rest, words),
        _ => false,
    }
}

fuzz_target!(|data: &[u8]| {
    // Few letters, so that names and patterns often meet; the first byte says how the rest is read.
    let Some((mode, data)) = data.split_first() else { return };
    let text = if mode % 2 == 0 {
        String::from_utf8_lossy(data).into_owned()
    } else {
        data.iter().map(|byte| char::from(b".*#ab.Z_-c"[usize::from(byte % 10)])).collect()
    };
    let mut parts = text.split('\n');
    let (first, second) = match mode % 4 {
        3 => text.split_at(text.len() / 2),
        _ => (parts.next().unwrap_or(""), parts.next().unwrap_or("")),
    };
    let (pattern, name) = (Pattern::new(first), TopicName::new(second));
    if let Err(error) = &pattern {
        assert!(error.position <= first.len() && first.is_char_boundary(error.position));
        assert!(!error.to_string().is_empty());
    }
    if let Err(error) = &name {
        assert!(error.position <= second.len() && second.is_char_boundary(error.position));
    }
    // A name is a pattern that matches itself.
    if let Ok(name) = &name {
        assert!(name.words().count() <= 16 && name.as_str().len() <= 255 && name.as_str() == second);
        assert!(Pattern::new(name.as_str()).is_ok_and(|own| own.matches(name)));
    }
    if let (Ok(pattern), Ok(name)) = (&pattern, &name) {
        let words: Vec<_> = pattern.as_str().split('.').collect();
        let hashes = words.iter().filter(|word| **word == "#").count();
        if hashes <= 4 {
            assert_eq!(
                pattern.matches(name),
                matches(&words, &name.words().collect::<Vec<_>>()),
                "{pattern:?} {name:?}"
            );
        }
    }
});
