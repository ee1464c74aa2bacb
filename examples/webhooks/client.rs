//! One POST over a connection of its own, and what the answer means for the retry.
//!
//! A program of your own would use an HTTP client; this one has no need of TLS, redirects or pools of connections.

use std::fmt;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use millpond::{Classify, ErrorClass};

/// Far longer than a server on loopback needs.
const PATIENCE: Duration = Duration::from_secs(10);

/// Why an event was not delivered, or not for sure.
#[derive(Debug)]
pub(crate) enum PostError {
    /// The endpoint answered, with this status.
    Status(u16),
    /// No answer, or none that can be understood.
    Io(io::Error),
}

impl Classify for PostError {
    /// What is wrong with the request itself stays wrong; all else may be better next time.
    fn class(&self) -> ErrorClass {
        match self {
            PostError::Status(408 | 425 | 429) | PostError::Io(_) => ErrorClass::Transient,
            PostError::Status(400..=499) => ErrorClass::Permanent,
            PostError::Status(_) => ErrorClass::Transient,
        }
    }
}

impl fmt::Display for PostError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PostError::Status(status) => write!(f, "the endpoint answered {status}"),
            PostError::Io(error) => write!(f, "no answer: {error}"),
        }
    }
}

impl std::error::Error for PostError {}

/// Posts `body` to `path`. The key tells the receiver which event it is, however often that comes.
pub(crate) fn post(to: SocketAddr, path: &str, key: &str, body: &str) -> Result<(), PostError> {
    match exchange(to, path, key, body).map_err(PostError::Io)? {
        200..=299 => Ok(()),
        status => Err(PostError::Status(status)),
    }
}

fn exchange(to: SocketAddr, path: &str, key: &str, body: &str) -> io::Result<u16> {
    let mut stream = TcpStream::connect_timeout(&to, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let length = body.len();
    let request = format!(
        "POST {path} HTTP/1.1\r\nHost: {to}\r\nIdempotency-Key: {key}\r\nContent-Type: application/json\r\n\
         Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    stream.take(64 * 1024).read_to_end(&mut answer)?;
    status_of(&answer).ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "not an HTTP answer"))
}

/// Returns the status in the first line of an answer.
pub(crate) fn status_of(answer: &[u8]) -> Option<u16> {
    let line = answer.split(|byte| *byte == b'\r').next()?;
    let mut words = std::str::from_utf8(line).ok()?.split(' ');
    words.next()?.strip_prefix("HTTP/1.")?;
    words.next()?.parse().ok().filter(|status| (100..600).contains(status))
}
