//! What a `*` matches.

use super::{matches, pattern};

#[test]
fn a_star_in_the_host_is_one_or_more_whole_labels() {
    for origin in [
        "https://a.example.com",
        "https://a.b.c.example.com",
        "https://a-1.example.com",
        "https://0.example.com",
        "https://xn--bcher-kva.example.com",
        "https://example.com.example.com",
    ] {
        assert!(matches("https://*.example.com", origin), "{origin}");
        assert!(matches("https://*", origin), "{origin}");
    }
    for origin in [
        "https://example.com",
        "https://.example.com",
        "https://a..example.com",
        "https://..example.com",
        "https://.a.example.com",
        "https://evilexample.com",
        "https://a.example.com.",
        "https://a.example.com.evil.net",
        "https://a.example.comx",
        "https://a.example.co",
        "https://a.exampleXcom",
        "https://a.example.com:8443",
        "https://a.example.com:443",
        "https://a.example.com/",
        "https://evil.net/.example.com",
        "https://evil.net?.example.com",
        "https://evil.net#.example.com",
        "https://evil.net\\.example.com",
        "https://evil.net:80.example.com",
        "https://me@a.example.com",
        "https://a_b.example.com",
        "https://a%2f.example.com",
        "https://a`.example.com",
        "https://a{.example.com",
        "https://a b.example.com",
        "https://a,b.example.com",
        "https://a\u{0}.example.com",
        "https://\u{430}.example.com",
        "https://A.example.com",
        "https://*.example.com",
        "http://a.example.com",
        "https:a.example.com",
        "null",
        "*",
        "",
        "https://",
    ] {
        assert!(!matches("https://*.example.com", origin), "{origin}");
    }
    assert!(!pattern("https://*.example.com").matches(b"https://\xff.example.com"));
}

#[test]
fn a_star_for_the_whole_host_is_any_host_of_labels() {
    for origin in ["https://a", "https://10.0.0.1", "https://a.b.example"] {
        assert!(matches("https://*", origin), "{origin}");
    }
    for origin in [
        "https://",
        "https://.",
        "https://a.",
        "https://[::1]",
        "https://a:1",
        "http://a",
        "null",
    ] {
        assert!(!matches("https://*", origin), "{origin}");
    }
    assert!(matches("https://*:8443", "https://a:8443"));
    assert!(!matches("https://*:8443", "https://a"));
    assert!(matches("chrome-extension://*", "chrome-extension://abc"));
}

#[test]
fn a_star_inside_the_leftmost_label_stays_inside_it() {
    const PREVIEW: &str = "https://deploy-preview-*--site.netlify.app";
    for origin in [
        "https://deploy-preview-1--site.netlify.app",
        "https://deploy-preview-42--site.netlify.app",
        "https://deploy-preview-a-b--site.netlify.app",
        "https://deploy-preview----site.netlify.app",
        "https://deploy-preview-1--site--site.netlify.app",
    ] {
        assert!(matches(PREVIEW, origin), "{origin}");
    }
    for origin in [
        "https://deploy-preview-evil.com--site.netlify.app",
        "https://deploy-preview---site.netlify.app",
        "https://deploy-preview-.--site.netlify.app",
        "https://deploy-preview-a.b--site.netlify.app",
        "https://deploy-preview-1--site.netlify.app.evil.test",
        "https://deploy-preview-1--site.netlify.appx",
        "https://deploy-preview-1--site.netlify.app.",
        "https://xdeploy-preview-1--site.netlify.app",
        "https://evil.deploy-preview-1--site.netlify.app",
        "https://deploy-preview-1--site.evil.app",
        "https://deploy-preview-1--sites.netlify.app",
        "https://deploy-preview-1--site-netlify.app",
        "https://deploy-preview--site.netlify.app",
        "https://site.netlify.app",
        "https://deploy-preview-A--site.netlify.app",
        "https://Deploy-preview-1--site.netlify.app",
        "https://deploy-preview-1_2--site.netlify.app",
        "https://deploy-preview-%31--site.netlify.app",
        "https://deploy-preview-1/--site.netlify.app",
        "https://evil.test/deploy-preview-1--site.netlify.app",
        "https://evil.test?deploy-preview-1--site.netlify.app",
        "https://evil.test#deploy-preview-1--site.netlify.app",
        "https://deploy-preview-1@evil--site.netlify.app",
        "https://deploy-preview-1:80--site.netlify.app",
        "https://deploy-preview-1--site.netlify.app:8443",
        "https://deploy-preview-1--site.netlify.app:443",
        "https://deploy-preview-1--site.netlify.app/",
        "https://deploy-preview-1--site.netlify.app@evil.test",
        "http://deploy-preview-1--site.netlify.app",
        "https://deploy-preview-*--site.netlify.app",
        "https://deploy-preview-\u{430}--site.netlify.app",
        "https://deploy-preview-1\u{0}--site.netlify.app",
        "https://deploy-preview-1,--site.netlify.app",
        "null",
        "",
    ] {
        assert!(!matches(PREVIEW, origin), "{origin}");
    }
    assert!(!pattern(PREVIEW).matches(b"https://deploy-preview-\xff--site.netlify.app"));
}

#[test]
fn a_star_inside_the_leftmost_label_is_at_its_start_its_end_or_between() {
    for (written, origin, other) in [
        (
            "https://*--site.netlify.app",
            "https://main--site.netlify.app",
            "https://--site.netlify.app",
        ),
        (
            "https://preview-*.example.com",
            "https://preview-7.example.com",
            "https://preview-.example.com",
        ),
        (
            "https://*-x.example.co.uk",
            "https://a-x.example.co.uk",
            "https://b.a-x.example.co.uk",
        ),
        ("http://dev-*", "http://dev-1", "http://dev-1.evil.test"),
        (
            "http://app-*.localhost",
            "http://app-1.localhost",
            "http://app-1.localhost:3000",
        ),
        (
            "https://*app.test",
            "https://myapp.test",
            "https://app.test",
        ),
        (
            "https://a_*.my_service.internal",
            "https://a_1.my_service.internal",
            "https://a__.my_service.internal",
        ),
    ] {
        assert!(matches(written, origin), "{written} {origin}");
        assert!(!matches(written, other), "{written} {other}");
        assert_eq!(pattern(written).exact(), None);
        assert!(!pattern(written).is_any_host(), "{written}");
    }
}

#[test]
fn an_underscore_that_is_written_is_one() {
    let written = "https://*.my_service.internal";
    assert!(matches(written, "https://a.my_service.internal"));
    assert!(!matches(written, "https://a_b.my_service.internal"));
    assert!(!matches(written, "https://my_service.internal"));
}

#[test]
fn a_star_for_the_port_is_any_port_or_none() {
    for written in ["http://localhost:*", "http://*:*"] {
        for origin in [
            "http://localhost",
            "http://localhost:1",
            "http://localhost:65535",
            "http://localhost:80",
        ] {
            assert!(matches(written, origin), "{written} {origin}");
        }
        for origin in [
            "http://localhost:",
            "http://localhost:0",
            "http://localhost:080",
            "http://localhost:65536",
            "http://localhost:100000",
            "http://localhost:8080/",
            "http://localhost:80a",
            "http://localhost:+80",
            "http://localhost:-1",
            "http://localhost:80:80",
            "http://localhost:80@evil.net",
            "http://localhost.:80",
            "https://localhost:80",
        ] {
            assert!(!matches(written, origin), "{written} {origin}");
        }
    }
    assert!(!matches("http://localhost:*", "http://localhost.evil.net"));
    assert!(!matches("http://localhost:*", "http://localhostevil"));
    assert!(matches("http://[::1]:*", "http://[::1]:8080"));
    assert!(matches("http://127.0.0.1:*", "http://127.0.0.1:8080"));
}

#[test]
fn both_wildcards_work_together() {
    let previews = "https://deploy-*.example.com:*";
    for (origin, matching) in [
        ("https://deploy-1.example.com", true),
        ("https://deploy-1.example.com:8443", true),
        ("https://deploy-1.example.com:0", false),
        ("https://deploy-.example.com:8443", false),
        ("https://deploy-1:1.example.com:8443", false),
        ("https://deploy-1.example.com:8443.evil.test", false),
        ("https://deploy-1.evil.com:8443", false),
    ] {
        assert_eq!(matches(previews, origin), matching, "{origin}");
    }
    assert!(matches(
        "https://deploy-*.example.com:8443",
        "https://deploy-1.example.com:8443"
    ));
    assert!(!matches(
        "https://deploy-*.example.com:8443",
        "https://deploy-1.example.com"
    ));
    assert!(matches(
        "https://*.example.com:*",
        "https://a.example.com:8443"
    ));
    assert!(matches(
        "https://*.example.com:*",
        "https://a.b.example.com"
    ));
    assert!(!matches(
        "https://*.example.com:*",
        "https://example.com:8443"
    ));
    assert!(!matches(
        "https://*.example.com:*",
        "https://a.example.com:8443.evil.net"
    ));
}

#[test]
fn null_matches_only_if_it_or_everything_is_listed() {
    assert!(matches("null", "null"));
    assert!(matches("*", "null"));
    for written in ["https://*", "https://null", "http://localhost:*"] {
        assert!(!matches(written, "null"), "{written}");
    }
}

#[test]
fn a_star_alone_matches_everything_in_the_form_of_one_origin() {
    for origin in [
        "https://a.example",
        "http://[::1]:80",
        "chrome-extension://abc",
        "app://a_b",
    ] {
        assert!(matches("*", origin), "{origin}");
    }
    for origin in [
        "",
        "*",
        "https://",
        "file://",
        "a.example",
        "https://a,https://b",
        "https://a b",
        "https://a/",
    ] {
        assert!(!matches("*", origin), "{origin}");
    }
}

#[test]
fn every_host_of_a_scheme_differs_from_the_hosts_of_a_domain() {
    for written in ["https://*", "http://*:*", "https://*:8443"] {
        assert!(pattern(written).is_any_host(), "{written}");
    }
    for written in ["*", "null", "https://*.com", "https://a.example:*"] {
        assert!(!pattern(written).is_any_host(), "{written}");
    }
}

/// Judges by splitting the origin into parts. The pattern under test scans the
/// bytes instead.
fn oracle((start, suffix): (&str, &str), any_port: bool, origin: &str) -> bool {
    let Some(rest) = origin.strip_prefix("https://") else {
        return false;
    };
    let (host, port) = match rest.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (rest, None),
    };
    let good_port = match port {
        None => true,
        Some(port) => {
            any_port
                && port
                    .parse::<u16>()
                    .is_ok_and(|n| n > 0 && n.to_string() == port)
        }
    };
    // The text for the `*` is in the leftmost label if other text is beside it.
    let one_label = !start.is_empty() || suffix.starts_with(|c| c != '.');
    let labels = host
        .strip_prefix(start)
        .and_then(|rest| rest.strip_suffix(suffix));
    let Some(labels) = labels else {
        return false;
    };
    good_port
        && !(one_label && labels.contains('.'))
        && labels.split('.').all(|label| {
            !label.is_empty()
                && label
                    .chars()
                    .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
        })
}

#[test]
fn patterns_agree_with_an_oracle_on_many_origins() {
    const PIECES: [&str; 16] = [
        "a", "b-1", ".", "..", "ex.io", ".ex.io", "exxio", ":", ":1", "0", "65536", "/", "@", "A",
        "_", "ab-1",
    ];
    let patterns = [
        ("https://*.ex.io", ("", ".ex.io"), false),
        ("https://*.ex.io:*", ("", ".ex.io"), true),
        ("https://*", ("", ""), false),
        ("https://*:*", ("", ""), true),
        ("https://a*.ex.io", ("a", ".ex.io"), false),
        ("https://*a.ex.io", ("", "a.ex.io"), false),
        ("https://a*b-1.ex.io:*", ("a", "b-1.ex.io"), true),
    ];
    let compiled = patterns.map(|(written, around, any)| (pattern(written), around, any));
    let mut seen = [0_usize; 2];
    for number in 0..16_usize.pow(4) {
        let origin: String = std::iter::once("https://")
            .chain((0..4).map(|place| PIECES[(number >> (4 * place)) & 15]))
            .collect();
        for (pattern, around, any_port) in &compiled {
            let expected = oracle(*around, *any_port, &origin);
            seen[usize::from(expected)] += 1;
            assert_eq!(
                pattern.matches(origin.as_bytes()),
                expected,
                "{pattern:?} {origin}"
            );
        }
    }
    assert!(seen[0] > 1000 && seen[1] > 1000, "{seen:?}");
}
