//! The service with a fake issuer.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use edge_authz::config;
use edge_authz::engine::{CertificateUnknown, FetchCall};
use edge_authz::http::{HeaderEdit, HeaderMap, RequestHead};
use edge_authz::keys::answer::AnswerHead;
use edge_authz::telemetry::Reason;
use edge_authz_native::clock;
use tokio::task::LocalSet;
use tokio::{runtime, time};

use super::{Active, Answered, Document, Issuers, Keys, Outcome, Question, Service};
use crate::observation::{Log, Registry};

const CONFIGURATION: &str = r#"{
    "providers": [{"name": "idp", "issuer": "https://idp.example", "audiences": ["api"],
        "jwks": {"cluster": "idp", "uri": "https://idp.example/jwks"}, "algorithms": ["RS256"]}],
    "upstream": {"claims": {"x-user-id": "sub"}},
    "cors": {"allow_origins": ["https://app.example"]},
    "routes": [
        {"match": "GET /public", "access": "public"},
        {"match": "GET /private"}
    ]
}"#;

/// An issuer that answers nothing, and counts the requests.
#[derive(Default)]
struct Silent {
    requests: Cell<usize>,
    uris: RefCell<Vec<String>>,
}

impl Issuers for Rc<Silent> {
    async fn fetch(&self, call: &FetchCall) -> Answered {
        self.requests.update(|requests| requests.saturating_add(1));
        self.uris.borrow_mut().push(call.uri.to_string());
        Answered {
            head: AnswerHead::default(),
            body: None,
        }
    }
}

/// Runs a test that only needs a service.
pub(crate) fn in_service<F: Future<Output = ()>>(test: impl FnOnce(Service, Arc<Registry>) -> F) {
    World::run(|world| test(world.service, world.registry));
}

struct World {
    service: Service,
    active: Arc<Active>,
    registry: Arc<Registry>,
    issuer: Rc<Silent>,
}

impl World {
    fn run<F: Future<Output = ()>>(test: impl FnOnce(Self) -> F) {
        let runtime = runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        LocalSet::new().block_on(&runtime, async {
            let document = document();
            let active = Arc::new(Active::new(Arc::clone(&document)));
            let registry = Arc::new(Registry::default());
            let log = Arc::new(Log::none());
            let issuer = Rc::new(Silent::default());
            let keys = Keys::new(Rc::clone(&issuer), Arc::clone(&registry), Arc::clone(&log));
            keys.keep(&document);
            drop(document);
            let service = Service::new(&active, 0, &registry, &log);
            test(Self {
                service,
                active,
                registry,
                issuer,
            })
            .await;
        });
    }
}

fn document() -> Arc<Document> {
    let policy = config::compile(CONFIGURATION.as_bytes()).unwrap();
    Document::new(Arc::new(policy), 1, clock::now().unwrap())
}

fn question(path: &str, more: &[(&str, &str)]) -> Question {
    let base = [
        (":method", "GET"),
        (":scheme", "https"),
        (":authority", "api.example"),
        (":path", path),
    ];
    let pairs = base.iter().chain(more).copied();
    Question {
        head: RequestHead::new(HeaderMap::from_pairs(pairs)),
        certificate: Err(CertificateUnknown),
    }
}

/// A token that is well-formed, and whose key is not known.
pub(crate) fn token() -> String {
    use base64::Engine;
    use base64::prelude::BASE64_URL_SAFE_NO_PAD;
    let part = |text: &str| BASE64_URL_SAFE_NO_PAD.encode(text);
    let header = part(r#"{"alg":"RS256","kid":"k"}"#);
    let claims = part(r#"{"iss":"https://idp.example","aud":"api","sub":"a","exp":9999999999}"#);
    format!("{header}.{claims}.{}", part(&"s".repeat(256)))
}

#[test]
fn a_public_request_continues_without_the_clients_identity() {
    World::run(|world| async move {
        let fields = [("X-User-Id", "root"), ("origin", "https://app.example")];
        let outcome = world.service.decide(question("/public", &fields)).await;
        let Outcome::Forward(forwarded) = &outcome else {
            panic!("{outcome:?}");
        };
        let removal = HeaderEdit::Remove(b"X-User-Id"[..].into());
        assert!(forwarded.request_edits().contains(&removal));
        let origin = HeaderEdit::Set(
            b"access-control-allow-origin"[..].into(),
            b"https://app.example"[..].into(),
        );
        assert!(
            forwarded.response_edits().contains(&origin),
            "{forwarded:?}"
        );
        assert_eq!(outcome.decision().reason, Reason::Public);
    });
}

#[test]
fn a_request_without_a_token_is_answered_with_a_challenge_and_cors() {
    World::run(|world| async move {
        let fields = [("origin", "https://app.example")];
        let outcome = world.service.decide(question("/private", &fields)).await;
        let Outcome::Reply(reply) = &outcome else {
            panic!("{outcome:?}");
        };
        assert_eq!(reply.status, 401);
        let has = |name: &str| {
            reply
                .headers
                .iter()
                .any(|(known, _)| known == name.as_bytes())
        };
        assert!(has("www-authenticate") && has("access-control-allow-origin"));
        assert_eq!(outcome.decision().reason, Reason::NoToken);
    });
}

#[test]
fn a_request_waits_for_keys_and_is_refused_at_its_deadline() {
    World::run(|world| async move {
        let token = format!("Bearer {}", token());
        let fields = [("authorization", &*token)];
        let outcome = world.service.decide(question("/private", &fields)).await;
        let Outcome::Reply(reply) = &outcome else {
            panic!("{outcome:?}");
        };
        assert_eq!(reply.status, 503);
        assert!(world.issuer.requests.get() > 0);
    });
}

#[test]
fn a_client_that_leaves_frees_its_place() {
    World::run(|world| async move {
        let token = format!("Bearer {}", token());
        let waiting = || world.registry.totals()[&edge_authz::telemetry::Metric::WaitingRequests];
        let fields = [("authorization", &*token)];
        let decided = world.service.decide(question("/private", &fields));
        let patience = Duration::from_millis(5);
        assert!(time::timeout(patience, decided).await.is_err());
        assert_eq!(waiting(), 0);
    });
}

#[test]
fn a_replaced_document_is_dropped_and_the_new_one_decides() {
    World::run(|world| async move {
        let former = Arc::downgrade(&world.active.latest());
        let policy = r#"{"routes": [{"match": "GET /new", "access": "public"}]}"#;
        let policy = config::compile(policy.as_bytes()).unwrap();
        let document = Document::new(Arc::new(policy), 1, clock::now().unwrap());
        world.active.replace(document);
        let outcome = world.service.decide(question("/new", &[])).await;
        assert!(matches!(outcome, Outcome::Forward(_)));
        for _ in 0..200 {
            if former.strong_count() == 0 {
                return;
            }
            time::sleep(Duration::from_millis(20)).await;
        }
        panic!("the former document is still in use");
    });
}
