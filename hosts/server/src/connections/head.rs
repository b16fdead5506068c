//! Answers to HEAD.

use http::{Method, Response, Version};

/// Leaves out the body of an answer to HEAD (RFC 9110 section 9.3.2). Over HTTP/1.1, hyper does
/// so. Over HTTP/2, it would send the body, and the proxy would take that for an error.
pub(crate) fn without_body<B: Default>(
    (version, method): (Version, &Method),
    mut answer: Response<B>,
) -> Response<B> {
    if version == Version::HTTP_2 && method == Method::HEAD {
        *answer.body_mut() = B::default();
    }
    answer
}
