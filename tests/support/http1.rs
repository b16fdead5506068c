//! An HTTP/1.1 client that sends exactly the given bytes, and the reader for both sides
//! of a connection.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use super::http::{Fields, Request, Response};

/// How long a client waits for the next byte of an answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// Sends one request on its own connection.
pub(crate) fn exchange(to: SocketAddr, request: &Request) -> io::Result<Response> {
    Connection::open(to)?.exchange(request)
}

/// Sends bytes unchanged and reads one answer.
pub(crate) fn raw(to: SocketAddr, bytes: &[u8]) -> io::Result<Response> {
    let mut connection = Connection::open(to)?;
    connection.write(bytes)?;
    connection.response(false)
}

/// Sends bytes unchanged, and returns what arrives until the other side is silent for this
/// time, or closes the connection.
pub(crate) fn until_silence(to: SocketAddr, bytes: &[u8], silence: Duration) -> Vec<u8> {
    let mut stream = TcpStream::connect(to).expect("the proxy");
    stream.set_read_timeout(Some(silence)).expect("a socket");
    // The proxy may refuse the beginning.
    let _ = stream.write_all(bytes);
    let mut all = Vec::new();
    let _ = stream.read_to_end(&mut all);
    all
}

/// A connection of the client.
pub(crate) struct Connection {
    stream: BufReader<TcpStream>,
}

impl Connection {
    /// Connects.
    pub(crate) fn open(to: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect_timeout(&to, PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream: BufReader::new(stream),
        })
    }

    /// Writes bytes unchanged.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.get_mut().write_all(bytes)
    }

    /// Sends a request and reads its answer. The answer may arrive before the whole body
    /// was sent.
    pub(crate) fn exchange(&mut self, request: &Request) -> io::Result<Response> {
        let sent = self.write(&encode(request));
        self.response(request.method == b"HEAD")
            .or_else(|error| sent.and(Err(error)))
    }

    /// Reads one answer; `headless` if it answers HEAD.
    pub(crate) fn response(&mut self, headless: bool) -> io::Result<Response> {
        loop {
            let line = read_line(&mut self.stream)?;
            let status = line
                .get(9..12)
                .and_then(|code| std::str::from_utf8(code).ok())
                .and_then(|code| code.parse().ok())
                .ok_or_else(|| broken("status line", &line))?;
            let headers = read_fields(&mut self.stream)?;
            if (100..200).contains(&status) && status != 101 {
                continue;
            }
            let empty = headless || status == 204 || status == 304;
            let (body, trailers) = if empty {
                (Vec::new(), Vec::new())
            } else {
                read_body(&mut self.stream, &headers, true)?
            };
            return Ok(Response {
                status,
                headers,
                body,
                trailers,
            });
        }
    }
}

/// The bytes of a request: chunked if it has trailers, otherwise with a length if it has
/// a body.
pub(crate) fn encode(request: &Request) -> Vec<u8> {
    let mut bytes = request.method.clone();
    bytes.push(b' ');
    bytes.extend_from_slice(request.target.as_deref().unwrap_or_default());
    bytes.extend_from_slice(b" HTTP/1.1\r\n");
    if let Some(authority) = &request.authority {
        push_field(&mut bytes, b"host", authority);
    }
    for (name, value) in &request.headers {
        push_field(&mut bytes, name, value);
    }
    if request.trailers.is_empty() {
        if !request.body.is_empty() {
            let length = request.body.len().to_string();
            push_field(&mut bytes, b"content-length", length.as_bytes());
        }
        bytes.extend_from_slice(b"\r\n");
        bytes.extend_from_slice(&request.body);
    } else {
        push_field(&mut bytes, b"transfer-encoding", b"chunked");
        bytes.extend_from_slice(b"\r\n");
        if !request.body.is_empty() {
            bytes.extend_from_slice(format!("{:x}\r\n", request.body.len()).as_bytes());
            bytes.extend_from_slice(&request.body);
            bytes.extend_from_slice(b"\r\n");
        }
        bytes.extend_from_slice(b"0\r\n");
        for (name, value) in &request.trailers {
            push_field(&mut bytes, name, value);
        }
        bytes.extend_from_slice(b"\r\n");
    }
    bytes
}

fn push_field(bytes: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    bytes.extend_from_slice(name);
    bytes.extend_from_slice(b": ");
    bytes.extend_from_slice(value);
    bytes.extend_from_slice(b"\r\n");
}

/// One line without its end; an error at the end of the stream.
pub(crate) fn read_line(from: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    if from.read_until(b'\n', &mut line)? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    while matches!(line.last(), Some(b'\n' | b'\r')) {
        line.pop();
    }
    Ok(line)
}

/// Fields up to the empty line, names in lower case, values without surrounding white
/// space.
pub(crate) fn read_fields(from: &mut impl BufRead) -> io::Result<Fields> {
    let mut fields = Fields::new();
    loop {
        let line = read_line(from)?;
        if line.is_empty() {
            return Ok(fields);
        }
        let colon = line
            .iter()
            .position(|&byte| byte == b':')
            .ok_or_else(|| broken("field", &line))?;
        let (name, value) = line.split_at(colon);
        fields.push((name.to_ascii_lowercase(), value[1..].trim_ascii().to_vec()));
    }
}

/// The body that the fields announce, and its trailers. Without a length or chunks: the
/// rest of the stream (`until_end`, a response) or no body (a request).
pub(crate) fn read_body(
    from: &mut impl BufRead,
    fields: &Fields,
    until_end: bool,
) -> io::Result<(Vec<u8>, Fields)> {
    let value = |name: &[u8]| fields.iter().find(|(key, _)| key == name).map(|(_, v)| v);
    let mut body = Vec::new();
    if value(b"transfer-encoding").is_some_and(|coding| coding.ends_with(b"chunked")) {
        loop {
            let line = read_line(from)?;
            let size = std::str::from_utf8(&line)
                .ok()
                .and_then(|text| usize::from_str_radix(text.split(';').next()?.trim(), 16).ok())
                .ok_or_else(|| broken("chunk size", &line))?;
            if size == 0 {
                return Ok((body, read_fields(from)?));
            }
            let start = body.len();
            body.resize(start + size, 0);
            from.read_exact(&mut body[start..])?;
            read_line(from)?;
        }
    }
    if let Some(length) = value(b"content-length") {
        let length = std::str::from_utf8(length)
            .ok()
            .and_then(|text| text.parse().ok())
            .ok_or_else(|| broken("content-length", length))?;
        body.resize(length, 0);
        from.read_exact(&mut body)?;
    } else if until_end {
        from.read_to_end(&mut body)?;
    }
    Ok((body, Fields::new()))
}

fn broken(what: &str, line: &[u8]) -> io::Error {
    io::Error::other(format!("broken {what}: {}", super::http::readable(line)))
}
