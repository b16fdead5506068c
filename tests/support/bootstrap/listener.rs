//! A listener of an Envoy in the tests, and its filters.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::plugin::EdgeAuthz;
use super::template;
use crate::support::process::Scratch;
use crate::support::template::{fill, insert};
use crate::support::tools;

/// A filter of a listener.
#[derive(Clone, Debug)]
pub(crate) enum Filter {
    /// edge-authz.
    EdgeAuthz(EdgeAuthz),
    /// Any other filter, as the YAML of an item of `http_filters`.
    Other(String),
}

/// A listener: a list of filters before the router.
#[derive(Clone, Debug)]
pub(crate) struct Listener {
    name: String,
    filters: Vec<Filter>,
    strict_paths: bool,
    buffer_limit: u32,
}

impl Listener {
    /// A listener without filters.
    pub(crate) fn plain(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            filters: Vec::new(),
            strict_paths: false,
            buffer_limit: 1024 * 1024,
        }
    }

    /// A listener with edge-authz.
    pub(crate) fn new(name: &str, filter: EdgeAuthz) -> Self {
        Self::plain(name).filter(Filter::EdgeAuthz(filter))
    }

    /// Adds a filter after the existing ones.
    pub(crate) fn filter(mut self, filter: Filter) -> Self {
        self.filters.push(filter);
        self
    }

    /// Lets Envoy normalise paths and refuse ambiguous ones itself, as recommended.
    pub(crate) fn strict_paths(mut self) -> Self {
        self.strict_paths = true;
        self
    }

    /// Sets how many bytes Envoy buffers for a request that waits.
    pub(crate) fn buffer_limit(mut self, bytes: u32) -> Self {
        self.buffer_limit = bytes;
        self
    }

    /// The name with the configuration of edge-authz, if the listener has that filter.
    pub(crate) fn configuration(&self) -> Option<(String, Value)> {
        let plugin = self.plugin()?;
        Some((self.name.clone(), plugin.configuration()))
    }

    fn plugin(&self) -> Option<&EdgeAuthz> {
        let plugins = self.filters.iter().filter_map(|filter| match filter {
            Filter::EdgeAuthz(plugin) => Some(plugin),
            Filter::Other(_) => None,
        });
        let mut plugins: Vec<_> = plugins.collect();
        assert!(plugins.len() <= 1, "{} has several filters", self.name);
        plugins.pop()
    }

    fn render(&self, access_log: &Path) -> String {
        let strict = template("paths-strict.yaml");
        let filters: String = self
            .filters
            .iter()
            .map(|filter| match filter {
                Filter::EdgeAuthz(plugin) => plugin.render(&self.name),
                Filter::Other(yaml) => format!("{}\n", yaml.trim_end()),
            })
            .collect();
        let plugin = self.plugin();
        let reply = plugin.map(|_| EdgeAuthz::reply_route(&self.name));
        let removed = plugin.map(EdgeAuthz::removed_of_responses);
        let filled = fill(
            &tools::log_format(&template("listener.yaml")).replace("{{filters}}", "FILTERS"),
            &[
                ("name", self.name.as_str()),
                ("buffer_limit", &self.buffer_limit.to_string()),
                ("paths", if self.strict_paths { &strict } else { "" }),
                ("access_log", &access_log.display().to_string()),
                ("reply", &reply.unwrap_or_default()),
                ("removed", &removed.unwrap_or_default()),
            ],
        );
        insert(&filled, "FILTERS", &filters)
    }
}

/// Writes the file that a reloadable Envoy watches: a new file that is moved there.
pub(crate) fn write_listeners(scratch: &Scratch, listeners: &[Listener]) -> PathBuf {
    let resources = render_listeners(scratch, listeners).replace(
        "- name: \"",
        "- \"@type\": type.googleapis.com/envoy.config.listener.v3.Listener\n  name: \"",
    );
    let new = scratch.write("listeners.new", &format!("resources:\n{resources}"));
    let path = scratch.path().join("listeners.yaml");
    fs::rename(new, &path).expect("a file below target/");
    path
}

pub(super) fn render_listeners(scratch: &Scratch, listeners: &[Listener]) -> String {
    let access_log = access_log(scratch);
    let render = |listener: &Listener| listener.render(&access_log);
    listeners.iter().map(render).collect()
}

pub(super) fn access_log(scratch: &Scratch) -> PathBuf {
    scratch.path().join("access.log")
}
