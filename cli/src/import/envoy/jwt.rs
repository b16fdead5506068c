//! The filter `jwt_authn`.

use std::collections::BTreeMap;

use super::matching::of_route;
use super::member::{elements, get, is_true, text, texts};
use crate::import::kubernetes::{authorizer, places};
use crate::import::model::{Api, Authorizer, Issuer, Trust};
use crate::import::ordered::{Conditions, Layer, Names, Need};
use crate::import::problems::Problems;
use crate::tree::Node;

/// What the filter requires.
pub(super) struct Jwt<'n> {
    /// The rules of the filter.
    pub(super) rules: Layer,
    /// The named requirements.
    named: BTreeMap<&'n str, Need>,
    /// The providers whose claims are under a name of the metadata.
    pub(super) metadata: BTreeMap<String, Names>,
    /// Whether all providers forward the token.
    pub(super) forwards: bool,
}

impl<'n> Jwt<'n> {
    pub(super) fn read(
        api: &mut Api,
        filter: &str,
        config: &'n Node,
        problems: &Problems<'_>,
    ) -> Self {
        let mut metadata: BTreeMap<String, Names> = BTreeMap::new();
        let mut all = Names::new();
        let mut forwards = true;
        let providers = get(config, "providers").map_or(&[][..], Node::members);
        for member in providers {
            let mut key = member.name.clone();
            while api.authorizers.contains_key(&key) {
                key = format!("{filter}-{key}");
            }
            // Requirements name the provider as it is written.
            if key != member.name {
                problems.report(
                    &member.name_span,
                    "two filters have a provider of this name; rename one",
                );
            }
            let provider = &member.value;
            let audiences = texts(provider, "audiences");
            let read = read_provider(api, provider, &audiences, problems);
            api.authorizers.insert(key.clone(), read);
            forwards &= is_true(get(provider, "forward"));
            if let Some(name) = text(provider, "payload_in_metadata") {
                metadata
                    .entry(name.to_owned())
                    .or_default()
                    .insert(key.clone());
            }
            all.insert(key);
        }
        let mut requirements = Requirements { api, all };
        let named = get(config, "requirement_map").map_or(&[][..], Node::members);
        let named: BTreeMap<&str, Need> = named
            .iter()
            .map(|member| (&*member.name, requirements.need(&member.value)))
            .collect();
        let mut rules = Vec::new();
        for rule in elements(config, "rules") {
            let region = get(rule, "match").map(of_route);
            let Some(region) = region else {
                problems.report(&rule.span, "the rule has no `match`; write one");
                continue;
            };
            let need = match (get(rule, "requires"), text(rule, "requirement_name")) {
                (Some(requires), None) => requirements.need(requires),
                (None, Some(name)) => named_need(&named, name),
                (None, None) => Need::Open,
                (Some(_), Some(_)) => Need::denied("its rule has two requirements"),
            };
            rules.push((region, Layer::Fixed(need)));
        }
        let last = match get(config, "filter_state_rules") {
            None => Need::Open,
            Some(_) => Need::denied("`filter_state_rules` has no equivalent"),
        };
        Self {
            rules: Layer::First(rules, Box::new(Layer::Fixed(last))),
            named,
            metadata,
            forwards,
        }
    }

    /// The rules that a route gives: `PerRouteConfig`.
    pub(super) fn of_route(&self, config: &Node) -> Layer {
        Layer::Fixed(match text(config, "requirement_name") {
            Some(name) => named_need(&self.named, name),
            None if is_true(get(config, "disabled")) => Need::Open,
            None => Need::denied("its route configures `jwt_authn` in an unknown way"),
        })
    }
}

fn named_need(named: &BTreeMap<&str, Need>, name: &str) -> Need {
    named
        .get(name)
        .cloned()
        .unwrap_or_else(|| Need::Denied(format!("the requirement `{name}` is not in the file")))
}

fn read_provider(
    api: &mut Api,
    provider: &Node,
    audiences: &[&str],
    problems: &Problems<'_>,
) -> Authorizer {
    let at = &provider.span;
    for member in ["subjects", "max_lifetime"] {
        if get(provider, member).is_some() {
            let reason = format!(
                "`{member}` of its provider has no equivalent here; write it as `claims` or `max_lifetime`"
            );
            return Authorizer {
                at: at.clone(),
                trust: Trust::Unknown(reason),
                places: Vec::new(),
            };
        }
    }
    for member in ["claim_to_headers", "forward_payload_header"] {
        if let Some(node) = get(provider, member) {
            api.leave_out(&node.span, format!("`{member}`; write it as `upstream`"));
        }
    }
    let remote = get(provider, "remote_jwks").and_then(|remote| get(remote, "http_uri"));
    let inline = get(provider, "local_jwks").map(|local| text(local, "inline_string"));
    if inline == Some(None) {
        problems.report(
            at,
            "its key set is not in the file; write it as `local_jwks: {inline_string: …}`",
        );
    }
    let issuer = Issuer {
        iss: text(provider, "issuer").unwrap_or_default().to_owned(),
        audiences: (!audiences.is_empty())
            .then(|| audiences.iter().map(|one| (*one).to_owned()).collect()),
        keys: remote.and_then(|uri| text(uri, "uri")).map(str::to_owned),
        inline: inline.flatten().map(str::to_owned),
        cluster: remote
            .and_then(|uri| text(uri, "cluster"))
            .map(str::to_owned),
        ..Issuer::default()
    };
    let headers: Vec<_> = elements(provider, "from_headers")
        .iter()
        .map(|one| {
            (
                text(one, "name").unwrap_or_default(),
                text(one, "value_prefix").unwrap_or_default(),
            )
        })
        .collect();
    let places = places(
        &headers,
        &texts(provider, "from_params"),
        &texts(provider, "from_cookies"),
    );
    authorizer(at, issuer, places)
}

struct Requirements<'a> {
    api: &'a mut Api,
    all: Names,
}

impl Requirements<'_> {
    fn need(&mut self, requirement: &Node) -> Need {
        let [member] = requirement.members() else {
            return if requirement.members().is_empty() {
                Need::Open
            } else {
                Need::denied("its requirement has several members")
            };
        };
        match &*member.name {
            "provider_name" | "providerName" => {
                self.provider(member.value.text().unwrap_or_default())
            }
            "provider_and_audiences" | "providerAndAudiences" => self.with_audiences(&member.value),
            "requires_any" | "requiresAny" => self.any(&member.value),
            // An invalid token is refused here, although the second one lets it pass.
            "allow_missing"
            | "allowMissing"
            | "allow_missing_or_failed"
            | "allowMissingOrFailed" => Need::Optional(self.all.clone()),
            "requires_all" | "requiresAll" => match elements(&member.value, "requirements") {
                [one] => self.need(one),
                _ => Need::denied("it needs several tokens at the same time"),
            },
            other => Need::Denied(format!("its requirement `{other}` has no equivalent")),
        }
    }

    fn provider(&self, name: &str) -> Need {
        if self.all.contains(name) {
            Need::Token([name.to_owned()].into(), Conditions::default())
        } else {
            Need::Denied(format!("its provider `{name}` is not in the file"))
        }
    }

    /// A provider with other audiences is a provider of its own.
    fn with_audiences(&mut self, node: &Node) -> Need {
        let name = text(node, "provider_name").unwrap_or_default();
        let audiences: Vec<String> = texts(node, "audiences")
            .into_iter()
            .map(str::to_owned)
            .collect();
        let known = self
            .api
            .authorizers
            .get(name)
            .filter(|_| self.all.contains(name));
        let Some(mut own) = known.cloned() else {
            return self.provider(name);
        };
        let Trust::Issuers(issuers) = &mut own.trust else {
            return self.provider(name);
        };
        if audiences.is_empty() {
            return self.provider(name);
        }
        let key = format!("{name}-{}", audiences.join("-"));
        for issuer in issuers {
            issuer.audiences = Some(audiences.clone());
        }
        if self
            .api
            .authorizers
            .get(&key)
            .is_some_and(|other| other.at != own.at)
        {
            return Need::denied("two providers have the same name here");
        }
        self.api.authorizers.insert(key.clone(), own);
        Need::Token([key].into(), Conditions::default())
    }

    fn any(&mut self, node: &Node) -> Need {
        let mut names = Names::new();
        let mut optional = false;
        for one in elements(node, "requirements") {
            let missing = one.members().iter().any(|member| {
                [
                    "allow_missing",
                    "allowMissing",
                    "allow_missing_or_failed",
                    "allowMissingOrFailed",
                ]
                .contains(&&*member.name)
            });
            match self.need(one) {
                Need::Optional(_) if missing => optional = true,
                Need::Token(more, rules) if rules == Conditions::default() => names.extend(more),
                Need::Optional(more) => {
                    optional = true;
                    names.extend(more);
                }
                Need::Denied(reason) => return Need::Denied(reason),
                Need::Open | Need::Token(..) | Need::Having(..) => {
                    return Need::denied("its alternative requirements cannot be expressed");
                }
            }
        }
        match (optional, names.is_empty()) {
            (true, true) => Need::Optional(self.all.clone()),
            (true, false) => Need::Optional(names),
            (false, true) => Need::denied("its requirement is empty"),
            (false, false) => Need::Token(names, Conditions::default()),
        }
    }
}
