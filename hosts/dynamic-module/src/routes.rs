//! The configurations of Envoy's routes (`typed_per_filter_config`).
//!
//! Envoy returns the address of a configuration with a request. It may be the address of
//! a configuration of another module, or of another version of this library in the same
//! process, because the author of the route chooses the module. So no address is
//! dereferenced. It is looked up among the addresses that this module has given to Envoy.

use std::collections::BTreeMap;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use aws_lc_rs::digest::{SHA256, digest};

use super::sink;
use edge_authz::config::{self, ConfigErrors, MAX_BYTES};
use edge_authz::policy::{self, Policy};
use edge_authz::telemetry::Level;
use edge_authz_native::locked;

/// The maximum number of different configurations. Each may have a document with keys, and
/// a token cache in each thread.
const MAX_CONFIGS: usize = 1_000;

/// A configuration of routes. Routes with the same text share it.
#[derive(Debug)]
pub(crate) struct RouteConfig {
    /// Identifies it in the process. It is never 0.
    number: u64,
    narrowing: Narrowing,
    closed: AtomicBool,
}

/// How a route narrows the document of the listener.
#[derive(Debug)]
pub(crate) enum Narrowing {
    /// The route does not narrow it.
    Enforce,
    /// The route refuses every request.
    Denied,
    /// The route narrows it with its own document.
    By(Arc<Policy>),
}

impl RouteConfig {
    pub(crate) const fn number(&self) -> u64 {
        self.number
    }

    pub(crate) const fn narrowing(&self) -> &Narrowing {
        &self.narrowing
    }

    /// Whether no route uses it any more.
    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }
}

/// The address by which Envoy refers to a configuration.
#[derive(Debug)]
pub(crate) struct Ticket(Box<u64>);

impl Ticket {
    /// Passes the memory at the address to Envoy.
    pub(crate) fn into_raw(self) -> *mut u64 {
        Box::into_raw(self.0)
    }

    fn address(&self) -> usize {
        ptr::from_ref(&*self.0).addr()
    }
}

/// The configurations that Envoy holds. Any thread may use it: Envoy drops a route's
/// configuration with the last request that holds the route.
#[derive(Debug)]
struct Registry {
    by_address: BTreeMap<usize, (TextDigest, Arc<RouteConfig>)>,
    /// The same configurations by their texts, each with its number of addresses.
    by_text: BTreeMap<TextDigest, (usize, Arc<RouteConfig>)>,
}

/// The SHA-256 of a configuration's text.
type TextDigest = [u8; 32];

static REGISTRY: Mutex<Registry> = Mutex::new(Registry::new());

/// The number of the next configuration.
static NUMBERS: AtomicU64 = AtomicU64::new(1);

/// Compiles the configuration of a route. `None` if it is invalid: the reasons are logged
/// here, because Envoy does not report any.
pub(crate) fn open(text: &[u8]) -> Option<Ticket> {
    match open_in(&REGISTRY, text) {
        Ok(ticket) => Some(ticket),
        Err(lines) => {
            for line in lines {
                sink::log(Level::Error, &format!("route {line}"));
            }
            None
        }
    }
}

/// The configuration at this address. `None` if this module has given no such address to
/// Envoy.
pub(crate) fn find(address: usize) -> Option<Arc<RouteConfig>> {
    locked(&REGISTRY).find(address)
}

/// Records that Envoy no longer holds the configuration at this address. Returns whether
/// this module has given the address to Envoy.
pub(crate) fn close(address: usize) -> bool {
    locked(&REGISTRY).close(address)
}

fn open_in(registry: &Mutex<Registry>, text: &[u8]) -> Result<Ticket, Vec<String>> {
    let lines = |errors: &ConfigErrors| errors.log_lines().collect::<Vec<_>>();
    if text.len() > MAX_BYTES {
        return Err(lines(&ConfigErrors::too_large()));
    }
    let key = digest_of(text);
    if let Some(ticket) = locked(registry).reuse(&key) {
        return Ok(ticket);
    }
    // The lock is not held during this, because requests need it.
    let compiled = config::compile_narrowing(text).map_err(|errors| {
        let mut lines = lines(&errors);
        lines.extend(is_binary_struct(text).then(|| BINARY_STRUCT.to_owned()));
        lines
    });
    let narrowing = match compiled? {
        policy::Narrowing::Enforce => Narrowing::Enforce,
        policy::Narrowing::Denied => Narrowing::Denied,
        policy::Narrowing::By(policy) => Narrowing::By(Arc::from(policy)),
    };
    locked(registry).add(key, narrowing).ok_or_else(|| {
        vec![format!(
            "configuration: the routes have more than {MAX_CONFIGS} different ones; write fewer"
        )]
    })
}

/// What to write where Envoy 1.38 passes a `Struct` of a route in protobuf's binary form.
/// Later versions pass it as JSON.
const BINARY_STRUCT: &str = "configuration: is not JSON but a binary `Struct`, as Envoy 1.38 passes \
    it; write a `StringValue` that contains the JSON text";

/// Whether a text that is not a document looks like a `Struct` in protobuf's binary form: its
/// first member is an entry of a map, whose first member is a name.
const fn is_binary_struct(text: &[u8]) -> bool {
    matches!(text, [0x0A, _, 0x0A, ..] | [0x0A, _, _, 0x0A, ..])
}

fn digest_of(text: &[u8]) -> TextDigest {
    let mut key = [0; 32];
    for (to, from) in key.iter_mut().zip(digest(&SHA256, text).as_ref()) {
        *to = *from;
    }
    key
}

impl Registry {
    const fn new() -> Self {
        Self {
            by_address: BTreeMap::new(),
            by_text: BTreeMap::new(),
        }
    }

    fn find(&self, address: usize) -> Option<Arc<RouteConfig>> {
        let (_, config) = self.by_address.get(&address)?;
        Some(Arc::clone(config))
    }

    /// Makes another address for a known text.
    fn reuse(&mut self, key: &TextDigest) -> Option<Ticket> {
        let (count, config) = self.by_text.get_mut(key)?;
        *count = count.saturating_add(1);
        let config = Arc::clone(config);
        Some(self.add_address(*key, config))
    }

    fn add(&mut self, key: TextDigest, narrowing: Narrowing) -> Option<Ticket> {
        if self.by_text.len() >= MAX_CONFIGS {
            return None;
        }
        let config = Arc::new(RouteConfig {
            number: NUMBERS.fetch_add(1, Ordering::Relaxed),
            narrowing,
            closed: AtomicBool::new(false),
        });
        self.by_text.insert(key, (1, Arc::clone(&config)));
        Some(self.add_address(key, config))
    }

    fn add_address(&mut self, key: TextDigest, config: Arc<RouteConfig>) -> Ticket {
        let ticket = Ticket(Box::new(config.number));
        self.by_address.insert(ticket.address(), (key, config));
        ticket
    }

    fn close(&mut self, address: usize) -> bool {
        let Some((key, config)) = self.by_address.remove(&address) else {
            return false;
        };
        if let Some((count, _)) = self.by_text.get_mut(&key) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.by_text.remove(&key);
                config.closed.store(true, Ordering::Release);
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(name: usize) -> Vec<u8> {
        format!(r#"{{"routes":[{{"match":"GET /{name}","access":"public"}}]}}"#).into_bytes()
    }

    #[test]
    fn only_addresses_that_were_given_out_are_known() {
        let registry = Mutex::new(Registry::new());
        let ticket = open_in(&registry, br#"{"mode":"denied"}"#).unwrap();
        let foreign = Ticket(Box::new(1));
        assert!(locked(&registry).find(foreign.address()).is_none());
        assert!(!locked(&registry).close(foreign.address()));
        let config = locked(&registry).find(ticket.address()).unwrap();
        assert!(matches!(config.narrowing(), Narrowing::Denied));
        assert!(locked(&registry).close(ticket.address()));
        assert!(config.is_closed());
        assert!(locked(&registry).find(ticket.address()).is_none());
        assert!(!locked(&registry).close(ticket.address()));
    }

    #[test]
    fn routes_with_one_text_share_its_configuration_until_the_last_is_gone() {
        let registry = Mutex::new(Registry::new());
        let tickets = [(); 3].map(|()| open_in(&registry, &document(1)).unwrap());
        let configs = tickets
            .each_ref()
            .map(|ticket| locked(&registry).find(ticket.address()).unwrap());
        assert!(configs.iter().all(|one| Arc::ptr_eq(one, &configs[0])));
        for (ticket, others) in tickets.iter().zip([2, 1, 0]) {
            assert!(!configs[0].is_closed());
            assert!(locked(&registry).close(ticket.address()));
            assert_eq!(configs[0].is_closed(), others == 0);
        }
        let later = open_in(&registry, &document(1)).unwrap();
        let later = locked(&registry).find(later.address()).unwrap();
        assert_ne!(later.number(), configs[0].number());
    }

    #[test]
    fn beyond_the_bound_configurations_are_refused_and_known_ones_are_not() {
        let registry = Mutex::new(Registry::new());
        let mut tickets: Vec<_> = (0..MAX_CONFIGS)
            .map(|name| open_in(&registry, &document(name)).unwrap())
            .collect();
        let refused = open_in(&registry, &document(MAX_CONFIGS)).unwrap_err();
        assert!(refused[0].contains("1000 different"), "{refused:?}");
        tickets.push(open_in(&registry, &document(0)).unwrap());
        let last = tickets.swap_remove(1);
        assert!(locked(&registry).close(last.address()));
        open_in(&registry, &document(MAX_CONFIGS)).unwrap();
    }

    #[test]
    fn an_invalid_configuration_is_refused_with_its_reasons() {
        let registry = Mutex::new(Registry::new());
        let refused = open_in(&registry, br#"{"mode":"off"}"#).unwrap_err();
        assert!(refused.concat().contains("`denied`"), "{refused:?}");
        // `{"mode": "denied"}` in binary form.
        let binary = b"\x0a\x10\x0a\x04mode\x12\x08\x1a\x06denied";
        let refused = open_in(&registry, binary).unwrap_err();
        assert!(refused.concat().contains("`StringValue`"), "{refused:?}");
        let large = vec![b' '; MAX_BYTES + 1];
        assert!(open_in(&registry, &large).is_err());
        assert!(locked(&registry).by_text.is_empty());
    }
}
