//! Possible faults: a host call that fails in a callback.

/// The host's functions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Call {
    Log,
    LogLevel,
    Time,
    TickPeriod,
    EffectiveContext,
    Buffer,
    Headers,
    SetHeader,
    AddHeader,
    RemoveHeader,
    Continue,
    Close,
    Reply,
    GetProperty,
    SetProperty,
    GetShared,
    SetShared,
    DefineMetric,
    RecordMetric,
    IncrementMetric,
    Foreign,
    Fetch,
    Random,
}

/// How a call fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// With this status.
    Status(u32),
    /// With success, and a size without a pointer.
    NoMemory,
    /// With success, and the first half of the data.
    Half,
    /// With success, and other bytes.
    Noise,
    /// With success, and no data.
    Nothing,
}

/// The callbacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Phase {
    Configure,
    RequestHeaders,
    RequestBody,
    RequestTrailers,
    Tick,
    Answer,
    ResponseHeaders,
    Done,
}

/// A fault.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fault {
    pub(super) call: Call,
    pub(super) failure: Failure,
    pub(super) phase: Phase,
    /// The number of earlier calls in the callback that succeed.
    pub(super) after: usize,
}
