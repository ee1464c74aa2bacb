//! Whatever a list contains, the message stays well-formed.

use std::time::{Duration, SystemTime};

use crate::letter::{self, LetterWriter};
use crate::recipients::Recipient;
use crate::template::{self, Template, TemplateError};

fn recipient(address: &str, name: &str) -> Recipient {
    Recipient {
        line: 2,
        address: address.parse().unwrap(),
        name: name.to_owned(),
        town: "Weir & Sluice".to_owned(),
    }
}

fn writer() -> LetterWriter {
    LetterWriter::new("Millers <millers@example.org>".parse().unwrap()).unwrap()
}

/// The header lines, folded ones joined, and the rest.
fn written(to: &Recipient) -> (Vec<String>, String) {
    let date = SystemTime::UNIX_EPOCH + Duration::from_secs(1_777_777_777);
    let message = String::from_utf8(writer().write(to, date).unwrap().formatted()).unwrap();
    let (head, body) = message.split_once("\r\n\r\n").unwrap();
    (head.replace("\r\n ", " ").split("\r\n").map(str::to_owned).collect(), body.to_owned())
}

fn named<'h>(head: &'h [String], name: &str) -> Vec<&'h str> {
    head.iter().filter_map(|line| line.strip_prefix(name)).collect()
}

#[test]
fn a_letter_has_two_alternatives_and_its_headers_once() {
    let (head, body) = written(&recipient("ada@example.com", "Ada"));
    assert_eq!(named(&head, "To: "), ["Ada <ada@example.com>"]);
    assert_eq!(named(&head, "From: "), ["Millers <millers@example.org>"]);
    assert_eq!(named(&head, "Subject: "), ["Ada, the millpond opens on the first of May"]);
    assert_eq!(named(&head, "Date: "), ["Sun, 03 May 2026 03:09:37 +0000"]);
    assert_eq!(named(&head, "Message-ID: "), ["<open-day-2026.ada=40example.com@example.org>"]);
    assert!(named(&head, "Content-Type: ")[0].starts_with("multipart/alternative;"));
    let text = body.find("text/plain").unwrap();
    let html = body.find("text/html").unwrap();
    assert!(text < html, "the best alternative comes last");
    assert!(
        body.contains("coach from Weir & Sluice and") && body.contains("coach from Weir &amp; Sluice and")
    );
}

#[test]
fn a_name_with_markup_is_text_in_the_html() {
    let (_, body) = written(&recipient("ada@example.com", "<script>alert('1')</script>"));
    let (text, html) = body.split_once("text/html").unwrap();
    assert!(text.contains("Dear <script>alert('1')</script>,"));
    assert!(html.contains("Dear &lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;,"), "{html}");
    assert!(!html.contains("<script"));
}

#[test]
fn a_name_with_line_breaks_adds_no_header() {
    let plain = written(&recipient("ada@example.com", "Eve")).0.len();
    for name in [
        "Eve\r\nBcc: all@example.net",
        "Eve\nBcc: all@example.net",
        "Eve\rBcc: all@example.net",
        "Eve\r\n\r\nBcc: x",
    ] {
        let (head, _) = written(&recipient("ada@example.com", name));
        assert_eq!(head.len(), plain, "{head:?}");
        assert!(named(&head, "Bcc").is_empty());
        assert!(head.iter().all(|line| !line.contains(['\r', '\n'])));
        assert_eq!(named(&head, "To: ").len(), 1);
    }
}

#[test]
fn a_name_cannot_add_a_recipient() {
    for name in
        ["Eve <eve@example.net>, Bob", "\" <eve@example.net>, \"", "a, b; c:", "\\\"", "=?utf-8?b?ZXZl?="]
    {
        let date = SystemTime::UNIX_EPOCH;
        let message = writer().write(&recipient("ada@example.com", name), date).unwrap();
        assert_eq!(message.envelope().to().len(), 1);
        assert_eq!(message.envelope().to()[0].to_string(), "ada@example.com");
        let (head, _) = written(&recipient("ada@example.com", name));
        let to = named(&head, "To: ")[0].to_owned();
        let quoted_or_encoded = to.starts_with('"') || to.starts_with("=?");
        assert!(to.ends_with(" <ada@example.com>") && quoted_or_encoded, "{to}");
    }
}

#[test]
fn every_message_is_ascii_with_short_lines() {
    let name = "\u{660e}\u{5b50} \u{fc}ber ".repeat(15);
    let message =
        writer().write(&recipient("ada@example.com", &name), SystemTime::UNIX_EPOCH).unwrap().formatted();
    assert!(message.is_ascii(), "no server needs to support 8BITMIME");
    assert!(message.split(|&b| b == b'\n').all(|line| line.len() <= 998), "RFC 5322, 2.1.1");
}

#[test]
fn a_repeated_letter_differs_in_nothing_but_the_boundary() {
    let once = written(&recipient("ada@example.com", "Ada"));
    let again = written(&recipient("ada@example.com", "Ada"));
    let without_boundary = |head: &[String]| -> Vec<String> {
        head.iter().filter(|line| !line.starts_with("Content-Type")).cloned().collect()
    };
    assert_eq!(without_boundary(&once.0), without_boundary(&again.0));
}

#[test]
fn names_and_identifiers_differ_for_different_addresses() {
    let addresses = [
        "ada@example.org",
        "Ada@example.org",
        "ada+=40@example.org",
        "ada=40@example.org",
        "a/da@example.org",
    ];
    for (i, a) in addresses.iter().enumerate() {
        let a = a.parse().unwrap();
        let stem = letter::file_stem(&a);
        assert!(!stem.contains('/') && stem == stem.to_lowercase(), "{stem}");
        for b in &addresses[..i] {
            let b = b.parse().unwrap();
            assert_ne!(stem, letter::file_stem(&b));
            assert_ne!(letter::message_id(&a, "example.org"), letter::message_id(&b, "example.org"));
        }
    }
    assert_eq!(letter::file_stem(&"a/da+B@example.org".parse().unwrap()), "a=2fda=2b=42@example.org");
}

#[test]
fn a_value_is_not_looked_at_for_fields() {
    let (head, body) = written(&recipient("ada@example.com", "{{email}} {{nonsense"));
    assert!(named(&head, "Subject: ")[0].starts_with("{{email}} {{nonsense, "));
    assert!(body.contains("Dear {{email}} {{nonsense,"));
}

#[test]
fn wrong_templates_are_refused() {
    assert_eq!(Template::parse("Dear {{ name }}, {{x").unwrap_err(), TemplateError::Unclosed);
    assert_eq!(Template::parse("{{naem}}").unwrap_err(), TemplateError::UnknownField("naem".to_owned()));
    let from = || "millers@example.org".parse().unwrap();
    for text in ["", "Subject: one line", "Hello\n\nthere", "\n\nSubject: x\n\n", "Subject: a\nb\n\nc"] {
        assert_eq!(LetterWriter::with_templates(from(), text, "").unwrap_err(), TemplateError::NoSubject);
    }
}

#[test]
fn templates_may_have_either_line_end() {
    for text in
        ["Subject: Hello {{name}}\n\nDear {{name}}\n", "Subject: Hello {{name}}\r\n\r\nDear {{name}}\r\n"]
    {
        let writer =
            LetterWriter::with_templates("millers@example.org".parse().unwrap(), text, "{{name}}").unwrap();
        let letter =
            writer.write(&recipient("ada@example.com", "Ada"), SystemTime::UNIX_EPOCH).unwrap().formatted();
        let letter = String::from_utf8(letter).unwrap();
        assert!(
            letter.contains("\r\nSubject: Hello Ada\r\n") && letter.contains("\r\n\r\nDear Ada\r\n"),
            "{letter}"
        );
    }
}

#[test]
fn the_escapes_change_only_what_they_must() {
    assert_eq!(template::html("plain \u{fc}"), "plain \u{fc}");
    assert_eq!(template::html("<a href=\"x\">&'"), "&lt;a href=&quot;x&quot;&gt;&amp;&#39;");
    assert_eq!(template::header("a\r\nb\u{0}c\u{7f}"), "a  b c ");
}
