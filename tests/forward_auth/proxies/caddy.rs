//! Caddy.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::process::Command;

use super::{Addresses, Site, file, repeated, replaced};
use crate::support::process::Scratch;

pub(super) fn prepare(
    scratch: &Scratch,
    sites: &[(&Site, Addresses)],
    upstream: SocketAddr,
    command: &mut Command,
) {
    let main = file("caddy/Caddyfile");
    let main = replaced(&main, "127.0.0.1:3000", &upstream.to_string());
    let (before, site_text) = main.split_once(":8080 {\n").expect("a site");
    let (before, ask) = before.split_once("(ask) {\n").expect("the question");
    let options =
        "admin off\n\tauto_https off\n\tpersist_config off\n\tservers {\n\t\tprotocols h1 h2c\n\t}";
    let mut all = replaced(before, "admin off", options);
    for (index, (site, addresses)) in sites.iter().enumerate() {
        let text = replaced(ask, "127.0.0.1:9191", &site.authorizer.to_string());
        // Tokens are removed only after the question.
        let text = repeated(&text, &[("-X-User-Id", removal)], &site.identity);
        let mut names = site.identity.clone();
        names.extend(site.tokens.iter().cloned());
        let text = repeated(&text, &[("set X-User-Id", setting)], &names);
        let text = if site.cors { text } else { without_cors(&text) };
        writeln!(all, "(ask_{index}) {{\n{text}").expect("a text");
        let own = replaced(site_text, "import ask", &format!("import ask_{index}"));
        let ip = addresses.http1.ip();
        writeln!(
            all,
            "http://:{} {{\n\tbind {ip}\n{own}",
            addresses.http1.port()
        )
        .expect("a text");
    }
    let main = scratch.write("Caddyfile", &all);
    command
        .args(["run", "--adapter", "caddyfile", "--config"])
        .arg(main)
        .env("XDG_DATA_HOME", scratch.path())
        .env("XDG_CONFIG_HOME", scratch.path())
        .env("HOME", scratch.path());
}

fn removal(name: &str) -> String {
    format!("-{}", canonical(name))
}

fn setting(name: &str) -> String {
    format!("set {}", canonical(name))
}

/// The spelling in which Caddy's placeholders find a header.
fn canonical(name: &str) -> String {
    let capital = |part: &str| {
        let (first, rest) = part.split_at(part.len().min(1));
        first.to_ascii_uppercase() + &rest.to_ascii_lowercase()
    };
    name.split('-').map(capital).collect::<Vec<_>>().join("-")
}

/// As the comment in the file says.
fn without_cors(text: &str) -> String {
    let (before, rest) = text
        .split_once("import answer Access-Control-Allow-Origin\n")
        .expect("CORS");
    let (_, after) = rest.split_once("-Dpop-Nonce\n").expect("CORS");
    let (_, after) = after.split_once("}\n").expect("the end of the header");
    format!("{before}{after}")
}
