use super::*;

fn pattern(written: &str) -> OriginPattern {
    OriginPattern::parse(written).unwrap_or_else(|error| panic!("{written}: {error}"))
}

fn fault(written: &str) -> OriginFault {
    OriginPattern::parse(written).unwrap_err().fault
}

fn matches(written: &str, origin: &str) -> bool {
    pattern(written).matches(origin.as_bytes())
}

#[test]
fn what_browsers_send_is_accepted_and_matches_itself_alone() {
    for origin in [
        "https://app.example.com",
        "https://app.example.com:8443",
        "http://localhost",
        "http://localhost:3000",
        "http://localhost:443",
        "https://localhost:80",
        "http://127.0.0.1:8080",
        "http://[::1]",
        "http://[2001:db8::1]:8080",
        "http://[::ffff:102:304]",
        "https://xn--bcher-kva.example",
        "https://my_service.internal",
        "https://-odd-.example",
        "chrome-extension://gighmmpiobklfepjocnamgkkbiglidom",
        "moz-extension://0f6a1f5c-2d3b-4d0b-9a51-6f8a0a5f2b8e",
        "capacitor://localhost",
        "tauri://localhost",
        "app+x.y-z://host",
        "null",
    ] {
        assert!(matches(origin, origin), "{origin}");
        assert_eq!(pattern(origin).exact(), Some(origin));
        for other in [
            format!("{origin}x"),
            format!("x{origin}"),
            format!("{origin}/"),
            format!("{origin}."),
            format!(" {origin}"),
            origin.to_ascii_uppercase(),
            String::new(),
        ] {
            assert!(!matches(origin, &other), "{origin} against {other}");
        }
    }
}

#[rustfmt::skip]
const MISSPELT: &[(&str, OriginFault, &str)] = &[
    ("HTTPS://app.example.com", OriginFault::UpperCase, "https://app.example.com"),
    ("https://App.Example.com", OriginFault::UpperCase, "https://app.example.com"),
    ("Null", OriginFault::UpperCase, "null"),
    ("https://app.example.com/", OriginFault::TrailingSlash, "https://app.example.com"),
    ("https://app.example.com/login", OriginFault::Path, "https://app.example.com"),
    ("https://app.example.com?x=1", OriginFault::Path, "https://app.example.com"),
    ("https://app.example.com#x", OriginFault::Path, "https://app.example.com"),
    ("https://app.example.com\\x", OriginFault::Path, "https://app.example.com"),
    ("https://app.example.com:443", OriginFault::DefaultPort, "https://app.example.com"),
    ("http://app.example.com:80", OriginFault::DefaultPort, "http://app.example.com"),
    ("https://*.example.com:443", OriginFault::DefaultPort, "https://*.example.com"),
    ("https://app.example.com:0443", OriginFault::LeadingZeroPort, "https://app.example.com"),
    ("http://localhost:03000", OriginFault::LeadingZeroPort, "http://localhost:3000"),
    ("https://me@app.example.com", OriginFault::UserInfo, "https://app.example.com"),
    ("https://me:pass@app.example.com:1", OriginFault::UserInfo, "https://app.example.com:1"),
    ("app.example.com", OriginFault::MissingScheme, "https://app.example.com"),
    ("//app.example.com", OriginFault::MissingScheme, "https://app.example.com"),
    ("https:app.example.com", OriginFault::MissingScheme, "https://app.example.com"),
    ("https:/app.example.com", OriginFault::MissingScheme, "https://app.example.com"),
    ("localhost:3000", OriginFault::MissingScheme, "http://localhost:3000"),
    ("localhost:*", OriginFault::MissingScheme, "http://localhost:*"),
    ("*.example.com", OriginFault::MissingScheme, "https://*.example.com"),
    ("https://app.example.com.", OriginFault::TrailingDot, "https://app.example.com"),
    ("https://*.example.com./", OriginFault::TrailingSlash, "https://*.example.com"),
    ("wss://app.example.com", OriginFault::WebSocketScheme, "https://app.example.com"),
    ("ws://localhost:80", OriginFault::WebSocketScheme, "http://localhost"),
    ("http://[0:0:0:0:0:0:0:1]", OriginFault::BadIpv6, "http://[::1]"),
    ("http://[::FFFF:1.2.3.4]:80", OriginFault::UpperCase, "http://[::ffff:102:304]"),
    ("http://::1", OriginFault::BadIpv6, "http://[::1]"),
    (" https://app.example.com", OriginFault::Several, "https://app.example.com"),
    ("https://app.example.com\n", OriginFault::Control, "https://app.example.com"),
    ("HTTPS://me@App.Example.com.:0443/x?y", OriginFault::UpperCase, "https://app.example.com"),
];

#[test]
fn a_spelling_that_no_browser_sends_is_refused_with_the_right_one() {
    for (written, fault, right) in MISSPELT.iter().copied() {
        let error = OriginPattern::parse(written).unwrap_err();
        assert_eq!(error.fault, fault, "{written}");
        assert_eq!(error.write.as_deref(), Some(right), "{written}");
        assert!(error.to_string().ends_with(&format!("; write `{right}`")));
    }
}

#[rustfmt::skip]
const HOPELESS: &[(&str, OriginFault)] = &[
    ("", OriginFault::Empty),
    ("https://", OriginFault::EmptyHost),
    ("https://:8080", OriginFault::EmptyHost),
    ("https://a.example.com,https://b.example.com", OriginFault::Several),
    ("https://a.example.com https://b.example.com", OriginFault::Several),
    ("https://bücher.example", OriginFault::NotAscii),
    ("https://аpple.example", OriginFault::NotAscii),
    ("https://a\u{0}b", OriginFault::Control),
    ("file://", OriginFault::OpaqueScheme),
    ("data://x", OriginFault::OpaqueScheme),
    ("1http://x", OriginFault::BadScheme),
    ("://x", OriginFault::BadScheme),
    ("ht_tp://x", OriginFault::BadScheme),
    ("*://app.example.com", OriginFault::BadWildcard),
    ("https://.example.com", OriginFault::EmptyLabel),
    ("https://a..example.com", OriginFault::EmptyLabel),
    ("https://a%2fb.example.com", OriginFault::BadHost('%')),
    ("https://a`b.example.com", OriginFault::BadHost('`')),
    ("https://a{b.example.com", OriginFault::BadHost('{')),
    ("https://[::1", OriginFault::BadIpv6),
    ("https://[::1]x", OriginFault::BadIpv6),
    ("https://[fe80::1%25eth0]", OriginFault::BadIpv6),
    ("https://127.1", OriginFault::BadIpv4),
    ("https://127.0.0.01", OriginFault::BadIpv4),
    ("https://256.0.0.1", OriginFault::BadIpv4),
    ("https://example.0x7f", OriginFault::BadIpv4),
    ("https://app.example.com:", OriginFault::BadPort),
    ("https://app.example.com:65536", OriginFault::BadPort),
    ("https://app.example.com:8a", OriginFault::BadPort),
    ("https://app.example.com:+80", OriginFault::BadPort),
    ("https://app.example.com:80*", OriginFault::BadPort),
    ("https://app.example.com:**", OriginFault::BadPort),
    ("**", OriginFault::MissingScheme),
    ("https://**", OriginFault::BadWildcard),
    ("https://*example.com", OriginFault::BadWildcard),
    ("https://app-*.example.com", OriginFault::BadWildcard),
    ("https://app.*.com", OriginFault::BadWildcard),
    ("https://*.*.example.com", OriginFault::BadWildcard),
    ("https://app.example.*", OriginFault::BadWildcard),
    ("https://*..example.com", OriginFault::EmptyLabel),
    ("https://*.0.0.1", OriginFault::WildcardInAddress),
    ("https://*.example.7", OriginFault::WildcardInAddress),
    ("https://[*]", OriginFault::BadIpv6),
];

#[test]
fn what_cannot_be_mended_is_refused_without_a_guess() {
    for (written, fault) in HOPELESS.iter().copied() {
        let error = OriginPattern::parse(written).unwrap_err();
        assert_eq!(error.fault, fault, "{written}");
        assert!(!error.to_string().is_empty());
    }
    for written in [
        "",
        "https://",
        "file:///x",
        "https://bücher.example",
        "https://a.b,https://c.d",
    ] {
        assert_eq!(
            OriginPattern::parse(written).unwrap_err().write,
            None,
            "{written}"
        );
    }
    assert_eq!(fault("https://app.example.com:0"), OriginFault::BadPort);
}

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
fn both_stars_stand_together() {
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
fn null_matches_only_where_it_is_written_or_everything_is() {
    assert!(matches("null", "null"));
    assert!(matches("*", "null"));
    for written in ["https://*", "https://null", "http://localhost:*"] {
        assert!(!matches(written, "null"), "{written}");
    }
}

#[test]
fn a_star_alone_is_everything_with_the_form_of_one_origin() {
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
fn every_host_of_a_scheme_is_told_from_the_hosts_of_a_domain() {
    for written in ["https://*", "http://*:*", "https://*:8443"] {
        assert!(pattern(written).is_any_host(), "{written}");
    }
    for written in ["*", "null", "https://*.com", "https://a.example:*"] {
        assert!(!pattern(written).is_any_host(), "{written}");
    }
}

/// Judges by taking the origin apart, where the pattern under test goes along
/// the bytes.
fn oracle(suffix: &str, any_port: bool, origin: &str) -> bool {
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
    let Some(labels) = host.strip_suffix(suffix) else {
        return false;
    };
    good_port
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
        "_", "https://",
    ];
    let patterns = [
        ("https://*.ex.io", ".ex.io", false),
        ("https://*.ex.io:*", ".ex.io", true),
        ("https://*", "", false),
        ("https://*:*", "", true),
    ];
    let compiled = patterns.map(|(written, suffix, any)| (pattern(written), suffix, any));
    let mut seen = [0_usize; 2];
    for number in 0..16_usize.pow(4) {
        let origin: String = std::iter::once("https://")
            .chain((0..4).map(|place| PIECES[(number >> (4 * place)) & 15]))
            .collect();
        for (pattern, suffix, any_port) in &compiled {
            let expected = oracle(suffix, *any_port, &origin);
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

#[test]
fn every_suggestion_is_accepted_and_no_text_traps() {
    const PIECES: [&str; 16] = [
        "https://", "*", ".", "a", "B", ":", "0", "443", "[", "]", "::1", "@", "/", "é", ",",
        "null",
    ];
    for number in 0..16_usize.pow(4) {
        let written: String = (0..4)
            .map(|place| PIECES[(number >> (4 * place)) & 15])
            .collect();
        match OriginPattern::parse(&written) {
            Ok(pattern) => {
                if let Some(exact) = pattern.exact() {
                    assert!(pattern.matches(exact.as_bytes()));
                }
            }
            Err(error) => {
                if let Some(right) = error.write {
                    assert_ne!(right, written);
                    pattern(&right);
                }
            }
        }
    }
}
