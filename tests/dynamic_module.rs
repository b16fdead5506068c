//! The dynamic module as it is shipped: its size, its dependencies and the symbols that
//! it exports to Envoy. `make dynamic-module` builds it first; `readelf` is part of the
//! binutils that link it.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test ends at the first unexpected result"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What is mapped into each proxy: AWS-LC is more than half of it.
const SIZE_BUDGET: u64 = 4608 * 1024;

/// The newest glibc that a module built here may need: that of Ubuntu 22.04. It is older than
/// the glibc of Debian 12, on which Envoy's images are based. The compiler's unwinder looks
/// for `_dl_find_object` of 2.35. The modules of releases have another one and need 2.34, which
/// `make test-release` checks.
const GLIBC: [u32; 2] = [2, 35];

/// The system libraries that the module needs. Images without a distribution contain only
/// these.
const LIBRARIES: &[&str] = &["ld-linux-x86-64.so.2", "libc.so.6"];

/// The functions that Envoy calls, without the prefix `envoy_dynamic_module_on_`. Envoy
/// refuses a module that lacks a required one.
const HOOKS: &[&str] = &[
    "program_init",
    "http_filter_config_new",
    "http_filter_config_destroy",
    "http_filter_config_scheduled",
    "http_filter_per_route_config_new",
    "http_filter_per_route_config_destroy",
    "http_filter_config_http_callout_done",
    "http_filter_new",
    "http_filter_destroy",
    "http_filter_request_headers",
    "http_filter_request_body",
    "http_filter_request_trailers",
    "http_filter_response_headers",
    "http_filter_response_body",
    "http_filter_response_trailers",
    "http_filter_stream_complete",
    "http_filter_scheduled",
    "http_filter_http_callout_done",
    "http_filter_http_stream_headers",
    "http_filter_http_stream_data",
    "http_filter_http_stream_trailers",
    "http_filter_http_stream_complete",
    "http_filter_http_stream_reset",
    "http_filter_downstream_above_write_buffer_high_watermark",
    "http_filter_downstream_below_write_buffer_low_watermark",
];

fn module() -> PathBuf {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("dist/libedge_authz.so");
    assert!(
        path.exists(),
        "{} is missing: run `make dynamic-module`",
        path.display()
    );
    path
}

/// The output of `readelf` for the module.
fn readelf(what: &str) -> String {
    let output = Command::new("readelf")
        .args(["--wide", what])
        .arg(module())
        .output()
        .expect("readelf, of binutils");
    assert!(output.status.success());
    String::from_utf8(output.stdout).expect("text")
}

#[test]
fn the_module_keeps_to_its_size_budget() {
    let size = fs::metadata(module()).expect("the module").len();
    let kibibytes = size / 1024;
    assert!(size <= SIZE_BUDGET, "{kibibytes} KiB are too many");
}

#[test]
fn the_module_needs_the_c_library_and_nothing_else() {
    let dynamic = readelf("--dynamic");
    let needed: BTreeSet<_> = dynamic
        .lines()
        .filter(|line| line.contains("(NEEDED)"))
        .filter_map(|line| line.split_once('[')?.1.strip_suffix(']'))
        .collect();
    assert_eq!(needed, LIBRARIES.iter().copied().collect());
}

#[test]
fn the_module_is_loaded_with_the_oldest_glibc_that_is_supported() {
    let versions = readelf("--version-info");
    let needed: BTreeSet<[u32; 2]> = versions
        .split_whitespace()
        .filter_map(|word| word.strip_prefix("GLIBC_"))
        .filter_map(|version| {
            let mut parts = version.split('.').map_while(|part| part.parse().ok());
            Some([parts.next()?, parts.next()?])
        })
        .collect();
    let newest = needed.last().expect("a version of glibc");
    assert!(*newest <= GLIBC, "glibc {newest:?}");
}

#[test]
fn the_module_exports_its_hooks_and_links_to_nothing_of_envoy() {
    let symbols = readelf("--dyn-syms");
    let symbols = symbols.lines().filter_map(|line| {
        let words: Vec<_> = line.split_whitespace().collect();
        let [_, _, _, _, binding, _, section, name, ..] = words[..] else {
            return None;
        };
        (binding == "GLOBAL" || binding == "WEAK").then_some((section, name))
    });
    let (asked, offered): (Vec<_>, Vec<_>) = symbols.partition(|(section, _)| *section == "UND");
    let offered: BTreeSet<_> = offered
        .into_iter()
        .map(|(_, name)| name.to_owned())
        .collect();
    let hook = |name: &&str| format!("envoy_dynamic_module_on_{name}");
    let expected: BTreeSet<_> = HOOKS.iter().map(hook).collect();
    assert_eq!(offered, expected);
    // The module looks them up when it is loaded, so that a missing function is an error
    // and does not end the proxy.
    let of_envoy = asked.iter().find(|(_, name)| name.starts_with("envoy_"));
    assert_eq!(of_envoy, None);
}
