//! The module in a real Envoy, over HTTP/1.1 and HTTP/2. The outcome is compared with the
//! expectation, and with the core's outcome for the same bytes.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use edge_authz_cli::cases::{Case, Expectation, Outcome, Player, Protocol, Request, Side, World};
use serde_json::Value;

use crate::load::Loaded;
use crate::report::Report;
use crate::sent::{MARK, exchange, sent};
use crate::stage::{self, Stage};
use crate::support::example::folder;
use crate::support::http::{Request as Sent, Response};
use crate::support::process::wait_until;
use crate::support::tokens;
use crate::support::tools::{self, Host};
use crate::{differences, judge, load};

/// The number of worlds that are played at the same time: most of the time is spent
/// waiting for keys that never arrive.
const AT_ONCE: usize = 16;

/// One request that was sent.
pub(crate) struct Played<'c> {
    pub(crate) case: &'c Case,
    /// Over a listener whose Envoy normalises paths.
    pub(crate) strict: bool,
    pub(crate) expected: Expectation,
    /// The core's outcome for the same bytes.
    pub(crate) core: Option<Outcome>,
    pub(crate) answer: Result<Response, String>,
    file: &'c str,
    protocol: Protocol,
    id: String,
    pub(crate) request: Request,
}

#[test]
fn the_module_does_what_the_cases_say_and_the_core_does() {
    let files = load::all();
    let worlds = worlds_of(&files);
    let stage = Stage::set(&named(&worlds));
    let all = play_all(&stage, &worlds);
    let mut report = Report::default();
    judge_all(&stage, &all, &mut report);
    report.finish(4000);
}

#[test]
fn the_envoy_of_each_example_does_what_its_cases_say_and_the_core_does() {
    let mut report = Report::default();
    for Loaded { name, file } in load::examples() {
        if !folder(&name).join("envoy.yaml").exists() {
            continue;
        }
        let [world] = &file.worlds[..] else {
            panic!("{name}: an envoy.yaml has one configuration, so no case may change it");
        };
        let stage = Stage::of_example(&name, world);
        let all = play(&stage, "api", &name, world);
        judge_all(&stage, &all, &mut report);
    }
    report.finish(150);
}

/// A world with a unique name and the name of its file.
type Named<'c> = (String, &'c str, &'c World);

fn worlds_of(files: &[Loaded]) -> Vec<Named<'_>> {
    let all = files
        .iter()
        .flat_map(|loaded| loaded.file.worlds.iter().map(move |world| (loaded, world)))
        .filter(|(_, world)| world.cases.iter().any(|case| case.is_for(Side::Envoy)));
    let named = all.enumerate().map(|(index, (loaded, world))| {
        let name = format!("{}-{index}", loaded.name);
        (name, loaded.name.as_str(), world)
    });
    named.collect()
}

fn named<'c>(worlds: &[Named<'c>]) -> Vec<(String, &'c World)> {
    let worlds = worlds.iter();
    worlds
        .map(|(name, _, world)| (name.clone(), *world))
        .collect()
}

/// Without `encode_raw_headers`, Envoy joins fields and replaces bytes. Then some good requests
/// are refused, but no other request passes.
#[test]
fn joined_header_fields_let_no_other_request_pass() {
    if !tools::host().is_server() {
        return;
    }
    let files = load::all();
    // How a token and a key are judged does not depend on the form of the fields. The names
    // differ from those of the other test, because the process shares keys by cluster.
    let is_about_tokens = |name: &str| {
        let mut parts = ["tokens-", "key-sets", "revoked"].iter();
        parts.any(|part| name.starts_with(part))
    };
    let mut worlds = worlds_of(&files);
    worlds.retain(|(name, ..)| !is_about_tokens(name));
    // Over HTTP, joined fields are always refused, so there is no nonce either.
    let has_no_nonce = |name: &str| tools::host() == Host::ExtAuthz || !name.contains("nonces");
    worlds.retain(|(name, ..)| has_no_nonce(name));
    for (name, ..) in &mut worlds {
        name.insert_str(0, "joined-");
    }
    let stage = Stage::with_joined_fields(&named(&worlds));
    let mut report = Report::default();
    let all = play_all(&stage, &worlds);
    let seen = stage.upstream.seen();
    for played in all {
        let mark = played.id.as_bytes();
        let reached = seen.iter().any(|seen| seen.all(MARK).any(|id| id == mark));
        let found = judge::opened_by_joined_fields(&played, reached);
        report.add(played.file, "joined fields", played.case, &found);
    }
    // Over HTTP, the mark has two fields, so joined ones are never accepted.
    assert!(tools::host() == Host::ExtAuthz || seen.is_empty());
    report.finish(2000);
}

fn judge_all(stage: &Stage, all: &[Played<'_>], report: &mut Report) {
    let mut differing = Vec::new();
    let log = access_log(stage, all);
    let seen = stage.upstream.seen();
    for played in all {
        let mark = played.id.as_bytes();
        let seen = seen.iter().find(|seen| seen.all(MARK).any(|id| id == mark));
        let found = judge::differences(played, log.get(&played.id), seen);
        let (differences, is_explained) = differences::unexplained(played, found);
        if is_explained {
            differing.extend(played.case.row.clone());
        }
        report.add(played.file, &played.how(), played.case, &differences);
    }
    stage.envoy.assert_no_trap();
    if tools::host().is_server() && std::env::var_os("CASES").is_none() {
        let outdated = differences::outdated(&differing);
        assert!(
            outdated.is_empty(),
            "these rows do not differ: {outdated:?}"
        );
    }
}

/// The access log by request, once it contains all decisions of the filter.
fn access_log(stage: &Stage, all: &[Played<'_>]) -> BTreeMap<String, Value> {
    let read = || -> BTreeMap<String, Value> {
        let entries = stage.envoy.access_log(0).into_iter();
        entries
            .filter_map(|entry| Some((entry["case"].as_str()?.to_owned(), entry)))
            .collect()
    };
    let complete = |log: &BTreeMap<String, Value>| {
        let mut decided = all.iter().filter(|played| played.expected.reason.is_some());
        decided.all(|played| log.contains_key(&played.id))
    };
    let log = wait_until(Duration::from_secs(5), || Some(read()).filter(complete));
    // An entry that is missing then is reported with its case.
    log.unwrap_or_else(read)
}

impl Played<'_> {
    fn how(&self) -> String {
        let protocol = match self.protocol {
            Protocol::Http1 => "HTTP/1.1",
            Protocol::Http2 => "HTTP/2",
        };
        let strict = if self.strict { ", strict paths" } else { "" };
        format!("Envoy, {protocol}{strict}")
    }
}

/// Plays the requests of each world in order, several worlds at a time.
fn play_all<'c>(stage: &Stage, worlds: &[Named<'c>]) -> Vec<Played<'c>> {
    let next = AtomicUsize::new(0);
    let all = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some((name, file, world)) =
                    worlds.get(next.fetch_add(1, Ordering::SeqCst))
                {
                    let played = play(stage, name, file, world);
                    all.lock().unwrap().extend(played);
                }
            });
        }
    });
    all.into_inner().unwrap()
}

fn play<'c>(stage: &Stage, name: &str, file: &'c str, world: &'c World) -> Vec<Played<'c>> {
    let player = Player::new(world).expect("a world");
    let mut all = Vec::new();
    for case in world.cases.iter().filter(|case| case.is_for(Side::Envoy)) {
        let strict: &[bool] = if case.strict_paths {
            &[false, true]
        } else {
            &[false]
        };
        for (&protocol, &strict) in case
            .protocols
            .iter()
            .flat_map(|p| strict.iter().map(move |s| (p, s)))
        {
            let now = i64::try_from(tokens::now()).unwrap();
            let id = format!("{name}-{}", all.len());
            let address = if strict {
                stage.envoy.listener(&stage::strict(name))
            } else {
                stage.envoy.listener(name)
            };
            let exchange = |sent: &Sent| exchange(protocol, address, sent);
            let asked = Cell::new(false);
            let ask = |request: &Request| {
                asked.set(true);
                let first = sent(request, protocol, &format!("{id}-asked"));
                let answer = exchange(&first).expect("an answer with a nonce");
                answer.all("dpop-nonce").pop().map(String::into_bytes)
            };
            let (request, [_, expected]) = world.prepare(case, now, ask).expect("a case");
            let same = case.is_for(Side::Native) && !case.differs_in_envoy() && !strict;
            let core = same.then(|| {
                // The core accepts only its own nonces.
                let ask = |request: &Request| player.nonce(request, now);
                let own = asked.get().then(|| world.prepare(case, now, ask));
                let own = own.map(|own| own.expect("a case").0);
                player.play(own.as_ref().unwrap_or(&request), now)[0].clone()
            });
            let marked = |id: &str| sent(&request, protocol, id);
            for time in 1..request.sends {
                exchange(&marked(&format!("{id}-sent-{time}"))).expect("an earlier answer");
            }
            let answer = exchange(&marked(&id));
            all.push(Played {
                case,
                strict,
                expected,
                core,
                answer,
                file,
                protocol,
                id,
                request,
            });
        }
    }
    all
}
