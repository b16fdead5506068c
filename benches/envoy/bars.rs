//! The performance that edge-authz must reach, and its actual figures.

use std::fmt::Write as _;

use crate::contender::Contender::{
    self, EdgeAuthz, ExternalAuthorizer, JwtAuthn, JwtAuthnCached, NativeStackCached,
};
use crate::result::Results;

/// One figure and its bound.
pub(crate) struct Bar {
    pub(crate) what: String,
    pub(crate) bound: String,
    pub(crate) reached: String,
    pub(crate) good: bool,
}

/// Requests per second: the minimum ratio of edge-authz to this contender in this
/// workload.
const RATES: [(&str, Contender, f64); 12] = [
    ("one-token", JwtAuthnCached, 0.95),
    ("one-token", JwtAuthn, 2.3),
    ("one-token", NativeStackCached, 1.0),
    ("one-token", ExternalAuthorizer, 2.0),
    ("many-tokens", JwtAuthn, 2.3),
    ("many-tokens", JwtAuthnCached, 1.0),
    ("many-tokens", NativeStackCached, 1.0),
    ("new-rs256", JwtAuthn, 1.1),
    ("new-es256", JwtAuthn, 1.1),
    ("new-eddsa", JwtAuthn, 1.0),
    ("new-es384", JwtAuthn, 1.0),
    ("new-es512", JwtAuthn, 1.0),
];

/// Compares the results with every bound whose workload was measured.
pub(crate) fn judge(results: &Results) -> Vec<Bar> {
    let mut bars = Vec::new();
    for (workload, other, bound) in RATES {
        // A contender that only checks tokens is compared with an edge-authz that does no
        // more.
        let same_work = if matches!(other, JwtAuthn | JwtAuthnCached) {
            Contender::EdgeAuthzLikeJwtAuthn
        } else {
            EdgeAuthz
        };
        for contender in [same_work, EdgeAuthz] {
            if let Some(ratio) = results.ratio((workload, contender), (workload, other)) {
                bars.push(at_least(
                    format!("{workload}: {} / {}", contender.name(), other.name()),
                    bound,
                    ratio,
                ));
            }
            if same_work == EdgeAuthz {
                break;
            }
        }
    }
    for (many, few) in [("issuers-200", "issuers-1"), ("routes-10000", "routes-10")] {
        if let Some(ratio) = results.ratio((many, EdgeAuthz), (few, EdgeAuthz)) {
            bars.push(at_least(format!("{many} / {few}"), 0.95, ratio));
        }
    }
    for hostile in &results.hostile {
        bars.push(at_most(
            format!(
                "hostile: {}, CPU compared with a valid request",
                hostile.name
            ),
            10.0,
            hostile.ratio(),
            "×",
        ));
    }
    if let Some(module) = &results.module {
        bars.push(at_most("module".to_owned(), 900.0, module.kib, " KiB"));
        bars.push(at_most(
            "load".to_owned(),
            1.0,
            module.load_seconds,
            " CPU-s",
        ));
        bars.push(at_most(
            "a further worker".to_owned(),
            4.0,
            module.worker_mib,
            " MiB",
        ));
    }
    bars
}

fn at_least(what: String, bound: f64, reached: f64) -> Bar {
    Bar {
        what,
        bound: format!("≥ {bound:.2}×"),
        reached: format!("{reached:.2}×"),
        good: reached >= bound,
    }
}

fn at_most(what: String, bound: f64, reached: f64, unit: &str) -> Bar {
    Bar {
        what,
        bound: format!("≤ {bound}{unit}"),
        reached: format!("{reached:.2}{unit}"),
        good: reached <= bound,
    }
}

/// The bounds as a Markdown table.
pub(crate) fn table(bars: &[Bar]) -> String {
    let mut text = String::from("| comparison | target | measured | |\n|---|---|---|---|\n");
    for bar in bars {
        let mark = if bar.good { "✓" } else { "missed" };
        let _ = writeln!(
            text,
            "| {} | {} | {} | {mark} |",
            bar.what, bar.bound, bar.reached
        );
    }
    text
}
