//! The case files behind each proxy.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use edge_authz::config;
use edge_authz::policy::TokenPlace;
use edge_authz_cli::cases::{
    Case, Difference, Expectation, Fields, Outcome, Player, Protocol, Request, Seen, Side, World,
};

use crate::differences::Differences;
use crate::heard::heard;
use crate::proxies::{Addresses, Kind, Proxy, Site};
use crate::sent::{MARK, exchange, sent};
use crate::support::echo::Echo;
use crate::support::http::{Request as Sent, Response, readable};
use crate::support::server::Received;
use crate::support::tokens;
use crate::{authorizers, load};

/// The number of worlds that are played at the same time: most of the time is spent waiting
/// for keys that never arrive.
const AT_ONCE: usize = 24;

/// A world behind one proxy.
struct Place<'w> {
    kind: Kind,
    file: &'w str,
    world: &'w World,
    at: Addresses,
}

/// One request that was sent.
struct Played<'w> {
    place: &'w Place<'w>,
    case: &'w Case,
    protocol: Protocol,
    id: String,
    /// The expectation of the case; absent if the proxy passes on another request.
    expected: Option<Expectation>,
    /// The core's outcome for the request that the proxy passes on.
    core: Option<Outcome>,
    answer: Result<Response, String>,
}

#[test]
fn the_case_files_behind_each_proxy() {
    let files = load::all();
    let worlds: Vec<(&str, &World)> = files
        .iter()
        .flat_map(|loaded| loaded.file.worlds.iter().map(move |world| (loaded, world)))
        .filter(|(_, world)| world.cases.iter().any(is_played))
        .map(|(loaded, world)| (loaded.name.as_str(), world))
        .collect();
    let upstream = Echo::start();
    let mut proxies = Vec::new();
    let mut places = Vec::new();
    for kind in Kind::chosen() {
        let presets: Vec<_> = worlds
            .iter()
            .map(|(_, world)| (kind.preset(), *world))
            .collect();
        let addresses = authorizers::start(&presets);
        let sites = worlds.iter().zip(addresses);
        let sites: Vec<Site> = sites.map(|((_, world), at)| site(world, at)).collect();
        let proxy = Proxy::start(kind, &sites, upstream.address());
        places.extend(
            worlds
                .iter()
                .enumerate()
                .map(|(index, (file, world))| Place {
                    kind,
                    file,
                    world,
                    at: proxy.site(index),
                }),
        );
        proxies.push(proxy);
    }
    let all = play_all(&places);
    report(&all, &upstream);
    assert!(
        all.len() >= 8000
            || std::env::var_os("CASES").is_some()
            || std::env::var_os("PROXY").is_some()
    );
}

/// Whether a case can be played: the core's clock is not the proxy's.
fn is_played(case: &Case) -> bool {
    case.is_for(Side::Envoy)
}

/// The site of a world: the names in the proxy's files are those in the configuration.
fn site(world: &World, authorizer: std::net::SocketAddr) -> Site {
    let document = world.config();
    let policy = config::compile(document.to_string().as_bytes()).expect("a policy");
    let upstream = &policy.upstream;
    let identity = upstream.claims.iter().map(|claim| &claim.header);
    let identity = identity.chain(&upstream.payload).chain(&upstream.context);
    let identity: Vec<String> = identity.map(ToString::to_string).collect();
    let tokens = policy.token_places.iter().filter_map(|place| match place {
        TokenPlace::Header { name, .. } => Some(name.to_string()),
        TokenPlace::Cookie(_) | TokenPlace::Query(_) => None,
    });
    let common = ["authorization", "cookie", "dpop"];
    let is_other = |name: &String| !common.contains(&name.as_str()) && !identity.contains(name);
    let tokens = tokens.filter(is_other).collect();
    let routes = document["routes"].as_array();
    let of_routes = routes
        .into_iter()
        .flatten()
        .any(|route| route.get("cors").is_some());
    Site {
        authorizer,
        identity,
        tokens,
        cors: document.get("cors").is_some() || of_routes,
    }
}

fn play_all<'w>(places: &'w [Place<'w>]) -> Vec<Played<'w>> {
    let next = AtomicUsize::new(0);
    let all = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::SeqCst);
                    let Some(place) = places.get(index) else {
                        return;
                    };
                    let played = play(place, index);
                    all.lock().unwrap().extend(played);
                }
            });
        }
    });
    all.into_inner().unwrap()
}

fn play<'w>(place: &'w Place<'w>, number: usize) -> Vec<Played<'w>> {
    let player = Player::new(place.world).expect("a world");
    let mut all = Vec::new();
    for case in place.world.cases.iter().filter(|case| is_played(case)) {
        for &protocol in &case.protocols {
            let now = i64::try_from(tokens::now()).unwrap();
            let id = format!("{number}-{}", all.len());
            let address = match protocol {
                Protocol::Http1 => place.at.http1,
                Protocol::Http2 => place.at.http2,
            };
            let exchange = |sent: &Sent| exchange(protocol, address, sent);
            let asked = Cell::new(false);
            let ask = |request: &Request| {
                asked.set(true);
                let first = sent(request, protocol, &format!("{id}-asked"));
                let answer = exchange(&first).expect("an answer with a nonce");
                answer.all("dpop-nonce").pop().map(String::into_bytes)
            };
            let prepared = place.world.prepare(case, now, ask);
            let (request, [_, expected]) = prepared.expect("a case");
            let passed_on = heard(place.kind, &request);
            let is_other = passed_on.headers != request.headers || passed_on.path != request.path;
            let same = case.is_for(Side::Native) && !case.differs_in_envoy();
            let core = (is_other || same).then(|| {
                // The core accepts only its own nonces.
                let ask = |request: &Request| player.nonce(request, now);
                let own = asked.get().then(|| place.world.prepare(case, now, ask));
                let own = own.map(|own| heard(place.kind, &own.expect("a case").0));
                player.play(own.as_ref().unwrap_or(&passed_on), now)[0].clone()
            });
            let expected = (!is_other).then_some(expected);
            for time in 1..request.sends {
                let _ = exchange(&sent(&request, protocol, &format!("{id}-sent-{time}")));
            }
            let answer = exchange(&sent(&request, protocol, &id));
            all.push(Played {
                place,
                case,
                protocol,
                id,
                expected,
                core,
                answer,
            });
        }
    }
    all
}

fn report(all: &[Played<'_>], upstream: &Echo) {
    let known = Differences::read();
    let seen: BTreeMap<Vec<u8>, Received> = upstream
        .seen()
        .into_iter()
        .filter_map(|seen| {
            let mark = seen.all(MARK).next().map(<[u8]>::to_vec);
            Some((mark?, seen))
        })
        .collect();
    let mut wrong = Vec::new();
    for played in all {
        let received = seen.get(played.id.as_bytes());
        let found = known.unexplained(
            played.place.kind,
            &played.name(),
            played.http(),
            played.differences(received),
        );
        if found.is_empty() {
            continue;
        }
        let found: Vec<_> = found.iter().map(|one| format!("    {one}\n")).collect();
        wrong.push(format!(
            "{} over HTTP/{}: {}\n{}",
            played.place.kind.name(),
            played.http(),
            played.name(),
            found.concat()
        ));
    }
    eprintln!("{} cases played, {} wrong", all.len(), wrong.len());
    assert!(
        wrong.is_empty(),
        "{} cases:\n{}",
        wrong.len(),
        wrong.concat()
    );
    if std::env::var_os("CASES").is_none() && std::env::var_os("PROXY").is_none() {
        known.assert_all_used();
    }
}

impl Played<'_> {
    /// `FILE: CASE (ROW)`.
    fn name(&self) -> String {
        let row = self.case.row.as_deref();
        let row = row.map_or_else(String::new, |row| format!(" ({row})"));
        format!("{}: {}{row}", self.place.file, self.case.name)
    }

    const fn http(&self) -> u8 {
        match self.protocol {
            Protocol::Http1 => 1,
            Protocol::Http2 => 2,
        }
    }

    fn differences(&self, received: Option<&Received>) -> Vec<Difference> {
        let may_pass = match (&self.expected, &self.core) {
            (Some(expected), _) => expected.upstream.is_some(),
            (None, core) => core.as_ref().is_some_and(|core| core.upstream.is_some()),
        };
        if let (Some(_), false) = (received, may_pass) {
            // No entry has this name.
            return vec![difference("OPENED", "refused", "reached the upstream")];
        }
        let response = match &self.answer {
            Ok(response) => response,
            // Proxies reset what they cannot parse.
            Err(_) if !may_pass => return Vec::new(),
            Err(error) => return vec![difference("answer", "an answer", error)],
        };
        let outcome = Outcome {
            status: response.status,
            // Proxies do not see it.
            reason: self
                .expected
                .as_ref()
                .and_then(|expected| expected.reason.clone()),
            reported: None,
            headers: response.headers.clone(),
            body: received.is_none().then(|| response.body.clone()),
            upstream: received.map(|received| Seen {
                path: received.target.clone(),
                headers: received.headers.clone(),
                trailers: received.trailers.clone(),
            }),
        };
        let expected = self.expected.as_ref();
        let mut found = expected.map_or_else(Vec::new, |expected| expected.differences(&outcome));
        if let Some(core) = &self.core {
            found.extend(against_the_core(
                core,
                &outcome,
                &self.place.world.config().to_string(),
            ));
        }
        found
    }
}

/// The client's fields that reach the upstream, and all of a reply, are the core's.
fn against_the_core(core: &Outcome, found: &Outcome, document: &str) -> Vec<Difference> {
    let mut all = Vec::new();
    let mut compare = |what: &str, core: String, found: String| {
        if core != found {
            all.push(difference(what, &core, &found));
        }
    };
    if core.status != found.status {
        compare("status", core.status.to_string(), found.status.to_string());
    }
    match (&core.upstream, &found.upstream) {
        (Some(core), Some(found)) => {
            compare("upstream path", readable(&core.path), readable(&found.path));
            let policy = config::compile(document.as_bytes()).expect("a policy");
            let owned = |fields: &Fields| {
                let owned = fields.iter().filter(|(name, _)| policy.upstream.owns(name));
                let mut lines: Vec<String> = owned
                    .map(|(name, value)| format!("{}: {}", readable(name), readable(value)))
                    .collect();
                lines.sort();
                lines.join(" | ")
            };
            compare("IDENTITY", owned(&core.headers), owned(&found.headers));
        }
        (None, None) => {
            let body = |outcome: &Outcome| readable(outcome.body.as_deref().unwrap_or_default());
            compare("body", body(core), body(found));
            let fields = |outcome: &Outcome| in_order(&outcome.headers);
            compare("headers", fields(core), fields(found));
        }
        (Some(_), None) | (None, Some(_)) => {}
    }
    all
}

/// The fields of a reply in a fixed order, without those of proxies and connections. Lines of
/// the same name are one list (RFC 9110 section 5.3).
fn in_order(fields: &Fields) -> String {
    let mut lines = BTreeMap::<String, Vec<String>>::new();
    for (name, value) in fields {
        let name = String::from_utf8_lossy(name).to_ascii_lowercase();
        let of_proxies = [
            "date",
            "server",
            "via",
            "content-length",
            "transfer-encoding",
            "connection",
            "keep-alive",
        ];
        if of_proxies.contains(&name.as_str()) {
            continue;
        }
        // The delay depends on when the last fetch failed.
        let value = match name.as_str() {
            "retry-after" => &b"soon"[..],
            // Each process has its own nonces.
            "dpop-nonce" => &b"a nonce"[..],
            _ => value.trim_ascii(),
        };
        lines.entry(name).or_default().push(readable(value));
    }
    let line = |(name, values): (String, Vec<String>)| {
        format!("{name}: {}", values.join(",").replace(", ", ","))
    };
    lines.into_iter().map(line).collect::<Vec<_>>().join(" | ")
}

fn difference(what: &str, expected: &str, found: &str) -> Difference {
    Difference {
        what: what.to_owned(),
        expected: expected.to_owned(),
        found: found.to_owned(),
    }
}
