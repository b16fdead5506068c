//! Rules in an order, of which the first one decides, and rules that are all asked: as in
//! Envoy, Istio and Envoy Gateway.
//!
//! Our routes have a precedence instead of an order. So each pattern that the source
//! mentions becomes a route, and gets the need of the requests that reach it. If several
//! rules of the source apply to these, the strictest is taken, and if none is the
//! strictest, the route is denied. So no request passes that the source refuses.

mod need;
mod region;
#[cfg(test)]
mod tests;
mod universe;

use std::ops::Range;

use super::model::{Claim, Route, Rule, Scopes};
pub(super) use need::{Conditions, Names, Need};
pub(super) use region::Region;
use universe::{Entry, Reach, Universe};

/// Rules for the requests to some hosts.
#[derive(Debug)]
pub(super) struct Site {
    /// Empty: every host.
    pub(super) hosts: Vec<String>,
    pub(super) at: Range<usize>,
    pub(super) rules: Layer,
}

/// Rules for requests.
#[derive(Debug, Clone)]
pub(super) enum Layer {
    Fixed(Need),
    /// The first rule that matches a request, or else the last one.
    First(Vec<(Region, Layer)>, Box<Layer>),
    /// One of the rules must be met.
    Allow(Vec<(Region, Need)>),
    /// None of the rules may match.
    Deny(Vec<(Region, Denial)>),
    /// All of these.
    All(Vec<Layer>),
}

/// When a rule refuses a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Denial {
    Always(String),
    WithoutToken,
}

const NO_RULE: &str = "no rule of the source surely allows these requests";

/// The routes of a site, `$default` included. `None`: there are too many.
pub(super) fn routes(site: &Site) -> Option<Vec<Route>> {
    let mut universe = Universe::new(&site.at);
    add(&site.rules, &mut universe);
    if !universe.is_small() {
        return None;
    }
    universe.complete();
    let decided: Vec<(Entry, Need)> = universe
        .entries()
        .map(|entry| {
            let need = need(&site.rules, &entry, &universe).finished();
            (entry, need)
        })
        .collect();
    let kept = universe::needed(&decided);
    let routes = kept.into_iter().map(|(entry, need)| Route {
        hosts: site.hosts.clone(),
        claims: claims(need),
        ..Route::new(entry.text(), entry.at(), rule(need))
    });
    Some(routes.collect())
}

/// Adds the patterns of all regions.
fn add(layer: &Layer, universe: &mut Universe) {
    match layer {
        Layer::Fixed(_) => {}
        Layer::First(rules, last) => {
            for (region, layer) in rules {
                universe.add(region);
                add(layer, universe);
            }
            add(last, universe);
        }
        Layer::Allow(rules) => rules.iter().for_each(|(region, _)| universe.add(region)),
        Layer::Deny(rules) => rules.iter().for_each(|(region, _)| universe.add(region)),
        Layer::All(layers) => layers.iter().for_each(|layer| add(layer, universe)),
    }
}

/// What the requests need that reach a pattern.
fn need(layer: &Layer, entry: &Entry, universe: &Universe) -> Need {
    match layer {
        Layer::Fixed(need) => need.clone(),
        Layer::All(layers) => layers.iter().fold(Need::Open, |all, layer| {
            all.and(need(layer, entry, universe))
        }),
        Layer::First(rules, last) => {
            let mut needs = Vec::new();
            for (number, (region, layer)) in rules.iter().enumerate() {
                let reach = universe.reach(region, entry);
                if reach != Reach::None {
                    needs.push(need(layer, entry, universe));
                }
                if reach == Reach::All {
                    // `/a` covers `/a/`, for which a later rule may be.
                    let following = rules.iter().skip(number).skip(1);
                    let slashed =
                        following.filter(|(region, _)| universe.needs_slash(region, entry));
                    needs.extend(slashed.map(|(_, layer)| need(layer, entry, universe)));
                    return Need::strictest(&needs);
                }
            }
            needs.push(need(last, entry, universe));
            Need::strictest(&needs)
        }
        Layer::Allow(rules) => {
            let sure = rules
                .iter()
                .filter(|(region, _)| universe.reach(region, entry) == Reach::All);
            let mut met: Option<Need> = None;
            for (_, need) in sure {
                met = match met {
                    None => Some(need.clone()),
                    Some(before) => match before.or(need) {
                        None => return Need::denied("its alternative rules cannot be expressed"),
                        either => either,
                    },
                };
            }
            met.unwrap_or_else(|| Need::denied(NO_RULE))
        }
        Layer::Deny(rules) => {
            let mut all = Need::Open;
            for (region, denial) in rules {
                if universe.reach(region, entry) != Reach::None {
                    all = all.and(match denial {
                        Denial::Always(reason) => Need::Denied(reason.clone()),
                        Denial::WithoutToken => Need::Having(None, Conditions::default()),
                    });
                }
            }
            all
        }
    }
}

fn rule(need: &Need) -> Rule {
    let list = |names: &Names| names.iter().cloned().collect();
    match need {
        Need::Open => Rule::Public,
        Need::Denied(reason) => Rule::Denied(reason.clone()),
        Need::Optional(names) => Rule::Optional(list(names)),
        Need::Token(names, rules) => {
            match (rules.any_scopes.is_empty(), rules.all_scopes.is_empty()) {
                (true, _) => Rule::Token(list(names), Scopes::AllOf(list(&rules.all_scopes))),
                (false, true) => Rule::Token(list(names), Scopes::AnyOf(list(&rules.any_scopes))),
                (false, false) => {
                    Rule::Denied("its rules for scopes cannot be expressed".to_owned())
                }
            }
        }
        Need::Having(..) => Rule::Denied(NO_RULE.to_owned()),
    }
}

fn claims(need: &Need) -> Vec<Claim> {
    let Need::Token(_, rules) = need else {
        return Vec::new();
    };
    let claims = rules.claims.iter();
    claims
        .map(|(name, values)| Claim {
            name: name.clone(),
            values: values.iter().cloned().collect(),
        })
        .collect()
}
