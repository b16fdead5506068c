//! The targets for the coverage-guided fuzzer. See `make fuzz`.

// Targets panic if the code under test breaks a guarantee.
#![allow(clippy::missing_panics_doc)]

mod reference;
mod targets;

/// The targets by their names.
macro_rules! targets {
    ($($name:ident),*) => {$(
        /// See the module documentation of the target.
        pub fn $name(data: &[u8]) {
            targets::$name::target(data);
        }
    )*};
}

targets!(
    answer_head,
    authorization,
    check_request,
    claims,
    config,
    import,
    issuer,
    jwks,
    mcp,
    metadata,
    narrowing,
    origin,
    path,
    proof,
    request_headers,
    request_parts,
    revocation,
    route,
    scope,
    token
);
