//! The route that counts is the one that Envoy has chosen when the request reaches the
//! filter.

use serde_json::{Value, json};

use super::only_here;
use super::stage::{Stage, config, route};
use crate::support::http::Request;

/// A filter that changes the path of requests with the header `x-to`, and lets Envoy
/// choose the route again.
fn redirector() -> Value {
    json!({
        "name": "envoy.filters.http.lua",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua",
            "default_source_code": {"inline_string": "
                function envoy_on_request(handle)
                  local to = handle:headers():get('x-to')
                  if to then
                    handle:headers():replace(':path', to)
                    handle:clearRouteCache()
                  end
                end
            "},
        },
    })
}

#[test]
#[ignore = "of the dynamic module"]
fn a_filter_before_chooses_the_route_and_one_after_loses_only_the_narrowing() {
    only_here();
    let routes = [
        route("/public/closed", Some(config(&json!({"mode": "denied"})))),
        route("/", None),
    ];
    let to = |path: &str, to: &str| Request::get(path).header("x-to", to);
    let stage = Stage::new().before(redirector());
    let envoy = stage.start(&routes);
    envoy.send(&to("/public/a", "/public/closed")).expect(403);
    envoy.send2(&to("/public/closed", "/public/a")).expect(200);
    envoy.send(&to("/public/a", "/private/a")).expect(401);

    // As in the documentation, such a filter comes before this one.
    let stage = Stage::new().after(redirector());
    let envoy = stage.start(&routes);
    envoy.send(&to("/public/closed", "/public/a")).expect(403);
    envoy.send2(&to("/private/a", "/public/a")).expect(401);
    envoy.send(&to("/public/a", "/public/closed")).expect(200);
}

/// Spellings of `/public/closed`. Upstreams read all of them as the same path.
const SPELLINGS: [&str; 8] = [
    "/public/closed",
    "/public/closed/",
    "/public/closed?a=1",
    "/public/clo%73ed",
    "/%70ublic/closed",
    "/public//closed",
    "/public/./closed",
    "/public/x/../closed",
];

#[test]
#[ignore = "of the dynamic module"]
fn no_spelling_of_a_path_has_another_route_where_envoy_normalises_paths() {
    only_here();
    let routes = [
        route("/public/closed", Some(config(&json!({"mode": "denied"})))),
        route("/", None),
    ];
    let stage = Stage::new().strict_paths();
    let envoy = stage.start(&routes);
    for path in SPELLINGS {
        envoy.send(&Request::get(path)).expect(403);
        envoy.send2(&Request::get(path)).expect(403);
    }
    // Otherwise Envoy compares the path as the client wrote it, as the documentation says.
    // The listener's document reads it correctly, and refuses what is ambiguous.
    let stage = Stage::new();
    let envoy = stage.start(&routes);
    envoy.send(&Request::get("/public/clo%73ed")).expect(200);
    envoy.send(&Request::get("/public//closed")).expect(400);
    envoy.send(&Request::get("/%70rivate/a")).expect(401);
}
