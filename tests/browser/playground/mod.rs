//! The playground as `make docs` builds it, used as people use it: with the mouse, by keyboard
//! alone, on a phone, and with documents that nobody should write.

mod examples;
mod faults;
mod links;
mod looks;
mod privacy;
mod stage;
mod writing;
