//! The number of files that the process may have open.

use edge_authz::telemetry::Level;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::observation::Log;

/// The files that the process needs besides connections of proxies.
const OTHERS: usize = 256;

/// Raises the limit of open files, which is 1024 on many systems, to the number of
/// connections. Each connection is an open file.
pub(crate) fn allow(connections: usize, log: &Log) {
    let needed = connections.saturating_add(OTHERS);
    let needed = u64::try_from(needed).unwrap_or(u64::MAX);
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current.is_none_or(|current| current >= needed) {
        return;
    }
    let allowed = maximum.map_or(needed, |maximum| maximum.min(needed));
    let raised = Rlimit {
        current: Some(allowed),
        maximum,
    };
    if setrlimit(Resource::Nofile, raised).is_err() || allowed < needed {
        let line = format!(
            "the system allows {allowed} open files, and {needed} are needed for \
             --max-connections; further connections wait"
        );
        log.write(Level::Warn, &line);
    }
}
