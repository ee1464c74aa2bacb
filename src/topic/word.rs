//! What names and patterns are made of: dot-separated words. The one place that reads text.

use std::fmt;

/// The longest name or pattern, in bytes. AMQP's limit for routing keys, which people already fit their names into.
pub(super) const BYTES_MAX: usize = 255;
/// The most words in a name or pattern. A guess: twice what a deep hierarchy uses, and small enough for a bit set.
pub(super) const WORDS_MAX: usize = 16;

/// What is wrong with a name or a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// There is no word where one has to be: before, after or between dots, or in an empty text.
    EmptyWord,
    /// A character that words are not made of.
    Character(char),
    /// A `*` or `#` where it cannot stand for words: anywhere in a name; in a pattern, beside other characters of a word.
    Wildcard(char),
    /// More than 255 bytes. The position is that of the first byte, or the first whole character, beyond.
    TooLong,
    /// More than 16 words. The position is that of the first word beyond.
    TooManyWords,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EmptyWord => f.write_str("a word is missing"),
            Self::Character(found) => {
                write!(f, "{found:?} is not allowed: words are made of ASCII letters, digits, '_' and '-'")
            }
            Self::Wildcard(found) => {
                write!(f, "{found:?} stands for words in patterns only, and alone between dots")
            }
            Self::TooLong => write!(f, "longer than {BYTES_MAX} bytes"),
            Self::TooManyWords => write!(f, "more than {WORDS_MAX} words"),
        }
    }
}

/// Whether `*` and `#` are words.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Wildcards {
    Allowed,
    Refused,
}

/// Checks a text, and returns the byte position of the leftmost fault.
///
/// Looks at no more than the longest text that could be right.
pub(super) fn check(text: &str, wildcards: Wildcards) -> Result<(), (usize, Fault)> {
    let mut start = 0;
    let mut words = 1;
    for (at, character) in text.char_indices() {
        if at + character.len_utf8() > BYTES_MAX {
            return Err((at, Fault::TooLong));
        }
        match character {
            '.' if at == start => return Err((at, Fault::EmptyWord)),
            '.' => {
                start = at + 1;
                words += 1;
                if words > WORDS_MAX {
                    return Err((start, Fault::TooManyWords));
                }
            }
            '*' | '#' => {
                let alone = at == start && matches!(text.as_bytes().get(at + 1), None | Some(b'.'));
                if wildcards == Wildcards::Refused || !alone {
                    return Err((at, Fault::Wildcard(character)));
                }
            }
            'a'..='z' | 'A'..='Z' | '0'..='9' | '_' | '-' => {}
            _ => return Err((at, Fault::Character(character))),
        }
    }
    if start == text.len() {
        return Err((start, Fault::EmptyWord));
    }
    Ok(())
}

/// Returns the words of a text that was checked.
pub(super) fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split('.')
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIXTEEN: &str = "1.2.3.4.5.6.7.8.9.10.11.12.13.14.15.16";

    #[test]
    fn names_and_patterns_are_refused_with_the_position_of_the_leftmost_fault() {
        use Fault::{Character, EmptyWord, TooManyWords, Wildcard};
        let wild = |at, found| Err((at, Wildcard(found)));
        // text, as a name, as a pattern
        let table = [
            ("user", Ok(()), Ok(())),
            ("user.signed_up", Ok(()), Ok(())),
            ("A-Z.a_z.0-9", Ok(()), Ok(())),
            (SIXTEEN, Ok(()), Ok(())),
            ("*", wild(0, '*'), Ok(())),
            ("#", wild(0, '#'), Ok(())),
            ("#.#.*.#", wild(0, '#'), Ok(())),
            ("user.*", wild(5, '*'), Ok(())),
            ("user.#.x", wild(5, '#'), Ok(())),
            ("", Err((0, EmptyWord)), Err((0, EmptyWord))),
            (".", Err((0, EmptyWord)), Err((0, EmptyWord))),
            (".user", Err((0, EmptyWord)), Err((0, EmptyWord))),
            ("user.", Err((5, EmptyWord)), Err((5, EmptyWord))),
            ("user..x", Err((5, EmptyWord)), Err((5, EmptyWord))),
            ("user.*.", wild(5, '*'), Err((7, EmptyWord))),
            ("user x", Err((4, Character(' '))), Err((4, Character(' ')))),
            ("user.sign/up", Err((9, Character('/'))), Err((9, Character('/')))),
            ("caf\u{e9}.x", Err((3, Character('\u{e9}'))), Err((3, Character('\u{e9}')))),
            ("\u{e9}\u{e9} ", Err((0, Character('\u{e9}'))), Err((0, Character('\u{e9}')))),
            ("user\n", Err((4, Character('\n'))), Err((4, Character('\n')))),
            ("user*", wild(4, '*'), wild(4, '*')),
            ("user.*x", wild(5, '*'), wild(5, '*')),
            ("user.x#", wild(6, '#'), wild(6, '#')),
            ("**", wild(0, '*'), wild(0, '*')),
            ("a.*#", wild(2, '*'), wild(2, '*')),
            (&format!("{SIXTEEN}.17"), Err((39, TooManyWords)), Err((39, TooManyWords))),
            (&format!("{SIXTEEN}."), Err((39, TooManyWords)), Err((39, TooManyWords))),
        ];
        for (text, name, pattern) in table {
            assert_eq!(check(text, Wildcards::Refused), name, "{text:?} as a name");
            assert_eq!(check(text, Wildcards::Allowed), pattern, "{text:?} as a pattern");
        }
    }

    #[test]
    fn the_longest_text_is_255_bytes() {
        for (text, expected) in [
            ("x".repeat(255), Ok(())),
            ("x".repeat(256), Err((255, Fault::TooLong))),
            ("x".repeat(10_000), Err((255, Fault::TooLong))),
            (format!("{}\u{e9}", "x".repeat(254)), Err((254, Fault::TooLong))),
            (format!("{}\u{e9}", "x".repeat(253)), Err((253, Fault::Character('\u{e9}')))),
            (format!(".{}", "x".repeat(300)), Err((0, Fault::EmptyWord))),
        ] {
            assert_eq!(check(&text, Wildcards::Allowed), expected, "{} bytes", text.len());
        }
    }
}
