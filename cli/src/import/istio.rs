//! Reads `RequestAuthentication` and `AuthorizationPolicy`.
//!
//! A `RequestAuthentication` alone requires no token: it refuses invalid ones. Policies that
//! deny come first; of those that allow, one must match, if there is any.

mod condition;
mod operation;

use std::collections::{BTreeMap, BTreeSet};

use super::kubernetes::{authorizer, elements, name, namespace, places, resources, text, texts};
use super::model::{Api, Authorizer, Issuer, Kind, Note};
use super::ordered::{Conditions, Denial, Layer, Names, Need, Region, Site};
use super::problems::Problems;
use crate::tree::{Node, Value};

/// The kinds that are read.
pub(super) const KINDS: [&str; 2] = ["RequestAuthentication", "AuthorizationPolicy"];

/// The namespace whose resources are for the whole mesh.
const ROOT_NAMESPACE: &str = "istio-system";

/// The workloads that a resource selects: a namespace, and labels or references.
type Selection = (String, BTreeSet<String>);

/// The APIs of a file: one for each selection of workloads.
pub(super) fn read(root: &Node, problems: &Problems<'_>) -> Vec<(Api, Site)> {
    let mut all = Vec::new();
    resources(root, &mut all);
    all.retain(|one| text(one, "kind").is_some_and(|kind| KINDS.contains(&kind)));
    let mut selections: BTreeMap<Selection, Vec<&Node>> = BTreeMap::new();
    for resource in &all {
        selections.entry(selection(resource)).or_default();
    }
    let narrow = selections.keys().any(|(_, labels)| !labels.is_empty());
    if narrow {
        selections.retain(|(_, labels), _| !labels.is_empty());
    } else if selections.len() > 1 {
        selections.retain(|(namespace, _), _| namespace != ROOT_NAMESPACE);
    }
    for (selected, own) in &mut selections {
        own.extend(all.iter().filter(|one| applies(&selection(one), selected)));
    }
    let apis = selections.into_iter();
    apis.map(|(selected, own)| api(&selected, &own, problems))
        .collect()
}

fn selection(resource: &Node) -> Selection {
    let mut labels = BTreeSet::new();
    let spec = resource.get("spec");
    let selector = spec.and_then(|spec| spec.descend(&["selector", "matchLabels"]));
    for label in selector.map_or(&[][..], Node::members) {
        let value = label.value.text();
        let value = value.map_or_else(|| label.value.to_json(), str::to_owned);
        labels.insert(format!("{}={value}", label.name));
    }
    let targets = spec.map_or(&[][..], |spec| elements(spec, "targetRefs"));
    for target in targets
        .iter()
        .chain(spec.and_then(|spec| spec.get("targetRef")))
    {
        let kind = text(target, "kind").unwrap_or_default();
        labels.insert(format!(
            "{kind}/{}",
            text(target, "name").unwrap_or_default()
        ));
    }
    (namespace(resource).to_owned(), labels)
}

/// Whether a resource applies to the workloads of a selection.
fn applies(own: &Selection, selected: &Selection) -> bool {
    let everywhere = own.0 == ROOT_NAMESPACE && own.1.is_empty();
    everywhere || (own.0 == selected.0 && own.1.is_subset(&selected.1))
}

fn api(selected: &Selection, resources: &[&Node], problems: &Problems<'_>) -> (Api, Site) {
    let labels: Vec<_> = selected.1.iter().cloned().collect();
    let name = match (&*selected.0, labels.join(",")) {
        ("", labels) if labels.is_empty() => "mesh".to_owned(),
        ("", labels) => labels,
        (namespace, labels) if labels.is_empty() => namespace.to_owned(),
        (namespace, labels) => format!("{namespace}/{labels}"),
    };
    let mut api = Api::new(name, Kind::Proxy);
    let mut issuers = Names::new();
    for resource in of_kind(resources, "RequestAuthentication") {
        authentication(&mut api, resource, &mut issuers, problems);
    }
    common_headers(&mut api);
    let layers = layers(&mut api, resources, &issuers, problems);
    let at = resources.first().map_or(0..0, |first| first.span.clone());
    let site = Site {
        hosts: Vec::new(),
        at,
        rules: Layer::All(layers),
    };
    (api, site)
}

/// What the authentications and policies require.
fn layers(
    api: &mut Api,
    resources: &[&Node],
    issuers: &Names,
    problems: &Problems<'_>,
) -> Vec<Layer> {
    let mut layers = Vec::new();
    if !issuers.is_empty() {
        layers.push(Layer::Fixed(Need::Optional(issuers.clone())));
    }
    let mut allow: Option<Vec<(Region, Need)>> = None;
    let mut deny = Vec::new();
    for policy in of_kind(resources, "AuthorizationPolicy") {
        let Some(spec) = policy.get("spec") else {
            continue;
        };
        let rules = elements(spec, "rules");
        match text(spec, "action").unwrap_or("ALLOW") {
            "ALLOW" => {
                let allowed = allow.get_or_insert_default();
                for rule in rules {
                    allowed.extend(allowed_by(api, rule, issuers));
                }
            }
            "DENY" => rules.iter().for_each(|rule| deny.extend(denied_by(rule))),
            "AUDIT" => api.leave_out(&policy.span, "an audit policy"),
            "CUSTOM" => {
                let reason = "an external authorizer decides there";
                deny.extend(rules.iter().map(|rule| {
                    let region = operation::of_rule(rule).0;
                    (region, Denial::Always(reason.to_owned()))
                }));
            }
            other => problems.report(
                &policy.span,
                &format!("the action `{other}` is not known; correct it"),
            ),
        }
    }
    if !deny.is_empty() {
        layers.push(Layer::Deny(deny));
    }
    layers.extend(allow.map(Layer::Allow));
    layers
}

fn of_kind<'n>(resources: &[&'n Node], kind: &'static str) -> impl Iterator<Item = &'n Node> {
    let is_it = move |one: &&&Node| text(one, "kind") == Some(kind);
    resources.iter().filter(is_it).copied()
}

/// Adds the issuers of a `RequestAuthentication`.
fn authentication(api: &mut Api, resource: &Node, issuers: &mut Names, problems: &Problems<'_>) {
    let Some(spec) = resource.get("spec") else {
        return;
    };
    for (number, rule) in elements(spec, "jwtRules").iter().enumerate() {
        let mut key = match number {
            0 => name(resource).to_owned(),
            _ => format!("{}-{}", name(resource), number.saturating_add(1)),
        };
        // Resources of two namespaces may have one name.
        while api.authorizers.contains_key(&key) {
            key.push('x');
        }
        let read = read_issuer(rule, problems);
        api.authorizers.insert(key.clone(), read);
        issuers.insert(key.clone());
        let keeps = rule
            .get("forwardOriginalToken")
            .is_some_and(|node| node.value == Value::Bool(true));
        if number == 0 && issuers.len() == 1 {
            api.keeps_token = keeps;
        } else if api.keeps_token != keeps {
            api.keeps_token = false;
            api.leave_out(
                &rule.span,
                "`forwardOriginalToken`, because not all issuers have it",
            );
        }
        for header in elements(rule, "outputClaimToHeaders") {
            if let (Some(header), Some(claim)) = (text(header, "header"), text(header, "claim")) {
                api.headers
                    .push((header.to_ascii_lowercase(), claim.to_owned()));
            }
        }
        for member in ["outputPayloadToHeader", "spaceDelimitedClaims"] {
            if let Some(node) = rule.get(member) {
                api.leave_out(&node.span, format!("`{member}`"));
            }
        }
    }
}

/// One rule of a `RequestAuthentication`.
fn read_issuer(rule: &Node, problems: &Problems<'_>) -> Authorizer {
    let list = |member: &str| {
        texts(rule, member).unwrap_or_else(|| {
            problems.report(
                &rule.span,
                &format!("`{member}` is not a list of texts; write texts"),
            );
            Vec::new()
        })
    };
    let headers: Vec<_> = elements(rule, "fromHeaders")
        .iter()
        .map(|one| {
            (
                text(one, "name").unwrap_or_default(),
                text(one, "prefix").unwrap_or_default(),
            )
        })
        .collect();
    let audiences = list("audiences");
    let issuer = Issuer {
        iss: text(rule, "issuer").unwrap_or_default().to_owned(),
        audiences: (!audiences.is_empty())
            .then(|| audiences.iter().map(|one| (*one).to_owned()).collect()),
        keys: text(rule, "jwksUri")
            .or_else(|| text(rule, "jwks_uri"))
            .map(str::to_owned),
        inline: text(rule, "jwks").map(str::to_owned),
        cluster: None,
        scope_claims: vec!["scope".to_owned()],
    };
    let places = places(&headers, &list("fromParams"), &list("fromCookies"));
    authorizer(&rule.span, issuer, places)
}

/// A header that only some issuers set would be set for all.
fn common_headers(api: &mut Api) {
    let count = api.authorizers.len();
    let all = std::mem::take(&mut api.headers);
    for pair in &all {
        let times = all.iter().filter(|other| *other == pair).count();
        let plain = !pair.1.contains('.');
        if times == count && plain && !api.headers.contains(pair) {
            api.headers.push(pair.clone());
        } else if times != count || !plain {
            let at = api
                .authorizers
                .values()
                .next()
                .map_or(0..0, |one| one.at.clone());
            let note = Note::new(
                &at,
                format!(
                    "the header `{}`, because not all issuers have it, or because of its claim's name",
                    pair.0
                ),
            );
            if !api.left_out.contains(&note) {
                api.left_out.push(note);
            }
        }
    }
}

/// What a rule of an `ALLOW` policy allows. What is not understood allows nothing.
fn allowed_by(api: &mut Api, rule: &Node, issuers: &Names) -> Vec<(Region, Need)> {
    let conditions = condition::of_rule(rule, &|iss| of_issuer(api, issuers, iss));
    let (region, operations) = operation::of_rule(rule);
    match conditions {
        Ok(needs) => {
            let regions = operations;
            regions
                .iter()
                .flat_map(|region| needs.iter().map(|need| (region.clone(), need.clone())))
                .collect()
        }
        Err(reason) => {
            api.leave_out(
                &rule.span,
                format!("a rule that allows requests, because {reason}"),
            );
            // Its paths become routes, so that their denial can be seen.
            vec![(region.conditional(), Need::Open)]
        }
    }
}

/// The authorizers of an issuer.
fn of_issuer(api: &Api, issuers: &Names, iss: &str) -> Names {
    let is_it = |name: &&String| {
        let authorizer = api.authorizers.get(*name);
        authorizer.is_some_and(|one| match &one.trust {
            super::model::Trust::Issuers(list) | super::model::Trust::Pools(list) => {
                list.iter().any(|issuer| issuer.iss == iss)
            }
            super::model::Trust::Unknown(_) => false,
        })
    };
    issuers.iter().filter(is_it).cloned().collect()
}

/// What a rule of a `DENY` policy denies. What is not understood is denied.
fn denied_by(rule: &Node) -> Vec<(Region, Denial)> {
    let (_, regions) = operation::of_rule(rule);
    let from = elements(rule, "from");
    let when = elements(rule, "when");
    let denial = if condition::is_without_token(rule) {
        Denial::WithoutToken
    } else if from.is_empty() && when.is_empty() {
        Denial::Always("a policy of the source denies it".to_owned())
    } else {
        Denial::Always("a policy denies it under a condition that has no equivalent".to_owned())
    };
    regions
        .into_iter()
        .map(|region| (region, denial.clone()))
        .collect()
}

/// A verified token without further conditions.
fn any_token() -> Need {
    Need::Having(None, Conditions::default())
}
