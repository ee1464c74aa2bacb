//! The example's tests: each file of it alone, then the whole program against a real SMTP server on loopback.

mod args;
mod letter;
mod outbox;
mod program;
mod recipients;
mod report;
mod server;
mod smtp;
