//! What a rule requires of a token. Everything about the connection, about other headers
//! and every negation has no equivalent.

use super::any_token;
use crate::import::kubernetes::{elements, text, texts};
use crate::import::model::ClaimValue;
use crate::import::ordered::{Conditions, Names, Need};
use crate::tree::Node;

/// Finds the authorizers of an issuer.
type OfIssuer<'f> = dyn Fn(&str) -> Names + 'f;

/// The alternatives of a rule.
///
/// # Errors
///
/// A reason why it has no equivalent.
pub(super) fn of_rule(rule: &Node, of_issuer: &OfIssuer<'_>) -> Result<Vec<Need>, String> {
    let unknown = rule
        .members()
        .iter()
        .find(|member| !["from", "to", "when"].contains(&&*member.name));
    if let Some(unknown) = unknown {
        return Err(format!("`{}` has no equivalent", unknown.name));
    }
    let mut sources = Vec::new();
    for from in elements(rule, "from") {
        let source = from.get("source").ok_or("a `from` has no `source`")?;
        sources.extend(of_source(source, of_issuer)?);
    }
    if rule.get("from").is_none() {
        sources.push(Need::Open);
    }
    for when in elements(rule, "when") {
        let needs = of_condition(when, of_issuer)?;
        let mut both = Vec::new();
        for source in &sources {
            both.extend(needs.iter().map(|need| source.clone().and(need.clone())));
        }
        sources = both;
    }
    Ok(sources)
}

/// Whether a rule matches exactly the requests without a token.
pub(super) fn is_without_token(rule: &Node) -> bool {
    let [from] = elements(rule, "from") else {
        return false;
    };
    let Some([member]) = from.get("source").map(Node::members) else {
        return false;
    };
    rule.get("when").is_none()
        && member.name == "notRequestPrincipals"
        && member.value.texts() == ["*"]
}

fn of_source(source: &Node, of_issuer: &OfIssuer<'_>) -> Result<Vec<Need>, String> {
    let mut needs = vec![Need::Open];
    for member in source.members() {
        if member.name != "requestPrincipals" {
            return Err(format!(
                "its condition on `{}` has no equivalent",
                member.name
            ));
        }
        let values = texts(source, "requestPrincipals")
            .ok_or("`requestPrincipals` is not a list of texts")?;
        needs = principals(&values, of_issuer)?;
    }
    Ok(needs)
}

/// `ISSUER/SUBJECT`, with `*` at one end.
fn principals(values: &[&str], of_issuer: &OfIssuer<'_>) -> Result<Vec<Need>, String> {
    let of = |iss: &str| {
        let names = of_issuer(iss);
        if names.is_empty() {
            return Err(format!("no authentication here is for the issuer `{iss}`"));
        }
        Ok(names)
    };
    let subject = |text: &str| Conditions {
        claims: [("sub".to_owned(), [ClaimValue::Text(text.to_owned())].into())].into(),
        ..Conditions::default()
    };
    let need = |value: &&str| {
        if *value == "*" {
            return Ok(any_token());
        }
        let (iss, sub) = value
            .rsplit_once('/')
            .ok_or_else(|| format!("`{value}` has no equivalent"))?;
        match (iss, sub) {
            (iss, "*") if !iss.contains('*') => {
                Ok(Need::Having(Some(of(iss)?), Conditions::default()))
            }
            ("*", sub) if !sub.contains('*') && !sub.is_empty() => {
                Ok(Need::Having(None, subject(sub)))
            }
            (iss, sub) if !iss.contains('*') && !sub.contains('*') && !sub.is_empty() => {
                Ok(Need::Having(Some(of(iss)?), subject(sub)))
            }
            _ => Err(format!("`{value}` has no equivalent")),
        }
    };
    values.iter().map(need).collect()
}

fn of_condition(when: &Node, of_issuer: &OfIssuer<'_>) -> Result<Vec<Need>, String> {
    let key = text(when, "key").unwrap_or_default();
    if when.get("notValues").is_some() {
        return Err(format!("its negation for `{key}` has no equivalent"));
    }
    let values = texts(when, "values").ok_or("`values` is not a list of texts")?;
    if values.is_empty() {
        return Err(format!("its condition for `{key}` has no values"));
    }
    let claim = match key {
        "request.auth.principal" => return principals(&values, of_issuer),
        "request.auth.audiences" => "aud",
        "request.auth.presenter" => "azp",
        _ => key
            .strip_prefix("request.auth.claims[")
            .and_then(|rest| rest.strip_suffix(']'))
            .filter(|name| !name.contains(['[', ']']))
            .ok_or_else(|| format!("its condition on `{key}` has no equivalent"))?,
    };
    if claim == "iss" {
        let names = values
            .iter()
            .flat_map(|value| of_issuer(value))
            .collect::<Names>();
        return if names.is_empty() {
            Err("no authentication here is for its issuer".to_owned())
        } else {
            Ok(vec![Need::Having(Some(names), Conditions::default())])
        };
    }
    let plain = |value: &&&str| !value.contains('*');
    if claim == "scope" && values.iter().all(|value| plain(&value)) {
        let conditions = Conditions {
            any_scopes: values.iter().map(|value| (*value).to_owned()).collect(),
            ..Conditions::default()
        };
        return Ok(vec![Need::Having(None, conditions)]);
    }
    let value = |value: &&str| match value.strip_suffix('*') {
        Some(prefix) if !prefix.is_empty() && !prefix.contains('*') && claim != "scope" => {
            Ok(ClaimValue::Prefix(prefix.to_owned()))
        }
        None if !value.contains('*') => Ok(ClaimValue::Text((*value).to_owned())),
        Some(_) | None => Err(format!("`{value}` for `{key}` has no equivalent")),
    };
    let values: Vec<_> = values.iter().map(value).collect::<Result<_, _>>()?;
    Ok(vec![Need::claim(claim, values)])
}
