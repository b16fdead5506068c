//! Origins and their patterns, compared with the definition of the patterns, and the
//! answers of a policy.
//!
//! The input is lines of patterns, an empty line, and lines of origins. If the bytes are
//! not such a text, patterns and origins are generated from them.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::time::Duration;

use arbitrary::Unstructured;
use edge_authz::cors::{
    CorsPolicy, CorsSpec, OriginPattern, Preflight, PreflightPart, ResponseCors, RouteMethods,
};
use edge_authz::http::HeaderEdit;

pub(crate) fn target(data: &[u8]) {
    let (patterns, origins) = match written(data) {
        Some(both) => both,
        None => match made(&mut Unstructured::new(data)) {
            Ok(both) => both,
            Err(_) => return,
        },
    };
    for pattern in &patterns {
        judge_pattern(pattern, &origins);
    }
    for credentials in [false, true] {
        judge_policy(&patterns, &origins, credentials);
    }
}

type Input = (Vec<String>, Vec<Vec<u8>>);

fn written(data: &[u8]) -> Option<Input> {
    let blank = data.windows(2).position(|window| window == b"\n\n")?;
    let patterns = std::str::from_utf8(&data[..blank]).ok()?;
    let patterns = patterns.lines().take(16).map(str::to_owned).collect();
    let origins = super::lines(&data[blank + 2..]).take(16);
    Some((patterns, origins.map(<[u8]>::to_vec).collect()))
}

fn made(input: &mut Unstructured<'_>) -> arbitrary::Result<Input> {
    const SCHEMES: [&str; 4] = ["https://", "http://", "app://", "https:"];
    const HOSTS: [&str; 13] = [
        "example.com",
        "a.example.com",
        "b.a.example.com",
        "evilexample.com",
        ".example.com",
        "a..example.com",
        "localhost",
        "[::1]",
        "127.0.0.1",
        "example.com.evil.test",
        "a-1--b.example.com",
        "a-x.y--b.example.com",
        "my_service.internal",
    ];
    const ENDS: [&str; 8] = [
        "",
        ":8080",
        ":",
        ":0",
        ":65535",
        ":65536",
        "/",
        "@evil.test",
    ];
    let mut patterns = Vec::new();
    for _ in 0..input.int_in_range(1..=4)? {
        let scheme = input.choose(&SCHEMES)?;
        let host = input.choose(&HOSTS)?;
        let end = *input.choose(&ENDS)?;
        patterns.push(match input.int_in_range(0..=10)? {
            0 => "*".to_owned(),
            1 => "null".to_owned(),
            2 => format!("{scheme}*{end}"),
            3 => format!("{scheme}*.{host}{end}"),
            4 => format!("{scheme}{host}:*"),
            5 => format!("{scheme}*.{host}:*"),
            // Somewhere inside the host.
            6..=8 => {
                let at = input.int_in_range(0..=host.len())?;
                let to = input.int_in_range(at..=host.len())?;
                format!("{scheme}{}*{}{end}", &host[..at], &host[to..])
            }
            _ => format!("{scheme}{host}{end}"),
        });
    }
    let mut origins = Vec::new();
    for _ in 0..input.int_in_range(1..=8)? {
        let scheme = input.choose(&SCHEMES)?;
        let label = input.choose(&["", "", "x.", "x", "X.", "_.", "-."])?;
        let host = input.choose(&HOSTS)?;
        let end = input.choose(&ENDS)?;
        origins.push(format!("{scheme}{label}{host}{end}").into_bytes());
    }
    origins.push(b"null".to_vec());
    Ok((patterns, origins))
}

/// The definition of an accepted pattern.
fn naive(pattern: &str, origin: &[u8]) -> bool {
    let Ok(origin) = std::str::from_utf8(origin) else {
        return false;
    };
    if pattern == "*" {
        return origin == "null" || has_form(origin);
    }
    if !pattern.contains('*') {
        return pattern == origin;
    }
    let (scheme, place) = pattern.split_once("://").unwrap();
    let Some(rest) = origin.strip_prefix(&format!("{scheme}://")) else {
        return false;
    };
    let (host, port) = match place.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (place, None),
    };
    // All ways to split the origin into a host and a port.
    let cuts = rest
        .match_indices(':')
        .map(|(at, _)| (&rest[..at], Some(&rest[at + 1..])));
    let mut cuts = cuts.chain([(rest, None)]);
    cuts.any(|(origin_host, origin_port)| {
        let port_fits = match (port, origin_port) {
            (Some("*"), None) => true,
            (Some("*"), Some(port)) => port
                .parse::<u16>()
                .is_ok_and(|number| number > 0 && number.to_string() == port),
            (port, origin_port) => port == origin_port,
        };
        let host_fits = match host.split_once('*') {
            None => host == origin_host,
            Some((before, after)) => {
                matches_the_star(before, after, origin_host).is_some_and(|inside| {
                    // Next to other text it is a part of one label.
                    let whole_labels =
                        before.is_empty() && matches!(after.as_bytes(), [] | [b'.', ..]);
                    let mut labels = inside.split('.');
                    labels.all(is_label) && (whole_labels || !inside.contains('.'))
                })
            }
        };
        port_fits && host_fits
    })
}

/// The text between the two ends of a host, if it has both without overlap.
fn matches_the_star<'h>(before: &str, after: &str, host: &'h str) -> Option<&'h str> {
    let ends = before.len() + after.len();
    let fits = host.len() > ends && host.starts_with(before) && host.ends_with(after);
    fits.then(|| &host[before.len()..host.len() - after.len()])
}

fn is_label(label: &str) -> bool {
    let allowed = |c| matches!(c, 'a'..='z' | '0'..='9' | '-');
    !label.is_empty() && label.chars().all(allowed)
}

/// A scheme, and visible ASCII that ends with the host and the port.
fn has_form(origin: &str) -> bool {
    let Some((scheme, rest)) = origin.split_once("://") else {
        return false;
    };
    let mut scheme = scheme.chars();
    scheme
        .next()
        .is_some_and(|first| first.is_ascii_lowercase())
        && scheme.all(|c| matches!(c, 'a'..='z' | '0'..='9' | '+' | '-' | '.'))
        && !rest.is_empty()
        && rest.chars().all(|c| c.is_ascii_graphic())
        && !rest.contains([',', '/', '\\', '?', '#', '@', '"'])
}

fn judge_pattern(text: &str, origins: &[Vec<u8>]) {
    let pattern = match OriginPattern::parse(text) {
        Ok(pattern) => pattern,
        Err(error) => {
            // The proposed spelling is accepted.
            if let Some(right) = error.write {
                assert!(OriginPattern::parse(&right).is_ok(), "{text}: {right}");
            }
            return;
        }
    };
    if text != "*" && text != "null" {
        let (_, place) = text.split_once("://").expect("a scheme");
        let odd = |c: char| c.is_ascii_uppercase() || !c.is_ascii_graphic();
        assert!(!text.contains(odd), "no browser sends {text}");
        assert!(
            !place.contains(['/', '@', '?', '#', '\\']),
            "no browser sends {text}"
        );
        assert!(text.matches('*').count() <= 2);
    }
    assert_eq!(pattern.exact().is_some(), !text.contains('*'));
    if let Some(exact) = pattern.exact() {
        assert!(pattern.matches(exact.as_bytes()));
    }
    for origin in origins {
        assert_eq!(
            pattern.matches(origin),
            naive(text, origin),
            "{text} {}",
            origin.escape_ascii()
        );
    }
}

fn judge_policy(patterns: &[String], origins: &[Vec<u8>], credentials: bool) {
    let spec = CorsSpec {
        allow_origins: Some(patterns.to_vec()),
        allow_methods: None,
        allow_headers: Some(vec!["authorization".into()]),
        expose_headers: Some(vec!["x-request-id".into()]),
        allow_credentials: credentials,
        allow_private_network: true,
        max_age: Some(Duration::from_mins(10)),
        token_needed: true,
    };
    let good: Vec<_> = patterns
        .iter()
        .filter(|text| OriginPattern::parse(text).is_ok())
        .collect();
    let Ok(policy) = spec.compile() else {
        let any_host = |text: &&&String| text.ends_with("://*") || text.contains("://*:");
        let contradicts = credentials && good.iter().any(|text| *text == "*" || any_host(&text));
        let different: BTreeSet<_> = patterns.iter().collect();
        let twice = different.len() < patterns.len();
        assert!(good.len() < patterns.len() || contradicts || twice || patterns.is_empty());
        return;
    };
    assert_eq!(good.len(), patterns.len());
    for origin in origins {
        judge_answers(&policy, patterns, origin);
    }
}

fn judge_answers(policy: &CorsPolicy, patterns: &[String], origin: &[u8]) {
    let constant = patterns.iter().all(|pattern| pattern == "*");
    let matching = || patterns.iter().filter(|text| naive(text, origin));
    let named = matching().any(|text| text != "*");
    let allowed = matching().next().is_some();
    let named_origin: &[u8] = if named { origin } else { b"*" };

    let cors = ResponseCors::for_request(policy, [origin]);
    let response = answered(&cors, upstream());
    let expected = (allowed || constant).then_some(named_origin);
    assert_eq!(value(&response, "access-control-allow-origin"), expected);
    let with = value(&response, "access-control-allow-credentials").is_some();
    assert_eq!(with, policy.allows_credentials() && named);
    assert_eq!(varies(&response), !constant);

    // Two origins are treated as none, and only the constant answer is for all origins.
    let twice = ResponseCors::for_request(policy, [origin, origin]);
    let response = answered(&twice, upstream());
    let any = value(&response, "access-control-allow-origin");
    assert_eq!(any.is_some(), constant);

    let headers = [
        (&b"Origin"[..], origin),
        (b"Access-Control-Request-Method", b"GET"),
    ];
    let preflight = Preflight::detect(b"OPTIONS", headers).expect("a preflight");
    let answer = preflight.answer(policy, &RouteMethods::default());
    assert_eq!(answer.status == 204, allowed, "{}", origin.escape_ascii());
    let refused = answer
        .faults
        .iter()
        .any(|fault| fault.part == PreflightPart::Origin);
    assert_eq!(refused, !allowed);
    for fault in &answer.faults {
        let message = fault.to_string();
        assert!(message.len() < 1000 && message.bytes().all(|byte| matches!(byte, b' '..=b'~')));
    }
    let of_origin = |(name, _): &&(&str, Cow<'_, str>)| *name == "access-control-allow-origin";
    let values: Vec<_> = answer.headers.iter().filter(of_origin).collect();
    let values: Vec<_> = values.iter().map(|(_, value)| value.as_bytes()).collect();
    assert_eq!(values, Vec::from_iter(expected));
}

pub(super) type Headers = Vec<(Vec<u8>, Vec<u8>)>;

/// An answer with a policy of its own.
fn upstream() -> Headers {
    [
        ("Access-Control-Allow-Origin", "*"),
        ("access-control-allow-credentials", "true"),
        ("vary", "Accept-Encoding"),
        ("content-type", "text/plain"),
    ]
    .map(|(name, value)| (name.into(), value.into()))
    .into()
}

/// The answer with its changes applied. Applying them again changes nothing.
pub(super) fn answered(cors: &ResponseCors, response: Headers) -> Headers {
    for own in [false, true] {
        let once = edited(cors, response.clone(), own);
        let again = edited(cors, once.clone(), own);
        assert!(
            sorted(once) == sorted(again),
            "the changes are not idempotent"
        );
    }
    edited(cors, response, false)
}

fn sorted(mut headers: Headers) -> Headers {
    headers.sort();
    headers
}

fn edited(cors: &ResponseCors, mut response: Headers, own: bool) -> Headers {
    let before = response.clone();
    let before = before.iter().map(|(name, value)| (&**name, &**value));
    for edit in cors.apply(before, own) {
        let (name, value, replaces) = match &edit {
            HeaderEdit::Remove(name) => (&**name, None, true),
            HeaderEdit::Set(name, value) => (&**name, Some(value), true),
            HeaderEdit::Add(name, value) => (&**name, Some(value), false),
        };
        response.retain(|(known, _)| !replaces || !known.eq_ignore_ascii_case(name));
        response.extend(value.map(|value| (name.to_vec(), value.to_vec())));
    }
    response
}

/// The value of a header that may occur once at most.
pub(super) fn value<'h>(headers: &'h Headers, name: &str) -> Option<&'h [u8]> {
    let named = |(known, _): &&(Vec<u8>, Vec<u8>)| known.eq_ignore_ascii_case(name.as_bytes());
    let mut values = headers.iter().filter(named).map(|(_, value)| &**value);
    let value = values.next();
    assert_eq!(values.next(), None, "{name} twice");
    value
}

/// Whether the answer varies by origin.
fn varies(headers: &Headers) -> bool {
    value(headers, "vary").is_some_and(|value| {
        let value = String::from_utf8_lossy(value).to_ascii_lowercase();
        value
            .split(',')
            .any(|element| matches!(element.trim(), "origin" | "*"))
    })
}
