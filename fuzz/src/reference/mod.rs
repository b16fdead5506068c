//! Second implementations, with which the first are compared. They are written from the
//! RFCs and the documentation, not from the code, and are simple where the code is fast.

pub(crate) mod answer;
pub(crate) mod base64url;
pub(crate) mod credentials;
pub(crate) mod decimal;
pub(crate) mod json;
pub(crate) mod jwt;
pub(crate) mod keys;
pub(crate) mod method;
pub(crate) mod path;
pub(crate) mod readers;
