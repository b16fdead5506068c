//! Reads API Gateway's authorizers.

use std::ops::Range;

use super::model::{Authorizer, Issuer, Place, Trust};
use super::scope::Scope;
use crate::tree::Node;

/// Why routes with IAM authorization are denied.
pub(super) const IAM: &str = "IAM authorization (SigV4) has no equivalent";
/// Why routes with an API key are denied.
pub(super) const API_KEY: &str = "it needed an API key, which has no equivalent";
/// Why an `OPTIONS` method with a mock integration is denied.
pub(super) const MOCK: &str = "API Gateway answered it itself (a mock integration)";

/// An HTTP API's JWT authorizer.
pub(super) fn jwt(
    scope: &Scope<'_>,
    at: &Range<usize>,
    settings: Option<&Node>,
    sources: &[String],
) -> Authorizer {
    let of = |name: &str| settings.and_then(|settings| scope.any_case(settings, name));
    // Both are read before either is missed, so that all missing values are reported.
    let issuer = of("issuer").map(|issuer| scope.text(&issuer));
    let audiences = of("audience").map_or_else(Vec::new, |list| scope.texts(&list));
    let trust = match issuer {
        None => Trust::Unknown("its authorizer has no issuer".to_owned()),
        Some(_) if audiences.is_empty() => {
            Trust::Unknown("its authorizer has no audience".to_owned())
        }
        Some(issuer) => {
            let issuers = issuer.map(|iss| Issuer {
                iss,
                audiences: Some(audiences),
                ..Issuer::default()
            });
            Trust::Issuers(issuers.into_iter().collect())
        }
    };
    placed(at, trust, places(sources))
}

/// A REST API's Cognito authorizer. `restricted`: it has a regular expression for the
/// audience.
pub(super) fn cognito(
    scope: &Scope<'_>,
    at: &Range<usize>,
    pools: Option<&Node>,
    sources: &[String],
    restricted: bool,
) -> Authorizer {
    let arns = pools.map_or_else(Vec::new, |pools| scope.texts(pools));
    let place = pools.map_or(at, |pools| &pools.span);
    let issuers: Vec<_> = arns
        .iter()
        .filter_map(|arn| pool(scope, arn, place))
        .collect();
    let trust = if restricted {
        Trust::Unknown(
            "its authorizer accepts only audiences that match a regular expression; list them in \
             `audiences`"
                .to_owned(),
        )
    } else if issuers.is_empty() {
        Trust::Unknown("its authorizer has no user pool".to_owned())
    } else {
        Trust::Pools(issuers)
    };
    placed(at, trust, places(sources))
}

/// An authorizer without an equivalent.
pub(super) fn unknown(at: &Range<usize>, reason: impl Into<String>) -> Authorizer {
    Authorizer {
        at: at.clone(),
        trust: Trust::Unknown(reason.into()),
        places: Vec::new(),
    }
}

/// A Lambda authorizer.
pub(super) fn lambda(at: &Range<usize>, name: &str) -> Authorizer {
    unknown(at, lambda_reason(name))
}

/// Why routes with a Lambda authorizer are denied.
pub(super) fn lambda_reason(name: &str) -> String {
    format!("the Lambda authorizer `{name}` decided; write its rules as `scopes` and `claims`")
}

/// The places as they are, or why they have no equivalent.
fn placed(at: &Range<usize>, trust: Trust, places: Result<Vec<Place>, String>) -> Authorizer {
    match places {
        Ok(places) => Authorizer {
            at: at.clone(),
            trust,
            places,
        },
        Err(source) => unknown(
            at,
            format!("its authorizer reads tokens from `{source}`, which has no equivalent"),
        ),
    }
}

/// Reads `$request.header.NAME`, `$request.querystring.NAME` and
/// `method.request.header.NAME`; no source is `Authorization`.
fn places(sources: &[String]) -> Result<Vec<Place>, String> {
    if sources.is_empty() {
        return Ok(vec![Place::Header("authorization".to_owned())]);
    }
    let parts = sources.iter().flat_map(|source| source.split(','));
    let mut places = Vec::new();
    for source in parts.map(str::trim).filter(|source| !source.is_empty()) {
        let name = source
            .strip_prefix("$request.")
            .or_else(|| source.strip_prefix("method.request."));
        let place = match name.and_then(|name| name.split_once('.')) {
            Some(("header", name)) => Place::Header(name.to_ascii_lowercase()),
            Some(("querystring", name)) => Place::Query(name.to_owned()),
            Some(_) | None => return Err(source.to_owned()),
        };
        if !places.contains(&place) {
            places.push(place);
        }
    }
    Ok(places)
}

/// The issuer of a user pool. A text that is no ARN, such as a placeholder, is the name of
/// a value that `--param` gives.
fn pool(scope: &Scope<'_>, arn: &str, at: &Range<usize>) -> Option<Issuer> {
    let found = issuer(arn);
    if found.is_some() {
        return found;
    }
    let what = format!(
        "the user pool's ARN, but `{arn}` (an ARN is like \
         `arn:aws:cognito-idp:us-east-1:123456789012:userpool/us-east-1_EXAMPLE`)"
    );
    let given = scope.given(arn, at, &what)?;
    let found = issuer(&given);
    if found.is_none() {
        let sentence = format!("{given:?} is not the ARN of a user pool; correct it");
        scope.problems.report(at, &sentence);
    }
    found
}

/// The issuer of an ARN.
fn issuer(arn: &str) -> Option<Issuer> {
    let mut parts = arn.split(':');
    let ("arn", partition, "cognito-idp", region, _account, resource, None) = (
        parts.next()?,
        parts.next()?,
        parts.next()?,
        parts.next()?,
        parts.next()?,
        parts.next()?,
        parts.next(),
    ) else {
        return None;
    };
    let pool = resource.strip_prefix("userpool/")?;
    let plain = |text: &str| {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
        !text.is_empty() && text.bytes().all(allowed)
    };
    if !plain(region) || !plain(pool) || !pool.starts_with(&format!("{region}_")) {
        return None;
    }
    let domain = if partition == "aws-cn" {
        "amazonaws.com.cn"
    } else {
        "amazonaws.com"
    };
    let iss = format!("https://cognito-idp.{region}.{domain}/{pool}");
    Some(Issuer {
        keys: Some(format!("{iss}/.well-known/jwks.json")),
        iss,
        ..Issuer::default()
    })
}
