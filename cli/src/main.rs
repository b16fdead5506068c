//! The command `edge-authz`; see the library of this crate.

fn main() -> std::process::ExitCode {
    edge_authz_cli::main()
}
