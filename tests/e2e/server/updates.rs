//! New configurations while requests are sent.

use std::fs;
use std::thread;
use std::time::Duration;

use serde_json::json;

use super::load::under_load;
use super::{World, configuration, for_both, me};
use crate::support::http::Request;
use crate::support::process::wait_until;

/// How long an update may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

#[test]
#[ignore = "of the server"]
fn a_replaced_file_and_sighup_take_effect_and_lose_no_request() {
    for_both(|by| {
        let world = World::start(by).ready();
        let server = &world.servers[0];
        let status = || world.envoy.send(&Request::get("/later")).status;
        let until = |expected: u16| {
            let is_it = || (status() == expected).then_some(());
            wait_until(PATIENCE, is_it).unwrap_or_else(|| panic!("{}", world.logs()));
        };
        let mut next = configuration(world.issuer.address());
        let statuses = under_load(
            world.envoy.address(),
            |_| me(&world.key),
            || {
                until(403);
                // A new file in the place of the old one.
                next["routes"][2]["access"] = json!("public");
                server.configure(&next.to_string());
                until(200);
                // The same file with another text, and a signal.
                next["routes"][2]["access"] = json!("required");
                fs::write(server.file("edge-authz.yaml"), next.to_string()).expect("a file");
                server.signal("HUP");
                until(401);
                // Bad ones are refused, and the last good one stays.
                for bad in ["", "{", "routes: [{match: get /x}]", "\0", "a: &a [*a]"] {
                    server.configure(bad);
                    server.signal("HUP");
                    thread::sleep(Duration::from_millis(1200));
                    assert_eq!(status(), 401, "{bad}");
                }
                fs::remove_file(server.file("edge-authz.yaml")).expect("a file");
                server.signal("HUP");
                thread::sleep(Duration::from_millis(1200));
                assert_eq!(status(), 401);
                next["routes"][2]["access"] = json!("public");
                server.configure(&next.to_string());
                until(200);
            },
        );
        assert_eq!(statuses.len(), 1, "{statuses:?}\n{}", world.logs());
        assert!(statuses[&200] > 500, "{statuses:?}");
        assert_eq!(server.metric("edge_authz_panics"), 0);
    });
}
