//! nginx.

use std::net::SocketAddr;
use std::process::Command;

use super::{Addresses, Form, Site, file, repeated, replaced};
use crate::support::process::Scratch;

pub(super) fn prepare(
    scratch: &Scratch,
    sites: &[(&Site, Addresses)],
    upstream: SocketAddr,
    command: &mut Command,
) {
    let main = file("nginx/nginx.conf");
    let main = replaced(
        &main,
        "server 127.0.0.1:3000;",
        &format!("server {upstream};"),
    );
    let (http, server) = main.split_once("    server {\n").expect("a server");
    let server = server
        .trim_end()
        .strip_suffix('}')
        .expect("the end of http");
    let mut all = for_tests(http, scratch);
    for (index, (site, addresses)) in sites.iter().enumerate() {
        let folder = format!("site-{index}");
        let folder = scratch.path().join(folder);
        std::fs::create_dir_all(&folder).expect("a directory");
        let listen = format!(
            "listen {};\n        listen {} http2;",
            addresses.http1, addresses.http2
        );
        let server = replaced(server, "listen 8080;", &listen);
        let include = format!("include {}/edge-authz.conf;", folder.display());
        let server = replaced(&server, "include edge-authz.conf;", &include);
        all.push_str("    server {\n");
        all.push_str(&server);
        for name in [
            "edge-authz.conf",
            "edge-authz-headers.conf",
            "edge-authz-cors.conf",
        ] {
            let text = of_site(name, site, &folder.display().to_string());
            std::fs::write(folder.join(name), text).expect("a file");
        }
    }
    all.push_str("}\n");
    let main = scratch.write("nginx.conf", &all);
    command.arg("-e").arg("stderr").arg("-c").arg(main);
}

/// What only the tests need: no daemon, and no files outside of the directory.
fn for_tests(main: &str, scratch: &Scratch) -> String {
    let at = scratch.path().display();
    let first = format!(
        "daemon off;\nworker_processes 2;\npid {at}/pid;\nerror_log stderr info;\n\
         events {{ worker_connections 8192; }}"
    );
    let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
    let temporary = temporary.map(|name| format!("    {name}_temp_path {at}/{name};\n"));
    let http = format!("http {{\n    access_log off;\n{}", temporary.concat());
    replaced(&replaced(main, "events {}", &first), "http {\n", &http)
}

fn of_site(name: &str, site: &Site, folder: &str) -> String {
    let mut text = file(&format!("nginx/{name}"));
    text = text.replace(
        "include edge-authz",
        &format!("include {folder}/edge-authz"),
    );
    text = text.replace(
        "http://edge_authz/",
        &format!("http://{}/", site.authorizer),
    );
    let variable: fn(&str) -> String = |name| name.to_ascii_lowercase().replace('-', "_");
    let mut names = site.identity.clone();
    names.extend(site.tokens.iter().cloned());
    let forms: [Form; 2] = [
        ("x_user_id", variable),
        ("X-User-Id", |name| name.to_owned()),
    ];
    text = repeated(&text, &forms, &names);
    if !site.cors && name == "edge-authz-headers.conf" {
        text = without_cors(&text);
    }
    text
}

/// As the comment in the file says.
fn without_cors(text: &str) -> String {
    let is_cors = |line: &&str| line.contains("proxy_hide_header") || line.contains("cors.conf");
    let lines: Vec<&str> = text.lines().filter(|line| !is_cors(line)).collect();
    lines.join("\n") + "\n"
}
