//! `HAProxy`.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::process::Command;

use super::{Addresses, Site, file, replaced};
use crate::support::process::Scratch;
use crate::support::tools;

pub(super) fn prepare(
    scratch: &Scratch,
    sites: &[(&Site, Addresses)],
    upstream: SocketAddr,
    command: &mut Command,
) {
    let main = file("haproxy/haproxy.cfg");
    let script = tools::root().join("examples/forward-auth/haproxy/edge-authz.lua");
    let load = format!("lua-load-per-thread {}", script.display());
    let main = replaced(&main, "lua-load-per-thread edge-authz.lua", &load);
    // The machine's processors are for others, too.
    let main = replaced(
        &main,
        "global\n",
        "global\n    nbthread 2\n    log stderr local0 err\n",
    );
    let main = replaced(&main, "defaults\n", "defaults\n    log global\n");
    let main = replaced(&main, "127.0.0.1:3000", &upstream.to_string());
    let (before, frontend) = main.split_once("frontend public\n").expect("a frontend");
    let (frontend, after) = frontend
        .split_once("\n# HAProxy cannot")
        .expect("a backend");
    let mut all = before.to_owned();
    for (index, (site, addresses)) in sites.iter().enumerate() {
        let bind = format!(
            "bind {}\n    bind {} proto h2",
            addresses.http1, addresses.http2
        );
        let text = replaced(frontend, "bind :8080", &bind);
        let text = replaced(&text, "127.0.0.1:9191", &site.authorizer.to_string());
        let text = if site.cors {
            text
        } else {
            replaced(&text, "    http-response lua.edge-authz-cors\n", "")
        };
        writeln!(all, "frontend site-{index}\n{text}").expect("a text");
    }
    all.push_str("# HAProxy cannot");
    all.push_str(after);
    let main = scratch.write("haproxy.cfg", &all);
    command.arg("-db").arg("-f").arg(main);
}
