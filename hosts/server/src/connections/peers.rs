//! The addresses of proxies.

use std::net::IpAddr;

use ipnet::IpNet;

/// The addresses from which connections are accepted. Whoever can connect can name any path
/// and any host in a request, so only proxies should.
#[derive(Clone, Debug)]
pub struct Peers(Vec<IpNet>);

impl Peers {
    /// Accepts these networks, or only this machine if there are none.
    #[must_use]
    pub fn new(networks: Vec<IpNet>) -> Self {
        Self(networks)
    }

    /// Whether a connection from this address is accepted.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        if self.0.is_empty() {
            return address.is_loopback();
        }
        self.0.iter().any(|network| network.contains(&address))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_accepted_by_default() {
        let peers = Peers::new(Vec::new());
        for (address, expected) in [
            ("127.0.0.1", true),
            ("127.9.9.9", true),
            ("::1", true),
            ("::ffff:127.0.0.1", true),
            ("10.0.0.1", false),
            ("::ffff:10.0.0.1", false),
            ("fe80::1", false),
        ] {
            assert_eq!(
                peers.contains(address.parse().unwrap()),
                expected,
                "{address}"
            );
        }
    }

    #[test]
    fn named_networks_replace_the_default() {
        let networks = ["10.1.0.0/16", "fd00::/8"].map(|text| text.parse().unwrap());
        let peers = Peers::new(networks.into());
        for (address, expected) in [
            ("10.1.2.3", true),
            ("::ffff:10.1.2.3", true),
            ("fd12::1", true),
            ("10.2.0.1", false),
            ("127.0.0.1", false),
        ] {
            assert_eq!(
                peers.contains(address.parse().unwrap()),
                expected,
                "{address}"
            );
        }
    }
}
