//! `make run FILE=…` starts Envoy with its servers, and leaves it running for `curl`. The
//! issuers publish the keys of the case file, and the printed requests are those of its
//! cases. It uses the `envoy.yaml` beside the case file. Without one, it uses the Envoy
//! of the tests with the configuration of the file.
#![allow(
    clippy::print_stdout,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "an interactive program, which ends at the first error"
)]

#[path = "../tests/support/mod.rs"]
mod support;

use std::collections::BTreeSet;
use std::fmt::{Display, Write};
use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use edge_authz_cli::cases::{CaseFile, Player, Request, Side, World};
use edge_authz_cli::named_configuration;
use serde_json::{Map, Value};
use support::answers;
use support::bootstrap::Builder;
use support::echo::Echo;
use support::envoy::Envoy;
use support::example::{Example, OwnApi};
use support::tokens;

fn main() {
    let path = std::env::args().nth(1).expect("a case file");
    let path = Path::new(&path);
    let folder = path.parent().unwrap_or(Path::new("."));
    let text = fs::read_to_string(path).unwrap_or_else(|error| end(path, &error));
    let file = CaseFile::parse_with(&text, &|name| named_configuration(path, name))
        .unwrap_or_else(|error| end(path, &error));
    let world = file.worlds.first().expect("a case");
    if let Err(error) = Player::new(world) {
        end(path, &error);
    }

    let issuer = answers::serve(world);
    let echo = Echo::start();
    let own = OwnApi::start(folder);
    let api = own.as_ref().map_or(echo.address(), OwnApi::address);
    let envoy = if folder.join("envoy.yaml").exists() {
        let example = Example::read(folder, &[]);
        example.api(api).issuers(issuer.address()).start()
    } else {
        start(world, api, issuer.address())
    };

    println!("{}\n", file.about);
    println!("API=http://{}", envoy.address());
    let now = i64::try_from(tokens::now()).expect("a time");
    let routes = world.config()["routes"].as_array();
    let mut routes = routes.into_iter().flatten();
    let with_host = routes.any(|route| route.get("hosts").is_some());
    let mut words = Vec::new();
    for case in world.cases.iter().filter(|case| case.is_for(Side::Envoy)) {
        // The nonce is known only when the line is pasted: the answer to it has one.
        let ask = |_: &Request| Some(b"none".to_vec());
        let (request, [_, expected]) = world.prepare(case, now, ask).expect("a request");
        let reason = expected.reason.unwrap_or_default();
        println!("\n# {}: {} {reason}", case.name, expected.status);
        println!("{}", curl(&request, with_host, &mut words));
    }
    println!(
        "\n# what was decided, and why\ncurl 'http://{}/stats?filter=edge_authz'\n",
        envoy.admin_address()
    );
    if file.worlds.len() > 1 {
        println!("Cases that change the world by `with` are left out.");
    }
    println!("Everything runs until Ctrl-C; paste the lines into another shell.");
    loop {
        std::thread::park();
    }
}

/// Ends the program with the error in the case file.
fn end(path: &Path, error: &dyn Display) -> ! {
    println!("{}: {error}", path.display());
    std::process::exit(1)
}

/// Starts the Envoy of the tests, with all clusters that the configuration names.
fn start(world: &World, api: SocketAddr, issuer: SocketAddr) -> Envoy {
    let mut clusters = BTreeSet::new();
    let providers = world.config()["providers"].as_array();
    for provider in providers.into_iter().flatten() {
        let jwks = &provider["jwks"];
        clusters.extend(jwks["cluster"].as_str());
        let hosts = jwks["hosts"].as_object();
        let others = hosts.into_iter().flat_map(Map::values);
        clusters.extend(others.filter_map(Value::as_str));
    }
    let builder = Builder::new(api).edge_authz(world.config().clone());
    let with = |builder: Builder, name: &str| builder.cluster(name, issuer);
    clusters.into_iter().fold(builder, with).start()
}

/// The request as a command. A token is written out at its first use, and later replaced
/// with a variable.
fn curl(request: &Request, with_host: bool, tokens: &mut Vec<String>) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let target = request.path.as_deref().map(text).unwrap_or_default();
    let mut lines = Vec::new();
    let method = match text(&request.method).as_str() {
        // With `-X HEAD`, curl would wait for a body.
        "HEAD" => "-I".to_owned(),
        method => format!("-X {method}"),
    };
    let mut command = format!("curl -i -w '\\n' {method} \"$API{target}\"");
    if let Some(host) = request.host.as_deref().filter(|_| with_host) {
        write!(command, " -H \"host: {}\"", text(host)).expect("a string takes all");
    }
    if !request.body.is_empty() {
        write!(command, " --data-binary '{}'", text(&request.body)).expect("a string takes all");
    }
    for (name, value) in &request.headers {
        let mut value = text(value);
        let words = value.split([' ', ',', '=']).map(str::to_owned);
        for word in words.collect::<Vec<_>>() {
            if !word.starts_with("eyJ") {
                continue;
            }
            let known = tokens.iter().position(|token| *token == word);
            let number = known.unwrap_or(tokens.len());
            if known.is_none() {
                lines.push(format!("TOKEN{number}={word}"));
                tokens.push(word.clone());
            }
            value = value.replace(&word, &format!("$TOKEN{number}"));
        }
        write!(command, " -H \"{}: {value}\"", text(name)).expect("a string takes all");
    }
    lines.push(command);
    lines.join("\n")
}
