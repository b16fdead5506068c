//! The functions of the ABI that a host has, as far as the module calls them for a request.

use std::collections::BTreeMap;

use wasmi::errors::LinkerError;
use wasmi::{Caller, Extern, Func, Linker, Memory, Module, Store, TypedFunc, Val};

use crate::counted::{CALLS, ENTER, EXECUTED, LEAVE};
use crate::profile::Profile;

/// Header fields.
pub(crate) type Fields = Vec<(String, String)>;

/// The statuses of the ABI.
const OK: i32 = 0;
const NOT_FOUND: i32 = 1;
const UNIMPLEMENTED: i32 = 12;

/// The number of the request's headers in the ABI.
const REQUEST_HEADERS: i32 = 0;
/// The number of the response's headers in the ABI.
const RESPONSE_HEADERS: i32 = 2;
/// The level "info".
const INFO: u32 = 2;
/// What Envoy's `verify_signature` returns for a good signature.
const VERIFIED: &[u8] = b"\x08\x01";

/// What the host holds.
pub(crate) struct World {
    configuration: Vec<u8>,
    /// The time in nanoseconds since 1970.
    nanos: u64,
    pub(crate) request: Fields,
    pub(crate) response: Fields,
    /// The status of the module's own answer.
    pub(crate) answered: Option<u32>,
    pub(crate) log: Vec<String>,
    pub(crate) profile: Profile,
    shared: BTreeMap<Vec<u8>, (Vec<u8>, u32)>,
    metrics: u32,
}

impl World {
    /// A host with this configuration, at a time in seconds since 1970.
    pub(crate) fn new(configuration: &str, now: u64) -> Self {
        Self {
            configuration: configuration.into(),
            nanos: now * 1_000_000_000,
            request: Vec::new(),
            response: Vec::new(),
            answered: None,
            log: Vec::new(),
            profile: Profile::new(),
            shared: BTreeMap::new(),
            metrics: 0,
        }
    }

    fn fields(&mut self, list: i32) -> Option<&mut Fields> {
        match list {
            REQUEST_HEADERS => Some(&mut self.request),
            RESPONSE_HEADERS => Some(&mut self.response),
            _ => None,
        }
    }
}

type Host<'c> = Caller<'c, World>;
type Linked = Result<(), LinkerError>;

/// Defines all functions that a module imports. Those without an implementation here answer
/// that the host does not have them.
pub(crate) fn link(linker: &mut Linker<World>, store: &mut Store<World>, module: &Module) {
    for part in [calls, reporting, fields, data, standard] {
        part(linker).expect("each function is defined once");
    }
    for import in module.imports() {
        let kind = import.ty().func().expect("only functions are imported");
        let absent = Func::new(&mut *store, kind.clone(), |_, _, results| {
            if let [result] = results {
                *result = Val::I32(UNIMPLEMENTED);
            }
            Ok(())
        });
        // This fails if the function is defined above.
        let _ = linker.define(import.module(), import.name(), absent);
    }
}

/// The calls of the module's functions.
fn calls(linker: &mut Linker<World>) -> Linked {
    let enter = |mut host: Host<'_>, function: i32| {
        let executed = executed(&host);
        host.data_mut().profile.enter(index(function), executed);
    };
    linker.func_wrap(CALLS, ENTER, enter)?;
    let leave = |mut host: Host<'_>| {
        let executed = executed(&host);
        host.data_mut().profile.leave(executed);
    };
    linker.func_wrap(CALLS, LEAVE, leave)?;
    Ok(())
}

fn executed(host: &Host<'_>) -> u64 {
    let counter = host.get_export(EXECUTED).and_then(Extern::into_global);
    let count = counter.expect("the counter").get(host).i64();
    count.expect("a number").cast_unsigned()
}

/// The clock, ticks, the log and metrics.
fn reporting(linker: &mut Linker<World>) -> Linked {
    let accept = |_: Host<'_>, _: i32| OK;
    linker.func_wrap("env", "proxy_set_effective_context", accept)?;
    linker.func_wrap("env", "proxy_set_tick_period_milliseconds", accept)?;
    let now = |mut host: Host<'_>, place: i32| {
        let nanos = host.data().nanos;
        write(&mut host, place, &nanos.to_le_bytes())
    };
    linker.func_wrap("env", "proxy_get_current_time_nanoseconds", now)?;
    let level = |mut host: Host<'_>, place: i32| write(&mut host, place, &INFO.to_le_bytes());
    linker.func_wrap("env", "proxy_get_log_level", level)?;
    let log = |mut host: Host<'_>, _: i32, text: i32, size: i32| {
        let line = String::from_utf8_lossy(&read(&host, text, size)).into_owned();
        host.data_mut().log.push(line);
        OK
    };
    linker.func_wrap("env", "proxy_log", log)?;
    let metric = |mut host: Host<'_>, _: i32, _: i32, _: i32, place: i32| {
        host.data_mut().metrics += 1;
        let id = host.data().metrics;
        write(&mut host, place, &id.to_le_bytes())
    };
    linker.func_wrap("env", "proxy_define_metric", metric)?;
    let change = |_: Host<'_>, _: i32, _: i64| OK;
    linker.func_wrap("env", "proxy_increment_metric", change)?;
    linker.func_wrap("env", "proxy_record_metric", change)?;
    Ok(())
}

/// Header fields, and the module's own answer.
fn fields(linker: &mut Linker<World>) -> Linked {
    let pairs = |mut host: Host<'_>, list: i32, data: i32, size: i32| {
        let Some(fields) = host.data_mut().fields(list) else {
            return NOT_FOUND;
        };
        let bytes = serialised(fields);
        hand_over(&mut host, &bytes, data, size)
    };
    linker.func_wrap("env", "proxy_get_header_map_pairs", pairs)?;
    let set = |mut host: Host<'_>, list: i32, name: i32, name_size: i32, value: i32, size: i32| {
        let field = (text(&host, name, name_size), text(&host, value, size));
        let fields = host.data_mut().fields(list).expect("a list of fields");
        fields.retain(|(known, _)| *known != field.0);
        fields.push(field);
        OK
    };
    linker.func_wrap("env", "proxy_replace_header_map_value", set)?;
    let add = |mut host: Host<'_>, list: i32, name: i32, name_size: i32, value: i32, size: i32| {
        let field = (text(&host, name, name_size), text(&host, value, size));
        let fields = host.data_mut().fields(list).expect("a list of fields");
        fields.push(field);
        OK
    };
    linker.func_wrap("env", "proxy_add_header_map_value", add)?;
    let remove = |mut host: Host<'_>, list: i32, name: i32, size: i32| {
        let name = text(&host, name, size);
        let fields = host.data_mut().fields(list).expect("a list of fields");
        fields.retain(|(known, _)| *known != name);
        OK
    };
    linker.func_wrap("env", "proxy_remove_header_map_value", remove)?;
    let answer =
        |mut host: Host<'_>, status, _: i32, _: i32, _: i32, _: i32, _: i32, _: i32, _: i32| {
            host.data_mut().answered = Some(status);
            OK
        };
    linker.func_wrap("env", "proxy_send_local_response", answer)?;
    Ok(())
}

/// The configuration, shared data, properties and signatures.
fn data(linker: &mut Linker<World>) -> Linked {
    let buffer = |mut host: Host<'_>, _: i32, _: i32, _: i32, data: i32, size: i32| {
        let bytes = host.data().configuration.clone();
        hand_over(&mut host, &bytes, data, size)
    };
    linker.func_wrap("env", "proxy_get_buffer_bytes", buffer)?;
    let get = |mut host: Host<'_>, key: i32, key_size: i32, data: i32, size: i32, cas: i32| {
        let key = read(&host, key, key_size);
        let Some((value, change)) = host.data().shared.get(&key).cloned() else {
            return NOT_FOUND;
        };
        write(&mut host, cas, &change.to_le_bytes());
        hand_over(&mut host, &value, data, size)
    };
    linker.func_wrap("env", "proxy_get_shared_data", get)?;
    let set = |mut host: Host<'_>, key: i32, key_size: i32, data: i32, size: i32, _: i32| {
        let (key, value) = (read(&host, key, key_size), read(&host, data, size));
        let shared = &mut host.data_mut().shared;
        let change = shared.get(&key).map_or(1, |(_, change)| change + 1);
        shared.insert(key, (value, change));
        OK
    };
    linker.func_wrap("env", "proxy_set_shared_data", set)?;
    let property = |_: Host<'_>, _: i32, _: i32, _: i32, _: i32| NOT_FOUND;
    linker.func_wrap("env", "proxy_get_property", property)?;
    let verify = |mut host: Host<'_>, _: i32, _: i32, _: i32, _: i32, data: i32, size: i32| {
        hand_over(&mut host, VERIFIED, data, size)
    };
    linker.func_wrap("env", "proxy_call_foreign_function", verify)?;
    Ok(())
}

/// The functions of WASI, of which only the environment is read: it is empty.
fn standard(linker: &mut Linker<World>) -> Linked {
    const WASI: &str = "wasi_snapshot_preview1";
    let sizes = |mut host: Host<'_>, count: i32, size: i32| {
        write(&mut host, count, &[0; 4]);
        write(&mut host, size, &[0; 4])
    };
    linker.func_wrap(WASI, "environ_sizes_get", sizes)?;
    linker.func_wrap(WASI, "environ_get", |_: Host<'_>, _: i32, _: i32| OK)?;
    // The module exits only after a panic, whose message it has written before.
    let exit = |_: Host<'_>, status: i32| -> Result<(), wasmi::Error> {
        Err(wasmi::Error::i32_exit(status))
    };
    linker.func_wrap(WASI, "proc_exit", exit)?;
    Ok(())
}

fn memory(host: &Host<'_>) -> Memory {
    let memory = host.get_export("memory").and_then(Extern::into_memory);
    memory.expect("the module's memory")
}

fn read(host: &Host<'_>, place: i32, size: i32) -> Vec<u8> {
    let range = index(place)..index(place) + index(size);
    memory(host).data(host)[range].to_vec()
}

fn text(host: &Host<'_>, place: i32, size: i32) -> String {
    String::from_utf8(read(host, place, size)).expect("UTF-8")
}

fn write(host: &mut Host<'_>, place: i32, bytes: &[u8]) -> i32 {
    let memory = memory(host);
    memory.write(host, index(place), bytes).expect("in range");
    OK
}

/// Passes data to the module, in memory from its allocator.
fn hand_over(host: &mut Host<'_>, bytes: &[u8], data: i32, size: i32) -> i32 {
    let allocate = host.get_export("malloc").and_then(Extern::into_func);
    let allocate: TypedFunc<i32, i32> = allocate
        .expect("the allocator")
        .typed(&*host)
        .expect("the type of malloc");
    let length = i32::try_from(bytes.len()).expect("a small size");
    let place = allocate.call(&mut *host, length).expect("memory");
    write(host, place, bytes);
    write(host, data, &place.to_le_bytes());
    write(host, size, &length.to_le_bytes())
}

/// An address or a size. Addresses are unsigned.
fn index(number: i32) -> usize {
    usize::try_from(number.cast_unsigned()).expect("a wide usize")
}

/// The ABI's form of header fields.
fn serialised(fields: &Fields) -> Vec<u8> {
    let size = |text: &str| {
        u32::try_from(text.len())
            .expect("a short text")
            .to_le_bytes()
    };
    let count = u32::try_from(fields.len()).expect("few fields");
    let mut bytes = count.to_le_bytes().to_vec();
    for (name, value) in fields {
        bytes.extend(size(name));
        bytes.extend(size(value));
    }
    for text in fields.iter().flat_map(|(name, value)| [name, value]) {
        bytes.extend(text.as_bytes());
        bytes.push(0);
    }
    bytes
}
