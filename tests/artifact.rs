//! The module as it is shipped: its size, its imports and its exports. `make wasm` builds
//! it first.
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test ends at the first unexpected result"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Every listener pays for this size at startup, and so does every sidecar.
const SIZE_BUDGET: usize = 900 * 1024;

/// The only host functions of the proxy-wasm ABI 0.2.1 that the module may call: if a
/// host lacks an import, the module does not load.
const PROXY: &[&str] = &[
    "proxy_add_header_map_value",
    "proxy_call_foreign_function",
    "proxy_close_stream",
    "proxy_continue_stream",
    "proxy_define_metric",
    "proxy_dequeue_shared_queue",
    "proxy_done",
    "proxy_enqueue_shared_queue",
    "proxy_get_buffer_bytes",
    "proxy_get_current_time_nanoseconds",
    "proxy_get_header_map_pairs",
    "proxy_get_header_map_value",
    "proxy_get_log_level",
    "proxy_get_property",
    "proxy_get_shared_data",
    "proxy_get_status",
    "proxy_grpc_call",
    "proxy_grpc_cancel",
    "proxy_grpc_close",
    "proxy_grpc_send",
    "proxy_grpc_stream",
    "proxy_http_call",
    "proxy_increment_metric",
    "proxy_log",
    "proxy_record_metric",
    "proxy_register_shared_queue",
    "proxy_remove_header_map_value",
    "proxy_replace_header_map_value",
    "proxy_resolve_shared_queue",
    "proxy_send_local_response",
    "proxy_set_buffer_bytes",
    "proxy_set_effective_context",
    "proxy_set_header_map_pairs",
    "proxy_set_property",
    "proxy_set_shared_data",
    "proxy_set_tick_period_milliseconds",
];

/// The WASI functions that the standard library needs, and the source of secrets. Every host of the ABI has these.
const WASI: &[&str] = &[
    "environ_get",
    "environ_sizes_get",
    "fd_write",
    "proc_exit",
    "random_get",
];

/// The only exports: the functions that a host calls, and the marker of the ABI version.
/// Each exported callback costs a call for every request.
const EXPORTS: &[&str] = &[
    "_initialize",
    "memory",
    "proxy_abi_version_0_2_1",
    "malloc",
    "proxy_on_memory_allocate",
    "proxy_on_context_create",
    "proxy_on_vm_start",
    "proxy_on_configure",
    "proxy_on_tick",
    "proxy_on_request_headers",
    "proxy_on_request_body",
    "proxy_on_request_trailers",
    "proxy_on_response_headers",
    "proxy_on_http_call_response",
    "proxy_on_delete",
];

fn module() -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("dist/edge_authz.wasm");
    fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}: run `make wasm`", path.display()))
}

#[test]
fn the_module_keeps_to_its_size_budget() {
    let size = module().len();
    assert!(
        size <= SIZE_BUDGET,
        "{} KiB are more than {} KiB",
        size / 1024,
        SIZE_BUDGET / 1024
    );
}

#[test]
fn the_module_imports_exactly_what_is_listed() {
    let expected: BTreeSet<_> = PROXY
        .iter()
        .map(|name| format!("env.{name}"))
        .chain(
            WASI.iter()
                .map(|name| format!("wasi_snapshot_preview1.{name}")),
        )
        .collect();
    let imports = Sections::of(&module()).imports;
    let more: Vec<_> = imports.difference(&expected).collect();
    let fewer: Vec<_> = expected.difference(&imports).collect();
    assert!(
        more.is_empty() && fewer.is_empty(),
        "not listed: {more:?}; listed and not imported: {fewer:?}"
    );
}

#[test]
fn the_module_exports_exactly_what_a_host_calls() {
    let exports = Sections::of(&module()).exports;
    let expected: BTreeSet<_> = EXPORTS.iter().map(|name| (*name).to_owned()).collect();
    assert_eq!(exports, expected);
}

/// The names in the import section (`module.name`) and in the export section.
#[derive(Default)]
struct Sections {
    imports: BTreeSet<String>,
    exports: BTreeSet<String>,
}

impl Sections {
    /// Reads a module; <https://webassembly.github.io/spec/core/binary/modules.html>.
    fn of(module: &[u8]) -> Self {
        let mut sections = Self::default();
        let rest = module.strip_prefix(b"\0asm\x01\0\0\0").expect("a module");
        let mut reader = Reader(rest);
        while !reader.0.is_empty() {
            let id = reader.byte();
            let size = reader.number();
            let mut content = Reader(reader.bytes(size));
            match id {
                2 => sections.read_imports(&mut content),
                7 => sections.read_exports(&mut content),
                _ => {}
            }
        }
        sections
    }

    fn read_imports(&mut self, reader: &mut Reader<'_>) {
        for _ in 0..reader.number() {
            let (module, name) = (reader.name(), reader.name());
            let kind = reader.byte();
            assert!(kind == 0, "{module}.{name} is not a function");
            reader.number();
            self.imports.insert(format!("{module}.{name}"));
        }
    }

    fn read_exports(&mut self, reader: &mut Reader<'_>) {
        for _ in 0..reader.number() {
            self.exports.insert(reader.name().to_owned());
            reader.byte();
            reader.number();
        }
    }
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn bytes(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at_checked(count).expect("a whole module");
        self.0 = rest;
        taken
    }

    fn byte(&mut self) -> u8 {
        *self.bytes(1).first().expect("one byte")
    }

    /// An unsigned number in LEB128.
    fn number(&mut self) -> usize {
        let mut number = 0;
        for shift in (0..usize::BITS).step_by(7) {
            let byte = self.byte();
            number |= usize::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return number;
            }
        }
        panic!("a number of more than {} bits", usize::BITS)
    }

    fn name(&mut self) -> &'a str {
        let length = self.number();
        std::str::from_utf8(self.bytes(length)).expect("a name")
    }
}
