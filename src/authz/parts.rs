//! The parts of a request that rules compare claims with.

use std::borrow::Cow;

use crate::http::RequestHead;
use crate::policy::routes::RouteMatch;
use crate::rules::{RequestPart, RequestParts};

/// A request and its route. A part is looked up only if a rule needs it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Parts<'a> {
    /// The request as the client sent it, including its copies of identity
    /// headers.
    pub(super) head: &'a RequestHead,
    /// The route and the path's variables.
    pub(super) found: &'a RouteMatch<'a>,
}

impl RequestParts for Parts<'_> {
    fn part(&self, part: &RequestPart) -> Option<Cow<'_, [u8]>> {
        match part {
            RequestPart::Variable(name) => self.found.variable(name).map(Cow::Borrowed),
            RequestPart::Header(name) => self.head.single_header(name).map(Cow::Borrowed),
            RequestPart::Query(name) => self.head.single_parameter(name),
        }
    }
}
