//! Methods that no known client sends.

use super::collector::Warnings;
use crate::codes::Code;
use crate::patterns::Written;
use edge_authz::http::{MethodPattern, RoutePattern};

/// IANA's registry of methods, and the methods of caches, `UPnP` and streaming that it
/// lacks.
const KNOWN: [&str; 46] = [
    "ACL",
    "BASELINE-CONTROL",
    "BIND",
    "CHECKIN",
    "CHECKOUT",
    "CONNECT",
    "COPY",
    "DELETE",
    "GET",
    "HEAD",
    "LABEL",
    "LINK",
    "LOCK",
    "M-SEARCH",
    "MERGE",
    "MKACTIVITY",
    "MKCALENDAR",
    "MKCOL",
    "MKREDIRECTREF",
    "MKWORKSPACE",
    "MOVE",
    "NOTIFY",
    "OPTIONS",
    "ORDERPATCH",
    "PATCH",
    "POST",
    "PRI",
    "PROPFIND",
    "PROPPATCH",
    "PURGE",
    "PUT",
    "QUERY",
    "REBIND",
    "REPORT",
    "SEARCH",
    "SOURCE",
    "SUBSCRIBE",
    "TRACE",
    "UNBIND",
    "UNCHECKOUT",
    "UNLINK",
    "UNLOCK",
    "UNSUBSCRIBE",
    "UPDATE",
    "UPDATEREDIRECTREF",
    "VERSION-CONTROL",
];

/// Warns about a pattern whose method is probably a typing error: it matches nothing, and
/// the intended requests fall back to another route.
pub(super) fn of(written: &[Written], warnings: &mut Warnings<'_>) {
    for one in written {
        if let RoutePattern::Path {
            method: MethodPattern::Named(method),
            ..
        } = &one.pattern
            && !KNOWN.contains(&method.as_str())
        {
            let sentence = format!(
                "no known client sends `{method}`, so other routes may match the intended requests; \
                 write the method that is meant, or `ANY` for every method"
            );
            warnings.add(Code::UnknownMethod, &one.steps(), &sentence);
        }
    }
}
