//! The server `edge-authz-server`; see the library of this crate.

/// The same allocator with every C library, so that measurements are those of the static program too.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    edge_authz_server::main()
}
