//! One `SecurityPolicy`.

use crate::import::kubernetes::{authorizer, elements, name, places, text, texts};
use crate::import::model::{Api, ClaimValue, Cors, Issuer};
use crate::import::ordered::{Conditions, Denial, Layer, Names, Need, Region};
use crate::import::problems::Problems;
use crate::tree::{Node, Value};

/// The rules of a policy.
pub(super) struct Policy {
    pub(super) layers: Vec<Layer>,
    cors: Option<Cors>,
}

/// The targets of a policy: kind, name and section.
pub(super) fn targets(policy: &Node) -> Vec<(&str, &str, Option<&str>)> {
    let Some(spec) = policy.get("spec") else {
        return Vec::new();
    };
    let all = elements(spec, "targetRefs")
        .iter()
        .chain(spec.get("targetRef"));
    all.filter_map(|one| {
        Some((
            text(one, "kind")?,
            text(one, "name")?,
            text(one, "sectionName"),
        ))
    })
    .collect()
}

/// Whether a policy is for a resource. Its targets are in its own namespace.
pub(super) fn is_for(policy: &Node, kind: &str, name: &str, namespace: Option<&str>) -> bool {
    let own = crate::import::kubernetes::namespace(policy);
    let mut targets = targets(policy).into_iter();
    namespace.is_none_or(|namespace| namespace == own)
        && targets.any(|(of_kind, of_name, _)| (of_kind, of_name) == (kind, name))
}

impl Policy {
    pub(super) fn read(api: &mut Api, policy: &Node, problems: &Problems<'_>) -> Self {
        let mut layers = Vec::new();
        let mut denied = |reason: String| layers.push(Layer::Fixed(Need::Denied(reason)));
        if targets(policy)
            .iter()
            .any(|(_, _, section)| section.is_some())
        {
            denied(
                "its policy is for a section of its target only, which has no equivalent"
                    .to_owned(),
            );
        }
        let spec = policy.get("spec").unwrap_or(policy);
        let known = [
            "targetRef",
            "targetRefs",
            "targetSelectors",
            "jwt",
            "authorization",
            "cors",
        ];
        for member in spec.members() {
            if !known.contains(&&*member.name) {
                denied(format!("`{}` of its policy has no equivalent", member.name));
            }
        }
        if let Some(jwt) = spec.get("jwt") {
            let names = providers(api, policy, jwt, problems);
            let optional = jwt
                .get("optional")
                .is_some_and(|node| node.value == Value::Bool(true));
            layers.push(Layer::Fixed(if optional {
                Need::Optional(names)
            } else {
                Need::Token(names, Conditions::default())
            }));
        }
        if let Some(authorization) = spec.get("authorization") {
            layers.push(rules(api, policy, authorization));
        }
        Self {
            layers,
            cors: spec.get("cors").map(cors),
        }
    }
}

/// Adds the issuers of a policy.
fn providers(api: &mut Api, policy: &Node, jwt: &Node, problems: &Problems<'_>) -> Names {
    let mut names = Names::new();
    for provider in elements(jwt, "providers") {
        let key = key(policy, text(provider, "name").unwrap_or_default());
        let remote = provider
            .descend(&["remoteJWKS", "uri"])
            .and_then(Node::text);
        let local = provider.get("localJWKS");
        let inline = local.and_then(|local| text(local, "inline"));
        if local.is_some() && inline.is_none() {
            problems.report(
                &provider.span,
                "its key set is in another resource; write it as `localJWKS: {type: Inline, inline: …}`",
            );
        }
        let audiences = texts(provider, "audiences").unwrap_or_default();
        let issuer = Issuer {
            iss: text(provider, "issuer").unwrap_or_default().to_owned(),
            audiences: (!audiences.is_empty())
                .then(|| audiences.iter().map(|one| (*one).to_owned()).collect()),
            keys: remote.map(str::to_owned),
            inline: inline.map(str::to_owned),
            ..Issuer::default()
        };
        let from = provider.get("extractFrom");
        let list = |name: &str| from.and_then(|from| texts(from, name)).unwrap_or_default();
        let headers = from.map_or(&[][..], |from| elements(from, "headers"));
        let headers: Vec<_> = headers
            .iter()
            .map(|one| {
                (
                    text(one, "name").unwrap_or_default(),
                    text(one, "valuePrefix").unwrap_or_default(),
                )
            })
            .collect();
        let places = places(&headers, &list("params"), &list("cookies"));
        api.authorizers
            .insert(key.clone(), authorizer(&provider.span, issuer, places));
        names.insert(key);
        for header in elements(provider, "claimToHeaders") {
            let header = text(header, "header").unwrap_or_default();
            api.leave_out(&provider.span, format!("the header `{header}`, which only one issuer sets; write it in `upstream.claims`"));
        }
    }
    names
}

/// Two policies may have providers of one name.
fn key(policy: &Node, provider: &str) -> String {
    format!("{}-{provider}", name(policy))
}

/// The rules of `authorization`, of which the first one that matches decides. Those that
/// deny are asked first here, so that their order never opens anything.
fn rules(api: &mut Api, policy: &Node, authorization: &Node) -> Layer {
    let mut allow = Vec::new();
    let mut deny = Vec::new();
    for rule in elements(authorization, "rules") {
        let everything = Region::everything(&rule.span);
        let region = match rule.get("operation") {
            None => everything,
            Some(operation) => match texts(operation, "methods") {
                Some(methods) if operation.members().len() == 1 => {
                    everything.with_methods(&methods)
                }
                _ => everything.conditional(),
            },
        };
        if text(rule, "action") == Some("Deny") {
            let plain = rule.get("principal").is_none();
            let reason = if plain {
                "a rule of the source denies it"
            } else {
                "a rule denies it under a condition that has no equivalent"
            };
            deny.push((region, Denial::Always(reason.to_owned())));
            continue;
        }
        match principal(policy, rule.get("principal")) {
            Ok(need) => allow.push((region, need)),
            Err(reason) => {
                api.leave_out(
                    &rule.span,
                    format!("a rule that allows requests, because {reason}"),
                );
                allow.push((region.conditional(), Need::Open));
            }
        }
    }
    let mut layers = vec![Layer::Deny(deny)];
    if text(authorization, "defaultAction") != Some("Allow") {
        layers.push(Layer::Allow(allow));
    }
    Layer::All(layers)
}

/// What a principal requires of a token.
fn principal(policy: &Node, principal: Option<&Node>) -> Result<Need, String> {
    let Some(principal) = principal else {
        return Ok(Need::Open);
    };
    let other = principal
        .members()
        .iter()
        .find(|member| member.name != "jwt");
    if let Some(other) = other {
        return Err(format!(
            "its condition on `{}` has no equivalent",
            other.name
        ));
    }
    let jwt = principal.get("jwt").ok_or("its principal is empty")?;
    let provider = text(jwt, "provider").ok_or("its principal names no provider")?;
    let mut conditions = Conditions::default();
    for scope in texts(jwt, "scopes").ok_or("`scopes` is not a list of texts")? {
        conditions.all_scopes.insert(scope.to_owned());
    }
    for claim in elements(jwt, "claims") {
        let name = text(claim, "name").unwrap_or_default();
        let values = texts(claim, "values").unwrap_or_default();
        if name.is_empty()
            || name.contains('.')
            || values.is_empty()
            || conditions.claims.contains_key(name)
        {
            return Err(format!(
                "its condition on the claim `{name}` has no equivalent"
            ));
        }
        let values = values
            .iter()
            .map(|value| ClaimValue::Text((*value).to_owned()));
        conditions.claims.insert(name.to_owned(), values.collect());
    }
    let known = |name: &str| ["provider", "scopes", "claims"].contains(&name);
    if let Some(member) = jwt.members().iter().find(|member| !known(&member.name)) {
        return Err(format!(
            "its condition on `{}` has no equivalent",
            member.name
        ));
    }
    let names = [key(policy, provider)].into();
    Ok(Need::Having(Some(names), conditions))
}

/// CORS settings that all policies have in common. One policy for all routes would open
/// those that have none.
pub(super) fn common_cors<'p>(
    api: &mut Api,
    policies: impl Iterator<Item = &'p Policy>,
    without: bool,
) {
    let mut all: Vec<Option<Cors>> = policies.map(|policy| policy.cors.clone()).collect();
    if without {
        all.push(None);
    }
    let Some(first) = all.iter().flatten().next().cloned() else {
        return;
    };
    let same = all.iter().all(|one| {
        one.as_ref().is_some_and(|one| {
            let one = Cors {
                at: first.at.clone(),
                ..one.clone()
            };
            one == first
        })
    });
    if same {
        api.cors = Some(first);
    } else {
        let note =
            "CORS, because not all routes have the same settings; write `cors` of the routes";
        api.leave_out(&first.at, note);
    }
}

fn cors(cors: &Node) -> Cors {
    let list = |name: &str| {
        let texts = texts(cors, name).unwrap_or_default();
        texts.into_iter().map(str::to_owned).collect()
    };
    Cors {
        at: cors.span.clone(),
        origins: list("allowOrigins"),
        methods: list("allowMethods"),
        headers: list("allowHeaders"),
        exposed: list("exposeHeaders"),
        credentials: cors
            .get("allowCredentials")
            .is_some_and(|node| node.value == Value::Bool(true)),
        max_age: text(cors, "maxAge").and_then(seconds),
    }
}

/// A duration of the Gateway API in seconds.
fn seconds(text: &str) -> Option<u64> {
    let (number, factor) = if let Some(number) = text.strip_suffix('h') {
        (number, 3600)
    } else if let Some(number) = text.strip_suffix('m') {
        (number, 60)
    } else {
        (text.strip_suffix('s')?, 1)
    };
    number.parse::<u64>().ok()?.checked_mul(factor)
}
