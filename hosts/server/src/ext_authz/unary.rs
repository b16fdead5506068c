//! Calls with one message and one answer, as gRPC frames them over HTTP/2.
//!
//! tonic treats each of them as two streams of messages, with buffers and copies that take
//! longer than most decisions. So it only serves the health protocol here.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Buf, BufMut, Bytes, BytesMut};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Request, Response};
use http_body_util::BodyExt;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tonic::Status;
use tonic_prost::prost::Message;

/// The bytes before a message: whether it is compressed, and its length.
const PREFIX: usize = 5;

/// Reads the only message of a call. A compressed one is not accepted, nor one above the limit.
///
/// # Errors
///
/// The status of the answer.
pub(super) async fn read<M: Message + Default>(
    request: Request<Incoming>,
    limit: usize,
) -> Result<M, Status> {
    let encoding = request.headers().get("grpc-encoding");
    if encoding.is_some_and(|encoding| encoding != "identity") {
        return Err(Status::unimplemented("compressed messages"));
    }
    let framed = framed(request.into_body(), limit).await?;
    M::decode(message(framed, limit)?).map_err(|_| Status::internal("a malformed message"))
}

/// The whole body, which is a little larger than its message.
async fn framed(mut body: Incoming, limit: usize) -> Result<Bytes, Status> {
    let mut whole = Bytes::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Status::cancelled("the request has ended"))?;
        let Ok(data) = frame.into_data() else {
            continue;
        };
        if whole.is_empty() {
            whole = data;
        } else {
            // Only large messages are in several frames.
            let mut more = BytesMut::from(whole);
            more.put(data);
            whole = more.freeze();
        }
        if whole.len() > limit.saturating_add(PREFIX) {
            return Err(Status::out_of_range("the message is too large"));
        }
    }
    Ok(whole)
}

/// The message of a body.
fn message(mut framed: Bytes, limit: usize) -> Result<Bytes, Status> {
    let (Ok(is_compressed), Ok(length)) = (framed.try_get_u8(), framed.try_get_u32()) else {
        return Err(Status::internal("no message"));
    };
    if is_compressed != 0 {
        return Err(Status::unimplemented("compressed messages"));
    }
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    if length > limit {
        return Err(Status::out_of_range("the message is too large"));
    }
    if length != framed.len() {
        return Err(Status::internal("not exactly one message"));
    }
    Ok(framed)
}

/// The answer of a successful call.
pub(super) fn answer(message: &impl Message) -> Response<Answer> {
    let length = message.encoded_len();
    let mut framed = BytesMut::with_capacity(length.saturating_add(PREFIX));
    framed.put_u8(0);
    let Ok(prefix) = u32::try_from(length) else {
        return Status::internal("the answer is too large").into_http();
    };
    framed.put_u32(prefix);
    if message.encode(&mut framed).is_err() {
        return Status::internal("the answer cannot be written").into_http();
    }
    let mut response = Response::new(Answer::Message(Some(framed.freeze())));
    let grpc = HeaderValue::from_static("application/grpc");
    response.headers_mut().insert(CONTENT_TYPE, grpc);
    response
}

/// The body of an answer.
#[derive(Debug, Default)]
pub enum Answer {
    /// Without a message. The status is in the header.
    #[default]
    Empty,
    /// A message until it is sent, and the status `OK` in the trailers.
    Message(Option<Bytes>),
    /// An answer of tonic.
    Other(tonic::body::Body),
}

impl Body for Answer {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let frame = match &mut *self {
            Self::Empty => None,
            Self::Message(message) => Some(if let Some(message) = message.take() {
                Frame::data(message)
            } else {
                *self = Self::Empty;
                Frame::trailers(trailers())
            }),
            Self::Other(body) => return Pin::new(body).poll_frame(context),
        };
        Poll::Ready(frame.map(Ok))
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Empty => true,
            Self::Message(_) => false,
            Self::Other(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            // hyper would write it into the header.
            Self::Empty | Self::Message(_) => SizeHint::default(),
            Self::Other(body) => body.size_hint(),
        }
    }
}

fn trailers() -> HeaderMap {
    let mut trailers = HeaderMap::with_capacity(1);
    trailers.insert(Status::GRPC_STATUS, HeaderValue::from_static("0"));
    trailers
}

#[cfg(test)]
mod tests {
    use tonic::Code;

    use super::*;

    #[test]
    fn a_call_has_exactly_one_message_within_the_limit() {
        let read = |bytes: &'static [u8]| {
            let read = message(Bytes::from_static(bytes), 3);
            read.map_err(|status| status.code())
        };
        assert_eq!(read(b"\0\0\0\0\x03abc"), Ok(Bytes::from_static(b"abc")));
        assert_eq!(read(b"\0\0\0\0\0"), Ok(Bytes::new()));
        for (bytes, code) in [
            (&b""[..], Code::Internal),
            (b"\0\0\0\0", Code::Internal),
            (b"\0\0\0\0\x03ab", Code::Internal),
            (b"\0\0\0\0\x01ab", Code::Internal),
            (b"\0\0\0\0\x01a\0\0\0\0\x01a", Code::Internal),
            (b"\0\0\0\0\x04abcd", Code::OutOfRange),
            (b"\0\xff\xff\xff\xff", Code::OutOfRange),
            (b"\x01\0\0\0\x01a", Code::Unimplemented),
            (b"\x02\0\0\0\x01a", Code::Unimplemented),
        ] {
            assert_eq!(read(bytes), Err(code), "{bytes:?}");
        }
    }
}
