//! The steps of a request.

/// The steps, each with the beginnings of its functions' names. The first step with a
/// fitting beginning counts. Functions that several steps call, such as the search of a header
/// field or the allocator, belong to none.
pub(crate) const STEPS: &[(&str, &[&str])] = &[
    (
        "list of header fields",
        &[
            "edge_authz_proxy_wasm::host::headers",
            "edge_authz_proxy_wasm::host::pairs",
            "edge_authz_proxy_wasm::host::returned",
        ],
    ),
    (
        "changes of header fields",
        &[
            "edge_authz::authz::forward",
            "edge_authz::authz::identity",
            "edge_authz::policy::identity_headers",
            "edge_authz::host::stream::edit",
            "edge_authz_proxy_wasm::host::add_header",
            "edge_authz_proxy_wasm::host::set_header",
            "edge_authz_proxy_wasm::host::remove_header",
        ],
    ),
    (
        "callbacks of the SDK",
        &["proxy_wasm", "proxy_on", "edge_authz_proxy_wasm"],
    ),
    (
        "path",
        &[
            "edge_authz::authz::target",
            "edge_authz::http::path",
            "edge_authz::http::host",
        ],
    ),
    ("route", &["edge_authz::policy::routes"]),
    ("credentials", &["edge_authz::authz::credentials"]),
    (
        "token cache",
        &[
            "edge_authz::engine::judging::Known",
            "edge_authz::engine::token_cache",
            "edge_authz::authz::form",
        ],
    ),
    (
        "parsing and signature",
        &[
            "edge_authz::crypto",
            "edge_authz::jws",
            "edge_authz::jwt::form",
            "edge_authz::jwt::token",
            "edge_authz_proxy_wasm::host::signatures",
        ],
    ),
    (
        "claims and rules",
        &[
            "edge_authz::authz::candidates",
            "edge_authz::authz::sender",
            "edge_authz::authz::token",
            "edge_authz::jwk",
            "edge_authz::jwt",
            "edge_authz::rules",
        ],
    ),
    (
        "CORS",
        &["edge_authz::authz::preflight", "edge_authz::cors"],
    ),
    (
        "metrics",
        &["edge_authz::host::report", "edge_authz::telemetry"],
    ),
    (
        "order of the steps",
        &[
            "edge_authz::authz",
            "edge_authz::engine",
            "edge_authz::host",
            "edge_authz::policy",
        ],
    ),
];

/// The step of a function.
pub(crate) fn step_of(name: &str) -> Option<usize> {
    // `<a::B as C>::d` is a function of `a`.
    let name = name.trim_start_matches(['<', '&']);
    let fits = |(_, starts): &(&str, &[&str])| starts.iter().any(|start| name.starts_with(start));
    STEPS.iter().position(fits)
}
