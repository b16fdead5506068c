//! The methods that are served.

use std::time::Duration;

use http::{HeaderMap, Request, Response, StatusCode, Version};
use hyper::body::Incoming;
use tokio::time::timeout;
use tonic::Status;
use tonic::server::Grpc;
use tonic_prost::ProstCodec;

use super::check::Check;
use super::health::{Once, Watch};
use super::unary::{self, Answer};
use super::{ExtAuthz, Limits, Readiness};

/// Answers a call.
pub(super) async fn answer(
    front_end: &ExtAuthz,
    check: &Check,
    request: Request<Incoming>,
) -> Response<Answer> {
    // gRPC needs the trailers of HTTP/2.
    if request.version() != Version::HTTP_2 {
        let mut response = Response::new(Answer::default());
        *response.status_mut() = StatusCode::HTTP_VERSION_NOT_SUPPORTED;
        return response;
    }
    let ExtAuthz { readiness, limits } = front_end;
    let limit = limits.time.min(deadline(request.headers()));
    let answered = match request.uri().path() {
        "/envoy.service.auth.v3.Authorization/Check" => {
            timeout(limit, checked(check, request, limits.message_bytes)).await
        }
        // These calls are rare, and must not make the others larger.
        "/grpc.health.v1.Health/Check" => {
            timeout(limit, Box::pin(once(readiness, request, *limits))).await
        }
        // The answers follow after the call has been read.
        "/grpc.health.v1.Health/Watch" => {
            timeout(limit, Box::pin(watch(readiness, request, *limits))).await
        }
        _ => return Status::unimplemented("unknown method").into_http(),
    };
    answered.unwrap_or_else(|_| Status::deadline_exceeded("").into_http())
}

async fn once(
    readiness: &Readiness,
    request: Request<Incoming>,
    limits: Limits,
) -> Response<Answer> {
    let mut grpc = grpc(ProstCodec::default(), limits);
    let answered = grpc.unary(Once(readiness.clone()), request).await;
    answered.map(Answer::Other)
}

async fn watch(
    readiness: &Readiness,
    request: Request<Incoming>,
    limits: Limits,
) -> Response<Answer> {
    let mut grpc = grpc(ProstCodec::default(), limits);
    let watch = Watch(readiness.clone());
    let answered = grpc.server_streaming(watch, request).await;
    answered.map(Answer::Other)
}

/// Answers a check request.
async fn checked(check: &Check, request: Request<Incoming>, limit: usize) -> Response<Answer> {
    match unary::read(request, limit).await {
        Ok(request) => unary::answer(&check.answer(request).await),
        Err(status) => status.into_http(),
    }
}

fn grpc<T: tonic::codec::Codec>(codec: T, limits: Limits) -> Grpc<T> {
    Grpc::new(codec).max_decoding_message_size(limits.message_bytes)
}

/// The time limit of a call: one to eight digits and a unit (gRPC over HTTP/2, "Timeout").
/// None, or a malformed one, limits nothing.
fn deadline(headers: &HeaderMap) -> Duration {
    let value = headers.get("grpc-timeout");
    let value = value.and_then(|value| value.to_str().ok());
    value.and_then(timeout_of).unwrap_or(Duration::MAX)
}

fn timeout_of(value: &str) -> Option<Duration> {
    let (digits, unit) = value.split_at_checked(value.len().checked_sub(1)?)?;
    let is_number = (1..=8).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    let number: u64 = digits.parse().ok().filter(|_| is_number)?;
    Some(match unit {
        "H" => Duration::from_secs(number.saturating_mul(3600)),
        "M" => Duration::from_secs(number.saturating_mul(60)),
        "S" => Duration::from_secs(number),
        "m" => Duration::from_millis(number),
        "u" => Duration::from_micros(number),
        "n" => Duration::from_nanos(number),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_limits_have_digits_and_a_unit() {
        assert_eq!(timeout_of("6000m"), Some(Duration::from_secs(6)));
        assert_eq!(timeout_of("1H"), Some(Duration::from_hours(1)));
        assert_eq!(
            timeout_of("99999999n"),
            Some(Duration::from_nanos(99_999_999))
        );
        for bad in ["", "m", "1", "+1m", "-1m", "1.5S", "123456789m", "1s", "é"] {
            assert_eq!(timeout_of(bad), None, "{bad}");
        }
    }
}
