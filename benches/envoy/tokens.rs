//! The tokens of a workload. Their size and claims are like those of real issuers.

use serde_json::{Value, json};

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
        let token = |user: usize| {
            let issuer = user % self.makers.len();
            self.makers[issuer].token(&claims(issuer, user))
        };
        // Signing takes long: both cores do it.
        let half = count / 2;
        std::thread::scope(|scope| {
            let first = scope.spawn(|| (0..half).map(token).collect::<Vec<_>>());
            let second: Vec<_> = (half..count).map(token).collect();
            let mut all = first.join().expect("tokens");
            all.extend(second);
            all
        })
    }
}

/// The claims of a token from the issuer with this number.
pub(crate) fn claims(issuer: usize, user: usize) -> Value {
    access_claims(&Issuers::name(issuer), AUDIENCE, SCOPE, user, now())
}
