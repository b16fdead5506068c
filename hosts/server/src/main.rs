//! The server `edge-authz-server`; see the library of this crate.

fn main() -> std::process::ExitCode {
    edge_authz_server::main()
}
