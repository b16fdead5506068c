//! The contenders.

use std::path::PathBuf;

use crate::support::tools;

/// A contender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Contender {
    /// Nothing is checked.
    Nothing,
    /// `jwt_authn` with its default settings.
    JwtAuthn,
    /// With a cache that holds all tokens of the workload.
    JwtAuthnCached,
    /// `jwt_authn`, `cors` and `rbac`, which implement one scope rule and CORS.
    NativeStack,
    NativeStackCached,
    /// `ext_authz` with a small service that checks tokens.
    ExternalAuthorizer,
    /// `ext_authz` over HTTP with `edge-authz-server`. Its task is everything.
    ServerOverHttp,
    /// A Wasm module that does nothing.
    EmptyModule,
    EdgeAuthz(Build, Task),
}

/// A build of edge-authz.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Build {
    DynamicModule,
    Wasm,
    /// `ext_authz` over gRPC with `edge-authz-server`.
    Server,
    /// See [`other_module`].
    Other,
}

/// What edge-authz does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Task {
    /// Tokens, one scope rule and CORS.
    Everything,
    Uncached,
    /// Without the scope rule and CORS, like `jwt_authn` alone.
    OnlyTokens,
    /// The same, with a proof of possession for each request (RFC 9449).
    Proofs,
}

/// Another build that is measured beside the current ones, if any: `OTHER_MODULE` is the
/// path of a `.wasm` or a `.so`. Only within one run can a change be distinguished from
/// noise.
pub(crate) fn other_module() -> Option<PathBuf> {
    let path = std::env::var_os("OTHER_MODULE").filter(|path| !path.is_empty())?;
    Some(path.into())
}

impl Build {
    pub(crate) const ALL: [Self; 4] = [Self::DynamicModule, Self::Wasm, Self::Server, Self::Other];
    /// Those with bounds.
    pub(crate) const SHIPPED: [Self; 3] = [Self::DynamicModule, Self::Wasm, Self::Server];
    /// Those that run in Envoy.
    pub(crate) const MODULES: [Self; 2] = [Self::DynamicModule, Self::Wasm];

    /// Its file, if it has one.
    pub(crate) fn path(self) -> Option<PathBuf> {
        match self {
            Self::DynamicModule => Some(tools::dynamic_modules().join("libedge_authz.so")),
            Self::Wasm => Some(tools::module()),
            Self::Server => Some(tools::server()),
            Self::Other => other_module(),
        }
    }

    /// The name by which Envoy loads it, if it is a dynamic module.
    pub(crate) fn dynamic_module_name(self) -> Option<&'static str> {
        match self {
            Self::DynamicModule => Some("edge_authz"),
            Self::Wasm | Self::Server => None,
            Self::Other => {
                let is_one = other_module()?.extension()? == "so";
                is_one.then_some("edge_authz_other")
            }
        }
    }

    pub(crate) const fn name(self) -> &'static str {
        Contender::EdgeAuthz(self, Task::Everything).name()
    }

    /// Its name in the headings of the page.
    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::DynamicModule => "The dynamic module",
            Self::Wasm => "The Wasm module",
            Self::Server => "The server",
            Self::Other => "The other build",
        }
    }
}

impl Contender {
    /// All of them, in the order of the tables.
    pub(crate) fn all() -> Vec<Self> {
        let mut all = vec![
            Self::Nothing,
            Self::JwtAuthn,
            Self::JwtAuthnCached,
            Self::NativeStack,
            Self::NativeStackCached,
            Self::ExternalAuthorizer,
            Self::EmptyModule,
        ];
        for build in Build::ALL {
            all.extend(
                [Task::Everything, Task::Uncached, Task::OnlyTokens]
                    .map(|task| Self::EdgeAuthz(build, task)),
            );
        }
        all.push(Self::ServerOverHttp);
        all
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::JwtAuthn => "jwt_authn",
            Self::JwtAuthnCached => "jwt_authn, cache",
            Self::NativeStack => "jwt_authn+cors+rbac",
            Self::NativeStackCached => "jwt_authn+cors+rbac, cache",
            Self::ExternalAuthorizer => "ext_authz",
            Self::ServerOverHttp => "edge-authz-server, HTTP",
            Self::EmptyModule => "empty Wasm module",
            Self::EdgeAuthz(Build::DynamicModule, task) => match task {
                Task::Everything => "edge-authz.so",
                Task::Uncached => "edge-authz.so, cache off",
                Task::OnlyTokens => "edge-authz.so, only tokens",
                Task::Proofs => "edge-authz.so, proofs",
            },
            Self::EdgeAuthz(Build::Wasm, task) => match task {
                Task::Everything => "edge-authz.wasm",
                Task::Uncached => "edge-authz.wasm, cache off",
                Task::OnlyTokens => "edge-authz.wasm, only tokens",
                Task::Proofs => "edge-authz.wasm, proofs",
            },
            Self::EdgeAuthz(Build::Server, task) => match task {
                Task::Everything => "edge-authz-server, gRPC",
                Task::Uncached => "edge-authz-server, gRPC, cache off",
                Task::OnlyTokens => "edge-authz-server, gRPC, only tokens",
                Task::Proofs => "edge-authz-server, gRPC, proofs",
            },
            Self::EdgeAuthz(Build::Other, task) => match task {
                Task::Everything => "other build",
                Task::Uncached => "other build, cache off",
                Task::OnlyTokens => "other build, only tokens",
                Task::Proofs => "other build, proofs",
            },
        }
    }

    /// Whether it refuses a request without a token.
    pub(crate) const fn checks(self) -> bool {
        !matches!(self, Self::Nothing | Self::EmptyModule)
    }

    /// Whether each request to it needs a new proof.
    pub(crate) const fn needs_proofs(self) -> bool {
        matches!(self, Self::EdgeAuthz(_, Task::Proofs))
    }

    /// Whether Envoy asks another process.
    pub(crate) const fn asks(self) -> bool {
        matches!(
            self,
            Self::ExternalAuthorizer | Self::ServerOverHttp | Self::EdgeAuthz(Build::Server, _)
        )
    }

    /// Whether it is part of the short form.
    pub(crate) const fn is_quick(self) -> bool {
        !matches!(
            self,
            Self::NativeStack
                | Self::EmptyModule
                | Self::ServerOverHttp
                | Self::EdgeAuthz(_, Task::Uncached)
                | Self::EdgeAuthz(Build::Server, Task::OnlyTokens)
        )
    }
}
