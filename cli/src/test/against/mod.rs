//! `edge-authz test --against`: plays the cases that a running gateway can prove from
//! outside.

mod answer;
mod client;
mod judge;
mod provable;
mod target;

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::{Played, PlayedCase, Unexpected, Verdict};
use crate::cases::{
    Case, CaseError, CaseFile, Difference, Expectation, Outcome, Player, Request, USUAL_HOST, World,
};
use client::Client;
use edge_authz::policy::Responses;
use judge::{Judgement, judge};
use provable::{Proof, is_safe, proof};

pub(crate) use target::Target;

/// What `--against` and its companions say.
#[derive(Debug)]
pub(crate) struct Options<'o> {
    pub(crate) target: Target,
    /// The content of `Host` for cases that name no host.
    pub(crate) host: Option<&'o str>,
    /// Where to connect instead of the URL's host, as `HOST:PORT`.
    pub(crate) connect: Option<&'o str>,
    /// A file with certificates to trust.
    pub(crate) ca: Option<&'o str>,
    pub(crate) timeout: Duration,
    /// Tokens by name.
    pub(crate) tokens: BTreeMap<String, String>,
    /// Whether requests are sent that may change data if they pass.
    pub(crate) may_change: bool,
}

/// A gateway, and what it has shown so far.
#[derive(Debug)]
pub(crate) struct Gateway<'o> {
    options: &'o Options<'o>,
    host: Vec<u8>,
    client: Client,
    seen: Seen,
}

/// What the answers have shown about the whole gateway.
#[derive(Debug, Default)]
struct Seen {
    /// Requests that the filter refused as expected.
    refused: usize,
    /// Requests that had to be refused and were not.
    let_through: usize,
    /// Other answers that only the filter gives, such as to preflights.
    answered: usize,
}

/// Seconds since 1970, by the clock of the system.
#[expect(
    clippy::disallowed_methods,
    reason = "the command is a host: it reads the clock for the core"
)]
fn now() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(0, |now| i64::try_from(now.as_secs()).unwrap_or(i64::MAX))
}

/// A case that is ready to be sent.
struct Prepared<'c> {
    case: &'c Case,
    request: Request,
    expected: Expectation,
    core: Outcome,
    proof: Result<Proof, String>,
}

impl<'o> Gateway<'o> {
    /// A gateway to which nothing was sent yet.
    ///
    /// # Errors
    ///
    /// A certificate cannot be read.
    pub(crate) fn new(options: &'o Options<'o>) -> Result<Self, String> {
        let host = options.host.unwrap_or(&options.target.authority);
        let connect = options.connect.map(str::to_owned);
        let client = Client::new(options.target.clone(), connect, options.timeout, options.ca)?;
        Ok(Self {
            options,
            host: host.into(),
            client,
            seen: Seen::default(),
        })
    }

    /// Plays the cases of a file that have `wanted` in their name.
    pub(super) fn play(&mut self, mut file: CaseFile, wanted: Option<&str>, played: &mut Played) {
        file.give(&self.options.tokens);
        let is_wanted = |case: &Case| wanted.is_none_or(|wanted| case.name.contains(wanted));
        for world in &file.worlds {
            if let Err(error) = self.play_world(world, &is_wanted, played) {
                played.errors.push(error.to_string());
            }
        }
        played.notes.extend(self.seen.note());
        if played.errors.is_empty() && played.count(Verdict::Skipped) == played.cases.len() {
            let nothing = "no case could be proven, so nothing is known about the gateway";
            played.errors.push(nothing.to_owned());
        }
    }

    fn play_world(
        &mut self,
        world: &World,
        is_wanted: &dyn Fn(&Case) -> bool,
        played: &mut Played,
    ) -> Result<(), CaseError> {
        let core = Player::new(world)?;
        let now = now();
        let mut prepared = Vec::new();
        for case in world.cases.iter().filter(|case| is_wanted(case)) {
            let mut asks = false;
            let ask = |request: &Request| {
                asks = true;
                core.nonce(request, now)
            };
            let (request, [_, expected]) = world.prepare(case, now, ask)?;
            let [outcome, _] = core.play(&request, now);
            let proof = if asks {
                Err("it needs a nonce of the gateway".to_owned())
            } else {
                proof((world, case), &request, &expected, &self.options.tokens)
            };
            prepared.push(Prepared {
                case,
                request,
                expected,
                core: outcome,
                proof,
            });
        }
        let first = played.cases.len();
        let skipped = |one: &Prepared<'_>| PlayedCase::skipped(&one.case.name, "");
        played.cases.extend(prepared.iter().map(skipped));
        // Requests that change data are sent last, once it is known whether the gateway
        // refuses requests.
        for safe in [true, false] {
            for (index, one) in prepared.iter().enumerate() {
                if is_safe(&one.request.method) != safe {
                    continue;
                }
                let result = self.play_one(one, core.responses());
                if let Some(place) = played.cases.get_mut(first.saturating_add(index)) {
                    *place = result;
                }
            }
        }
        Ok(())
    }

    fn play_one(&mut self, one: &Prepared<'_>, responses: &Responses) -> PlayedCase {
        let name = &one.case.name;
        let proof = match &one.proof {
            Err(why) => return PlayedCase::skipped(name, why),
            Ok(proof) => *proof,
        };
        if let Some(danger) = self.danger(one, proof) {
            return PlayedCase::skipped(name, danger);
        }
        let host = match &one.request.host {
            Some(host) if *host == *USUAL_HOST.as_bytes() => Some(&*self.host),
            host => host.as_deref(),
        };
        let mut received = self.client.exchange(&one.request, host);
        for _ in 1..one.request.sends {
            received = received.and_then(|_| self.client.exchange(&one.request, host));
        }
        let received = match received {
            Ok(received) => received,
            Err(error) => {
                return PlayedCase::judged(
                    name,
                    vec![Unexpected::from(Difference {
                        what: "answer".to_owned(),
                        expected: one.expected.status.to_string(),
                        found: error.to_string(),
                    })],
                );
            }
        };
        let judgement = judge(proof, &one.expected, &one.core, (&received, responses));
        self.seen.note_one(&judgement, proof, &one.core);
        let differences = judgement.differences.into_iter();
        let differences = differences.map(|found| self.without_tokens(found).into());
        PlayedCase::judged(name, differences.collect())
    }

    /// Why a request is not sent, although its answer could be judged.
    fn danger(&self, one: &Prepared<'_>, proof: Proof) -> Option<&'static str> {
        if self.options.may_change || is_safe(&one.request.method) {
            return None;
        }
        if proof == Proof::Passes {
            return Some("it may change data; `--allow-changes` sends it");
        }
        if self.seen.let_through > 0 {
            return Some(
                "it may change data, because the gateway lets requests pass that must be refused; `--allow-changes` sends it",
            );
        }
        if self.seen.refused == 0 {
            return Some(
                "it may change data, and no other case has shown that the gateway refuses requests; `--allow-changes` sends it",
            );
        }
        None
    }

    /// Removes the tokens that were given, in case the gateway repeats one.
    fn without_tokens(&self, mut difference: Difference) -> Difference {
        for (name, token) in &self.options.tokens {
            for text in [&mut difference.expected, &mut difference.found] {
                *text = text.replace(token, &format!("(the token {name})"));
            }
        }
        difference
    }
}

impl Seen {
    fn note_one(&mut self, judgement: &Judgement, proof: Proof, core: &Outcome) {
        let count = if judgement.was_let_through {
            &mut self.let_through
        } else if !judgement.is_of_filter
            || !judgement.differences.is_empty()
            || proof == Proof::Passes
        {
            return;
        } else if core.status < 400
            || matches!(core.reason.as_deref(), Some("denied" | "preflight_refused"))
        {
            // Report mode gives these answers too.
            &mut self.answered
        } else {
            &mut self.refused
        };
        *count = count.saturating_add(1);
    }

    /// What the gateway is, if it does not refuse what it must.
    fn note(&self) -> Option<String> {
        let Self {
            refused,
            let_through,
            answered,
        } = *self;
        if let_through == 0 {
            return None;
        }
        let what = format!("the gateway let {let_through} requests pass that must be refused");
        Some(match (refused, answered) {
            (0, 0) => format!(
                "{what}, and refused none: the filter is not deployed there, or it has `mode: report`"
            ),
            (0, _) => format!(
                "{what}, but gave answers that only the filter gives: the filter is deployed, but does not enforce its rules (`mode: report`)"
            ),
            (1.., _) => format!(
                "{what}, and refused others: some routes have `mode: report`, bypass the filter, or have another configuration"
            ),
        })
    }
}
