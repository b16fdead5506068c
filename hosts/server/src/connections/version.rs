//! Detects the version of HTTP that a client speaks.

use std::io;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time;

/// The beginning of an HTTP/2 connection (RFC 9113 section 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// The pause before the beginning is read again, if only a part of it has arrived.
const PAUSE: Duration = Duration::from_millis(10);

/// The version of HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    Http1,
    Http2,
}

/// Reads the version from the first bytes, without taking them.
///
/// # Errors
///
/// The client has sent too little within this time, or has left.
pub(super) async fn detect(stream: &TcpStream, patience: Duration) -> io::Result<Version> {
    time::timeout(patience, async {
        let mut first = [0; PREFACE.len()];
        loop {
            let read = stream.peek(&mut first).await?;
            let read = first.get(..read).unwrap_or_default();
            if read.is_empty() {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if !PREFACE.starts_with(read) {
                return Ok(Version::Http1);
            }
            if read.len() == PREFACE.len() {
                return Ok(Version::Http2);
            }
            time::sleep(PAUSE).await;
        }
    })
    .await
    .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}
