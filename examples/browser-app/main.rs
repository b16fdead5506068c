//! The servers that `make browser-app` starts: a page, the API on another origin that the
//! page calls, and the issuer.
#![allow(
    clippy::print_stdout,
    clippy::expect_used,
    clippy::arithmetic_side_effects,
    reason = "an interactive program, which ends at the first error"
)]

mod codes;
mod issuer;
mod servers;
mod sign_in;
#[path = "../../tests/support/mod.rs"]
mod support;

use servers::Servers;

fn main() {
    let servers = Servers::start();
    println!("A page, and its API on another origin\n");
    println!("the issuer listens on {}", servers.issuer());
    println!(
        "the API listens on http://{}, behind Envoy on http://{}",
        servers.upstream.address(),
        servers.envoy.address()
    );
    println!(
        "Envoy counts on http://{}/stats?filter=edge_authz\n",
        servers.envoy.admin_address()
    );
    println!("Open {} in a browser.", servers.page());
    println!("Everything runs until Ctrl-C.");
    loop {
        std::thread::park();
    }
}
