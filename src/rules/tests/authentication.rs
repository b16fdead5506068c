//! The level and the age of the authentication (RFC 9470).

use super::*;

#[test]
fn the_authentication_is_of_a_level_and_recent_enough() {
    let rules = |acr: Option<&str>, max_age: Option<u64>| RouteRules {
        authentication: Some(Box::new(Authentication {
            acr_values: acr.map(Into::into),
            max_age: max_age.map(Duration::from_secs),
        })),
        ..RouteRules::default()
    };
    let grant = |rules: &RouteRules, acr, seconds: Option<i64>| {
        let world = World {
            acr,
            authenticated_at: seconds.map(UnixTime::from_secs),
            ..World::default()
        };
        granted(rules, &world, &ScopeImplications::default()).map(drop)
    };
    let (level, age) = (
        Err(Missing::AuthenticationLevel),
        Err(Missing::AuthenticationAge),
    );
    let levels = rules(Some("phr phrh"), None);
    for (acr, expected) in [
        (Some("phr"), Ok(())),
        (Some("phrh"), Ok(())),
        (Some("phr phrh"), level),
        (Some("ph"), level),
        (Some("PHR"), level),
        (Some(""), level),
        (None, level),
    ] {
        assert_eq!(grant(&levels, acr, None), expected, "{acr:?}");
    }
    // Now is 1000 s, and the clocks may differ by 10 s.
    let recent = rules(None, Some(100));
    for (at, expected) in [
        (Some(1_000), Ok(())),
        (Some(890), Ok(())),
        (Some(889), age),
        (Some(1_010), Ok(())),
        (Some(1_011), age),
        (Some(i64::MAX), age),
        (Some(i64::MIN), age),
        (None, age),
    ] {
        assert_eq!(grant(&recent, None, at), expected, "{at:?}");
    }
    let both = rules(Some("phr"), Some(0));
    assert_eq!(grant(&both, Some("phr"), Some(990)), Ok(()));
    assert_eq!(grant(&both, None, None), level);
    assert_eq!(grant(&both, Some("phr"), Some(989)), age);
}

#[test]
fn a_missing_authentication_is_reported_before_missing_scopes() {
    let mut rules = route(&["read"], &[], &[]);
    rules.authentication = Some(Box::new(Authentication {
        acr_values: Some("phr".into()),
        max_age: None,
    }));
    assert_eq!(grant(&rules, &[], false), Err(Missing::AuthenticationLevel));
}
