//! A cluster of an Envoy in the tests.

use std::net::SocketAddr;

use super::template;
use crate::support::template::fill;

/// A cluster with one endpoint, or none.
#[derive(Clone, Debug)]
pub(crate) struct Cluster {
    pub(super) name: String,
    pub(super) endpoint: Option<SocketAddr>,
    pub(super) most_requests: u32,
}

impl Cluster {
    pub(super) fn render(&self) -> String {
        let endpoints = self.endpoint.map_or_else(String::new, |at| {
            format!(
                "{{endpoint: {{address: {{socket_address: {{address: {}, port_value: {}}}}}}}}}",
                at.ip(),
                at.port()
            )
        });
        fill(
            &template("cluster.yaml"),
            &[
                ("name", self.name.as_str()),
                ("endpoints", &endpoints),
                ("most_requests", &self.most_requests.to_string()),
            ],
        )
    }
}
