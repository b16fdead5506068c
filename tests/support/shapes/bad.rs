//! Configurations that are refused, once there is memory to check them.

use std::fmt::Write;

use super::{MAX_ROUTES, list, with_member, with_routes};

pub(super) fn unknown_members(size: usize) -> String {
    with_member(&list(size, usize::MAX, |number, text| {
        let _ = write!(text, r#""{number:x}":0"#);
    }))
}

pub(super) fn duplicate_members(size: usize) -> String {
    with_member(&list(size, usize::MAX, |_, text| {
        text.push_str(r#""a":{}"#);
    }))
}

pub(super) fn numbers(size: usize) -> String {
    let numbers = list(size, usize::MAX, |_, text| text.push('0'));
    with_member(&format!(r#""cors":{{"allow_origins":[{numbers}]}}"#))
}

pub(super) fn empty_lists(size: usize) -> String {
    with_routes(&list(size, usize::MAX, |_, text| text.push_str("[]")))
}

pub(super) fn deep_lists(size: usize) -> String {
    with_routes(&list(size, usize::MAX, |_, text| {
        text.push_str("[[[[[[[[[[[[[[[[[[[[[[[[0]]]]]]]]]]]]]]]]]]]]]]]]");
    }))
}

pub(super) fn texts_for_routes(size: usize) -> String {
    with_routes(&list(size, usize::MAX, |_, text| text.push_str(r#""""#)))
}

pub(super) fn routes_of_errors(size: usize) -> String {
    with_routes(&list(size, MAX_ROUTES, |number, text| {
        let _ = write!(text, r#"{{"mach":"get /{number}","scops":"x"}}"#);
    }))
}

pub(super) fn clashing_routes(size: usize) -> String {
    with_routes(&list(size, MAX_ROUTES / 2, |number, text| {
        let route = format!(r#"{{"match":"GET /{}/a/b/c"}}"#, number % 3);
        let _ = write!(text, "{route},{route}");
    }))
}

pub(super) fn never_closed(size: usize) -> String {
    with_routes("").replace("]}", ",") + &"[[0,".repeat(8) + &"0,".repeat(size / 2)
}
