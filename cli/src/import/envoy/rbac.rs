//! The filter `rbac`.

use std::collections::BTreeMap;

use super::matching::{of_header, of_path};
use super::member::{elements, get, has_only, is_true, text};
use crate::import::model::{Api, ClaimValue, Trust};
use crate::import::ordered::{Conditions, Denial, Layer, Names, Need, Region};
use crate::tree::{Node, Value};

/// How many combinations a policy may have.
const MAX_COMBINATIONS: usize = 256;

/// For each filter `jwt_authn`, the providers whose claims are under a name.
type Metadata = [BTreeMap<String, Names>];

/// The rules of a configuration: of the filter, or of a route.
pub(super) fn layer(api: &mut Api, config: &Node, metadata: &Metadata) -> Layer {
    for member in ["shadow_rules", "shadow_matcher"] {
        if let Some(node) = get(config, member) {
            api.leave_out(&node.span, format!("`{member}`, which refuses nothing"));
        }
    }
    if get(config, "matcher").is_some() {
        return Layer::Fixed(Need::denied("the `matcher` of `rbac` has no equivalent"));
    }
    let Some(rules) = get(config, "rules") else {
        return Layer::Fixed(Need::Open);
    };
    let policies = get(rules, "policies").map_or(&[][..], Node::members);
    match get(rules, "action").map(|action| (action.text(), &action.value)) {
        None | Some((Some("ALLOW"), _)) => {
            let mut allow = Vec::new();
            for policy in policies {
                allow.extend(allowed_by(api, &policy.name, &policy.value, metadata));
            }
            Layer::Allow(allow)
        }
        Some((Some("DENY"), _)) => {
            let denied = policies.iter().flat_map(|policy| denied_by(&policy.value));
            Layer::Deny(denied.collect())
        }
        Some((Some("LOG"), _)) => Layer::Fixed(Need::Open),
        Some((None, Value::Number(number))) if number == "0" => {
            let mut allow = Vec::new();
            for policy in policies {
                allow.extend(allowed_by(api, &policy.name, &policy.value, metadata));
            }
            Layer::Allow(allow)
        }
        Some(_) => Layer::Fixed(Need::denied("the action of `rbac` is not known")),
    }
}

fn regions(policy: &Node) -> Vec<Region> {
    let permissions = elements(policy, "permissions");
    permissions.iter().flat_map(permission).collect()
}

fn allowed_by(
    api: &mut Api,
    name: &str,
    policy: &Node,
    metadata: &Metadata,
) -> Vec<(Region, Need)> {
    let regions = regions(policy);
    let condition = ["condition", "checked_condition", "cel_config"];
    let conditional = condition.iter().any(|member| get(policy, member).is_some());
    let mut needs = Vec::new();
    for principal in elements(policy, "principals") {
        match principal_needs(api, principal, metadata) {
            Ok(alternatives) if !conditional => needs.extend(alternatives),
            Ok(_) => api.leave_out(
                &policy.span,
                format!("the policy `{name}`, because its condition has no equivalent"),
            ),
            Err(reason) => api.leave_out(
                &principal.span,
                format!("a principal of the policy `{name}`, because {reason}"),
            ),
        }
    }
    let mut allowed = Vec::new();
    for region in regions {
        if needs.is_empty() {
            // Its paths become routes, so that their denial can be seen.
            allowed.push((region.conditional(), Need::Open));
            continue;
        }
        allowed.extend(needs.iter().map(|need| (region.clone(), need.clone())));
    }
    allowed
}

fn denied_by(policy: &Node) -> Vec<(Region, Denial)> {
    let principals = elements(policy, "principals");
    let anyone = principals.iter().any(|one| is_true(get(one, "any")));
    let reason = if anyone {
        "a policy of the source denies it"
    } else {
        "a policy denies it under a condition that has no equivalent"
    };
    let denial = Denial::Always(reason.to_owned());
    let regions = regions(policy).into_iter();
    regions.map(|region| (region, denial.clone())).collect()
}

/// The regions of a permission, one of which has the request.
fn permission(node: &Node) -> Vec<Region> {
    let at = &node.span;
    let [member] = node.members() else {
        return vec![Region::unknown(at)];
    };
    let rules = || elements(&member.value, "rules");
    match &*member.name {
        "any" if is_true(Some(&member.value)) => vec![Region::everything(at)],
        "header" => vec![of_header(&member.value)],
        "url_path" | "urlPath" => vec![of_path(&member.value)],
        "or_rules" | "orRules" => rules().iter().flat_map(permission).collect(),
        "and_rules" | "andRules" if !rules().is_empty() => {
            let mut all = vec![Region::everything(at)];
            for rule in rules() {
                let alternatives = permission(rule);
                if all.len().saturating_mul(alternatives.len()) > MAX_COMBINATIONS {
                    return vec![Region::unknown(at)];
                }
                let both = |one: &Region| {
                    let one = one.clone();
                    let others = alternatives.iter().cloned();
                    others
                        .map(move |other| one.clone().and(other))
                        .collect::<Vec<_>>()
                };
                all = all.iter().flat_map(both).collect();
            }
            all
        }
        _ => vec![Region::unknown(at)],
    }
}

/// The alternatives of a principal. Of those in a list, the unknown ones allow nothing.
fn principal_needs(api: &Api, node: &Node, metadata: &Metadata) -> Result<Vec<Need>, String> {
    let [member] = node.members() else {
        return Err("it is not known".to_owned());
    };
    let ids = || elements(&member.value, "ids");
    match &*member.name {
        "any" if is_true(Some(&member.value)) => Ok(vec![Need::Open]),
        "or_ids" | "orIds" => {
            let known = ids().iter().map(|id| principal_needs(api, id, metadata));
            let known: Vec<Need> = known.flatten().flatten().collect();
            if known.is_empty() {
                return Err("none of its alternatives has an equivalent".to_owned());
            }
            Ok(known)
        }
        "and_ids" | "andIds" if !ids().is_empty() => {
            let mut all = vec![Need::Open];
            for id in ids() {
                let needs = principal_needs(api, id, metadata)?;
                if all.len().saturating_mul(needs.len()) > MAX_COMBINATIONS {
                    return Err("it has too many alternatives".to_owned());
                }
                let mut both = Vec::new();
                for one in &all {
                    both.extend(needs.iter().map(|need| one.clone().and(need.clone())));
                }
                all = both;
            }
            Ok(all)
        }
        "metadata" => of_metadata(api, &member.value, metadata).map(|need| vec![need]),
        "sourced_metadata" | "sourcedMetadata" => match get(&member.value, "metadata_matcher") {
            Some(matcher) if has_only(&member.value, &["metadata_matcher"]) => {
                of_metadata(api, matcher, metadata).map(|need| vec![need])
            }
            _ => Err("its source of metadata has no equivalent".to_owned()),
        },
        other => Err(format!("`{other}` has no equivalent")),
    }
}

/// A claim, which `jwt_authn` has written to the metadata.
fn of_metadata(api: &Api, matcher: &Node, metadata: &Metadata) -> Result<Need, String> {
    if text(matcher, "filter") != Some("envoy.filters.http.jwt_authn")
        || !has_only(matcher, &["filter", "path", "value"])
    {
        return Err("its metadata is not that of `jwt_authn`".to_owned());
    }
    let path: Vec<&str> = elements(matcher, "path")
        .iter()
        .filter_map(|one| text(one, "key"))
        .collect();
    if path.len() != elements(matcher, "path").len() {
        return Err("its path in the metadata is not known".to_owned());
    }
    let value = get(matcher, "value").ok_or("its condition has no value")?;
    let names = |name: &str| {
        let of_filters = metadata.iter().filter_map(|one| one.get(name));
        let names: Names = of_filters.flatten().cloned().collect();
        if names.is_empty() {
            return Err(format!("no provider writes `{name}` to the metadata"));
        }
        Ok(names)
    };
    match &*path {
        [name] if is_true(get(value, "present_match")) => {
            Ok(Need::Having(Some(names(name)?), Conditions::default()))
        }
        [name, claim] => {
            let values = claim_value(value)?;
            let mut names = names(name)?;
            let mut conditions = Conditions::default();
            match (*claim, &values) {
                ("iss", ClaimValue::Text(iss)) => names.retain(|name| has_issuer(api, name, iss)),
                _ => {
                    conditions
                        .claims
                        .insert((*claim).to_owned(), [values].into());
                }
            }
            if names.is_empty() {
                return Err("no provider has its issuer".to_owned());
            }
            Ok(Need::Having(Some(names), conditions))
        }
        _ => Err("a claim inside a claim has no equivalent".to_owned()),
    }
}

fn has_issuer(api: &Api, name: &str, iss: &str) -> bool {
    let authorizer = api.authorizers.get(name);
    authorizer.is_some_and(|one| match &one.trust {
        Trust::Issuers(list) | Trust::Pools(list) => list.iter().any(|issuer| issuer.iss == iss),
        Trust::Unknown(_) => false,
    })
}

/// The value of a claim, or one of those in its list.
fn claim_value(value: &Node) -> Result<ClaimValue, String> {
    let unknown = || Err("its condition on a claim has no equivalent".to_owned());
    if let Some(list) = get(value, "list_match") {
        return get(list, "one_of").map_or_else(unknown, claim_value);
    }
    if let Some(flag) = get(value, "bool_match") {
        return if let Value::Bool(flag) = flag.value {
            Ok(ClaimValue::Text(flag.to_string()))
        } else {
            unknown()
        };
    }
    let matcher = get(value, "string_match").filter(|one| has_only(one, &["exact", "prefix"]));
    let Some(matcher) = matcher else {
        return unknown();
    };
    match (text(matcher, "exact"), text(matcher, "prefix")) {
        (Some(text), None) => Ok(ClaimValue::Text(text.to_owned())),
        (None, Some(text)) if !text.is_empty() => Ok(ClaimValue::Prefix(text.to_owned())),
        _ => unknown(),
    }
}
