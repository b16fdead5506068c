//! The walk-through of `make demo`, and of `make run` with `--keep-running`:
//! this folder's `envoy.yaml`, an issuer that the AWS CLI takes for Cognito,
//! and an upstream that echoes.
#![allow(
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::expect_used,
    clippy::arithmetic_side_effects,
    reason = "a program for people, which ends at the first surprise"
)]

mod checks;
#[path = "../../tests/support/mod.rs"]
mod support;

use std::process::ExitCode;

use checks::{Check, checks};
use support::bootstrap::Builder;
use support::cognito::{Cognito, REGION, Tokens, UserPool};
use support::echo::Echo;
use support::envoy::Envoy;
use support::template::replace;
use support::tools;

const USER: &str = "ada";
const PASSWORD: &str = "Passw0rd!";

fn main() -> ExitCode {
    let keep_running = std::env::args().any(|argument| argument == "--keep-running");
    println!("An HTTP API behind a Cognito user pool\n");

    let cognito = Cognito::start_with_tls();
    println!("the issuer listens on https://{}", cognito.address());
    let pool = told(&cognito, || cognito.user_pool("demo"));
    let sub = told(&cognito, || cognito.sign_up(&pool, USER, PASSWORD));
    let tokens = told(&cognito, || cognito.sign_in(&pool, USER, PASSWORD));

    let upstream = Echo::start();
    println!("the upstream listens on http://{}", upstream.address());
    let envoy = Builder::from_bootstrap(bootstrap(&cognito, &pool, &upstream))
        .concurrency(2)
        .start();
    println!("Envoy listens on http://{}\n", envoy.address());

    if keep_running {
        return keep(&envoy, &tokens);
    }
    let checks = checks(&tokens, &sub);
    for (number, check) in (1..).zip(&checks) {
        if let Err(surprise) = walk(number, check, &envoy) {
            println!("\nA surprise: {surprise}\n\nEnvoy's log:\n{}", envoy.log());
            return ExitCode::FAILURE;
        }
    }
    println!("\n{} requests, each answered as expected.", checks.len());
    ExitCode::SUCCESS
}

/// Prints the commands of the AWS CLI that a step ran.
fn told<T>(cognito: &Cognito, step: impl FnOnce() -> T) -> T {
    let before = cognito.commands().len();
    let result = step();
    for command in &cognito.commands()[before..] {
        println!("  $ {command}");
    }
    result
}

/// `envoy.yaml` with this run's ids, ports, addresses and authority.
fn bootstrap(cognito: &Cognito, pool: &UserPool, upstream: &Echo) -> String {
    let path = tools::root().join("examples/cognito-http-api/envoy.yaml");
    let text = std::fs::read_to_string(path).expect("the example's envoy.yaml");
    let issuer = cognito.address();
    let port = |port: u16| format!("port_value: {port}}}");
    let amazon = format!("address: cognito-idp.{REGION}.amazonaws.com, port_value: 443}}");
    let here = format!("address: {}, {}", issuer.ip(), port(issuer.port()));
    let authority = cognito.authority().expect("it speaks TLS");
    let module = tools::module();
    let replacements = [
        ("us-east-1_EXAMPLE", pool.id.as_str()),
        ("4t0example", &pool.client),
        (&amazon, &here),
        (
            "/etc/ssl/certs/ca-certificates.crt",
            &authority.display().to_string(),
        ),
        ("dist/edge_authz.wasm", &module.display().to_string()),
        (&port(8081), &port(upstream.address().port())),
        (&port(8080), &port(0)),
        (&port(9901), &port(0)),
    ];
    replacements
        .iter()
        .fold(text, |text, (from, to)| replace(&text, from, to))
}

/// Sends one request, prints it with its answer and compares.
fn walk(number: usize, check: &Check, envoy: &Envoy) -> Result<(), String> {
    let line = format!(
        "{} {}",
        String::from_utf8_lossy(&check.request.method),
        String::from_utf8_lossy(check.request.target.as_deref().unwrap_or_default()),
    );
    let answer = envoy.send(&check.request);
    println!("{number:>2}. {line:<14} {}", check.with);
    let shown = (check.shown)(&answer);
    println!("    {} {shown}", answer.status);
    println!("    because {}", check.because);
    if answer.status != check.status || !shown.contains(&check.expected) {
        return Err(format!(
            "expected {} {}, got\n{answer}",
            check.status, check.expected
        ));
    }
    Ok(())
}

/// Prints how to go on by hand, and waits for ever.
fn keep(envoy: &Envoy, tokens: &Tokens) -> ExitCode {
    let api = format!("http://{}", envoy.address());
    println!("Everything runs until Ctrl-C. In another shell:\n");
    println!("API={api}");
    println!("ID_TOKEN={}", tokens.id);
    println!("ACCESS_TOKEN={}\n", tokens.access);
    for line in [
        "curl -i $API/catalog",
        "curl -i $API/me",
        r#"curl -i $API/me -H "Authorization: Bearer $ID_TOKEN""#,
        r#"curl -i $API/account -H "Authorization: Bearer $ID_TOKEN""#,
        r#"curl -i $API/account -H "Authorization: Bearer $ACCESS_TOKEN""#,
        "curl -i -X OPTIONS $API/me -H 'Origin: https://app.example.com' -H 'Access-Control-Request-Method: GET'",
    ] {
        println!("{line}");
    }
    println!(
        "curl http://{}/stats?filter=edge_authz",
        envoy.admin_address()
    );
    loop {
        std::thread::park();
    }
}
