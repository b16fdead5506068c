//! Configurations that are accepted, refused or replaced.

use std::time::Duration;

use super::issuer::{Issuer, fetched, inline};
use super::proxy::{
    answer, body, configure, configure_again, forwarded, leave, leave_root, next_sent, outcome,
    pass, request, status_of,
};
use super::world::{Call, Failure, Fault, Outcome, Phase, START, in_worker, with_world};

const ROOT: u32 = 1;
const NEXT: u32 = 2;

fn get(root: u32, path: &str, token: &str) -> u32 {
    let token = format!("Bearer {token}");
    let mut headers = vec![
        (":method", "GET"),
        (":path", path),
        (":authority", "api.example"),
    ];
    if token != "Bearer " {
        headers.push(("authorization", &token));
    }
    request(root, &headers)
}

#[test]
fn a_bad_configuration_is_refused_with_every_error_in_a_line_of_its_own() {
    in_worker(|| {
        let bad = r#"{"routes": [{"match": "GET /a", "acces": "public"}], "cors": 3}"#;
        assert!(!configure(ROOT, bad));
        let log = with_world(|world| world.log.clone());
        assert!(log.len() >= 2, "{log:?}");
        assert!(
            log.iter()
                .all(|(level, line)| *level == 4 && !line.contains('\n')),
            "{log:?}"
        );
        assert!(
            log.iter().any(|(_, line)| line.contains("routes[0]")),
            "{log:?}"
        );
    });
}

#[test]
fn a_text_that_is_not_a_configuration_is_refused() {
    for bytes in ["", " ", "null", "{", "\u{feff}{}"] {
        in_worker(|| {
            assert!(!configure(ROOT, bytes), "{bytes:?}");
            // The proxy would send no request. If it does, nothing passes.
            assert_eq!(status_of(get(ROOT, "/public", "")), Some(503));
        });
    }
}

#[test]
fn only_its_bytes_decide_whether_a_configuration_is_accepted() {
    let issuer = Issuer::new("k1");
    let (good, bad) = (fetched(), "{}x".to_owned());
    let calls = [
        Call::Time,
        Call::TickPeriod,
        Call::GetShared,
        Call::SetShared,
        Call::Log,
    ];
    for call in calls
        .into_iter()
        .chain([Call::LogLevel, Call::DefineMetric, Call::Fetch])
    {
        in_worker(|| {
            let failure = Failure::Status(10);
            let fault = Fault {
                call,
                failure,
                phase: Phase::Configure,
                after: 0,
            };
            with_world(|world| world.fault = Some(fault));
            assert!(configure(ROOT, &good), "{call:?}");
            assert!(!configure(NEXT, &bad), "{call:?}");
            let id = get(ROOT, "/private", &issuer.token(START));
            assert!(forwarded(id).is_none());
        });
    }
}

#[test]
fn a_host_that_fails_after_the_configuration_was_good_gets_a_filter_that_refuses_everything() {
    for call in [Call::Time, Call::TickPeriod, Call::Buffer] {
        in_worker(|| {
            let failure = Failure::Status(10);
            let fault = Fault {
                call,
                failure,
                phase: Phase::Configure,
                after: 0,
            };
            with_world(|world| world.fault = Some(fault));
            assert!(configure(ROOT, &fetched()), "{call:?}");
            for path in ["/public", "/private", "/nowhere"] {
                let id = get(ROOT, path, "");
                assert_eq!(status_of(id), Some(503), "{call:?} {path}");
                assert!(!body(id));
            }
            let log = with_world(|world| world.log.clone());
            assert!(log.iter().any(|(level, _)| *level == 4), "{log:?}");
            pass(ROOT, Duration::from_secs(1));
        });
    }
}

#[test]
fn a_new_configuration_judges_new_requests_and_the_old_one_those_that_wait_in_it() {
    in_worker(|| {
        let (old, new) = (Issuer::new("old"), Issuer::new("new"));
        assert!(configure(ROOT, &fetched()));
        let waits = get(ROOT, "/private", &old.token(START));
        assert!(configure(NEXT, &inline(&new)));
        assert!(forwarded(get(NEXT, "/private", &new.token(START))).is_some());
        assert_eq!(
            status_of(get(NEXT, "/private", &old.token(START))),
            Some(401)
        );
        assert!(matches!(outcome(waits), Outcome::Waits));
        answer(&next_sent(ROOT), 200, &[], &old.jwks().to_string());
        assert!(forwarded(waits).is_some());
        leave(waits);
        leave_root(ROOT);
        assert!(forwarded(get(NEXT, "/private", &new.token(START))).is_some());
    });
}

#[test]
fn two_configurations_of_one_worker_share_no_keys_and_no_tokens() {
    in_worker(|| {
        let (one, other) = (Issuer::new("k"), Issuer::new("k"));
        assert!(configure(ROOT, &inline(&one)));
        assert!(configure(NEXT, &inline(&other)));
        let token = one.token(START);
        assert!(forwarded(get(ROOT, "/private", &token)).is_some());
        assert_eq!(status_of(get(NEXT, "/private", &token)), Some(401));
    });
}

#[test]
fn the_same_configuration_again_keeps_keys_and_waiting_requests() {
    in_worker(|| {
        let issuer = Issuer::new("k");
        assert!(configure(ROOT, &fetched()));
        let waits = get(ROOT, "/private", &issuer.token(START));
        assert!(configure_again(ROOT, &fetched()));
        answer(&next_sent(ROOT), 200, &[], &issuer.jwks().to_string());
        assert!(forwarded(waits).is_some());
        assert!(configure_again(ROOT, &fetched()));
        assert!(forwarded(get(ROOT, "/private", &issuer.token(START))).is_some());
    });
}

#[test]
fn a_newer_configuration_answers_waiting_requests_of_the_former() {
    in_worker(|| {
        let issuer = Issuer::new("k");
        assert!(configure(ROOT, &fetched()));
        let waits = get(ROOT, "/private", &issuer.token(START));
        assert!(configure_again(ROOT, &inline(&issuer)));
        assert_eq!(status_of(waits), Some(503));
        assert!(forwarded(get(ROOT, "/private", &issuer.token(START))).is_some());
    });
}

#[test]
fn a_refused_configuration_changes_nothing() {
    in_worker(|| {
        let issuer = Issuer::new("k");
        assert!(configure(ROOT, &inline(&issuer)));
        assert!(!configure_again(ROOT, "{"));
        assert!(forwarded(get(ROOT, "/private", &issuer.token(START))).is_some());
    });
}
