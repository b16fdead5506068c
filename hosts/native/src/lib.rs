//! What the hosts that run as native code with threads share.
//!
//! * `clock` reads the system clock;
//! * `signatures` verifies signatures with AWS-LC;
//! * `shared` contains the data of key sources that all configurations of a process share,
//!   and `proofs` the proofs of possession that were used in it;
//! * `collected` gathers the changes of metrics of one thread;
//! * `effects` reports and passes on the effects of a judge;
//! * `fields` applies changes to the header fields of a reply;
//! * `shared_keys` is the key service of one document (`keeper`) with its exchange with the
//!   judges, and `seat` is the judge of one thread.

pub mod clock;
mod collected;
mod effects;
mod fields;
mod keeper;
mod lock;
pub mod proofs;
mod seat;
mod shared;
mod shared_keys;
mod signatures;

pub use collected::Collected;
pub use effects::apply;
pub use fields::{edited, is_sendable, reply_fields};
pub use lock::locked;
pub use seat::Seat;
pub use shared::{SHARED, Shared};
pub use shared_keys::SharedKeys;
pub use signatures::Signatures;
