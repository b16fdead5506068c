//! The core, with a fixed clock.

use edge_authz_cli::cases::{Player, Request, Side};

use crate::load;
use crate::report::Report;

#[test]
fn the_core_does_what_the_cases_say() {
    let mut report = Report::default();
    for loaded in load::all() {
        for world in &loaded.file.worlds {
            let player =
                Player::new(world).unwrap_or_else(|error| panic!("{}: {error}", loaded.name));
            for case in world.cases.iter().filter(|case| case.is_for(Side::Native)) {
                let ask = |request: &Request| player.nonce(request, world.now());
                let (request, [expected, _]) = world
                    .prepare(case, world.now(), ask)
                    .unwrap_or_else(|error| panic!("{}: {error}", loaded.name));
                let [first, second] = player.play(&request, world.now());
                let found = expected.differences(&first);
                report.add(&loaded.name, "core", case, &found);
                // The second time, the token may be cached.
                let found = expected.differences(&second);
                report.add(&loaded.name, "core, once more", case, &found);
            }
        }
    }
    report.finish(4000);
}
