//! What a request has for the rules that compare a claim with it.

use std::borrow::Cow;

use crate::http::RequestHead;
use crate::policy::routes::RouteMatch;
use crate::rules::{RequestPart, RequestParts};

/// A request at its route. Nothing is looked up before a rule asks for it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Parts<'a> {
    /// The request as the client sent it, its copies of identity headers among
    /// the rest.
    pub(super) head: &'a RequestHead,
    /// The route, with the path's variables.
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
