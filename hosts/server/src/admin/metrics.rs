//! The metrics in Prometheus' text format.

use std::fmt::Write;

use edge_authz::telemetry::{Family, Metric, MetricKind};

use super::Admin;

/// The metrics as text. They have the same names as in the other hosts.
#[must_use]
pub fn render(admin: &Admin) -> String {
    let totals = admin.registry.totals();
    let mut out = String::with_capacity(16 * 1024);
    for family in Family::ALL {
        let mut of_family = totals
            .iter()
            .filter(|(metric, _)| metric.series().family == family)
            .peekable();
        if of_family.peek().is_none() {
            continue;
        }
        let kind = match family.kind() {
            MetricKind::Counter => "counter",
            MetricKind::Gauge => "gauge",
        };
        head(&mut out, family.name(), kind);
        for (metric, value) in of_family {
            line(&mut out, metric, *value);
        }
    }
    let updates = admin.updates.counts();
    for (name, kind, value) in [
        ("edge_authz_panics", "counter", admin.registry.panics()),
        ("edge_authz_misuses", "counter", admin.registry.misuses()),
        (
            "edge_authz_log_lines_dropped",
            "counter",
            admin.log.dropped(),
        ),
        (
            "edge_authz_configuration_updates",
            "counter",
            updates.accepted,
        ),
        (
            "edge_authz_configuration_refused",
            "counter",
            updates.refused,
        ),
        (
            "edge_authz_connections",
            "gauge",
            u64::try_from(admin.threads.open()).unwrap_or(u64::MAX),
        ),
    ] {
        head(&mut out, name, kind);
        let _ = writeln!(out, "{name} {value}");
    }
    out
}

fn head(out: &mut String, name: &str, kind: &str) {
    let _ = writeln!(out, "# TYPE {name} {kind}");
}

fn line(out: &mut String, metric: &Metric, value: u64) {
    let series = metric.series();
    let labels = series.family.labels().iter().zip(series.values);
    out.push_str(series.family.name());
    let mut separator = '{';
    for (label, value) in labels {
        let _ = write!(out, "{separator}{label}=\"{}\"", escaped(value));
        separator = ',';
    }
    if separator == ',' {
        out.push('}');
    }
    let _ = writeln!(out, " {value}");
}

/// The value of a label, with the escapes of the format.
fn escaped(value: &str) -> String {
    value
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}
