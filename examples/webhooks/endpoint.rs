//! The other side: an HTTP server on loopback with three receivers, of which each may be down.

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// A client that says nothing for so long is left alone.
const PATIENCE: Duration = Duration::from_secs(10);
/// The longest body that is read.
const BODY_MAX: u64 = 64 * 1024;
/// Of so many new events of the shop, one is processed, and the answer is an error all the same.
const UNSURE: usize = 5;

/// The server. Stops when it is dropped.
pub(crate) struct Endpoint {
    address: SocketAddr,
    state: Arc<State>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct State {
    stop: AtomicBool,
    shop_is_up: AtomicBool,
    crm_is_up: AtomicBool,
    /// By key: how often an event was processed, and how often it came again after that.
    received: Mutex<BTreeMap<String, Receipt>>,
}

/// What became of an event at the receiver.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Receipt {
    pub(crate) processed: u32,
    /// Deliveries that were known already, and answered without being processed again.
    pub(crate) repeated: u32,
}

impl Endpoint {
    /// Starts it, with the shop and the CRM down.
    pub(crate) fn start() -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let state = Arc::new(State::default());
        let thread = thread::spawn({
            let state = Arc::clone(&state);
            move || {
                for stream in listener.incoming() {
                    if state.stop.load(Ordering::Acquire) {
                        return;
                    }
                    // A client that goes away is the client's affair: it tries again.
                    let _served = stream.and_then(|stream| serve(&stream, &state));
                }
            }
        });
        Ok(Self { address, state, thread: Some(thread) })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn repair_shop(&self) {
        self.state.shop_is_up.store(true, Ordering::Relaxed);
    }

    pub(crate) fn repair_crm(&self) {
        self.state.crm_is_up.store(true, Ordering::Relaxed);
    }

    /// Returns what was received.
    pub(crate) fn receipts(&self) -> BTreeMap<String, Receipt> {
        self.state.received.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        self.state.stop.store(true, Ordering::Release);
        // Wakes it from its wait for a client.
        let _woken = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            let _ended = thread.join();
        }
    }
}

/// Answers one request.
fn serve(stream: &TcpStream, state: &State) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut reader = BufReader::new(stream.take(BODY_MAX));
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
    let (mut key, mut length) = (String::new(), 0);
    loop {
        line.clear();
        reader.read_line(&mut line)?;
        match line.trim_end().split_once(": ") {
            Some(("Idempotency-Key", value)) => key = value.to_owned(),
            Some(("Content-Length", value)) => length = value.parse().unwrap_or(0),
            Some(_) => {}
            None => break,
        }
    }
    reader.take(length).read_to_end(&mut Vec::new())?;
    let (status, reason) = state.answer(&path, &key);
    let mut writer = stream;
    write!(writer, "HTTP/1.1 {status} {reason}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
}

impl State {
    fn answer(&self, path: &str, key: &str) -> (u16, &'static str) {
        let up = match path {
            "/shop" => &self.shop_is_up,
            "/crm" => &self.crm_is_up,
            _ => return (410, "Gone"),
        };
        if !up.load(Ordering::Relaxed) {
            return (503, "Service Unavailable");
        }
        let mut received = self.received.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(receipt) = received.get_mut(key) {
            receipt.repeated += 1;
            return (200, "OK");
        }
        received.insert(key.to_owned(), Receipt { processed: 1, repeated: 0 });
        match received.len() % UNSURE {
            // Of the shop alone: an event that is redriven has no time left for a second attempt.
            0 if path == "/shop" => (500, "Internal Server Error"),
            _ => (200, "OK"),
        }
    }
}
