//! What calls in both directions pass, as `abi.h` defines it.

#![expect(unsafe_code, reason = "a foreign interface")]

use std::ptr;

use super::world::Fields;

/// Bytes that a call passes.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct Text {
    data: *const u8,
    length: usize,
}

/// A header field that a call passes.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct Field {
    name: Text,
    value: Text,
}

impl Text {
    pub(super) fn of(bytes: &[u8]) -> Self {
        Self {
            data: bytes.as_ptr(),
            length: bytes.len(),
        }
    }

    pub(super) const NONE: Self = Self {
        data: ptr::null(),
        length: 0,
    };

    pub(super) fn is_none(self) -> bool {
        self.data.is_null()
    }

    pub(super) fn bytes(self) -> Vec<u8> {
        if self.length == 0 {
            return Vec::new();
        }
        // SAFETY: the caller has it from this call.
        unsafe { std::slice::from_raw_parts(self.data, self.length) }.to_vec()
    }

    pub(super) fn text(self) -> String {
        String::from_utf8(self.bytes()).expect("text")
    }
}

impl Field {
    pub(super) const NONE: Self = Self {
        name: Text::NONE,
        value: Text::NONE,
    };

    pub(super) fn without_value((name, _): &(Vec<u8>, Vec<u8>)) -> Self {
        Self {
            name: Text::of(name),
            value: Text::NONE,
        }
    }

    pub(super) fn of((name, value): &(Vec<u8>, Vec<u8>)) -> Self {
        Self {
            name: Text::of(name),
            value: Text::of(value),
        }
    }
}

pub(super) fn texts(first: *const Text, count: usize) -> Vec<String> {
    if count == 0 {
        return Vec::new();
    }
    // SAFETY: the module passed `count` of them to this call.
    let all = unsafe { std::slice::from_raw_parts(first, count) };
    all.iter().map(|text| text.text()).collect()
}

pub(super) fn fields(first: *const Field, count: usize) -> Fields {
    if count == 0 {
        return Vec::new();
    }
    // SAFETY: as above.
    let all = unsafe { std::slice::from_raw_parts(first, count) };
    all.iter()
        .map(|field| (field.name.bytes(), field.value.bytes()))
        .collect()
}
