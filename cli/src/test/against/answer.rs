//! Reads the answer of a gateway.

use std::io::{self, BufRead, BufReader, Read};

use crate::cases::Fields;

/// The largest head of an answer, in bytes.
const MAX_HEAD: usize = 256 * 1024;
/// The largest number of its fields.
const MAX_FIELDS: usize = 256;
/// The part of a body that is read, in bytes. The filter's own bodies are short.
const MAX_BODY: u64 = 64 * 1024;

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Received {
    pub(super) status: u16,
    pub(super) headers: Fields,
    /// The beginning of the body.
    pub(super) body: Vec<u8>,
}

/// Reads the final answer to a request. `is_head`: to `HEAD`, whose answer has no body.
pub(super) fn read(stream: impl Read, is_head: bool) -> io::Result<Received> {
    let mut stream = BufReader::new(stream);
    loop {
        let (status, headers) = head(&mut stream)?;
        // Interim answers come before the final one.
        if (100..200).contains(&status) {
            continue;
        }
        let body = if is_head || matches!(status, 204 | 304) {
            Vec::new()
        } else {
            body(&mut stream, &headers)?
        };
        return Ok(Received {
            status,
            headers,
            body,
        });
    }
}

fn broken(what: impl std::fmt::Display) -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        format!("the answer is not HTTP/1.1: {what}"),
    )
}

fn head(stream: &mut impl BufRead) -> io::Result<(u16, Fields)> {
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"\r\n\r\n") {
        let before = bytes.len();
        let room = MAX_HEAD.saturating_sub(before);
        let limit = u64::try_from(room).unwrap_or(u64::MAX);
        stream.by_ref().take(limit).read_until(b'\n', &mut bytes)?;
        if bytes.len() == before {
            return Err(broken("its head is incomplete"));
        }
    }
    let mut fields = [httparse::EMPTY_HEADER; MAX_FIELDS];
    let mut head = httparse::Response::new(&mut fields);
    let parsed = head.parse(&bytes).map_err(broken)?;
    let status = head.code.filter(|_| parsed.is_complete());
    let status = status.ok_or_else(|| broken("it has no status"))?;
    let headers = head.headers.iter();
    let headers = headers.map(|field| {
        let name = field.name.to_ascii_lowercase();
        (name.into_bytes(), field.value.to_vec())
    });
    Ok((status, headers.collect()))
}

fn body(stream: &mut impl BufRead, headers: &Fields) -> io::Result<Vec<u8>> {
    let value = |name: &str| {
        let mut found = headers.iter().filter(|(known, _)| known == name.as_bytes());
        found.next().map(|(_, value)| value.trim_ascii())
    };
    if value("transfer-encoding").is_some_and(|coding| coding.eq_ignore_ascii_case(b"chunked")) {
        return chunks(stream);
    }
    let length = value("content-length").and_then(|value| std::str::from_utf8(value).ok());
    let length = length.map(str::parse::<u64>).transpose().map_err(broken)?;
    let mut body = Vec::new();
    let limit = length.unwrap_or(u64::MAX).min(MAX_BODY);
    match stream.by_ref().take(limit).read_to_end(&mut body) {
        // A server may end a TLS connection without saying so.
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof && length.is_none() => {}
        read => drop(read?),
    }
    Ok(body)
}

fn chunks(stream: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let mut line = Vec::new();
        stream.by_ref().take(1024).read_until(b'\n', &mut line)?;
        let size = match httparse::parse_chunk_size(&line) {
            Ok(httparse::Status::Complete((_, size))) => size,
            Ok(httparse::Status::Partial) | Err(_) => return Err(broken("a chunk has no size")),
        };
        let room = MAX_BODY.saturating_sub(u64::try_from(body.len()).unwrap_or(u64::MAX));
        if size == 0 || size > room {
            stream
                .by_ref()
                .take(size.min(room))
                .read_to_end(&mut body)?;
            return Ok(body);
        }
        stream.by_ref().take(size).read_to_end(&mut body)?;
        stream.by_ref().take(2).read_until(b'\n', &mut Vec::new())?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn received(text: &str, is_head: bool) -> Result<(u16, String), String> {
        let answer = read(text.as_bytes(), is_head).map_err(|error| error.to_string())?;
        Ok((answer.status, String::from_utf8(answer.body).unwrap()))
    }

    #[test]
    fn bodies_end_by_length_by_chunks_or_with_the_connection() {
        for (text, body) in [
            ("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nabc", "ab"),
            (
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n2;x=1\r\nab\r\n1\r\nc\r\n0\r\n\r\n",
                "abc",
            ),
            ("HTTP/1.1 200\r\n\r\nabc", "abc"),
            (
                "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\nabc",
                "abc",
            ),
        ] {
            assert_eq!(received(text, false), Ok((200, body.to_owned())), "{text}");
        }
        let head = "HTTP/1.1 401 Unauthorized\r\ncontent-length: 26\r\n\r\n";
        assert_eq!(received(head, true), Ok((401, String::new())));
        assert_eq!(
            received("HTTP/1.1 204 No\r\n\r\nx", false),
            Ok((204, String::new()))
        );
    }

    #[test]
    fn what_is_not_an_answer_is_an_error() {
        for text in [
            "",
            "HTTP/1.1 200 OK\r\n",
            "SSH-2.0-OpenSSH\r\n\r\n",
            "HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        ] {
            assert!(received(text, false).is_err(), "{text}");
        }
        let endless = format!("HTTP/1.1 200 OK\r\na: {}", "b".repeat(2 * MAX_HEAD));
        assert!(received(&endless, false).is_err());
        let large = format!("HTTP/1.1 200 OK\r\n\r\n{}", "b".repeat(1 << 20));
        assert_eq!(read(large.as_bytes(), false).unwrap().body.len(), 1 << 16);
    }
}
