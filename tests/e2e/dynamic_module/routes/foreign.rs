//! Configurations of routes that another module has made.

use serde_json::json;

use super::only_here;
use super::stage::{Stage, config, config_of, route};
use crate::support::http::Request;
use crate::support::process::Scratch;
use crate::support::tools;

#[test]
#[ignore = "of the dynamic module"]
fn a_configuration_of_another_library_refuses_the_requests_of_its_route() {
    only_here();
    // For Envoy, the same library in another file is another module, like another
    // version.
    let libraries = Scratch::new("libraries");
    let built = tools::dynamic_modules().join("libedge_authz.so");
    for name in ["libedge_authz.so", "libother.so"] {
        std::fs::copy(&built, libraries.path().join(name)).expect("a copy");
    }
    let stage = Stage::new();
    let enforce = json!({"mode": "enforce"});
    let routes = [
        route("/public/other", Some(config_of("other", &enforce))),
        route("/public/own", Some(config(&enforce))),
        route("/", None),
    ];
    let envoy = stage
        .builder(&super::stage::all_hosts(&routes))
        .modules(libraries.path())
        .start();
    for path in ["/public/other", "/private/other"] {
        let status = if path.starts_with("/public") {
            503
        } else {
            401
        };
        envoy.send(&Request::get(path)).expect(status);
        envoy.send2(&Request::get(path)).expect(status);
    }
    envoy.send(&Request::get("/public/own")).expect(200);
    envoy.send(&Request::get("/public/a")).expect(200);
    envoy.log_line("a route has a configuration of another module");
    let log = envoy.log();
    assert_eq!(log.matches("configuration of another module").count(), 1);
    envoy.assert_no_trap();
}
