mod wildcards;

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
fn an_origin_that_browsers_send_is_accepted_and_matches_only_itself() {
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
    ("https://App-*.example.com", OriginFault::UpperCase, "https://app-*.example.com"),
    ("https://app-*.example.com.", OriginFault::TrailingDot, "https://app-*.example.com"),
    ("https://app-*.example.com:443", OriginFault::DefaultPort, "https://app-*.example.com"),
    ("app-*.example.com", OriginFault::MissingScheme, "https://app-*.example.com"),
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
    ("https://*example.com", OriginFault::WildcardInRegisteredName),
    ("https://app-*.com", OriginFault::WildcardInRegisteredName),
    ("https://app-*-x.com:*", OriginFault::WildcardInRegisteredName),
    ("https://app-**.example.com", OriginFault::BadWildcard),
    ("https://a*b*c.example.com", OriginFault::BadWildcard),
    ("https://app-*.*.example.com", OriginFault::BadWildcard),
    ("https://*.app-*.example.com", OriginFault::BadWildcard),
    ("https://app.preview-*.example.com", OriginFault::BadWildcard),
    ("https://app-*..example.com", OriginFault::EmptyLabel),
    ("https://app-*.0.0.1", OriginFault::WildcardInAddress),
    ("https://app%*.example.com", OriginFault::BadHost('%')),
    ("https://app-*{.example.com", OriginFault::BadHost('{')),
    ("https://app.*.com", OriginFault::BadWildcard),
    ("https://*.*.example.com", OriginFault::BadWildcard),
    ("https://app.example.*", OriginFault::BadWildcard),
    ("https://*..example.com", OriginFault::EmptyLabel),
    ("https://*.0.0.1", OriginFault::WildcardInAddress),
    ("https://*.example.7", OriginFault::WildcardInAddress),
    ("https://[*]", OriginFault::BadIpv6),
];

#[test]
fn an_origin_that_cannot_be_corrected_is_refused_without_a_guess() {
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
