//! Possible faults: a call of the module that fails in a hook.

/// The module's calls of Envoy, by their names without the prefix. [`CLOCK`] stands for
/// the system's clock.
pub(super) type Call = &'static str;

pub(super) const CLOCK: Call = "clock";

/// The hooks, without the prefix, and what the module's own thread does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Phase {
    ConfigNew,
    ConfigScheduled,
    ConfigCalloutDone,
    ConfigDestroy,
    New,
    RequestHeaders,
    RequestBody,
    RequestTrailers,
    Scheduled,
    ResponseHeaders,
    StreamComplete,
    Destroy,
    /// The module's own thread.
    RequestTicks,
}

/// A fault.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fault {
    pub(super) call: Call,
    /// Which of the call's [`ways`] to fail.
    pub(super) way: i32,
    pub(super) phase: Phase,
    /// The number of earlier calls in the hook that succeed.
    pub(super) after: usize,
}

/// The ways in which a call can fail. Way 1 of a function that returns a bool, a pointer
/// or nothing is that it does nothing and says so, if it can.
pub(super) fn ways(call: Call) -> Vec<i32> {
    let last = match call {
        // The results that Envoy has, and one that it does not have.
        "http_filter_config_http_callout" => 5,
        // Not a success; and a success with no fields, or with no values.
        "http_get_headers" => 3,
        // Nothing known; and an empty text, half of it, or another text.
        "http_filter_get_attribute_string" => 4,
        // No time; and a panic.
        CLOCK => 2,
        _ if call.contains("_define_")
            || call.contains("crement")
            || call.contains("_set_gauge") =>
        {
            4
        }
        _ => 1,
    };
    (1..=last).collect()
}
