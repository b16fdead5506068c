//! The walk-through of `make demo-forward-auth`: nginx with this folder's files in front of an
//! upstream that echoes requests, `edge-authz-server`, and an issuer. `PROXY=haproxy` and
//! `PROXY=caddy` take the files of another proxy; `--keep-running` starts everything for `curl`.
#![allow(
    clippy::print_stdout,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "an interactive program, which ends at the first error"
)]

mod checks;
#[path = "../../tests/forward_auth/program.rs"]
#[allow(dead_code, reason = "the tests use the rest")]
mod program;
#[path = "../../tests/forward_auth/proxies/mod.rs"]
#[allow(dead_code, reason = "the tests use the rest")]
mod proxies;
mod servers;
#[path = "../../tests/support/mod.rs"]
mod support;
mod users;

use std::process::ExitCode;

use checks::Check;
use proxies::Kind;
use servers::Servers;
use support::walk::keep_running;
use users::Users;

fn main() -> ExitCode {
    let keep_running = std::env::args().any(|argument| argument == "--keep-running");
    let kind = *Kind::chosen().first().expect("PROXY is a known proxy");
    println!(
        "An HTTP API behind {}, with edge-authz-server\n",
        kind.name()
    );
    let users = Users::new();
    let mut servers = Servers::start(kind, &users);
    if keep_running {
        keep(&servers, &users);
    }
    match walk(&mut servers, &users) {
        Ok(count) => {
            println!("{count} requests, each answered as expected.");
            ExitCode::SUCCESS
        }
        Err(surprise) => {
            println!("\nA surprise: {surprise}\n\n{}", servers.logs());
            ExitCode::FAILURE
        }
    }
}

/// Sends all requests. Returns their number.
fn walk(servers: &mut Servers, users: &Users) -> Result<usize, String> {
    let mut number = 0;
    let mut send = |servers: &Servers, title: &str, checks: &[Check]| {
        println!("{title}\n");
        for check in checks {
            number += 1;
            check.walk(number, |request| servers.send(request))?;
        }
        println!();
        Ok::<_, String>(number)
    };
    send(
        servers,
        "Each route, with and without a token",
        &checks::routes(users),
    )?;
    send(
        servers,
        "A web page of another origin",
        &checks::page(users),
    )?;
    send(
        servers,
        "Tokens that are not good",
        &checks::impostors(users),
    )?;
    send(
        servers,
        "Requests that try to get past the rules",
        &checks::tricks(users),
    )?;

    servers.issuer.publish(&[&users.first, &users.next]);
    send(
        servers,
        "The issuer signs with a new key",
        &checks::rotated(users),
    )?;

    servers.issuer.stop();
    send(servers, "The issuer is down", &checks::outage(users))?;

    servers.authorizer.restart();
    send(
        servers,
        "edge-authz-server has been restarted meanwhile",
        &checks::without_keys(users),
    )?;

    servers.issuer.restart();
    servers.authorizer.wait_until_ready();
    send(servers, "The issuer is back", &checks::recovered(users))?;

    servers.authorizer.stop();
    send(
        servers,
        "edge-authz-server is down",
        &checks::without_authorizer(users),
    )
}

/// Prints how to continue manually, and waits forever.
fn keep(servers: &Servers, users: &Users) -> ! {
    let variables = [
        ("API", &*format!("http://{}", servers.address())),
        ("ID_TOKEN", &users.id_token()),
        ("ACCESS_TOKEN", &users.access_token()),
    ];
    let metrics = format!("curl http://{}/metrics", servers.authorizer.admin);
    keep_running(
        &variables,
        &[
            "curl -i $API/catalog",
            "curl -i $API/me",
            r#"curl -i $API/me -H "Authorization: Bearer $ID_TOKEN""#,
            r#"curl -i $API/account -H "Authorization: Bearer $ID_TOKEN""#,
            r#"curl -i $API/account -H "Authorization: Bearer $ACCESS_TOKEN""#,
            "curl -i $API/catalog -H 'X-User-Id: root'",
            "curl -i -X OPTIONS $API/me -H 'Origin: https://app.example.com' -H 'Access-Control-Request-Method: GET'",
            &metrics,
        ],
    )
}
