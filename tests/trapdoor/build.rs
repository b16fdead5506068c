//! Chooses the modules that can panic.

#![allow(clippy::print_stdout, reason = "this is how Cargo is told")]

fn main() {
    println!("cargo:rustc-cfg=trapdoor");
}
