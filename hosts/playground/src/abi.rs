//! The functions that the page calls, in this order:
//!
//! 1. `input(length)` returns the address of that many bytes, or 0 if they are too many. The
//!    page writes a call there, as UTF-8.
//! 2. `answer()` handles the call and returns the length of its answer.
//! 3. `output()` returns the address of the answer, which is there until the next `input`.
//!
//! The page reads and writes the module's memory; the module uses no address from the page.
#![expect(
    unsafe_code,
    reason = "exported functions keep their names by an attribute that counts as unsafe"
)]

use std::cell::RefCell;
use std::ptr;

use edge_authz::config::MAX_BYTES;

use crate::session::Session;

/// The longest call, in bytes: every document that the core reads, with escapes in JSON.
const MAX_INPUT: usize = MAX_BYTES.saturating_mul(2);

thread_local! {
    static SESSION: RefCell<Buffers> = const { RefCell::new(Buffers::EMPTY) };
}

struct Buffers {
    input: Vec<u8>,
    output: Vec<u8>,
    session: Session,
}

impl Buffers {
    const EMPTY: Self = Self {
        input: Vec::new(),
        output: Vec::new(),
        session: Session::EMPTY,
    };
}

/// Makes room for a call of `length` bytes, and returns its address; 0 if it is too long.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn input(length: usize) -> *mut u8 {
    SESSION.with_borrow_mut(|buffers| {
        buffers.output = Vec::new();
        buffers.input = Vec::new();
        if length > MAX_INPUT {
            return ptr::null_mut();
        }
        buffers.input.resize(length, 0);
        buffers.input.as_mut_ptr()
    })
}

/// Handles the call and returns the length of the answer, in bytes.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn answer() -> usize {
    SESSION.with_borrow_mut(|buffers| {
        let input = std::mem::take(&mut buffers.input);
        buffers.output = buffers.session.answer(&input).into_bytes();
        buffers.output.len()
    })
}

/// The address of the answer.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn output() -> *const u8 {
    SESSION.with_borrow(|buffers| buffers.output.as_ptr())
}
