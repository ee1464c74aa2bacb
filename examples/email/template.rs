//! A template: text with `{{field}}` in it.
//!
//! The template is taken apart once, when the program starts, so that a misspelt field is found before the first mail.
//! What a field may contain is up to the place it is put: [`html`] makes text safe in HTML (between tags and inside quoted
//! attributes), [`header`] makes it safe in a header line.

use std::borrow::Cow;
use std::fmt;

/// What can be filled in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Field {
    /// The recipient's name.
    Name,
    /// The recipient's town.
    Town,
    /// The recipient's address.
    Email,
}

/// A template, taken apart.
#[derive(Debug)]
pub(crate) struct Template(Vec<Piece>);

#[derive(Debug)]
enum Piece {
    Text(String),
    Field(Field),
}

/// Why a text is not a template.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum TemplateError {
    /// `{{` without `}}`.
    Unclosed,
    /// A field of another name.
    UnknownField(String),
    /// The text does not start with `Subject: ` and an empty line after it.
    NoSubject,
}

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unclosed => f.write_str("the template has a {{ without a }}"),
            Self::UnknownField(name) => {
                write!(f, "the template asks for {name:?}; there are name, town and email")
            }
            Self::NoSubject => f.write_str("the template does not start with a subject and an empty line"),
        }
    }
}

impl std::error::Error for TemplateError {}

impl Template {
    /// Takes `text` apart.
    ///
    /// # Errors
    ///
    /// When a field is unknown or not closed.
    pub(crate) fn parse(mut text: &str) -> Result<Self, TemplateError> {
        let mut pieces = Vec::new();
        while let Some((before, after)) = text.split_once("{{") {
            let (name, rest) = after.split_once("}}").ok_or(TemplateError::Unclosed)?;
            let field = match name.trim() {
                "name" => Field::Name,
                "town" => Field::Town,
                "email" => Field::Email,
                other => return Err(TemplateError::UnknownField(other.to_owned())),
            };
            pieces.push(Piece::Text(before.to_owned()));
            pieces.push(Piece::Field(field));
            text = rest;
        }
        pieces.push(Piece::Text(text.to_owned()));
        Ok(Self(pieces))
    }

    /// Puts the template together with the values that `value` gives, which it must have made safe for the place.
    ///
    /// A value is never looked at for fields: a recipient called `{{email}}` gets that greeting.
    pub(crate) fn render<'v>(&self, value: impl Fn(Field) -> Cow<'v, str>) -> String {
        let mut text = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Text(literal) => text.push_str(literal),
                Piece::Field(field) => text.push_str(&value(*field)),
            }
        }
        text
    }
}

/// Makes text safe between HTML tags and inside a quoted attribute.
pub(crate) fn html(text: &str) -> Cow<'_, str> {
    if !text.contains(['&', '<', '>', '"', '\'']) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    Cow::Owned(escaped)
}

/// Makes text safe in a header line: no line break, no other control character.
pub(crate) fn header(text: &str) -> Cow<'_, str> {
    if text.chars().any(char::is_control) {
        Cow::Owned(text.replace(char::is_control, " "))
    } else {
        Cow::Borrowed(text)
    }
}
