//! The message: a plain text and the same in HTML, filled in for one recipient.
//!
//! Whatever the list contains, the message stays well-formed: the name is escaped in the HTML, and cannot start a new
//! header, because line breaks and other control characters are taken out before it goes into one.

use std::time::SystemTime;

use lettre::Address;
use lettre::Message;
use lettre::message::{Mailbox, MultiPart};

use crate::recipients::Recipient;
use crate::template::{self, Field, Template, TemplateError};

/// The subject, an empty line, and the plain text.
const TEXT: &str = include_str!("message.txt");
/// The same in HTML.
const HTML: &str = include_str!("message.html");
/// Part of every `Message-ID`, so that the next campaign's mails are not taken for repetitions of these. Letters, digits
/// and hyphens only.
const CAMPAIGN: &str = "open-day-2026";

/// Writes the letters of one campaign.
#[derive(Debug)]
pub(crate) struct LetterWriter {
    from: Mailbox,
    subject: Template,
    text: Template,
    html: Template,
}

impl LetterWriter {
    /// Reads the bundled templates.
    ///
    /// # Errors
    ///
    /// When a template is wrong.
    pub(crate) fn new(from: Mailbox) -> Result<Self, TemplateError> {
        Self::with_templates(from, TEXT, HTML)
    }

    /// Reads these templates; the text starts with `Subject: ` and an empty line.
    ///
    /// # Errors
    ///
    /// When a template is wrong.
    pub(crate) fn with_templates(from: Mailbox, text: &str, html: &str) -> Result<Self, TemplateError> {
        // Line by line, because a checkout may have turned LF into CR LF.
        let (subject, rest) = text.split_once('\n').ok_or(TemplateError::NoSubject)?;
        let subject = subject.trim_end().strip_prefix("Subject: ").ok_or(TemplateError::NoSubject)?;
        let (empty, text) = rest.split_once('\n').ok_or(TemplateError::NoSubject)?;
        if !empty.trim_end().is_empty() {
            return Err(TemplateError::NoSubject);
        }
        Ok(Self {
            from,
            subject: Template::parse(subject)?,
            text: Template::parse(text)?,
            html: Template::parse(html)?,
        })
    }

    /// Writes the letter to `recipient`, dated `date`.
    ///
    /// Asked twice for the same recipient and date, it writes the same headers, `Message-ID` included; only the line that
    /// separates the two alternatives is random.
    ///
    /// # Errors
    ///
    /// When the message cannot be put together. Trying again would not help.
    pub(crate) fn write(
        &self,
        recipient: &Recipient,
        date: SystemTime,
    ) -> Result<Message, lettre::error::Error> {
        let value = |field| match field {
            Field::Name => recipient.name.as_str(),
            Field::Town => recipient.town.as_str(),
            Field::Email => recipient.address.as_ref(),
        };
        let subject = self.subject.render(|field| template::header(value(field)));
        let text = self.text.render(|field| value(field).into());
        let html = self.html.render(|field| template::html(value(field)));
        let name = template::header(&recipient.name).into_owned();
        Message::builder()
            .message_id(Some(message_id(&recipient.address, self.from.email.domain())))
            .date(date)
            .from(self.from.clone())
            .to(Mailbox::new(Some(name), recipient.address.clone()))
            .subject(subject)
            .multipart(MultiPart::alternative_plain_html(text, html))
    }
}

/// The `Message-ID` of the letter to `recipient`: the same in every attempt and every run of the campaign.
pub(crate) fn message_id(recipient: &Address, sender_domain: &str) -> String {
    // `=40` is an encoded `@`, and `encode` leaves no `=` of its own: different recipients, different identifiers.
    let (user, domain) = (encode(recipient.user()), encode(recipient.domain()));
    format!("<{CAMPAIGN}.{user}=40{domain}@{sender_domain}>")
}

/// The file name of the letter to `recipient`, without the ending: the same in every run, another for every recipient,
/// also where the file system does not tell `A` from `a`.
pub(crate) fn file_stem(recipient: &Address) -> String {
    format!("{}@{}", encode(recipient.user()), encode(recipient.domain()))
}

/// Keeps lower-case letters, digits, dots, hyphens and underscores, and turns every other byte into `=` and two digits.
fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-' | b'_' => encoded.push(char::from(byte)),
            other => encoded.push_str(&format!("={other:02x}")),
        }
    }
    encoded
}
