//! The command `edge-authz`; see the library beside it.

fn main() -> std::process::ExitCode {
    edge_authz_cli::main()
}
