//! Cases made from the source: each route without a token, and with and without its
//! scopes. They are decided from the source's own rules, not from the configuration.

use super::append::append;
use super::model::{Claim, ClaimValue, Kind, Place, Scopes};
use super::plan::{Access, Bound, Part, Plan, Shape, Token};
use super::writer::comment;
use crate::tree::quoted;

/// Methods for routes with every method.
const METHODS: [&str; 6] = ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"];

/// Writes a case file for a plan and its configuration.
pub(super) fn write(plan: &Plan, configuration: &str) -> String {
    let mut out = format!(
        "about: {}\n\nconfig:\n",
        quoted(&format!("What the import of `{}` allows.", plan.name))
    );
    // The keys of an inline set sign no generated tokens: the case file's issuer publishes
    // its own.
    let lines = configuration.lines();
    let lines = lines.map(|line| match line.split_once("jwks: {inline: ") {
        Some((before, _)) => {
            format!("{before}jwks: {{cluster: issuer, uri: \"https://issuer.invalid/keys\"}}")
        }
        None => line.to_owned(),
    });
    for line in lines {
        out.push_str("  ");
        out.push_str(&line);
        out.push('\n');
    }
    out.push_str("\nkeys: {main: RS256}\n\ncases:\n");
    let before = out.len();
    for route in &plan.routes {
        if let Some(request) = request(plan, route) {
            cases(&mut out, plan, route, &request);
        } else {
            let pattern = comment(&route.pattern);
            append(
                &mut out,
                format_args!(
                    "  # no request reaches {pattern} alone
"
                ),
            );
        }
    }
    if !out.get(before..).unwrap_or_default().contains("- name:") {
        out.push_str("  - {name: no route, request: GET /, expect: {status: 403}}\n");
    }
    out
}

/// A request that the source gives to this route.
fn request(plan: &Plan, route: &Bound) -> Option<String> {
    let longest = plan
        .routes
        .iter()
        .filter_map(|route| route.shape.path.as_ref());
    let longest = longest.map(Vec::len).max().unwrap_or_default();
    let path = sample(&route.shape, longest.saturating_add(1));
    let named = route.shape.method.as_deref();
    let methods = METHODS.iter().copied().filter(|_| named.is_none());
    let mut methods = named.into_iter().chain(methods);
    let segments: Vec<&[u8]> = path.iter().map(Vec::as_slice).collect();
    let method = methods.find(|method| {
        let found = chosen(plan, &route.hosts, method, &segments);
        found.is_some_and(|found| found.shape == route.shape)
    })?;
    let base = plan.base.as_deref().unwrap_or_default();
    let path: String = path.iter().map(|segment| encoded(segment)).collect();
    let path = if path.is_empty() { "/" } else { &path };
    Some(format!("{method} {base}{path}"))
}

fn sample(shape: &Shape, longest: usize) -> Vec<Vec<u8>> {
    let word = |number: usize| format!("sample-{number}").into_bytes();
    let Some(parts) = &shape.path else {
        return (0..longest).map(word).collect();
    };
    let mut path = Vec::new();
    for (number, part) in parts.iter().enumerate() {
        match part {
            Part::Literal(literal) => path.push(literal.clone()),
            Part::Variable => path.push(word(number)),
            Part::Greedy => path.extend((number..longest).map(word)),
        }
    }
    path
}

/// The route that the source chooses.
fn chosen<'p>(plan: &'p Plan, hosts: &[String], method: &str, path: &[&[u8]]) -> Option<&'p Bound> {
    let of_method = |route: &&Bound| {
        let named = route.shape.method.as_deref();
        named.is_none_or(|named| named == method)
    };
    let order = |route: &&Bound| (route.shape.rank(), route.shape.method.is_none());
    let of_hosts = plan.routes.iter().filter(|route| route.hosts == hosts);
    let matching = of_hosts.filter(|route| route.shape.matches(path));
    if matches!(plan.kind, Kind::Http | Kind::Proxy) {
        return matching.filter(of_method).min_by_key(order);
    }
    // The path first. Routes that the import has added stand for paths without a method.
    let paths = plan.paths.iter().filter(|shape| shape.matches(path));
    let added = plan.routes.iter().map(|route| &route.shape);
    let added = added.filter(|shape| shape.matches(path));
    let best = paths.chain(added).min_by_key(|shape| shape.rank())?;
    let best = &best.path;
    matching
        .filter(|route| route.shape.path == *best)
        .filter(of_method)
        .min_by_key(order)
}

fn encoded(segment: &[u8]) -> String {
    let mut out = String::from("/");
    for byte in segment {
        if byte.is_ascii_alphanumeric() || b"._-~@:".contains(byte) {
            out.push(char::from(*byte));
        } else {
            append(&mut out, format_args!("%{byte:02X}"));
        }
    }
    out
}

fn cases(out: &mut String, plan: &Plan, route: &Bound, request: &str) {
    let pattern = &route.pattern;
    let mut case = |what: &str, token: Option<String>, expect: &str| {
        append(
            out,
            format_args!("  - name: {}\n", quoted(&format!("{pattern}: {what}"))),
        );
        let place = plan.places.first().filter(|_| token.is_some());
        let sent = match place {
            Some(Place::Query(name)) => format!("{request}?{name}=${{token}}"),
            _ => request.to_owned(),
        };
        append(out, format_args!("    request: {}\n", quoted(&sent)));
        if let Some(host) = route.hosts.first() {
            let host = quoted(&host.replace('*', "sample"));
            append(out, format_args!("    host: {host}\n"));
        }
        let header = match place {
            Some(Place::Header(name)) => Some((&**name, "${token}".to_owned())),
            Some(Place::Scheme(name, scheme)) => Some((&**name, format!("{scheme} ${{token}}"))),
            Some(Place::Cookie(name)) => Some(("cookie", format!("{name}=${{token}}"))),
            Some(Place::Bearer | Place::Query(_)) | None => None,
        };
        if let Some((name, value)) = header {
            append(
                out,
                format_args!("    headers: {{{}: {}}}\n", quoted(name), quoted(&value)),
            );
        }
        if let Some(token) = token {
            append(out, format_args!("    token: {token}\n"));
        }
        append(out, format_args!("    expect: {expect}\n"));
    };
    match &route.access {
        Access::Public => case("without a token", None, "200 public"),
        Access::Denied => case("without a token", None, "403 denied"),
        Access::Optional(names) => {
            case("without a token", None, "200 anonymous");
            for name in names {
                case(
                    &format!("a token of {name}"),
                    Some(token(name, None, &[], &[])),
                    "200 allowed",
                );
            }
        }
        Access::Token(needs) => {
            case("without a token", None, "401 no_token");
            for (what, sent, expect) in with_tokens(needs) {
                case(&what, Some(sent), expect);
            }
        }
    }
}

/// Tokens for a route, with their results.
fn with_tokens(needs: &Token) -> Vec<(String, String, &'static str)> {
    let mut out = Vec::new();
    let other = |token_use| if token_use == "id" { "access" } else { "id" };
    for name in &needs.providers {
        let made = |scopes: &[String]| token(name, needs.usage, scopes, &needs.claims);
        let (all, sets): (&[String], Vec<Vec<String>>) = match &needs.scopes {
            Scopes::AnyOf(scopes) => (scopes, scopes.iter().map(|one| vec![one.clone()]).collect()),
            Scopes::AllOf(scopes) => (scopes, vec![scopes.clone()]),
        };
        if all.is_empty() {
            out.push((format!("a token of {name}"), made(&[]), "200 allowed"));
        } else {
            for set in &sets {
                let what = format!("a token of {name} with {}", set.join(" and "));
                out.push((what, made(set), "200 allowed"));
            }
            let what = format!("a token of {name} without scopes");
            out.push((what, made(&[]), "403 missing_scope"));
        }
        if let Scopes::AllOf(scopes) = &needs.scopes
            && let [first, _, ..] = &**scopes
        {
            let what = format!("a token of {name} with {first} alone");
            out.push((what, made(std::slice::from_ref(first)), "403 missing_scope"));
        }
        if !needs.claims.is_empty() {
            let what = format!("a token of {name} without the claims");
            let scopes: Vec<String> = all.to_vec();
            out.push((
                what,
                token(name, needs.usage, &scopes, &[]),
                "403 missing_claim",
            ));
        }
        if let Some(token_use) = needs.usage {
            let wrong = token(name, Some(other(token_use)), all, &needs.claims);
            let what = format!("a token of {name} of the other kind");
            out.push((what, wrong, "401 bad_token_use"));
        }
    }
    out
}

fn token(provider: &str, token_use: Option<&str>, scopes: &[String], needed: &[Claim]) -> String {
    let mut claims = Vec::new();
    for claim in needed {
        if let Some(ClaimValue::Text(text) | ClaimValue::Prefix(text)) = claim.values.first() {
            claims.push(format!("{}: {}", quoted(&claim.name), quoted(text)));
        }
    }
    if let Some(token_use) = token_use {
        claims.push(format!("token_use: {token_use}"));
    }
    if !scopes.is_empty() {
        claims.push(format!("scope: {}", quoted(&scopes.join(" "))));
    }
    format!(
        "{{provider: {}, claims: {{{}}}}}",
        quoted(provider),
        claims.join(", ")
    )
}
