//! The bootstrap of an operator who inserts the snippets of `envoy/`.

use std::fs;
use std::net::SocketAddr;

use serde_json::{Value, json};

use crate::support::bootstrap::EdgeAuthz;
use crate::support::issuer::Issuer;
use crate::support::template::{insert, replace};
use crate::support::tools;

/// One listener with the filter, and one cluster; `{{…}}` is replaced.
const BOOTSTRAP: &str = r#"
{{stats}}
admin: {address: {socket_address: {address: 127.0.0.1, port_value: 0}}}
static_resources:
  listeners:
    - name: api
      address: {socket_address: {address: 127.0.0.1, port_value: 0}}
      filter_chains:
        - filters:
            - name: envoy.filters.network.http_connection_manager
              typed_config:
                "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
                stat_prefix: api
                {{connection_manager}}
                http_filters:
                  {{filter}}
                  - name: envoy.filters.http.router
                    typed_config:
                      "@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router
                route_config:
                  virtual_hosts:
                    - name: api
                      domains: ["*"]
                      routes: [{match: {prefix: /}, {{action}}}]
  clusters:
    - name: {{cluster}}
      type: STATIC
      load_assignment:
        cluster_name: {{cluster}}
        endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: {{port}}}}}}]}]
"#;

/// The parts of the bootstrap that differ between tests.
pub(crate) struct Operator<'a> {
    /// Members of the bootstrap.
    pub(crate) stats: &'a str,
    /// Members of the connection manager.
    pub(crate) connection_manager: &'a str,
    /// The action of the only route, as members of a YAML object.
    pub(crate) action: &'a str,
    /// The name and the address of the only cluster.
    pub(crate) cluster: (&'a str, SocketAddr),
    /// The filter's configuration.
    pub(crate) configuration: &'a Value,
}

impl Operator<'_> {
    /// The bootstrap with the snippets in their places.
    pub(crate) fn bootstrap(&self) -> String {
        let text = insert(BOOTSTRAP, "{{stats}}", self.stats);
        let text = insert(&text, "{{connection_manager}}", self.connection_manager);
        let (cluster, address) = self.cluster;
        let text = [
            ("{{action}}", self.action.to_owned()),
            ("{{cluster}}", cluster.to_owned()),
            ("{{port}}", address.port().to_string()),
        ]
        .iter()
        .fold(text, |text, (mark, value)| replace(&text, mark, value));
        // It is inserted last, because it may contain braces itself.
        let filter = EdgeAuthz::from_text(&self.configuration.to_string()).render("main");
        insert(&text, "{{filter}}", &filter)
    }
}

/// A file of `envoy/observability`.
pub(crate) fn snippet(name: &str) -> String {
    let path = tools::root().join("envoy/observability").join(name);
    fs::read_to_string(path).expect(name)
}

/// A configuration with one provider, a public route and one that needs a scope, and the
/// members of `more`.
pub(crate) fn pets(issuer: &Issuer, more: &Value) -> Value {
    let mut configuration = json!({
        "providers": [{
            "name": "main",
            "issuer": issuer.name(),
            "audiences": ["api"],
            "jwks": {"cluster": "issuer", "uri": issuer.jwks_uri()},
        }],
        "routes": [
            {"match": "GET /pets", "scopes": ["pets:read"]},
            {"match": "GET /public", "access": "public"},
        ],
    });
    let members = more.as_object().expect("an object").clone();
    let all = configuration.as_object_mut().expect("an object");
    all.extend(members);
    configuration
}
