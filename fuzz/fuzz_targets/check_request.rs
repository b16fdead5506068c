#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| edge_authz_fuzz::check_request(data));
