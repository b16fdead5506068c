//! The server `edge-authz-server`; see the library of this crate.

/// The static program has the C library musl, whose allocator takes several times as long.
#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    edge_authz_server::main()
}
