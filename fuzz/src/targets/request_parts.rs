//! Headers and query parameters that rules compare with claims: all those that every
//! upstream reads in the same way, and only those.
//!
//! The input is lines of header fields, as the module `request` reads them.

use super::request;
use crate::reference::readers;

pub(crate) fn target(data: &[u8]) {
    let headers = request::headers(data);
    let head = request::head(&headers);
    for name in ["x-tenant", "origin"] {
        let ours = head.single_header(name).map(<[u8]>::to_vec);
        let readers = readers::header(&headers, name).agreed();
        assert_eq!(ours, readers, "the header {name}");
    }
    for name in ["tenant", "tenant.id"] {
        let ours = head.single_parameter(name).map(Vec::from);
        let readers = readers::parameter(&headers, name).agreed();
        assert_eq!(ours, readers, "the parameter {name}");
    }
}
