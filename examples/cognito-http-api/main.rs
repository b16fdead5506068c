//! The walk-through of `make demo`, and of `make run` with `--keep-running`. It uses this
//! folder's `envoy.yaml`, an issuer that emulates Cognito for the AWS CLI, and an
//! upstream that echoes requests.
#![allow(
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::expect_used,
    clippy::arithmetic_side_effects,
    reason = "an interactive program, which ends at the first error"
)]

mod checks;
#[path = "../../tests/support/mod.rs"]
mod support;

use std::process::ExitCode;

use checks::checks;
use support::cognito::{Cognito, Tokens, UserPool};
use support::echo::Echo;
use support::envoy::Envoy;
use support::example::{Example, folder};
use support::walk::keep_running;

const USER: &str = "ada";
const PASSWORD: &str = "Passw0rd!";

fn main() -> ExitCode {
    let keep_running = std::env::args().any(|argument| argument == "--keep-running");
    println!("An HTTP API behind a Cognito user pool\n");

    let cognito = Cognito::start_with_tls();
    println!("the issuer listens on https://{}", cognito.address());
    let pool = print_commands(&cognito, || cognito.user_pool("demo"));
    let sub = print_commands(&cognito, || cognito.sign_up(&pool, USER, PASSWORD));
    let tokens = print_commands(&cognito, || cognito.sign_in(&pool, USER, PASSWORD));

    let upstream = Echo::start();
    println!("the upstream listens on http://{}", upstream.address());
    let envoy = example(&cognito, &pool, &upstream).start();
    println!("Envoy listens on http://{}\n", envoy.address());

    if keep_running {
        keep(&envoy, &tokens);
    }
    let checks = checks(&tokens, &sub);
    for (number, check) in (1..).zip(&checks) {
        if let Err(surprise) = check.walk(number, |request| envoy.send(request)) {
            println!("\nA surprise: {surprise}\n\nEnvoy's log:\n{}", envoy.log());
            return ExitCode::FAILURE;
        }
    }
    println!("\n{} requests, each answered as expected.", checks.len());
    ExitCode::SUCCESS
}

/// Prints the AWS CLI commands of a step.
fn print_commands<T>(cognito: &Cognito, step: impl FnOnce() -> T) -> T {
    let before = cognito.commands().len();
    let result = step();
    for command in &cognito.commands()[before..] {
        println!("  $ {command}");
    }
    result
}

/// The `envoy.yaml` with this run's IDs, ports, addresses and certificate authority.
fn example(cognito: &Cognito, pool: &UserPool, upstream: &Echo) -> Example {
    let ids = [
        ("us-east-1_EXAMPLE", pool.id.as_str()),
        ("4t0example", &pool.client),
    ];
    let authority = cognito.authority().expect("it speaks TLS");
    Example::read(&folder("cognito-http-api"), &ids)
        .api(upstream.address())
        .with_tls("cognito_idp", cognito.address(), authority)
}

/// Prints how to continue manually, and waits forever.
fn keep(envoy: &Envoy, tokens: &Tokens) -> ! {
    let variables = [
        ("API", &*format!("http://{}", envoy.address())),
        ("ID_TOKEN", &tokens.id),
        ("ACCESS_TOKEN", &tokens.access),
    ];
    let metrics = format!(
        "curl 'http://{}/stats?filter=edge_authz'",
        envoy.admin_address()
    );
    keep_running(
        &variables,
        &[
            "curl -i $API/catalog",
            "curl -i $API/me",
            r#"curl -i $API/me -H "Authorization: Bearer $ID_TOKEN""#,
            r#"curl -i $API/account -H "Authorization: Bearer $ID_TOKEN""#,
            r#"curl -i $API/account -H "Authorization: Bearer $ACCESS_TOKEN""#,
            "curl -i $API/anything-else",
            "curl -i -X OPTIONS $API/me -H 'Origin: https://app.example.com' -H 'Access-Control-Request-Method: GET'",
            &metrics,
        ],
    )
}
