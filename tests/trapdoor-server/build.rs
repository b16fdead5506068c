//! Selects the source files that can panic.

#![allow(
    clippy::print_stdout,
    reason = "Cargo reads it from the standard output"
)]

fn main() {
    println!("cargo:rustc-cfg=trapdoor");
}
