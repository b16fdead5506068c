//! One key service and several judges, as a process with threads has them.

use crate::engine::{Demand, Exchange, Judge, KeyService, Snapshot};
use crate::policy::Policy;

#[test]
fn the_parts_can_be_in_different_threads() {
    const fn can_move<T: Send>() {}
    const fn can_be_shared<T: Send + Sync>() {}
    can_move::<Judge>();
    can_move::<KeyService>();
    can_move::<Demand>();
    can_be_shared::<Snapshot>();
    can_be_shared::<Exchange>();
    can_be_shared::<Policy>();
}
