//! New routes while Envoy runs.

use std::fs;
use std::time::Duration;

use serde_json::{Value, json};

use super::only_here;
use super::stage::{Stage, all_hosts, config, route};
use crate::support::envoy::Envoy;
use crate::support::http::Request;
use crate::support::issuer::JWKS_PATH;
use crate::support::process::wait_until;

fn hosts(of_root: &Value) -> Value {
    all_hosts(&[route("/", Some(config(of_root)))])
}

/// Waits until a request has this status.
#[track_caller]
fn soon(envoy: &Envoy, request: &Request, status: u16) {
    let answered = || (envoy.send(request).status == status).then_some(());
    wait_until(Duration::from_secs(5), answered).expect("the new routes");
    envoy.send2(request).expect(status);
}

#[test]
#[ignore = "of the dynamic module"]
fn a_good_update_takes_effect_and_a_bad_one_changes_nothing() {
    only_here();
    let stage = Stage::new();
    let envoy = stage.start(&[route("/", None)]);
    let request = Request::get("/public/a");
    envoy.send(&request).expect(200);
    assert!(stage.update(&envoy, &hosts(&json!({"mode": "denied"}))));
    soon(&envoy, &request, 403);
    for (bad, reason) in [
        (
            json!({"mode": "off"}),
            "route configuration: mode: \"off\" is not allowed here; write `enforce` or `denied`",
        ),
        (
            json!({"mode": "denied", "routes": []}),
            "route configuration: mode: has no effect together with `routes`",
        ),
        (json!({}), "route configuration: routes: is missing"),
        (json!(""), "route configuration: configuration: is empty"),
        (json!("no JSON"), "route configuration: line 1, column"),
        (
            json!({"routes": [{"match": "GET"}]}),
            "route configuration: routes[0].match",
        ),
    ] {
        assert!(!stage.update(&envoy, &hosts(&bad)), "{bad}");
        envoy.log_line(reason);
        envoy.send(&request).expect(403);
    }
    assert!(stage.update(&envoy, &hosts(&json!({"mode": "enforce"}))));
    soon(&envoy, &request, 200);
    assert!(stage.update(&envoy, &hosts(&stage.second_document())));
    soon(&envoy, &request, 401);
    assert!(stage.update(&envoy, &all_hosts(&[route("/", None)])));
    soon(&envoy, &request, 200);
    envoy.assert_no_trap();
}

#[test]
#[ignore = "of the dynamic module"]
fn validation_judges_the_configurations_of_routes_and_fetches_nothing() {
    only_here();
    let stage = Stage::new();
    let inline = |of_root: &Value| {
        let bootstrap = stage.inline_routes(&hosts(of_root));
        crate::support::bootstrap::Builder::from_bootstrap(bootstrap).validate()
    };
    let good = inline(&stage.second_document());
    assert!(good.status.success(), "{}", good.log);
    let bad = inline(&json!({"mode": "report"}));
    assert!(!bad.status.success(), "{}", bad.log);
    let reason =
        "route configuration: mode: \"report\" is not allowed here; write `enforce` or `denied`";
    assert!(bad.log.contains(reason), "{}", bad.log);
    assert_eq!(
        stage.issuer.gets(JWKS_PATH) + stage.second.gets(JWKS_PATH),
        0
    );
}

#[test]
#[ignore = "of the dynamic module"]
fn a_request_that_waits_is_decided_by_the_configuration_with_which_it_began() {
    only_here();
    let stage = Stage::new();
    stage
        .second
        .change(JWKS_PATH, |keys| keys.delay(Duration::from_secs(3)));
    let envoy = stage.builder(&hosts(&stage.second_document())).start();
    let request = Request::get("/public/a");
    let good = request
        .clone()
        .header("x-tenant-token", stage.second_token());
    let bad = request.clone().header("x-tenant-token", stage.token());
    std::thread::scope(|scope| {
        let good = scope.spawn(|| envoy.send(&good).expect(200));
        let bad = scope.spawn(|| envoy.send2(&bad).expect(401));
        std::thread::sleep(Duration::from_millis(500));
        assert!(stage.update(&envoy, &hosts(&json!({"mode": "denied"}))));
        soon(&envoy, &request, 403);
        good.join().expect("an answer");
        bad.join().expect("an answer");
    });
    envoy.assert_no_trap();
}

#[test]
#[ignore = "of the dynamic module"]
fn superseded_configurations_leave_no_threads_and_no_memory() {
    only_here();
    let stage = Stage::new();
    let mut envoy = stage.start(&[route("/", None)]);
    let process = envoy.process().id();
    let threads = || {
        fs::read_dir(format!("/proc/{process}/task"))
            .expect("Linux")
            .count()
    };
    let tenant = stage.second_token();
    let round = |number: usize| {
        let mut document = stage.second_document();
        document["responses"] = json!({"realm": format!("r{number}")});
        // About half a megabyte each.
        let many =
            (0..2000).map(|route| json!({"match": format!("GET /{number}/{route}/{{a}}/b")}));
        document["routes"]
            .as_array_mut()
            .expect("routes")
            .extend(many);
        assert!(stage.update(&envoy, &hosts(&document)));
        let request = Request::get("/public/a");
        let realm = format!("realm=\"r{number}\"");
        let taken = || {
            let answer = envoy.send(&request);
            let said = answer.header("www-authenticate").unwrap_or_default();
            said.contains(&realm).then_some(())
        };
        wait_until(Duration::from_secs(5), taken).expect("the new routes");
        envoy
            .send2(&request.header("x-tenant-token", &tenant))
            .expect(200);
    };
    (0..10).for_each(round);
    let (threads_before, before) = (threads(), envoy.memory_kib());
    (10..70).for_each(round);
    let grown = envoy.memory_kib().saturating_sub(before);
    assert!(grown < 12 * 1024, "{grown} KiB in 60 updates");
    assert_eq!(threads(), threads_before);
    assert_eq!(
        stage.second.gets(JWKS_PATH),
        1,
        "all of them share the keys"
    );
}
