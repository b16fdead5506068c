//! The proxies that can ask, and where they write the client's request.

/// A proxy that asks by forward authentication.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preset {
    /// nginx, `auth_request`: its configuration sets `X-Original-Method`, `X-Original-URI` and
    /// `X-Original-Host`.
    Nginx,
    /// Traefik, `ForwardAuth`: it sets `X-Forwarded-Method`, `X-Forwarded-Uri` and
    /// `X-Forwarded-Host` itself.
    Traefik,
    /// Caddy, `forward_auth`: as Traefik.
    Caddy,
    /// haproxy: its configuration sets `X-Original-Method`, `X-Original-URI` and
    /// `X-Original-Host`.
    Haproxy,
}

/// The fields in which a proxy writes the client's request, in lower case.
#[derive(Clone, Copy, Debug)]
pub(super) struct OriginalFields {
    pub(super) method: &'static str,
    pub(super) uri: &'static str,
    pub(super) host: &'static str,
}

impl Preset {
    pub(super) const fn fields(self) -> OriginalFields {
        match self {
            Self::Nginx | Self::Haproxy => OriginalFields {
                method: "x-original-method",
                uri: "x-original-uri",
                host: "x-original-host",
            },
            Self::Traefik | Self::Caddy => OriginalFields {
                method: "x-forwarded-method",
                uri: "x-forwarded-uri",
                host: "x-forwarded-host",
            },
        }
    }

    /// Whether the proxy, configured as documented, removes the client's copy of an identity
    /// header if the answer does not have this header. Caddy before 2.11.2 does not: its
    /// configuration has to remove such headers before it asks.
    pub(super) const fn removes_absent(self) -> bool {
        match self {
            Self::Nginx | Self::Traefik | Self::Haproxy => true,
            Self::Caddy => false,
        }
    }

    /// Whether the proxy, configured as documented, makes each change of the request that an
    /// answer lists, in any spelling. The others replace only headers that their
    /// configuration names.
    pub(super) const fn applies_lists(self) -> bool {
        matches!(self, Self::Haproxy)
    }
}
