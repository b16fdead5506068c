//! The decision about one request: `evaluate(policy, keys, request, now)`.
//!
//! This module is pure: it changes nothing, waits for nothing and does not depend on a
//! proxy. If keys are missing, it reports which, and the caller evaluates the request
//! again when they have arrived. The steps and their order are those of the type chain
//! `RequestHead → NormalPath → RouteMatch → Credentials → UnverifiedJwt → VerifiedJwt →
//! CheckedClaims → ValidClaims → Permit → Pass → Verdict`. No step can be skipped, because each takes a
//! value that only the previous step makes. Each step is reported to a [`Trace`] as it is
//! taken.

mod candidates;
mod challenge;
mod context;
mod credentials;
mod decision;
mod evaluate;
mod fault;
mod form;
mod forward;
mod identity;
mod metadata;
mod narrowed;
mod parts;
mod preflight;
mod refusal;
mod refuser;
mod response_nonce;
mod revocation;
mod sender;
mod signature;
mod steps;
mod target;
#[cfg(test)]
mod tests;
mod token;
mod trace;
mod unenforced;
mod verifications;

pub use candidates::Candidates;
pub use challenge::{Challenge, Scheme};
pub use context::{
    CertificateUnknown, Connection, Context, CurrentKeys, Keys, NoConnection, NoUsedProofs,
    ProofUse, Remembered, UsedProofs,
};
pub use credentials::{Credentials, Presented, Token};
pub use decision::{Absent, Decision, Facts, Learned, NeededDocument, Sought, Verdict, Verified};
pub use evaluate::{evaluate, evaluate_traced};
pub use fault::{HolderFault, TokenFault};
pub use form::Form;
pub use forward::{Forward, OpenRoute, Pass};
use parts::Parts;
pub use refusal::Refusal;
use refuser::Refuser;
pub use response_nonce::ResponseNonce;
pub use steps::Steps;
pub use target::Target;
pub use trace::{HostFault, KeyOutcome, KeyStep, PreflightStep, RevocationOutcome, Step, Trace};
pub use unenforced::Unenforced;
pub use verifications::Verifications;
