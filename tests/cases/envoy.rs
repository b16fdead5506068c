//! The module in a real Envoy, over HTTP/1.1 and HTTP/2, against what is
//! expected and against the core at the same time with the same bytes.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use edge_authz::cases::{
    Case, Difference, Expectation, Fields, Outcome, Player, Protocol, Request, Seen, Side, World,
};
use serde_json::Value;

use crate::load;
use crate::report::Report;
use crate::stage::Stage;
use crate::support::http::{Request as Sent, Response, readable};
use crate::support::{http1, http2, tokens};

/// Worlds that are played at the same time: most of the time is spent waiting
/// for keys that never come.
const AT_ONCE: usize = 16;

/// Names a request in the access log and at the upstream.
const MARK: &str = "x-case";

/// One request that was sent.
struct Played<'c> {
    file: &'c str,
    case: &'c Case,
    protocol: Protocol,
    id: String,
    expected: Expectation,
    /// What the core made of the same bytes.
    core: Option<Outcome>,
    answer: Result<Response, String>,
}

#[test]
fn the_module_does_what_the_cases_say_and_the_core_does() {
    let files = load::all();
    let worlds: Vec<(String, &str, &World)> = files
        .iter()
        .flat_map(|loaded| loaded.file.worlds.iter().map(move |world| (loaded, world)))
        .filter(|(_, world)| world.cases.iter().any(|case| case.is_for(Side::Envoy)))
        .enumerate()
        .map(|(index, (loaded, world))| {
            (
                format!("{}-{index}", loaded.name),
                loaded.name.as_str(),
                world,
            )
        })
        .collect();
    let named: Vec<_> = worlds
        .iter()
        .map(|(name, _, world)| (name.clone(), *world))
        .collect();
    let stage = Stage::set(&named);
    let all = play_all(&stage, &worlds);
    let log = stage.envoy.access_log(0);
    let mut report = Report::default();
    let seen = stage.upstream.seen();
    for played in &all {
        let mark = played.id.as_bytes();
        let entry = log.iter().find(|entry| entry["case"] == played.id.as_str());
        let seen = seen.iter().find(|seen| seen.all(MARK).any(|id| id == mark));
        let seen = seen.map(|seen| Seen {
            path: seen.target.clone(),
            headers: request_fields(&seen.headers),
            trailers: seen.trailers.clone(),
        });
        let differences = judged(played, entry, seen);
        let how = match played.protocol {
            Protocol::Http1 => "Envoy, HTTP/1.1",
            Protocol::Http2 => "Envoy, HTTP/2",
        };
        report.add(played.file, how, played.case, &differences);
    }
    stage.envoy.assert_no_trap();
    report.finish(1);
}

/// Plays each world in order, several at a time.
fn play_all<'c>(stage: &Stage, worlds: &[(String, &'c str, &'c World)]) -> Vec<Played<'c>> {
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
    let address = stage.envoy.listener(name);
    let player = Player::new(world).expect("a world");
    let mut all = Vec::new();
    for case in world.cases.iter().filter(|case| case.is_for(Side::Envoy)) {
        for &protocol in &case.protocols {
            let now = i64::try_from(tokens::now()).unwrap();
            let (request, [_, expected]) = world.prepare(case, now).expect("a case");
            let same = case.is_for(Side::Native) && !case.differs_in_envoy();
            let core = same.then(|| player.play(&request, now)[0].clone());
            let id = format!("{name}-{}", all.len());
            let sent = sent(&request, protocol, &id);
            let answer = match protocol {
                Protocol::Http1 => http1::exchange(address, &sent).map_err(|e| e.to_string()),
                Protocol::Http2 => http2::exchange(address, &sent).map_err(|e| format!("{e:?}")),
            };
            all.push(Played {
                file,
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

/// The request as it is sent; the upstream is told how to answer.
fn sent(request: &Request, protocol: Protocol, id: &str) -> Sent {
    let mut sent = Sent::get("/").body(&request.body).header(MARK, id);
    sent.method.clone_from(&request.method);
    sent.target.clone_from(&request.path);
    sent.authority.clone_from(&request.host);
    for (name, value) in &request.headers {
        // HTTP/2 has no names in upper case (RFC 9113 section 8.2).
        let name = match protocol {
            Protocol::Http1 => name.clone(),
            Protocol::Http2 => name.to_ascii_lowercase(),
        };
        sent = sent.header(name, value);
    }
    if request.upstream.status != 200 {
        sent = sent.header("x-echo-status", request.upstream.status.to_string());
    }
    for (name, value) in &request.upstream.headers {
        let line = [name.as_slice(), b": ", value].concat();
        sent = sent.header("x-echo-header", line);
    }
    for (name, value) in &request.trailers {
        sent = sent.trailer(name, value);
    }
    sent
}

fn judged(played: &Played<'_>, entry: Option<&Value>, seen: Option<Seen>) -> Vec<Difference> {
    let response = match &played.answer {
        Ok(response) => response,
        Err(error) => return vec![difference("answer", played.expected.status, error)],
    };
    let of = |name: &str| {
        entry
            .and_then(|entry| entry[name].as_str())
            .map(str::to_owned)
    };
    let outcome = Outcome {
        status: response.status,
        reason: of("reason"),
        headers: answer_fields(&response.headers, seen.is_some()),
        body: seen.is_none().then(|| response.body.clone()),
        upstream: seen,
    };
    let mut found = played.expected.differences(&outcome);
    if let (Some(reason), None) = (&outcome.reason, &outcome.upstream) {
        let expected = format!("edge_authz_{reason}");
        let details = of("details").unwrap_or_default();
        if expected != details {
            found.push(difference("response code details", expected, &details));
        }
    }
    if let Some(core) = &played.core {
        found.extend(against_the_core(core, &outcome));
    }
    found
}

fn against_the_core(core: &Outcome, module: &Outcome) -> Vec<Difference> {
    let upstream = |outcome: &Outcome, part: fn(&Seen) -> String| {
        outcome
            .upstream
            .as_ref()
            .map_or_else(|| "not reached".to_owned(), part)
    };
    let path = |seen: &Seen| readable(&seen.path);
    let headers = |seen: &Seen| in_order(&request_fields(&seen.headers));
    let trailers = |seen: &Seen| in_order(&seen.trailers);
    let reached = core.upstream.is_some();
    let body = |outcome: &Outcome| readable(outcome.body.as_deref().unwrap_or_default());
    [
        ("status", core.status.to_string(), module.status.to_string()),
        (
            "reason",
            format!("{:?}", core.reason),
            format!("{:?}", module.reason),
        ),
        ("body", body(core), body(module)),
        (
            "headers",
            in_order(&answer_fields(&core.headers, reached)),
            in_order(&module.headers),
        ),
        (
            "upstream path",
            upstream(core, path),
            upstream(module, path),
        ),
        (
            "upstream headers",
            upstream(core, headers),
            upstream(module, headers),
        ),
        (
            "upstream trailers",
            upstream(core, trailers),
            upstream(module, trailers),
        ),
    ]
    .into_iter()
    .filter(|(_, core, module)| core != module)
    .map(|(what, core, module)| difference(&format!("{what}, by the core"), core, &module))
    .collect()
}

/// An answer's fields without those of Envoy and of the connection.
fn answer_fields(fields: &Fields, of_upstream: bool) -> Fields {
    let mut fields = fields.clone();
    fields.retain(|(name, _)| {
        let name = String::from_utf8_lossy(name);
        let of_echo = of_upstream && name == "content-type";
        let of_envoy = [
            "date",
            "server",
            "content-length",
            "transfer-encoding",
            "connection",
        ];
        !of_echo && !of_envoy.contains(&&*name) && !name.starts_with("x-envoy-")
    });
    fields
}

/// A request's fields without those of Envoy, of the connection and of tests.
fn request_fields(fields: &Fields) -> Fields {
    let mut fields = fields.clone();
    fields.retain(|(name, _)| {
        let name = String::from_utf8_lossy(name);
        let of_envoy = [
            "host",
            "content-length",
            "transfer-encoding",
            "connection",
            "te",
            "x-request-id",
            "x-forwarded-proto",
            "x-forwarded-for",
            MARK,
        ];
        let of_tests = name.starts_with("x-envoy-") || name.starts_with("x-echo-");
        !of_envoy.contains(&&*name) && !of_tests
    });
    fields
}

/// Fields in one order. Lines of one name are one list (RFC 9110 section
/// 5.3), cookies too, since HTTP/2 may cut them.
fn in_order(fields: &Fields) -> String {
    let mut lines = std::collections::BTreeMap::<String, Vec<String>>::new();
    for (name, value) in fields {
        let name = String::from_utf8_lossy(name).to_ascii_lowercase();
        // How soon depends on when the last fetch failed.
        let value = match name.as_str() {
            "retry-after" => b"soon",
            _ => value.trim_ascii(),
        };
        lines
            .entry(name)
            .or_default()
            .push(readable(value));
    }
    let line = |(name, values): (String, Vec<String>)| {
        let comma = if name == "cookie" { "; " } else { "," };
        format!("{name}: {}", values.join(comma).replace(", ", ","))
    };
    lines.into_iter().map(line).collect::<Vec<_>>().join(" | ")
}

fn difference(what: &str, expected: impl ToString, found: &str) -> Difference {
    Difference {
        what: what.to_owned(),
        expected: expected.to_string(),
        found: found.to_owned(),
    }
}
