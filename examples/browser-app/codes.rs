//! Authorization codes: each is valid once, for a minute, and only with the verifier of its
//! PKCE challenge.

use std::collections::HashMap;
use std::sync::Mutex;

use sha2::{Digest, Sha256};

use crate::support::tokens;

/// How long a code is valid, in seconds.
const VALID: u64 = 60;

/// The maximum number of codes at a time. Further sign-ins replace all of them.
const MOST: usize = 1000;

/// What a code stands for.
pub(crate) struct Grant {
    pub(crate) user: String,
    /// Separated by spaces.
    pub(crate) scope: String,
    /// Of the token, in seconds.
    pub(crate) lifetime: u64,
    /// The PKCE challenge of the request.
    pub(crate) challenge: String,
}

impl Grant {
    /// Whether the code was issued for whoever has this verifier (RFC 7636 section 4.6).
    pub(crate) fn is_for(&self, verifier: &str) -> bool {
        tokens::encode(Sha256::digest(verifier)) == self.challenge
    }
}

/// The codes that were issued and not used, and the times of their ends.
#[derive(Default)]
pub(crate) struct Codes(Mutex<HashMap<String, (u64, Grant)>>);

impl Codes {
    /// A new code.
    pub(crate) fn issue(&self, grant: Grant) -> String {
        let mut bytes = [0; 32];
        aws_lc_rs::rand::fill(&mut bytes).expect("random bytes");
        let code = tokens::encode(bytes);
        let mut codes = self.0.lock().expect("the codes");
        codes.retain(|_, (end, _)| tokens::now() < *end);
        if codes.len() >= MOST {
            codes.clear();
        }
        codes.insert(code.clone(), (tokens::now() + VALID, grant));
        code
    }

    /// Uses a code up. A wrong verifier uses it up too.
    pub(crate) fn redeem(&self, code: &str) -> Option<Grant> {
        let found = self.0.lock().expect("the codes").remove(code);
        let (end, grant) = found?;
        (tokens::now() < end).then_some(grant)
    }
}
