//! The metadata of protected resources (RFC 9728). They are answered before routing, and
//! without a token.

use super::{Decision, Step, Target, Trace, Verdict};
use crate::cors::Preflight;
use crate::http::{LocalReply, RequestHead, SafeText};
use crate::policy::{Policy, Resource};
use crate::telemetry::Reason;

/// Answers a request for the metadata of a resource, or a preflight of one. Any other
/// request goes on.
///
/// The metadata are public, so their CORS headers are constants, and no policy adds to
/// them.
pub(super) fn answer<T: Trace>(
    policy: &Policy,
    head: &RequestHead,
    target: &Target<'_>,
    trace: &mut T,
) -> Option<Decision> {
    let path = head.path()?;
    if !policy.resources.is_metadata_path(path) {
        return None;
    }
    let resource = policy.resources.described_at(path, target.host());
    let reply = resource.and_then(|resource| reply(resource, head));
    trace.step(Step::Metadata {
        resource,
        is_answered: reply.is_some(),
    });
    Some(Decision::of(Verdict::Reply(
        Reason::ResourceMetadata,
        reply?,
    )))
}

/// The reply, if the request is for the document or a preflight of such a request.
fn reply(resource: &Resource, head: &RequestHead) -> Option<LocalReply> {
    let method = head.method()?;
    let (status, fields, body) = if matches!(method, b"GET" | b"HEAD") {
        let fields = [
            ("content-type", "application/json"),
            ("cache-control", "public, max-age=3600"),
        ];
        (200, fields, resource.document.as_bytes())
    } else {
        Preflight::detect(method, head.headers().iter())?;
        let fields = [
            ("access-control-allow-methods", "GET, HEAD"),
            ("access-control-allow-headers", "*"),
        ];
        (204, fields, &b""[..])
    };
    let origin = [("access-control-allow-origin", "*")];
    let fields = fields.into_iter().chain(origin);
    Some(LocalReply {
        status,
        headers: fields
            .map(|(name, value)| (name, SafeText::from(value)))
            .collect(),
        body: body.to_vec(),
        details: Reason::ResourceMetadata.details(),
    })
}
