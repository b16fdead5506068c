//! Bugs in the module, as panics in its hooks. A panic ends one request or one tick.

use serde_json::json;

use super::fault::{CLOCK, Fault, Phase};
use super::issuer::{Issuer, configuration, inline};
use super::proxy::{
    Config, answer, answered, configure, forwarded, metric, no_answer, request, sent, wait,
};
use super::world::{START, in_worker, with_world};

/// Makes the clock panic in hooks of this phase.
fn panic_in(phase: Option<Phase>) {
    with_world(|world| {
        world.fault = phase.map(|phase| Fault {
            call: CLOCK,
            way: 2,
            phase,
            after: 0,
        });
    });
}

fn get(config: Config, token: &str) -> usize {
    let token = format!("Bearer {token}");
    let head = [
        (":method", "GET"),
        (":path", "/private"),
        (":authority", "api.example"),
        ("authorization", &*token),
    ];
    request(config, &head)
}

#[test]
fn a_request_in_whose_hook_the_module_panics_is_answered_503_and_the_next_passes() {
    in_worker(|| {
        let issuer = Issuer::new("k1");
        let config = configure(&inline(&issuer)).unwrap();
        let token = issuer.token(START);
        for number in 1..=3 {
            panic_in(Some(Phase::RequestHeaders));
            let id = get(config, &token);
            let reply = answered(id);
            assert_eq!(reply.status, 503);
            assert_eq!(reply.details, "edge_authz_internal_error");
            assert_eq!(metric("edge_authz_panics"), number);
            panic_in(None);
            assert!(forwarded(get(config, &token)).is_some());
        }
    });
}

#[test]
fn a_configuration_during_which_the_module_panics_is_refused() {
    in_worker(|| {
        let issuer = Issuer::new("k1");
        panic_in(Some(Phase::ConfigNew));
        assert!(configure(&inline(&issuer)).is_none());
        panic_in(None);
        assert!(configure(&inline(&issuer)).is_some());
    });
}

#[test]
fn a_panic_on_the_main_thread_leaves_the_keys_and_the_next_tick_fetches() {
    in_worker(|| {
        let issuer = Issuer::new("k1");
        let uri = "https://issuer.example/panics/main";
        let source = json!({"cluster": "idp", "uri": uri, "timeout": "2s"});
        let config = configure(&configuration(&source).to_string()).unwrap();
        // A panic in ticks.
        panic_in(Some(Phase::ConfigScheduled));
        let waits = get(config, &issuer.token(START));
        wait(config, 2);
        assert!(sent().is_empty());
        assert!(metric("edge_authz_panics") > 0);
        panic_in(None);
        wait(config, 2);
        let first = sent();
        // A panic while the keys arrive, so that the fetch fails.
        panic_in(Some(Phase::ConfigCalloutDone));
        answer(config, &first[0], 200, &issuer.jwks().to_string());
        panic_in(None);
        assert!(forwarded(waits).is_none());
        for _ in 0..60 {
            wait(config, 1);
            if let Some(sent) = sent().first() {
                answer(config, sent, 200, &issuer.jwks().to_string());
                break;
            }
        }
        let token = |config| {
            let now = with_world(|world| world.nanos / 1_000_000_000);
            get(config, &issuer.token(now))
        };
        assert!(forwarded(token(config)).is_some());
        // While there are keys, these panics have no effect on requests.
        for phase in [Phase::ConfigScheduled, Phase::ConfigCalloutDone] {
            panic_in(Some(phase));
            wait(config, 20);
            for sent in sent() {
                no_answer(config, &sent, 1);
            }
            assert!(forwarded(token(config)).is_some());
        }
    });
}

#[test]
fn a_panic_in_a_tick_of_one_waiting_request_leaves_the_others() {
    in_worker(|| {
        let issuer = Issuer::new("k1");
        let uri = "https://issuer.example/panics/waiting";
        let source = json!({"cluster": "idp", "uri": uri, "timeout": "60s"});
        let config = configure(&configuration(&source).to_string()).unwrap();
        let waiting: Vec<_> = (0..5).map(|_| get(config, &issuer.token(START))).collect();
        wait(config, 2);
        panic_in(Some(Phase::Scheduled));
        wait(config, 1);
        panic_in(None);
        let refused = |id: &&usize| with_world(|world| world.streams[*id].reply.is_some());
        let refused: Vec<_> = waiting.iter().filter(refused).copied().collect();
        assert_eq!(refused.len(), 1);
        assert_eq!(answered(refused[0]).status, 503);
        answer(config, &sent()[0], 200, &issuer.jwks().to_string());
        wait(config, 4);
        let passed = waiting.iter().filter(|id| forwarded(**id).is_some());
        assert_eq!(passed.count(), 4);
    });
}
