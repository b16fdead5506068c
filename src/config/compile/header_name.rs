//! The name of a header, as configured.

use crate::config::error::Sink;
use crate::config::problem::HeaderProblem;
use crate::config::reader::Text;
use crate::http::HeaderName;

/// Reads the name, or reports why it is not one.
pub(super) fn header_name(written: &Text<'_>, sink: &mut Sink) -> Option<HeaderName> {
    let parsed = HeaderName::parse(written.value).ok();
    if parsed.is_none() {
        let name = written.excerpt();
        let is_pseudo = written.value.starts_with(':');
        let problem = if is_pseudo {
            HeaderProblem::Pseudo(name)
        } else {
            HeaderProblem::NotAName(name)
        };
        sink.report(&written.at, problem);
    }
    parsed
}
