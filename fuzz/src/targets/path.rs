//! Paths, compared with upstreams that read them differently.
//!
//! The input is a request's path. An upstream may normalise it, decode it, merge slashes
//! or cut parameters. The result has the same route as the path here; otherwise the path
//! is refused.

use edge_authz::http::path::Segment;
use edge_authz::http::{
    EncodedCharacter, EncodedSet, Host, NormalPath, PathFlags, PathRules, RoutePattern,
};
use edge_authz::policy::routes::{PatternPosition, RouteEntry, RouteId, RouteTable};

use crate::reference::path as reference;

/// Rules that an attacker would like to confuse.
const ROUTES: [&str; 12] = [
    "GET /",
    "GET /admin",
    "GET /admin/{rest+}",
    "GET /admin/public",
    "GET /public/{rest+}",
    "GET /users/{id}",
    "GET /users/me",
    "GET /users/{id}/keys",
    "GET /a/b/c",
    "GET /@me",
    "GET /{a}/{b}",
    "$default",
];

pub(crate) fn target(data: &[u8]) {
    nothing_opened(data);
    for character in EncodedCharacter::ALL {
        encoded_opened(data, character);
    }
    empty_segments_opened(data);
    semicolons_opened(data);
    case_ignored(data);
    with_base(data);
}

/// A table of the routes above, and the settings for matching.
struct World {
    rules: PathRules,
    table: RouteTable,
}

impl World {
    fn new(flags: PathFlags) -> Self {
        Self::of(PathRules::new(flags))
    }

    fn of(rules: PathRules) -> Self {
        let patterns = ROUTES.map(|text| RoutePattern::parse(text, &rules).unwrap());
        let entries = patterns.iter().enumerate().map(|(index, pattern)| {
            let route = RouteId(index);
            let place = PatternPosition { route, pattern: 0 };
            let hosts = &[];
            RouteEntry {
                place,
                pattern,
                hosts,
                mcp: None,
            }
        });
        let table = RouteTable::new(entries).unwrap();
        Self { rules, table }
    }

    /// The route of a path; `Err`: refused.
    fn route(&self, raw: &[u8]) -> Result<Option<&'static str>, ()> {
        let path = NormalPath::parse(raw, &self.rules).map_err(drop)?;
        let found = self.table.find(None::<&Host<'_>>, b"GET", &path);
        Ok(found.map(|found| ROUTES[found.route().0]))
    }
}

/// The route in an upstream that compares bytes, pattern by pattern.
fn naive(path: &[u8]) -> Option<&'static str> {
    let segments = reference::segments(path)?;
    let matches = |route: &&&str| {
        let pattern = route.strip_prefix("GET ").unwrap_or("/{rest+}");
        let mut wanted = reference::segments(pattern.as_bytes()).unwrap();
        let greedy = wanted.last() == Some(&&b"{rest+}"[..]);
        if greedy {
            wanted.pop();
        }
        let enough = if greedy {
            segments.len() > wanted.len()
        } else {
            segments.len() == wanted.len()
        };
        enough
            && wanted.iter().zip(&segments).all(|(wanted, segment)| {
                wanted == segment || (wanted.starts_with(b"{") && !segment.is_empty())
            })
    };
    let rank = |route: &&&'static str| {
        let pattern = route.strip_prefix("GET ").unwrap_or("/{rest+}");
        let kinds: Vec<u8> = reference::segments(pattern.as_bytes())
            .unwrap()
            .iter()
            .map(|segment| u8::from(segment.starts_with(b"{")))
            .collect();
        (**route == "$default", route.contains('+'), kinds)
    };
    ROUTES.iter().filter(matches).min_by_key(rank).copied()
}

type Reading = fn(&[u8]) -> Vec<u8>;

const READINGS: [Reading; 5] = [
    reference::normalised,
    reference::decode,
    reference::merged,
    reference::without_parameters,
    reference::with_plain_slashes,
];

/// All readings of up to three steps are the same resource.
fn nothing_opened(raw: &[u8]) {
    let world = World::new(PathFlags::default());
    let route = world.route(raw);
    assert_eq!(route.is_ok(), reference::is_plain(raw));
    let Ok(route) = route else {
        return;
    };
    let path = reference::before_query(raw);
    let mut readings = vec![path.to_vec()];
    for _ in 0..3 {
        let further: Vec<_> = readings
            .iter()
            .flat_map(|path| READINGS.map(|reading| reading(path)))
            .collect();
        readings.extend(further);
        readings.sort();
        readings.dedup();
    }
    for reading in readings {
        // Routes are compared in decoded form, as upstreams do.
        let decoded = reference::decode(&reading);
        assert_eq!(naive(&decoded), route, "{}", reading.escape_ascii());
    }
    segments_are_decoded(raw, &world.rules);
}

fn segments_are_decoded(raw: &[u8], rules: &PathRules) {
    let path = NormalPath::parse(raw, rules).unwrap();
    let texts = path.segments().unwrap().iter().map(Segment::text);
    let pieces = reference::segments(reference::before_query(raw)).unwrap();
    let decoded: Vec<_> = pieces.into_iter().map(reference::decode).collect();
    assert!(texts.eq(decoded.iter().map(Vec::as_slice)));
}

/// The setting for an encoded character only accepts paths that contain it encoded. It
/// never separates segments, and the normalised path has the same route.
fn encoded_opened(raw: &[u8], character: EncodedCharacter) {
    let closed = World::new(PathFlags::default());
    let open = World::new(PathFlags {
        allow_encoded: EncodedSet::NONE.with(character),
        ..PathFlags::default()
    });
    let Ok(route) = open.route(raw) else {
        assert!(closed.route(raw).is_err(), "opening closes");
        return;
    };
    let path = reference::before_query(raw);
    let octet = character.plain();
    let encoded = format!("%{:02x}", u32::from(octet));
    let has_it = path.to_ascii_lowercase();
    let has_it = has_it.windows(3).any(|window| window == encoded.as_bytes());
    match closed.route(raw) {
        Ok(before) => assert_eq!(before, route, "opening reroutes"),
        Err(()) => assert!(has_it, "the setting accepts more than documented"),
    }
    let normalised = reference::normalised(path);
    assert_eq!(open.route(&normalised), Ok(route));
    assert_eq!(open.route(&reference::merged(path)), Ok(route));
    segments_are_decoded(raw, &open.rules);
    // Decoding twice gives the same result as decoding once.
    for segment in reference::segments(path).unwrap() {
        let once = reference::decode(segment);
        assert_eq!(reference::decode(&once), once);
        // It cannot traverse upwards, even if an upstream decodes before splitting.
        let climbs = |part: &[u8]| matches!(part, b"." | b"..");
        assert!(!once.split(|byte| *byte == b'/').any(climbs));
    }
}

/// With and without the empty segments the resource is the same, or the path is refused.
fn empty_segments_opened(raw: &[u8]) {
    let world = World::new(PathFlags {
        allow_empty_segments: true,
        ..PathFlags::default()
    });
    let Ok(route) = world.route(raw) else {
        return;
    };
    let path = reference::before_query(raw);
    assert!(reference::is_plain(&reference::merged(path)));
    if let Some(route) = route {
        for reading in [path.to_vec(), reference::merged(path)] {
            let decoded = reference::decode(&reading);
            assert_eq!(naive(&decoded), Some(route), "{}", reading.escape_ascii());
        }
    }
}

/// Cut before or after decoding, the resource is the same.
fn semicolons_opened(raw: &[u8]) {
    let world = World::new(PathFlags {
        allow_semicolons: true,
        ..PathFlags::default()
    });
    let Ok(route) = world.route(raw) else {
        return;
    };
    let path = reference::before_query(raw);
    let cut = reference::without_parameters(path);
    assert_eq!(world.route(&cut), Ok(route));
    assert_eq!(naive(&reference::decode(&cut)), route);
    let decoded = reference::without_parameters(&reference::decode(path));
    assert_eq!(naive(&decoded), route);
}

/// The resource is the same in any letter case.
fn case_ignored(raw: &[u8]) {
    let world = World::new(PathFlags {
        ignore_case: true,
        ..PathFlags::default()
    });
    let route = world.route(raw);
    assert_eq!(route.is_ok(), reference::is_plain(raw));
    for other in [raw.to_ascii_lowercase(), raw.to_ascii_uppercase()] {
        assert_eq!(world.route(&other), route);
    }
}

/// The base is removed, and a path outside of it has no route.
fn with_base(raw: &[u8]) {
    let plain = World::new(PathFlags::default());
    let based = World::of(PathRules::with_base(PathFlags::default(), "/dev").unwrap());
    let Ok(route) = plain.route(raw) else {
        assert_eq!(based.route(raw), Err(()));
        return;
    };
    let below = [b"/dev", raw].concat();
    assert_eq!(based.route(&below), Ok(route));
    let decoded = reference::decode(reference::before_query(raw));
    let inside = reference::segments(&decoded).unwrap().first() == Some(&&b"dev"[..]);
    assert!(inside || based.route(raw) == Ok(None));
}
