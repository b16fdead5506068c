//! The resources of Istio that reach an issuer: a cluster `outbound|80||HOST` exists if a
//! `ServiceEntry` has the host and the port, and has TLS if a `DestinationRule` gives it.

use super::clusters::Fetch;
use super::files::{Files, Found};
use crate::codes::Code;
use crate::report::{Finding, Severity};
use crate::subject::{Subject, shown};
use crate::tree::{Node, Value};

/// Judges the cluster of a fetch, if Istio makes it and a file has a `ServiceEntry`.
pub(super) fn judge(
    files: &Files<'_>,
    fetch: &Fetch<'_>,
    subject: &Subject,
    found: &mut Found<'_>,
) {
    let Some((port, host)) = name(fetch.cluster) else {
        return;
    };
    let entries = files.of_kind("ServiceEntry");
    if entries.is_empty() || host.ends_with(".svc.cluster.local") {
        return;
    }
    let mut own = |code, severity, sentence: &str| {
        let mut finding = Finding::from_sentence(code, severity, shown(&fetch.steps), sentence);
        let (span, words) = subject.locate(fetch.steps.iter().copied(), false);
        finding.put(span, words);
        found.add_own(finding);
    };
    let of_host = |entry: &&Node| {
        let hosts = entry.descend(&["spec", "hosts"]).map(Node::texts);
        hosts.is_some_and(|hosts| hosts.contains(&host))
    };
    let entry = entries.iter().map(|(_, entry)| *entry).find(of_host);
    let Some(entry) = entry else {
        let sentence = format!(
            "names a cluster of Istio for `{host}`, but no `ServiceEntry` here has this host; correct the name, or add one"
        );
        return own(Code::NoSuchResource, Severity::Error, &sentence);
    };
    let ports = entry.descend(&["spec", "ports"]).map(Node::elements);
    let ports = ports.unwrap_or_default();
    let number = |node: &Node| node.get("number").map(Node::to_json);
    let Some(entry_port) = ports
        .iter()
        .find(|one| number(one).as_deref() == Some(port))
    else {
        let known: Vec<_> = ports.iter().filter_map(number).collect();
        let sentence = format!(
            "names port {port}, but the `ServiceEntry` of `{host}` has {}; write such as `outbound|{}||{host}`",
            known.join(", "),
            known.first().map_or("80", |first| first)
        );
        return own(Code::NoSuchResource, Severity::Error, &sentence);
    };
    let reached = entry_port
        .get("targetPort")
        .map_or_else(|| port.to_owned(), Node::to_json);
    let wanted = fetch.port();
    if reached != wanted {
        let sentence = format!(
            "leads to port {reached} of `{host}`, but the keys are at port {wanted}; write `targetPort: {wanted}` in the `ServiceEntry`"
        );
        own(Code::NoSuchResource, Severity::Error, &sentence);
    }
    if fetch.scheme == "https"
        && let Some((code, severity, sentence)) = tls(files, port, host)
    {
        own(code, severity, &sentence);
    }
}

/// The port and the host of a cluster's name.
fn name(cluster: &str) -> Option<(&str, &str)> {
    let mut parts = cluster.split('|');
    let ("outbound", port, _subset, host, None) = (
        parts.next()?,
        parts.next()?,
        parts.next()?,
        parts.next()?,
        parts.next(),
    ) else {
        return None;
    };
    Some((port, host))
}

/// What is missing in the TLS settings of a port.
fn tls(files: &Files<'_>, port: &str, host: &str) -> Option<(Code, Severity, String)> {
    let rules = files.of_kind("DestinationRule");
    let of_host = |rule: &&Node| rule.descend(&["spec", "host"]).and_then(Node::text) == Some(host);
    let rule = rules.iter().map(|(_, rule)| *rule).find(of_host);
    let settings = rule.and_then(|rule| {
        let policy = rule.descend(&["spec", "trafficPolicy"])?;
        let levels = policy.get("portLevelSettings").map(Node::elements);
        let of_port = levels.unwrap_or_default().iter().find(|level| {
            level
                .descend(&["port", "number"])
                .map(Node::to_json)
                .as_deref()
                == Some(port)
        });
        // The settings of a port replace those of the host.
        of_port.unwrap_or(policy).get("tls")
    });
    let error = |text: &str| Some((Code::KeysWithoutTls, Severity::Error, text.to_owned()));
    let Some(settings) = settings else {
        return Some((
            Code::KeysWithoutTls,
            Severity::Error,
            format!(
                "fetches an `https://` key set without TLS, because no `DestinationRule` here gives port {port} of \
                 `{host}` `tls`; add `{{mode: SIMPLE, sni: {host}, subjectAltNames: [{host}], caCertificates: system}}`"
            ),
        ));
    };
    let mode = settings.get("mode").and_then(Node::text);
    if !matches!(mode, Some("SIMPLE" | "MUTUAL")) {
        return error(
            "fetches an `https://` key set, but the mode of its `DestinationRule` does not verify the issuer; write `mode: SIMPLE`",
        );
    }
    let insecure = settings.get("insecureSkipVerify");
    if insecure.is_some_and(|value| value.value == Value::Bool(true)) {
        return error(
            "fetches keys from a server that is not verified, because of `insecureSkipVerify` in its `DestinationRule`; remove it",
        );
    }
    for (member, instead, what) in [
        (
            "caCertificates",
            "system".to_owned(),
            "which authorities are trusted",
        ),
        (
            "subjectAltNames",
            format!("[{host}]"),
            "which names the certificate must have",
        ),
        ("sni", host.to_owned(), "the server name of the handshake"),
    ] {
        let other = member == "caCertificates" && settings.get("credentialName").is_some();
        if settings.get(member).is_none() && !other {
            let sentence = format!(
                "fetches keys through a `DestinationRule` that does not say {what}; write `{member}: {instead}` in its `tls`"
            );
            return Some((Code::WeakTls, Severity::Warning, sentence));
        }
    }
    None
}
