//! An HTTP/2 client with prior knowledge. Its header blocks are literals without Huffman
//! coding, so that the test controls every byte of every field.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use super::http::{Fields, Request, Response};

const PATIENCE: Duration = Duration::from_secs(30);
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// The largest frame size that every peer accepts.
const FRAME: usize = 16_384;
/// The window we offer, so large that it never has to be updated.
const OUR_WINDOW: u32 = 0x7fff_ffff;
/// Every peer's initial window.
const DEFAULT_WINDOW: i64 = 65_535;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;
const CONTINUATION: u8 = 9;

/// `END_STREAM`, and `ACK` of settings and pings.
const END_STREAM: u8 = 0x1;
const ACK: u8 = 0x1;
const END_HEADERS: u8 = 0x4;
const PADDED: u8 = 0x8;
const PRIORITY: u8 = 0x20;

/// Why there is no response.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The server reset the stream with this code.
    Reset(u32),
    /// The server closes the connection with this code.
    GoAway(u32),
    /// The connection failed.
    Io(io::Error),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Sends one request on its own connection.
pub(crate) fn exchange(to: SocketAddr, request: &Request) -> Result<Response, Failure> {
    let mut connection = Connection::open(to)?;
    let stream = connection.send(request)?;
    connection.response(stream)
}

/// A connection of the client.
pub(crate) struct Connection {
    socket: TcpStream,
    decoder: loona_hpack::Decoder<'static>,
    next_stream: u32,
    window: i64,
    initial_window: i64,
    streams: BTreeMap<u32, Stream>,
    /// The last stream that the server will answer, and the error code.
    goaway: Option<(u32, u32)>,
}

#[derive(Default)]
struct Stream {
    window: i64,
    head: Option<Fields>,
    body: Vec<u8>,
    trailers: Fields,
    reset: Option<u32>,
    ended: bool,
}

impl Connection {
    /// Connects and sends preface and settings.
    pub(crate) fn open(to: SocketAddr) -> io::Result<Self> {
        let socket = TcpStream::connect_timeout(&to, PATIENCE)?;
        socket.set_read_timeout(Some(PATIENCE))?;
        socket.set_write_timeout(Some(PATIENCE))?;
        socket.set_nodelay(true)?;
        let mut connection = Self {
            socket,
            decoder: loona_hpack::Decoder::new(),
            next_stream: 1,
            window: DEFAULT_WINDOW,
            initial_window: DEFAULT_WINDOW,
            streams: BTreeMap::new(),
            goaway: None,
        };
        connection.socket.write_all(PREFACE)?;
        // SETTINGS_INITIAL_WINDOW_SIZE
        let mut settings = vec![0, 4];
        settings.extend_from_slice(&OUR_WINDOW.to_be_bytes());
        connection.frame(SETTINGS, 0, 0, &settings)?;
        let increment = OUR_WINDOW - 65_535;
        connection.frame(WINDOW_UPDATE, 0, 0, &increment.to_be_bytes())?;
        Ok(connection)
    }

    /// Sends a request, with body and trailers, and returns its stream.
    pub(crate) fn send(&mut self, request: &Request) -> Result<u32, Failure> {
        let last = request.body.is_empty() && request.trailers.is_empty();
        let stream = self.send_head(request, last)?;
        if !request.body.is_empty() {
            self.send_body(stream, &request.body, request.trailers.is_empty())?;
        }
        if !request.trailers.is_empty() && !self.is_over(stream) {
            self.headers(stream, &request.trailers, true)?;
        }
        Ok(stream)
    }

    /// Sends only the head of a request.
    pub(crate) fn send_head(&mut self, request: &Request, last: bool) -> Result<u32, Failure> {
        let stream = self.next_stream;
        self.next_stream += 2;
        let window = self.initial_window;
        self.streams.insert(
            stream,
            Stream {
                window,
                ..Stream::default()
            },
        );
        let mut fields: Fields = vec![(b":method".to_vec(), request.method.clone())];
        let connect = request.method == b"CONNECT";
        if !connect {
            fields.push((b":scheme".to_vec(), b"http".to_vec()));
        }
        if let Some(path) = &request.target {
            fields.push((b":path".to_vec(), path.clone()));
        }
        if let Some(authority) = &request.authority {
            fields.push((b":authority".to_vec(), authority.clone()));
        }
        fields.extend(request.headers.iter().cloned());
        self.headers(stream, &fields, last)?;
        Ok(stream)
    }

    /// Sends a part of a body, waiting for the server's window.
    pub(crate) fn send_body(
        &mut self,
        stream: u32,
        mut body: &[u8],
        last: bool,
    ) -> Result<(), Failure> {
        while !body.is_empty() && !self.is_over(stream) {
            let window = self.window.min(self.streams[&stream].window);
            let Ok(window @ 1..) = usize::try_from(window) else {
                self.read_frame()?;
                continue;
            };
            let (now, later) = body.split_at(body.len().min(window).min(FRAME));
            let flags = if last && later.is_empty() {
                END_STREAM
            } else {
                0
            };
            self.frame(DATA, flags, stream, now)?;
            self.window -= now.len() as i64;
            if let Some(state) = self.streams.get_mut(&stream) {
                state.window -= now.len() as i64;
            }
            body = later;
        }
        Ok(())
    }

    /// Cancels a stream.
    pub(crate) fn reset(&mut self, stream: u32) -> io::Result<()> {
        // CANCEL
        self.frame(RST_STREAM, 0, stream, &8u32.to_be_bytes())
    }

    /// Waits for the response of a stream.
    pub(crate) fn response(&mut self, stream: u32) -> Result<Response, Failure> {
        while !self.is_over(stream) {
            self.read_frame()?;
        }
        let state = self.streams.remove(&stream).expect("a stream of ours");
        let Some(head) = state.head.filter(|_| state.ended) else {
            return Err(state
                .reset
                .map(Failure::Reset)
                .or(self.goaway.map(|(_, code)| Failure::GoAway(code)))
                .unwrap_or_else(|| io::Error::other("no response").into()));
        };
        let status = head
            .iter()
            .find(|(name, _)| name == b":status")
            .and_then(|(_, value)| std::str::from_utf8(value).ok()?.parse().ok())
            .ok_or_else(|| io::Error::other("no status"))?;
        let mut headers = head;
        headers.retain(|(name, _)| !name.starts_with(b":"));
        Ok(Response {
            status,
            headers,
            body: state.body,
            trailers: state.trailers,
        })
    }

    fn is_over(&self, stream: u32) -> bool {
        let state = &self.streams[&stream];
        let refused = self.goaway.is_some_and(|(last, _)| stream > last);
        state.ended || state.reset.is_some() || refused
    }

    fn headers(&mut self, stream: u32, fields: &Fields, last: bool) -> io::Result<()> {
        let mut block = Vec::new();
        for (name, value) in fields {
            // A literal without indexing, its name a literal too.
            block.push(0);
            push_string(&mut block, name);
            push_string(&mut block, value);
        }
        let mut chunks = block.chunks(FRAME).peekable();
        let mut kind = HEADERS;
        while let Some(chunk) = chunks.next() {
            let mut flags = if kind == HEADERS && last {
                END_STREAM
            } else {
                0
            };
            if chunks.peek().is_none() {
                flags |= END_HEADERS;
            }
            self.frame(kind, flags, stream, chunk)?;
            kind = CONTINUATION;
        }
        Ok(())
    }

    /// Writes one frame with exactly this content.
    pub(crate) fn frame(
        &mut self,
        kind: u8,
        flags: u8,
        stream: u32,
        payload: &[u8],
    ) -> io::Result<()> {
        let length = u32::try_from(payload.len()).expect("a frame").to_be_bytes();
        let mut bytes = length[1..].to_vec();
        bytes.extend_from_slice(&[kind, flags]);
        bytes.extend_from_slice(&stream.to_be_bytes());
        bytes.extend_from_slice(payload);
        self.socket.write_all(&bytes)
    }

    fn raw_frame(&mut self) -> io::Result<(u8, u8, u32, Vec<u8>)> {
        let mut head = [0; 9];
        self.socket.read_exact(&mut head)?;
        let [l0, l1, l2, kind, flags, s0, s1, s2, s3] = head;
        let length = u32::from_be_bytes([0, l0, l1, l2]) as usize;
        let mut payload = vec![0; length];
        self.socket.read_exact(&mut payload)?;
        let stream = u32::from_be_bytes([s0, s1, s2, s3]) & 0x7fff_ffff;
        Ok((kind, flags, stream, payload))
    }

    fn read_frame(&mut self) -> io::Result<()> {
        let (kind, flags, stream, mut payload) = self.raw_frame()?;
        match kind {
            DATA => {
                let body = unpadded(&payload, flags).to_vec();
                if let Some(state) = self.streams.get_mut(&stream) {
                    state.body.extend_from_slice(&body);
                    state.ended |= flags & END_STREAM != 0;
                }
            }
            HEADERS => {
                let mut block = unpadded(&payload, flags).to_vec();
                let mut done = flags & END_HEADERS != 0;
                while !done {
                    let (_, flags, _, more) = self.raw_frame()?;
                    block.extend_from_slice(&more);
                    done = flags & END_HEADERS != 0;
                }
                let fields = self
                    .decoder
                    .decode(&block)
                    .map_err(|error| io::Error::other(format!("{error:?}")))?;
                self.take_headers(stream, fields, flags & END_STREAM != 0);
            }
            RST_STREAM => {
                if let Some(state) = self.streams.get_mut(&stream) {
                    state.reset = Some(number(&payload));
                }
            }
            SETTINGS if flags & ACK == 0 => {
                for setting in payload.chunks_exact(6) {
                    if setting[..2] == [0, 4] {
                        let window = i64::from(number(&setting[2..]));
                        let change = window - self.initial_window;
                        self.initial_window = window;
                        for state in self.streams.values_mut() {
                            state.window += change;
                        }
                    }
                }
                self.frame(SETTINGS, ACK, 0, &[])?;
            }
            PING if flags & ACK == 0 => {
                payload.truncate(8);
                self.frame(PING, ACK, 0, &payload)?;
            }
            GOAWAY => {
                let last = number(&payload) & 0x7fff_ffff;
                self.goaway = Some((last, number(&payload[4..])));
            }
            WINDOW_UPDATE => {
                let more = i64::from(number(&payload));
                if stream == 0 {
                    self.window += more;
                } else if let Some(state) = self.streams.get_mut(&stream) {
                    state.window += more;
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn take_headers(&mut self, stream: u32, fields: Fields, last: bool) {
        let Some(state) = self.streams.get_mut(&stream) else {
            return;
        };
        let interim = fields
            .iter()
            .any(|(name, value)| name == b":status" && value.starts_with(b"1"));
        if state.head.is_some() {
            state.trailers = fields;
        } else if !interim {
            state.head = Some(fields);
        }
        state.ended |= last;
    }
}

fn push_string(block: &mut Vec<u8>, text: &[u8]) {
    // A 7-bit prefix integer, no Huffman bit.
    let mut length = text.len();
    if length < 127 {
        block.push(length as u8);
    } else {
        block.push(127);
        length -= 127;
        while length >= 128 {
            block.push((length % 128) as u8 | 0x80);
            length /= 128;
        }
        block.push(length as u8);
    }
    block.extend_from_slice(text);
}

fn unpadded(payload: &[u8], flags: u8) -> &[u8] {
    let mut rest = payload;
    let mut padding = 0;
    if flags & PADDED != 0 {
        padding = usize::from(rest[0]);
        rest = &rest[1..];
    }
    if flags & PRIORITY != 0 {
        rest = &rest[5..];
    }
    &rest[..rest.len() - padding]
}

fn number(bytes: &[u8]) -> u32 {
    u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
}
