//! The contenders as HTTP filters of a listener.

use std::net::SocketAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::contender::{Build, Contender, Task};
use crate::empty;
use crate::support::tools;
use crate::tokens::{AUDIENCE, Issuers, SCOPE};
use crate::workload::Workload;

pub(crate) const ORIGIN: &str = "https://app.example.com";
/// The origin of the API, as proofs name it.
pub(crate) const API: &str = "https://api.example.com";
/// The header that gets the subject.
const SUBJECT_HEADER: &str = "x-user-id";

impl Contender {
    /// Its filters, in order, before the router.
    pub(crate) fn filters(self, workload: &Workload, issuers: &Issuers) -> Vec<Value> {
        match self {
            Self::Nothing => Vec::new(),
            Self::JwtAuthn | Self::JwtAuthnCached => vec![self.jwt_authn(workload, issuers)],
            Self::NativeStack | Self::NativeStackCached => vec![
                filter(
                    "cors",
                    json!({"@type": "type.googleapis.com/envoy.extensions.filters.http.cors.v3.Cors"}),
                ),
                self.jwt_authn(workload, issuers),
                rbac(workload),
            ],
            Self::ExternalAuthorizer => vec![external(&workload.beside_cluster(self))],
            Self::EdgeAuthz(Build::Server, _) => vec![server(&workload.beside_cluster(self))],
            Self::ServerOverHttp => server_over_http(&workload.beside_cluster(self)),
            Self::EmptyModule => {
                let code = json!({"local": {"inline_bytes": STANDARD.encode(empty::module())}});
                vec![wasm(&code, &json!({}))]
            }
            Self::EdgeAuthz(build, task) => {
                let configuration = configuration(workload, issuers, task);
                vec![edge_authz_with(build, &configuration)]
            }
        }
    }

    fn jwt_authn(self, workload: &Workload, issuers: &Issuers) -> Value {
        let cached = matches!(self, Self::JwtAuthnCached | Self::NativeStackCached);
        // `rbac` needs it; without `rbac` it has no use.
        let needs_claims = matches!(self, Self::NativeStack | Self::NativeStackCached);
        let providers: serde_json::Map<String, Value> = issuers
            .names()
            .enumerate()
            .map(|(number, issuer)| {
                let mut provider = json!({
                    "issuer": issuer,
                    "audiences": [AUDIENCE],
                    "claim_to_headers": [{"header_name": SUBJECT_HEADER, "claim_name": "sub"}],
                    "remote_jwks": {
                        "http_uri": {
                            "uri": key_set_uri(number),
                            "cluster": workload.key_cluster(),
                            "timeout": "5s",
                        },
                        "async_fetch": {},
                    },
                });
                if needs_claims {
                    provider["payload_in_metadata"] = json!("jwt_payload");
                    provider["normalize_payload_in_metadata"] =
                        json!({"space_delimited_claims": ["scope"]});
                }
                if cached {
                    let size = workload.tokens.next_power_of_two().max(100) * 5 / 4;
                    provider["jwt_cache_config"] = json!({"jwt_cache_size": size});
                }
                (format!("issuer-{number}"), provider)
            })
            .collect();
        let any: Vec<Value> = providers
            .keys()
            .map(|name| json!({"provider_name": name}))
            .collect();
        let requirement = match any.as_slice() {
            [one] => one.clone(),
            _ => json!({"requires_any": {"requirements": any}}),
        };
        let rules: Vec<Value> = (0..workload.routes)
        .map(|number| json!({"match": {"prefix": format!("/pets-{number}/")}, "requires": requirement}))
        .collect();
        filter(
            "jwt_authn",
            json!({
                "@type": "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication",
                "providers": providers,
                "rules": rules,
            }),
        )
    }

    /// The setting of the virtual host: the policy of the `cors` filter.
    pub(crate) fn host_settings(self) -> Value {
        if !matches!(self, Self::NativeStack | Self::NativeStackCached) {
            return json!({});
        }
        json!({"envoy.filters.http.cors": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.cors.v3.CorsPolicy",
            "allow_origin_string_match": [{"exact": ORIGIN}],
            "allow_methods": "GET",
            "allow_headers": "authorization",
        }})
    }
}

#[expect(clippy::needless_pass_by_value, reason = "made only for this purpose")]
fn filter(name: &str, config: Value) -> Value {
    json!({"name": format!("envoy.filters.http.{name}"), "typed_config": config})
}

/// The path of an issuer's key set.
pub(crate) fn key_set_path(number: usize) -> String {
    format!("/{number}/jwks.json")
}

/// The address of an issuer's key set.
pub(crate) fn key_set_uri(number: usize) -> String {
    format!("{}{}", Issuers::name(number), key_set_path(number))
}

/// The scope of every route for `rbac`: one policy each.
fn rbac(workload: &Workload) -> Value {
    let policies: serde_json::Map<String, Value> = (0..workload.routes)
        .map(|number| {
            let policy = json!({
                "permissions": [{"url_path": {"path": {"prefix": format!("/pets-{number}/")}}}],
                "principals": [{"sourced_metadata": {"metadata_matcher": {
                    "filter": "envoy.filters.http.jwt_authn",
                    "path": [{"key": "jwt_payload"}, {"key": "scope"}],
                    "value": {"list_match": {"one_of": {"string_match": {"exact": SCOPE}}}},
                }}}],
            });
            (format!("route-{number}"), policy)
        })
        .collect();
    filter(
        "rbac",
        json!({
            "@type": "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC",
            "rules": {"action": "ALLOW", "policies": policies},
        }),
    )
}

/// As in `deploy/ext-authz`.
fn server(cluster: &str) -> Value {
    filter(
        "ext_authz",
        json!({
            "@type": "type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthz",
            "transport_api_version": "V3",
            "grpc_service": {"envoy_grpc": {"cluster_name": cluster}, "timeout": "15s"},
            "encode_raw_headers": true,
            "include_peer_certificate": true,
        }),
    )
}

/// Those of `deploy/ext-authz/envoy-http.yaml` that ask the server: without those for upstreams
/// that merge trailers, and without the router.
fn server_over_http(cluster: &str) -> Vec<Value> {
    let file = tools::root().join("deploy/ext-authz/envoy-http.yaml");
    let text = std::fs::read_to_string(file).expect("a file");
    let bootstrap: Value = serde_saphyr::from_str(&text).expect("YAML");
    let chain = &bootstrap["static_resources"]["listeners"][0]["filter_chains"][0];
    let filters = &chain["filters"][0]["typed_config"]["http_filters"];
    let mut filters: Vec<Value> = filters.as_array().expect("a list")[..3].to_vec();
    assert_eq!(
        filters[2]["name"], "envoy.filters.http.rbac",
        "the last one"
    );
    filters[1]["typed_config"]["http_service"]["server_uri"]["cluster"] = cluster.into();
    filters
}

fn external(cluster: &str) -> Value {
    filter(
        "ext_authz",
        json!({
            "@type": "type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthz",
            "allowed_headers": {"patterns": [{"exact": "authorization"}]},
            "http_service": {
                "server_uri": {"uri": "http://authorizer", "cluster": cluster, "timeout": "5s"},
                "authorization_response": {
                    "allowed_upstream_headers": {"patterns": [{"exact": SUBJECT_HEADER}]},
                },
            },
        }),
    )
}

/// The configuration of edge-authz.
pub(crate) fn configuration(workload: &Workload, issuers: &Issuers, task: Task) -> Value {
    let has_rules = matches!(task, Task::Everything | Task::Uncached);
    let providers: Vec<Value> = issuers
        .names()
        .enumerate()
        .map(|(number, issuer)| {
            let mut provider = json!({
                "name": format!("issuer-{number}"),
                "issuer": issuer,
                "audiences": [AUDIENCE],
                "jwks": {"cluster": workload.key_cluster(), "uri": key_set_uri(number)},
            });
            if task == Task::Proofs {
                provider["dpop"] = json!({"origins": [API]});
            } else if workload.bound {
                provider["binding"] = json!("ignore");
            }
            provider
        })
        .collect();
    let routes: Vec<Value> = (0..workload.routes)
        .map(|number| {
            let mut route = json!({"match": format!("ANY /pets-{number}/{{id}}")});
            if has_rules {
                route["scopes"] = json!([SCOPE]);
            }
            route
        })
        .collect();
    let mut configuration = json!({
        "providers": providers,
        "upstream": {"claims": {SUBJECT_HEADER: "sub"}},
        "routes": routes,
    });
    if has_rules {
        configuration["cors"] =
            json!({"allow_origins": [ORIGIN], "allow_headers": ["Authorization"]});
    }
    let most = match task {
        Task::Uncached => Some(0),
        Task::Everything | Task::OnlyTokens | Task::Proofs => workload.most_remembered(),
    };
    if let Some(most) = most {
        configuration["token_cache"] = json!({"max_tokens": most});
    }
    configuration
}

/// A build of edge-authz with a configuration.
pub(crate) fn edge_authz_with(build: Build, configuration: &Value) -> Value {
    if let Some(name) = build.dynamic_module_name() {
        return dynamic_module(name, configuration);
    }
    let path = build.path().expect("the module");
    wasm(&json!({"local": {"filename": path}}), configuration)
}

fn dynamic_module(name: &str, configuration: &Value) -> Value {
    filter(
        "dynamic_modules",
        json!({
            "@type": "type.googleapis.com/envoy.extensions.filters.http.dynamic_modules.v3.DynamicModuleFilter",
            "dynamic_module_config": {"name": name, "do_not_close": true},
            "filter_name": "edge_authz",
            "filter_config": text(configuration),
        }),
    )
}

fn wasm(code: &Value, configuration: &Value) -> Value {
    filter(
        "wasm",
        json!({
            "@type": "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm",
            "config": {
                "name": "edge_authz",
                "root_id": "edge_authz",
                "vm_config": {"runtime": "envoy.wasm.runtime.v8", "code": code},
                "configuration": text(configuration),
            },
        }),
    )
}

fn text(configuration: &Value) -> Value {
    json!({
        "@type": "type.googleapis.com/google.protobuf.StringValue",
        "value": configuration.to_string(),
    })
}

/// The same for HTTP/2.
pub(crate) fn http2_cluster(name: &str, address: SocketAddr) -> Value {
    let mut cluster = cluster(name, address);
    cluster["typed_extension_protocol_options"] = json!({
        "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
            "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
            "explicit_http_config": {"http2_protocol_options": {}},
        },
    });
    cluster
}

/// A cluster with one address.
pub(crate) fn cluster(name: &str, address: SocketAddr) -> Value {
    json!({
        "name": name,
        "type": "STATIC",
        "connect_timeout": "1s",
        "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": [{
            "endpoint": {"address": {"socket_address": {
                "address": address.ip().to_string(), "port_value": address.port(),
            }}},
        }]}]},
    })
}
