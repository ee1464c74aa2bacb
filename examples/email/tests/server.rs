//! A real SMTP server on loopback, told by the test what to answer to whom.
//!
//! The protocol is `mailin`'s; the sockets are here, because a server that breaks connections has to own them. It takes
//! any free port, remembers what it was asked and what it accepted, and ends with its threads when it is dropped.

use std::cell::Cell;
use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use mailin::{Action, Handler, Response, SessionBuilder, response};

/// Longer than anything here takes; only a hanging test meets it.
const PATIENCE: Duration = Duration::from_secs(30);

/// What the server does with one attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reply {
    /// Takes the message.
    Accept,
    /// Answers this to the recipient.
    AtRecipient(u16, &'static str),
    /// Answers this to the whole message, which is dropped.
    AtMessage(u16, &'static str),
    /// Breaks the connection instead of answering to the recipient.
    HangUpAtRecipient,
    /// Breaks the connection in the middle of the message, which is dropped.
    HangUpInMessage,
    /// Takes the message and breaks the connection instead of saying so.
    AcceptAndHangUp,
}

/// What to do with an attempt, 1 being the first, to reach an address.
type Rule = dyn Fn(&str, u32) -> Reply + Send + Sync;

/// What the server remembers.
#[derive(Default)]
pub(super) struct Log {
    /// Attempts for each address.
    pub(super) attempts: HashMap<String, u32>,
    /// Messages that were accepted for each address.
    pub(super) accepted: HashMap<String, Vec<String>>,
}

struct Shared {
    rule: Box<Rule>,
    log: Mutex<Log>,
    is_stopping: AtomicBool,
}

/// A running server.
pub(super) struct Server {
    address: SocketAddr,
    shared: Arc<Shared>,
    listening: Option<JoinHandle<()>>,
}

impl Server {
    pub(super) fn start(rule: impl Fn(&str, u32) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            rule: Box::new(rule),
            log: Mutex::default(),
            is_stopping: AtomicBool::new(false),
        });
        let for_thread = Arc::clone(&shared);
        let listening = Some(thread::spawn(move || listen(&listener, &for_thread)));
        Self { address, shared, listening }
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Ends the server and gives what it remembers.
    pub(super) fn stop(mut self) -> Log {
        self.join();
        std::mem::take(&mut self.shared.log.lock().unwrap())
    }

    fn join(&mut self) {
        let Some(listening) = self.listening.take() else { return };
        self.shared.is_stopping.store(true, Ordering::SeqCst);
        // Wakes the listener out of `accept`, to see the flag.
        drop(TcpStream::connect(self.address));
        listening.join().expect("the server had no failed expectation");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if !thread::panicking() {
            self.join();
        }
    }
}

fn listen(listener: &TcpListener, shared: &Arc<Shared>) {
    let mut conversations = Vec::new();
    for stream in listener.incoming() {
        if shared.is_stopping.load(Ordering::SeqCst) {
            break;
        }
        let (stream, shared) = (stream.unwrap(), Arc::clone(shared));
        conversations.push(thread::spawn(move || converse(&stream, &shared)));
    }
    for conversation in conversations {
        // An error here is a client that went away, as clients may.
        let _ = conversation.join().expect("the session does not panic");
    }
}

/// Speaks SMTP with one client until either side has enough.
fn converse(stream: &TcpStream, shared: &Shared) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_nodelay(true)?;
    let hang_up = Rc::new(Cell::new(false));
    let visit = Visit {
        shared,
        hang_up: Rc::clone(&hang_up),
        to: String::new(),
        reply: Reply::Accept,
        message: Vec::new(),
    };
    let mut session = SessionBuilder::new("loopback.example").build(IpAddr::from([127, 0, 0, 1]), visit);
    answer(stream, &session.greeting())?;
    let mut lines = BufReader::new(stream);
    let mut line = Vec::new();
    loop {
        line.clear();
        if lines.read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        let response = session.process(&line);
        if hang_up.get() {
            return stream.shutdown(std::net::Shutdown::Both);
        }
        if response.action != Action::NoReply {
            answer(stream, &response)?;
        }
        if response.action == Action::Close {
            return Ok(());
        }
    }
}

/// Sends an answer in one piece: in several, each would wait for the acknowledgement of the one before.
fn answer(mut stream: &TcpStream, response: &Response) -> io::Result<()> {
    let mut bytes = Vec::new();
    response.write_to(&mut bytes)?;
    stream.write_all(&bytes)
}

/// One client's conversation.
struct Visit<'s> {
    shared: &'s Shared,
    hang_up: Rc<Cell<bool>>,
    to: String,
    reply: Reply,
    message: Vec<u8>,
}

impl Handler for Visit<'_> {
    fn rcpt(&mut self, to: &str) -> Response {
        let mut log = self.shared.log.lock().unwrap();
        let attempt = log.attempts.entry(to.to_owned()).or_insert(0);
        *attempt += 1;
        self.reply = (self.shared.rule)(to, *attempt);
        self.to = to.to_owned();
        match self.reply {
            Reply::AtRecipient(code, text) => Response::custom(code, text.to_owned()),
            Reply::HangUpAtRecipient => {
                self.hang_up.set(true);
                response::OK
            }
            _ => response::OK,
        }
    }

    fn data(&mut self, line: &[u8]) -> io::Result<()> {
        self.message.extend_from_slice(line);
        if self.reply == Reply::HangUpInMessage {
            self.hang_up.set(true);
        }
        Ok(())
    }

    fn data_end(&mut self) -> Response {
        let message = String::from_utf8(std::mem::take(&mut self.message)).unwrap();
        if let Reply::AtMessage(code, text) = self.reply {
            // `mailin` would take what follows a refused message for more of it, so the conversation ends here.
            let mut refusal = Response::custom(code, text.to_owned());
            refusal.action = Action::Close;
            return refusal;
        }
        self.hang_up.set(self.reply == Reply::AcceptAndHangUp);
        let mut log = self.shared.log.lock().unwrap();
        log.accepted.entry(self.to.clone()).or_default().push(message);
        response::OK
    }
}
