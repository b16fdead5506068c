//! The plugin's part of Envoy's configuration.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::template;
use crate::support::template::fill;
use crate::support::tools::{self, Host};

/// The plugin's part of Envoy's configuration.
#[derive(Clone, Debug)]
pub(crate) struct EdgeAuthz {
    configuration: Configuration,
    /// Envoy's default, `FAIL_CLOSED`, if absent.
    failure_policy: Option<String>,
    allow_on_headers_stop_iteration: bool,
    vm_id: String,
    module: Option<PathBuf>,
    /// All capabilities if absent.
    capabilities: Option<Vec<String>>,
    joined_fields: bool,
}

#[derive(Clone, Debug)]
enum Configuration {
    Struct(Value),
    Text(String),
}

impl EdgeAuthz {
    /// With a configuration that Envoy passes on as it does with YAML objects.
    pub(crate) fn new(configuration: Value) -> Self {
        Self::of(Configuration::Struct(configuration))
    }

    /// With a configuration that Envoy passes on byte for byte.
    pub(crate) fn from_text(configuration: &str) -> Self {
        Self::of(Configuration::Text(configuration.to_owned()))
    }

    fn of(configuration: Configuration) -> Self {
        Self {
            configuration,
            failure_policy: None,
            allow_on_headers_stop_iteration: false,
            vm_id: String::new(),
            module: None,
            capabilities: None,
            joined_fields: false,
        }
    }

    /// Sets the failure policy.
    pub(crate) fn failure_policy(mut self, policy: &str) -> Self {
        self.failure_policy = Some(policy.to_owned());
        self
    }

    /// Sets Envoy's flag of the same name.
    pub(crate) fn allow_on_headers_stop_iteration(mut self, allowed: bool) -> Self {
        self.allow_on_headers_stop_iteration = allowed;
        self
    }

    /// Sets the VM's id.
    pub(crate) fn vm_id(mut self, id: &str) -> Self {
        id.clone_into(&mut self.vm_id);
        self
    }

    /// Runs a module other than `dist/edge_authz.wasm`.
    pub(crate) fn module(mut self, path: &Path) -> Self {
        self.module = Some(path.to_owned());
        self
    }

    /// Restricts the functions that the module may call and export to these.
    pub(crate) fn capabilities<'n>(mut self, names: impl Iterator<Item = &'n str>) -> Self {
        self.capabilities = Some(names.map(str::to_owned).collect());
        self
    }

    /// Lets Envoy describe requests to the server without the exact bytes of their header
    /// fields.
    pub(crate) fn joined_fields(mut self) -> Self {
        self.joined_fields = true;
        self
    }

    /// The configuration.
    pub(super) fn configuration(&self) -> Value {
        match &self.configuration {
            Configuration::Struct(value) => value.clone(),
            Configuration::Text(text) => serde_json::from_str(text).expect("JSON"),
        }
    }

    /// An item of `http_filters` of this listener, for the host of this run.
    pub(crate) fn render(&self, listener: &str) -> String {
        let configuration = match &self.configuration {
            Configuration::Struct(value) => format!(
                r#"{{"@type": "type.googleapis.com/google.protobuf.Struct", "value": {value}}}"#
            ),
            Configuration::Text(text) => format!(
                r#"{{"@type": "type.googleapis.com/google.protobuf.StringValue", "value": {}}}"#,
                Value::from(text.as_str())
            ),
        };
        match tools::host() {
            Host::ProxyWasm => self.render_wasm(&configuration),
            // The settings of a Wasm VM do not apply to the dynamic module.
            Host::DynamicModule => template("edge-authz-dynamic-module.yaml")
                .replace("{{configuration}}", &configuration),
            Host::ExtAuthz => self.render_question(listener, "edge-authz-ext-authz.yaml"),
            Host::ExtAuthzHttp => {
                let upstream = self.allowed_upstream_headers();
                self.render_question(listener, "edge-authz-ext-authz-http.yaml")
                    .replace("UPSTREAM", &upstream)
            }
        }
    }

    /// The filter that asks the server.
    fn render_question(&self, listener: &str, file: &str) -> String {
        fill(
            &template(file).replace("{{upstream}}", "UPSTREAM"),
            &[
                ("cluster", authorizer(listener).as_str()),
                (
                    "raw_headers",
                    if self.joined_fields { "false" } else { "true" },
                ),
            ],
        )
    }

    /// The headers that Envoy takes from an answer over HTTP: those of `upstream`, and the
    /// remaining cookies.
    fn allowed_upstream_headers(&self) -> String {
        let configuration = self.configuration();
        let upstream = &configuration["upstream"];
        let claims = upstream["claims"].as_object().into_iter().flatten();
        let claims = claims.map(|(name, _)| name.as_str());
        let others = [&upstream["payload"], &upstream["context"]];
        let others = others.into_iter().filter_map(Value::as_str);
        let all = claims.chain(others).chain(["cookie"]);
        let all: Vec<String> = all
            .map(|name| format!("{{exact: \"{}\"}}", name.to_lowercase()))
            .collect();
        all.join(", ")
    }

    /// The route for replies of the server that Envoy would take for a permission, if there are
    /// such.
    pub(super) fn reply_route(listener: &str) -> String {
        match tools::host() {
            Host::ExtAuthzHttp => {
                let cluster = authorizer(listener);
                fill(&template("reply.yaml"), &[("cluster", cluster.as_str())])
            }
            Host::ProxyWasm | Host::DynamicModule | Host::ExtAuthz => String::new(),
        }
    }

    /// What the upstream's responses lose on the route, as documented, because Envoy adds the
    /// server's headers to them.
    pub(super) fn removed_of_responses(&self) -> String {
        const CORS: &str = "access-control-allow-origin, access-control-allow-credentials, \
             access-control-allow-methods, access-control-allow-headers, \
             access-control-expose-headers, access-control-max-age";
        if tools::host() != Host::ExtAuthzHttp {
            return String::new();
        }
        let text = self.configuration().to_string();
        let has = |member: &str| text.contains(&format!("\"{member}\":"));
        let cors = has("allow_origins").then_some(CORS);
        let nonce = has("nonce").then_some("dpop-nonce");
        let names: Vec<&str> = cors.into_iter().chain(nonce).collect();
        format!("response_headers_to_remove: [{}]", names.join(", "))
    }

    fn render_wasm(&self, configuration: &str) -> String {
        let failure_policy = self
            .failure_policy
            .as_ref()
            .map(|policy| format!("failure_policy: {policy}"))
            .unwrap_or_default();
        let stop_iteration = if self.allow_on_headers_stop_iteration {
            "allow_on_headers_stop_iteration: true"
        } else {
            ""
        };
        let capabilities = self.capabilities.as_ref().map(|names| {
            let names: Vec<_> = names.iter().map(|name| format!("{name}: {{}}")).collect();
            let names = names.join(", ");
            format!("capability_restriction_config: {{allowed_capabilities: {{{names}}}}}")
        });
        let module = self.module.clone().unwrap_or_else(tools::module);
        // The configuration is inserted last, because it may contain braces itself.
        fill(
            &template("edge-authz.yaml").replace("{{configuration}}", "CONFIGURATION"),
            &[
                ("failure_policy", failure_policy.as_str()),
                ("stop_iteration", stop_iteration),
                ("capabilities", &capabilities.unwrap_or_default()),
                ("vm_id", &self.vm_id),
                ("module", &module.display().to_string()),
            ],
        )
        .replace("CONFIGURATION", configuration)
    }
}

/// The cluster of the server that Envoy asks for a listener. Envoy takes its name for the
/// host of calls, so it must be one.
pub(super) fn authorizer(listener: &str) -> String {
    format!("authorizer-{listener}")
}
