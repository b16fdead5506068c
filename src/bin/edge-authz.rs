//! The command `edge-authz`; see `edge_authz::cli`.

#[cfg(not(target_arch = "wasm32"))]
fn main() -> std::process::ExitCode {
    edge_authz::cli::main()
}

#[cfg(target_arch = "wasm32")]
fn main() {}
