//! The raw functions of the host: proxy-wasm ABI 0.2.1.
//!
//! Each function returns a status; 0 is success. Results are written through pointers,
//! and only if the status is 0. Data is returned in memory that the host got from this
//! module's allocator. The caller owns it.

#[link(wasm_import_module = "env")]
unsafe extern "C" {
    pub(super) fn proxy_log(level: u32, message: *const u8, message_size: usize) -> u32;

    pub(super) fn proxy_get_log_level(level: *mut u32) -> u32;

    pub(super) fn proxy_get_current_time_nanoseconds(time: *mut u64) -> u32;

    pub(super) fn proxy_set_tick_period_milliseconds(period: u32) -> u32;

    pub(super) fn proxy_set_effective_context(context: u32) -> u32;

    pub(super) fn proxy_get_buffer_bytes(
        buffer: u32,
        start: usize,
        max_size: usize,
        data: *mut *mut u8,
        data_size: *mut usize,
    ) -> u32;

    pub(super) fn proxy_get_header_map_pairs(
        map: u32,
        data: *mut *mut u8,
        data_size: *mut usize,
    ) -> u32;

    pub(super) fn proxy_replace_header_map_value(
        map: u32,
        name: *const u8,
        name_size: usize,
        value: *const u8,
        value_size: usize,
    ) -> u32;

    pub(super) fn proxy_add_header_map_value(
        map: u32,
        name: *const u8,
        name_size: usize,
        value: *const u8,
        value_size: usize,
    ) -> u32;

    pub(super) fn proxy_remove_header_map_value(map: u32, name: *const u8, name_size: usize)
    -> u32;

    pub(super) fn proxy_continue_stream(stream: u32) -> u32;

    pub(super) fn proxy_close_stream(stream: u32) -> u32;

    pub(super) fn proxy_send_local_response(
        status: u32,
        details: *const u8,
        details_size: usize,
        body: *const u8,
        body_size: usize,
        headers: *const u8,
        headers_size: usize,
        grpc_status: i32,
    ) -> u32;

    pub(super) fn proxy_get_property(
        path: *const u8,
        path_size: usize,
        data: *mut *mut u8,
        data_size: *mut usize,
    ) -> u32;

    pub(super) fn proxy_set_property(
        path: *const u8,
        path_size: usize,
        value: *const u8,
        value_size: usize,
    ) -> u32;

    pub(super) fn proxy_get_shared_data(
        key: *const u8,
        key_size: usize,
        data: *mut *mut u8,
        data_size: *mut usize,
        cas: *mut u32,
    ) -> u32;

    pub(super) fn proxy_set_shared_data(
        key: *const u8,
        key_size: usize,
        data: *const u8,
        data_size: usize,
        cas: u32,
    ) -> u32;

    pub(super) fn proxy_define_metric(
        kind: u32,
        name: *const u8,
        name_size: usize,
        id: *mut u32,
    ) -> u32;

    pub(super) fn proxy_record_metric(id: u32, value: u64) -> u32;

    pub(super) fn proxy_increment_metric(id: u32, offset: i64) -> u32;

    pub(super) fn proxy_call_foreign_function(
        name: *const u8,
        name_size: usize,
        arguments: *const u8,
        arguments_size: usize,
        result: *mut *mut u8,
        result_size: *mut usize,
    ) -> u32;
}

#[link(wasm_import_module = "wasi_snapshot_preview1")]
unsafe extern "C" {
    /// WASI: fills memory with random bytes. Returns an error number, or 0.
    pub(super) fn random_get(data: *mut u8, data_size: usize) -> u32;
}
