//! Injected faults: a call that the module makes in a hook fails.

/// A function of Envoy that the module calls, by its name without the prefix. [`CLOCK`]
/// is the system clock.
pub(super) type Call = &'static str;

pub(super) const CLOCK: Call = "clock";

/// The hooks, by their names without the prefix, and the module's own thread.
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

/// An injected fault.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fault {
    pub(super) call: Call,
    /// The way in which the call fails; one of its [`ways`].
    pub(super) way: i32,
    pub(super) phase: Phase,
    /// The number of calls in the hook that succeed before the failing one.
    pub(super) after: usize,
}

/// The ways in which a call can fail. Way 1 of a function that returns a bool, a pointer
/// or nothing: it has no effect, and reports this if it can.
pub(super) fn ways(call: Call) -> Vec<i32> {
    let last = match call {
        // Each of Envoy's results, and one that Envoy does not define.
        "http_filter_config_http_callout" => 5,
        // A failure; a success with no fields; a success with empty values.
        "http_get_headers" => 3,
        // No value; an empty text; half of the text; another text.
        "http_filter_get_attribute_string" => 4,
        // The time is unavailable; a panic.
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
