//! The two ways out, and what their failures mean.
//!
//! | what happened | is | because |
//! |---|---|---|
//! | 5xx | rejected | the server says that the same mail will fail again |
//! | 4xx | failed | the server says that it may work later |
//! | no connection, a broken one, a timeout, nonsense instead of an answer | failed | nobody said no |
//! | a message that lettre cannot send | rejected | it is the same message next time |
//! | a file that cannot be written | failed | the disk may have room later |
//!
//! Each attempt opens a connection of its own, so that a broken one concerns one mail only.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use lettre::transport::smtp::SmtpTransport;
use lettre::{Address, Message, Transport as _};

use crate::args::Destination;
use crate::letter;
use crate::outbox::Outbox;

/// A way out.
#[derive(Debug)]
pub(crate) enum Transport {
    /// Files in a folder.
    Outbox(Outbox),
    /// A server.
    Smtp(SmtpTransport),
}

/// Why a message was not delivered by one attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum DeliveryError {
    /// It may work later.
    Failed(String),
    /// It will not work later.
    Rejected(String),
}

impl fmt::Display for DeliveryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Failed(reason) | Self::Rejected(reason)) = self;
        f.write_str(reason)
    }
}

impl Error for DeliveryError {}

impl Transport {
    /// Opens the way out and tries it, without sending anything.
    ///
    /// A server is greeted once. If it answers that it is busy (4xx), that is good enough: the retries are for that.
    ///
    /// # Errors
    ///
    /// When the outbox cannot be written to, or nobody speaks SMTP at the server's address, or it wants no mail (5xx).
    pub(crate) fn open(destination: &Destination, timeout: Duration) -> Result<Self, Box<dyn Error>> {
        match destination {
            Destination::Outbox(folder) => match Outbox::open(folder) {
                Ok(outbox) => Ok(Self::Outbox(outbox)),
                Err(error) => Err(format!("cannot write to the outbox {}: {error}", folder.display()).into()),
            },
            Destination::Smtp { host, port } => {
                let smtp = SmtpTransport::builder_dangerous(host).port(*port).timeout(Some(timeout)).build();
                match smtp.test_connection() {
                    Err(error) if !error.is_transient() => {
                        Err(format!("cannot use the SMTP server at {host}, port {port}: {error}").into())
                    }
                    _ => Ok(Self::Smtp(smtp)),
                }
            }
        }
    }

    /// Delivers `message` to `recipient`: one attempt. Blocks the calling thread until it is over.
    ///
    /// # Errors
    ///
    /// The table at the head of this module. After [`DeliveryError::Failed`], a server may have the message all the same:
    /// its answer may be what was lost.
    pub(crate) fn deliver(&self, recipient: &Address, message: &Message) -> Result<(), DeliveryError> {
        match self {
            Self::Outbox(outbox) => outbox
                .put(&letter::file_stem(recipient), &message.formatted())
                .map_err(|error| DeliveryError::Failed(error.to_string())),
            Self::Smtp(smtp) => smtp.send(message).map(drop).map_err(|error| smtp_failure(&error)),
        }
    }
}

/// Sorts what lettre reports, and keeps the server's words.
fn smtp_failure(error: &lettre::transport::smtp::Error) -> DeliveryError {
    let reason = match (error.status(), error.source()) {
        (Some(code), Some(text)) => format!("{code} {text}"),
        _ => error.to_string(),
    };
    if error.is_permanent() || error.is_client() {
        DeliveryError::Rejected(reason)
    } else {
        DeliveryError::Failed(reason)
    }
}
