//! What the proxy does with an answer.

use super::original::Fault;

/// What the proxy does with an answer, by the path of its request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// `/authorize`: a status of 2xx is the permission to forward the client's request. No
    /// other answer has one.
    Authorize,
    /// `/reply`: the answer is passed on to the client. The proxy forwards nothing.
    Reply,
}

impl Mode {
    /// The mode of a request with this path.
    pub(super) fn of(path: &str) -> Result<Self, Fault> {
        match path {
            "/authorize" => Ok(Self::Authorize),
            "/reply" => Ok(Self::Reply),
            _ => Err(Fault::Path),
        }
    }
}
