//! Whether refusals are enforced.

/// Whether the requests that a policy or a route refuses are refused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// They are.
    #[default]
    Enforce,
    /// They pass, as on a public route, and are only counted and logged. Requests that
    /// would wait for keys pass too. Routes that are denied still refuse.
    Report,
}
