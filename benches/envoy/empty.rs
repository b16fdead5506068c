//! A Wasm module that does nothing, to measure the cost of calling a module.

use crate::support::wasm::write;

/// The callbacks of edge-authz that Envoy calls for a request, with the number of their
/// arguments and whether they return something.
const CALLBACKS: [(&str, usize, bool); 8] = [
    ("proxy_abi_version_0_2_1", 0, false),
    ("proxy_on_memory_allocate", 1, true),
    ("proxy_on_vm_start", 2, true),
    ("proxy_on_configure", 2, true),
    ("proxy_on_context_create", 2, false),
    ("proxy_on_request_headers", 3, true),
    ("proxy_on_response_headers", 3, true),
    ("proxy_on_delete", 1, false),
];

const I32: u8 = 0x7f;
const END: u8 = 0x0b;

/// The module in its binary form.
pub(crate) fn module() -> Vec<u8> {
    let types = CALLBACKS.map(|(_, arguments, returns)| {
        let mut kind = vec![0x60];
        kind.extend(write(arguments));
        kind.extend(vec![I32; arguments]);
        kind.extend(if returns { vec![1, I32] } else { vec![0] });
        kind
    });
    let functions: Vec<Vec<u8>> = (0..CALLBACKS.len()).map(write).collect();
    // One memory of one page.
    let memories = [vec![0, 1]];
    let mut exports = vec![export("memory", 2, 0)];
    exports.extend(
        (0..)
            .zip(CALLBACKS)
            .map(|(at, (name, ..))| export(name, 0, at)),
    );
    let codes = CALLBACKS.map(|(name, _, returns)| {
        // A start or a configuration succeeds with 1; a request continues with 0.
        let value = u8::from(!name.ends_with("_headers"));
        let mut body = vec![0];
        if returns {
            body.extend([0x41, value]);
        }
        body.push(END);
        sized(&body)
    });
    let mut module = b"\0asm\x01\0\0\0".to_vec();
    for (number, items) in [
        (1, &types[..]),
        (3, &functions),
        (5, &memories),
        (7, &exports),
        (10, &codes),
    ] {
        let content = [write(items.len()), items.concat()].concat();
        module.push(number);
        module.extend(sized(&content));
    }
    module
}

fn export(name: &str, kind: u8, index: usize) -> Vec<u8> {
    let mut export = sized(name.as_bytes());
    export.push(kind);
    export.extend(write(index));
    export
}

fn sized(content: &[u8]) -> Vec<u8> {
    [write(content.len()), content.to_vec()].concat()
}
