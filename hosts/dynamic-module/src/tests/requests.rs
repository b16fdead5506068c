//! Requests that are decided, and what the module reports about them.

use super::fault::{Fault, Phase};
use super::issuer::{Issuer, fetched, inline};
use super::proxy::{
    answered, body, configure, forwarded, metric, request, sent, trailers, trailers_of, wait,
};
use super::world::{START, fields, in_worker, values, with_world};

const HEAD: [(&str, &str); 3] = [
    (":method", "GET"),
    (":path", "/private?q=1"),
    (":authority", "api.example"),
];

#[test]
fn a_good_token_passes_with_its_identity_and_without_itself() {
    in_worker(|| {
        let issuer = Issuer::new("k1");
        let config = configure(&inline(&issuer)).unwrap();
        let token = format!("Bearer {}", issuer.token(START));
        let mut head = HEAD.to_vec();
        head.extend([
            ("authorization", &*token),
            ("x-user-id", "mallory"),
            ("x_user_id", "mallory"),
            ("x-other", "kept"),
        ]);
        let id = request(config, &head);
        let upstream = forwarded(id).unwrap();
        assert_eq!(values(&upstream, "x-user-id"), ["alice"]);
        assert_eq!(values(&upstream, "x_user_id"), [""; 0]);
        assert_eq!(values(&upstream, "authorization"), [""; 0]);
        assert_eq!(values(&upstream, "x-other"), ["kept"]);
        assert!(body(id));
        assert!(trailers(id, &[("X-User-Id", "mallory"), ("x-end", "1")]));
        assert_eq!(trailers_of(id), fields(&[("x-end", "1")]));
        with_world(|world| {
            let stream = &world.streams[&id];
            for (name, value) in [
                ("subject", "alice"),
                ("issuer", "https://issuer.example"),
                ("provider", "idp"),
                ("route", "ANY /private"),
                ("reason", "allowed"),
            ] {
                let name = format!("edge_authz.{name}");
                for told in [&stream.filter_state, &stream.metadata] {
                    assert_eq!(told.get(&name).map(String::as_str), Some(value), "{name}");
                }
            }
        });
        assert_eq!(metric("edge_authz_requests.allowed.idp"), 1);
    });
}

#[test]
fn a_refusal_has_its_challenge_and_its_cors_headers() {
    in_worker(|| {
        let config = configure(&inline(&Issuer::new("k1"))).unwrap();
        let mut head = HEAD.to_vec();
        head.push(("origin", "https://app.example"));
        let reply = answered(request(config, &head));
        assert_eq!(reply.status, 401);
        assert_eq!(reply.details, "edge_authz_no_token");
        assert_eq!(reply.body, r#"{"message":"Unauthorized"}"#);
        assert_eq!(values(&reply.headers, "www-authenticate").len(), 1);
        let origin = values(&reply.headers, "access-control-allow-origin");
        assert_eq!(origin, ["https://app.example"]);
        assert_eq!(metric("edge_authz_requests.no_token.none"), 1);
    });
}

#[test]
fn a_refused_configuration_has_its_reasons_in_the_log() {
    in_worker(|| {
        assert!(configure(r#"{"routes": [{"match": "$default", "acess": "public"}]}"#).is_none());
        let log = with_world(|world| world.log.clone());
        let line = log.iter().find(|(_, line)| line.contains("acess"));
        assert!(line.is_some_and(|(level, _)| *level == 4), "{log:?}");
    });
}

#[test]
fn keys_are_requested_from_the_configured_place_and_not_in_a_validation() {
    in_worker(|| {
        let config = configure(&fetched()).unwrap();
        assert!(sent().is_empty());
        wait(config, 4);
        let [call] = &sent()[..] else {
            panic!("{:?}", sent());
        };
        assert_eq!(call.cluster, "idp");
        for (name, value) in [
            (":method", "GET"),
            (":path", "/jwks.json"),
            (":authority", "issuer.example"),
        ] {
            assert_eq!(values(&call.headers, name), [value]);
        }
    });
}

#[test]
fn a_configuration_keeps_the_counters_of_those_before_it() {
    const SERIES: &str = "edge_authz_requests.no_token.none";
    in_worker(|| {
        let text = inline(&Issuer::new("k1"));
        let config = configure(&text).unwrap();
        answered(request(config, &HEAD));
        assert_eq!(metric(SERIES), 1);
        for can_at_once in [true, false] {
            // Envoy removes counters that no existing configuration has changed.
            with_world(|world| {
                world.values.clear();
                world.fault = (!can_at_once).then_some(Fault {
                    call: "http_filter_config_increment_counter",
                    way: 1,
                    phase: Phase::ConfigNew,
                    after: 0,
                });
            });
            let next = configure(&text).unwrap();
            let is_kept = || with_world(|world| world.values.contains_key(SERIES));
            assert_eq!(is_kept(), can_at_once);
            let public = [
                (":method", "GET"),
                (":path", "/public"),
                (":authority", "a"),
            ];
            request(next, &public);
            assert!(is_kept());
        }
    });
}
