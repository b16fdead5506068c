//! Measures a decision of the server in its process: a question in, a decision out, without
//! connections. It prints the microseconds for a new RS256 token and for a cached one as JSON.
//!
//! It is a program of its own, so that it can be compiled as the server is: `make decision`.
#![allow(
    clippy::print_stdout,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::disallowed_methods,
    reason = "a measurement, which ends at the first error"
)]

#[path = "../../../tests/support/tokens.rs"]
#[allow(dead_code, reason = "the tests use the rest")]
mod tokens;

use std::sync::Arc;
use std::time::Instant;

use edge_authz::config;
use edge_authz::engine::CertificateUnknown;
use edge_authz::http::{HeaderMap, RequestHead};
use edge_authz_native::clock;
use edge_authz_server::observation::{Log, Registry};
use edge_authz_server::service::{Active, Document, Outcome, Question, Service};
use serde_json::{Value, json};
use tokio::runtime;
use tokio::task::LocalSet;

use tokens::{TokenMaker, access_claims, now};

/// The figure is the median over this many batches: other load on the machine affects few.
const BATCHES: usize = 31;
/// The decisions of a batch.
const NEW: usize = 100;
const CACHED: usize = 1000;

const ISSUER: &str = "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_000000000";
const AUDIENCE: &str = "4t0example";
const SCOPE: &str = "pets:read";
const ORIGIN: &str = "https://app.example.com";

fn main() {
    let maker = TokenMaker::generate("RS256", "key-0");
    let runtime = runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    LocalSet::new().block_on(&runtime, async {
        let service = service(&maker);
        // The first token is checked before anything is measured.
        let known = token(&maker, 0);
        batch(&service, std::slice::from_ref(&known), 1).await;
        let mut new = Vec::new();
        let mut cached = Vec::new();
        for batch_number in 0..BATCHES {
            let first = 1 + batch_number * NEW;
            let users = first..first + NEW;
            let tokens: Vec<String> = users.map(|user| token(&maker, user)).collect();
            new.push(batch(&service, &tokens, NEW).await);
            cached.push(batch(&service, std::slice::from_ref(&known), CACHED).await);
        }
        println!("{}", json!({"new": median(new), "cached": median(cached)}));
    });
}

/// The policy of `make bench`: a scope rule, CORS, and an identity header.
fn configuration(maker: &TokenMaker) -> Value {
    json!({
        "providers": [{
            "name": "issuer-0", "issuer": ISSUER, "audiences": [AUDIENCE],
            "jwks": {"inline": {"keys": [maker.public_jwk()]}},
        }],
        "upstream": {"claims": {"x-user-id": "sub"}},
        "routes": [{"match": "ANY /pets-0/{id}", "scopes": [SCOPE]}],
        "cors": {"allow_origins": [ORIGIN], "allow_headers": ["Authorization"]},
    })
}

fn service(maker: &TokenMaker) -> Service {
    let configuration = configuration(maker).to_string();
    let policy = config::compile(configuration.as_bytes()).expect("a policy");
    let document = Document::new(Arc::new(policy), 1, clock::now().expect("a clock"));
    let active = Arc::new(Active::new(document));
    let registry = Arc::new(Registry::default());
    Service::new(&active, 0, &registry, &Arc::new(Log::none()))
}

fn token(maker: &TokenMaker, user: usize) -> String {
    maker.token(&access_claims(ISSUER, AUDIENCE, SCOPE, user, now()))
}

/// Decides about this many requests with the tokens in turn. Returns the microseconds for
/// each.
async fn batch(service: &Service, tokens: &[String], count: usize) -> f64 {
    let tokens = tokens.iter().cycle().take(count);
    let questions: Vec<Question> = tokens.map(|token| question(token)).collect();
    let begin = Instant::now();
    for question in questions {
        let outcome = service.decide(question).await;
        assert!(matches!(outcome, Outcome::Forward(_)), "{outcome:?}");
    }
    begin.elapsed().as_secs_f64() * 1e6 / count as f64
}

fn question(token: &str) -> Question {
    let authorization = format!("Bearer {token}");
    let fields = [
        (":method", "GET"),
        (":scheme", "http"),
        (":authority", "api.example.com"),
        (":path", "/pets-0/7"),
        ("origin", ORIGIN),
        ("authorization", &authorization),
        ("x-forwarded-proto", "http"),
        ("x-request-id", "6f1c2f2e-4a0b-4f34-9e4c-1d9a4c1f2b3a"),
    ];
    Question {
        head: RequestHead::new(HeaderMap::from_pairs(fields)),
        certificate: Err(CertificateUnknown),
    }
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}
