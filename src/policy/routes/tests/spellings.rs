//! An accepted path has one meaning: in every spelling that a router, a proxy or
//! an upstream gives it, it has the same route or is refused.

use super::random::Random;
use super::*;
use crate::http::path::{EncodedCharacter, EncodedSet, PathFlags};

const PATTERNS: &[(&str, &str)] = &[
    ("", "GET /admin"),
    ("", "GET /admin/{rest+}"),
    ("", "GET /public/{rest+}"),
    ("", "GET /public/health"),
    ("", "GET /pets/{id}"),
    ("", "GET /pets/{id}/toys"),
    ("", "GET /users/@me"),
    ("", "GET /users/a b"),
    ("", "GET /{rest+}"),
    ("", "GET /"),
    ("", "$default"),
];

/// The parts of paths: the words of the patterns, and spellings known from
/// attacks.
const ATOMS: &[&str] = &[
    "admin", "public", "pets", "users", "health", "toys", "@me", "a b", "%40me", "a%20b",
    "%61dmin", "ADMIN", "%41dmin", "/", "/", "/", "/", "/", "//", ".", "..", "%2e", "%2E%2e",
    "%252e", "%2561", "%25", "%2f", "%2F", "%5c", "\\", ";", ";x", ";/", "%3b", "%3F", "%23", "?",
    "#", "1", "%c3%a9", "%C3%A9", "%c0%ae", "%", "%4", "2e", "~", "%7e", "%00", "25", "2525",
];

fn random_path(random: &mut Random) -> String {
    let mut path = String::from("/");
    for _ in 0..=random.below(8) {
        path.push_str(random.pick(ATOMS));
    }
    path
}

fn octet(text: &[u8]) -> Option<u8> {
    let digits = std::str::from_utf8(text.get(1..3)?).ok()?;
    let hex = text[0] == b'%' && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    hex.then(|| u8::from_str_radix(digits, 16).unwrap())
}

/// Decodes the octets that `which` selects, and writes the others in upper case.
fn decoded(path: &[u8], which: impl Fn(u8) -> bool) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = path;
    while let Some((&byte, behind)) = rest.split_first() {
        match octet(rest) {
            Some(octet) if which(octet) => out.push(octet),
            Some(octet) => out.extend(format!("%{octet:02X}").bytes()),
            None => out.push(byte),
        }
        rest = if octet(rest).is_some() {
            &rest[3..]
        } else {
            behind
        };
    }
    out
}

/// RFC 3986 section 6.2.2: unreserved characters plain, dot segments removed.
fn normalised(path: &[u8]) -> Vec<u8> {
    let plain = decoded(path, |byte| {
        byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)
    });
    let mut kept: Vec<&[u8]> = Vec::new();
    let mut segments = plain.split(|&byte| byte == b'/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        match segment {
            b"." => {}
            b".." => drop(kept.pop()),
            _ => kept.push(segment),
        }
        if segments.peek().is_none() && matches!(segment, b"." | b"..") {
            kept.push(b"");
        }
    }
    [b"/".to_vec(), kept.join(&b'/')].concat()
}

fn once_decoded(path: &[u8]) -> Vec<u8> {
    decoded(path, |_| true)
}

fn merged(path: &[u8]) -> Vec<u8> {
    let mut out = path.to_vec();
    out.dedup_by(|a, b| *a == b'/' && *b == b'/');
    out
}

fn stripped(path: &[u8]) -> Vec<u8> {
    let segments = path.split(|&byte| byte == b'/');
    let cut = segments.map(|segment| segment.split(|&byte| byte == b';').next().unwrap());
    cut.collect::<Vec<_>>().join(&b'/')
}

type Respelling = fn(&[u8]) -> Vec<u8>;

const RESPELLINGS: &[(&str, Respelling)] = &[
    ("as it is", <[u8]>::to_vec),
    ("normalised", normalised),
    ("once decoded", once_decoded),
    ("slashes merged", merged),
    ("parameters stripped", stripped),
];

fn flags() -> impl Iterator<Item = PathFlags> {
    let percent = EncodedSet::default().with(EncodedCharacter::Percent);
    (0..16).map(move |bits: u8| PathFlags {
        allow_empty_segments: bits & 1 != 0,
        allow_semicolons: bits & 2 != 0,
        ignore_case: bits & 4 != 0,
        // With the other characters allowed, the encoded form means something
        // else than the plain one, so decoding changes the path.
        allow_encoded: if bits & 8 != 0 {
            percent
        } else {
            EncodedSet::NONE
        },
    })
}

#[test]
fn every_spelling_of_a_path_has_the_same_route_or_is_refused() {
    for flags in flags() {
        let routes = Routes::new(PathRules::new(flags), PATTERNS);
        let place = |path: &[u8]| -> Option<Option<PatternPosition>> {
            let path = NormalPath::parse(path, &routes.rules).ok()?;
            let found = routes.table().find(None, b"GET", &path);
            Some(found.map(|found| found.place()))
        };
        let mut random = Random::new(7);
        let mut accepted = 0;
        for _ in 0..3_000 {
            let path = random_path(&mut random);
            let path = path.split('?').next().unwrap().as_bytes();
            let Some(Some(original)) = place(path) else {
                continue;
            };
            accepted += 1;
            for (first, respell) in RESPELLINGS {
                for (second, again) in RESPELLINGS {
                    let other = again(&respell(path));
                    let same = match place(&other) {
                        None => true,
                        Some(found) => found == Some(original),
                    };
                    let path = String::from_utf8_lossy(path);
                    assert!(same, "{path} {first}, {second}: {flags:?}");
                }
            }
            if flags.ignore_case {
                assert_eq!(place(&path.to_ascii_uppercase()), Some(Some(original)));
                assert_eq!(place(&path.to_ascii_lowercase()), Some(Some(original)));
            }
        }
        assert!(accepted > 250, "{accepted}");
    }
}
