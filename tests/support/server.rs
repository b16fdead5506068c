//! A small HTTP/1.1 server: one thread for each connection, any bytes as answer.

use std::io::{self, BufReader, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use super::http::Fields;
use super::http1::{read_body, read_fields, read_line};

/// A request as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) method: Vec<u8>,
    pub(crate) target: Vec<u8>,
    pub(crate) headers: Fields,
    pub(crate) body: Vec<u8>,
    pub(crate) trailers: Fields,
}

impl Received {
    /// The values of a header, in order.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.headers
            .iter()
            .filter(move |(key, _)| key == name.as_bytes())
            .map(|(_, value)| value.as_slice())
    }

    /// The first value of a header, as text.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        self.all(name)
            .next()
            .map(|value| String::from_utf8_lossy(value).into_owned())
    }
}

/// Handles a request: writes an answer, and returns whether the connection stays open.
pub(crate) type Handler = dyn Fn(&Received, &mut TcpStream) -> io::Result<bool> + Send + Sync;

/// A running server.
pub(crate) struct Server {
    address: SocketAddr,
    handler: Arc<Handler>,
    running: Option<Running>,
}

struct Running {
    stop: Arc<AtomicBool>,
    connections: Arc<Mutex<Vec<TcpStream>>>,
    acceptor: thread::JoinHandle<()>,
}

impl Server {
    /// Listens on a free loopback port.
    pub(crate) fn start(handler: Arc<Handler>) -> Self {
        Self::start_at(handler, SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))
    }

    /// Listens on the given address; port 0 is any.
    pub(crate) fn start_at(handler: Arc<Handler>, address: SocketAddr) -> Self {
        let listener = TcpListener::bind(address).expect("a loopback port");
        let address = listener.local_addr().expect("its address");
        let mut server = Self {
            address,
            handler,
            running: None,
        };
        server.listen(listener);
        server
    }

    /// Its address.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Closes the port and every connection: from now on, connection refused.
    pub(crate) fn stop(&mut self) {
        let Some(running) = self.running.take() else {
            return;
        };
        running.stop.store(true, Ordering::SeqCst);
        // Wakes the acceptor.
        drop(TcpStream::connect(self.address));
        let _ = running.acceptor.join();
        for connection in running.connections.lock().expect("the list").drain(..) {
            let _ = connection.shutdown(Shutdown::Both);
        }
    }

    /// Listens again on the same port after `stop`.
    pub(crate) fn restart(&mut self) {
        self.stop();
        let listener = TcpListener::bind(self.address).expect("the port it had");
        self.listen(listener);
    }

    fn listen(&mut self, listener: TcpListener) {
        let stop = Arc::new(AtomicBool::new(false));
        let connections = Arc::new(Mutex::new(Vec::new()));
        let acceptor = thread::spawn({
            let (stop, connections) = (Arc::clone(&stop), Arc::clone(&connections));
            let handler = Arc::clone(&self.handler);
            move || accept(&listener, &stop, &connections, &handler)
        });
        self.running = Some(Running {
            stop,
            connections,
            acceptor,
        });
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

fn accept(
    listener: &TcpListener,
    stop: &AtomicBool,
    connections: &Mutex<Vec<TcpStream>>,
    handler: &Arc<Handler>,
) {
    for stream in listener.incoming() {
        if stop.load(Ordering::SeqCst) {
            return;
        }
        let Ok(stream) = stream else { continue };
        if let Ok(copy) = stream.try_clone() {
            connections.lock().expect("the list").push(copy);
        }
        let handler = Arc::clone(handler);
        thread::spawn(move || {
            // A client that disconnects is not an error of the server.
            let _ = serve(&stream, &handler);
            let _ = stream.shutdown(Shutdown::Both);
        });
    }
}

fn serve(stream: &TcpStream, handler: &Arc<Handler>) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut writer = stream.try_clone()?;
    loop {
        let line = read_line(&mut reader)?;
        let mut words = line.splitn(3, |&byte| byte == b' ');
        let mut word = || words.next().unwrap_or_default().to_vec();
        let (method, target) = (word(), word());
        let headers = read_fields(&mut reader)?;
        let (body, trailers) = read_body(&mut reader, &headers, false)?;
        let received = Received {
            method,
            target,
            headers,
            body,
            trailers,
        };
        if !handler(&received, &mut writer)? {
            return Ok(());
        }
    }
}

/// How the bytes of an answer are sent.
#[derive(Clone, Debug, Default)]
pub(crate) enum Pace {
    /// All at once.
    #[default]
    AtOnce,
    /// The head at once, then the body byte by byte, with this pause.
    Drip(Duration),
    /// The head and this many bytes of the body, then the connection is closed.
    CutAfter(usize),
    /// Nothing at all: the connection stays open and silent.
    Hang,
}

/// Holds answers back until it is opened.
#[derive(Clone, Debug, Default)]
pub(crate) struct Gate(Arc<(Mutex<bool>, Condvar)>);

impl Gate {
    /// Releases all answers, from now on.
    pub(crate) fn open(&self) {
        let (is_open, opened) = &*self.0;
        *is_open.lock().expect("the gate") = true;
        opened.notify_all();
    }

    /// Waits until it is open, with a time limit: the test may have ended.
    fn pass(&self) {
        let (is_open, opened) = &*self.0;
        let is_open = is_open.lock().expect("the gate");
        let limit = Duration::from_mins(5);
        drop(opened.wait_timeout_while(is_open, limit, |is_open| !*is_open));
    }
}

/// An answer that a test scripts.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    pub(crate) delay: Duration,
    pub(crate) gate: Option<Gate>,
    pub(crate) pace: Pace,
}

impl Answer {
    /// A status with a body.
    pub(crate) fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: body.into(),
            delay: Duration::ZERO,
            gate: None,
            pace: Pace::AtOnce,
        }
    }

    /// 200 with a JSON body.
    pub(crate) fn json(body: &Value) -> Self {
        Self::new(200, body.to_string()).header("content-type", "application/json")
    }

    /// A redirect.
    pub(crate) fn redirect(status: u16, to: &str) -> Self {
        Self::new(status, "").header("location", to)
    }

    /// No answer, on a connection that stays open.
    pub(crate) fn hang() -> Self {
        Self::new(200, "").pace(Pace::Hang)
    }

    /// Adds a header.
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Waits before the first byte.
    pub(crate) fn delay(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// Holds it back until the gate is open.
    pub(crate) fn behind(mut self, gate: &Gate) -> Self {
        self.gate = Some(gate.clone());
        self
    }

    /// Sets how the bytes are sent.
    pub(crate) fn pace(mut self, pace: Pace) -> Self {
        self.pace = pace;
        self
    }

    /// Writes the answer. Returns `true` if the connection can stay open. The body is
    /// left out in an answer to HEAD.
    pub(crate) fn write(&self, to: &mut TcpStream, headless: bool) -> io::Result<bool> {
        if let Some(gate) = &self.gate {
            gate.pass();
        }
        thread::sleep(self.delay);
        let mut head = Vec::new();
        write!(head, "HTTP/1.1 {} Scripted\r\n", self.status)?;
        for (name, value) in &self.headers {
            write!(head, "{name}: {value}\r\n")?;
        }
        if !matches!(self.status, 204 | 304) {
            write!(head, "content-length: {}\r\n", self.body.len())?;
        }
        head.extend_from_slice(b"\r\n");
        let body: &[u8] = if headless { b"" } else { &self.body };
        match &self.pace {
            Pace::AtOnce => {
                to.write_all(&[&head, body].concat())?;
                Ok(true)
            }
            Pace::Drip(pause) => {
                to.write_all(&head)?;
                for byte in body {
                    thread::sleep(*pause);
                    to.write_all(std::slice::from_ref(byte))?;
                }
                Ok(true)
            }
            Pace::CutAfter(bytes) => {
                to.write_all(&head)?;
                to.write_all(body.get(..*bytes).unwrap_or(body))?;
                Ok(false)
            }
            Pace::Hang => {
                // Until the client disconnects.
                let mut rest = [0; 64];
                while io::Read::read(to, &mut rest)? > 0 {}
                Ok(false)
            }
        }
    }
}
