//! The tokens of a workload. Their size and claims are like those of real issuers.

use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::tokens::{TokenMaker, access_claims, now};

pub(crate) const AUDIENCE: &str = "4t0example";
pub(crate) const SCOPE: &str = "pets:read";

/// The issuers of a workload: one key each, all of one algorithm.
pub(crate) struct Issuers {
    makers: Vec<TokenMaker>,
}

impl Issuers {
    pub(crate) fn new(algorithm: &str, count: usize) -> Self {
        let maker = |number| TokenMaker::generate(algorithm, &format!("key-{number}"));
        Self {
            makers: (0..count).map(maker).collect(),
        }
    }

    /// The `iss` of the issuer with this number.
    pub(crate) fn name(number: usize) -> String {
        format!("https://cognito-idp.us-east-1.amazonaws.com/us-east-1_{number:09}")
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = String> {
        (0..self.makers.len()).map(Self::name)
    }

    /// The key set of the issuer with this number.
    pub(crate) fn key_set(&self, number: usize) -> Value {
        json!({"keys": [self.makers[number].public_jwk()]})
    }

    /// `count` tokens, from all issuers in turn.
    pub(crate) fn tokens(&self, count: usize) -> Vec<String> {
        self.tokens_of(None, count)
    }

    /// The same, bound to the key of this client, if there is one.
    pub(crate) fn tokens_of(&self, client: Option<&Client>, count: usize) -> Vec<String> {
        let key = client.map(|client| json!({"jkt": client.thumbprint()}));
        signed(count, |user: usize| {
            let issuer = user % self.makers.len();
            let mut claims = claims(issuer, user);
            if let Some(key) = &key {
                claims["cnf"] = key.clone();
            }
            self.makers[issuer].token(&claims)
        })
    }
}

/// `count` signed texts, in order. Signing takes long: both cores do it.
pub(crate) fn signed(count: usize, one: impl Fn(usize) -> String + Sync) -> Vec<String> {
    let half = count / 2;
    std::thread::scope(|scope| {
        let first = scope.spawn(|| (0..half).map(&one).collect::<Vec<_>>());
        let second: Vec<_> = (half..count).map(&one).collect();
        let mut all = first.join().expect("signed texts");
        all.extend(second);
        all
    })
}

/// The claims of a token from the issuer with this number.
pub(crate) fn claims(issuer: usize, user: usize) -> Value {
    access_claims(&Issuers::name(issuer), AUDIENCE, SCOPE, user, now())
}
