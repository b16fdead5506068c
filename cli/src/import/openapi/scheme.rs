//! The security schemes of a document.

use std::ops::Range;

use super::Document;
use crate::import::authorizer;
use crate::import::model::{Authorizer, Issuer, Place, Trust};
use crate::tree::Node;

const DISCOVERY: &str = "/.well-known/openid-configuration";

impl Document<'_> {
    /// The authorizer of a scheme that a route uses.
    pub(super) fn authorizer(&self, name: &str, at: &Range<usize>, scheme: &Node) -> Authorizer {
        match self.scope.get(scheme, "x-amazon-apigateway-authorizer") {
            Some(settings) => self.of_gateway(name, scheme, &settings),
            None => self.plain(name, at, scheme),
        }
    }

    fn of_gateway(&self, name: &str, scheme: &Node, settings: &Node) -> Authorizer {
        let scope = self.scope;
        let at = &settings.span;
        let text = |node: &Node, member: &str| {
            let found = scope.get(node, member);
            found.and_then(|found| scope.text(&found))
        };
        let kind = text(settings, "type")
            .unwrap_or_default()
            .to_ascii_lowercase();
        let mut sources = scope
            .get(settings, "identitySource")
            .map_or_else(Vec::new, |list| scope.texts(&list));
        match &*kind {
            "jwt" => {
                let settings = scope.get(settings, "jwtConfiguration");
                authorizer::jwt(scope, at, settings.as_deref(), &sources)
            }
            "cognito_user_pools" => {
                if sources.is_empty()
                    && let Some(header) = text(scheme, "name")
                {
                    let place = text(scheme, "in").unwrap_or_default();
                    let place = if place == "query" {
                        "querystring"
                    } else {
                        &*place
                    };
                    sources.push(format!("method.request.{place}.{header}"));
                }
                let pools = scope.get(settings, "providerARNs");
                let restricted = scope
                    .get(settings, "identityValidationExpression")
                    .is_some();
                authorizer::cognito(scope, at, pools.as_deref(), &sources, restricted)
            }
            _ => authorizer::lambda(at, name),
        }
    }

    /// A scheme without an authorizer. `OpenAPI` does not say which audience a token must
    /// have, and mostly not which issuer.
    fn plain(&self, name: &str, at: &Range<usize>, scheme: &Node) -> Authorizer {
        let scope = self.scope;
        let text = |member: &str| scope.get(scheme, member).and_then(|node| scope.text(&node));
        let google = text("x-google-issuer");
        let discovered = text("openIdConnectUrl");
        let discovered = discovered
            .as_deref()
            .and_then(|url| url.strip_suffix(DISCOVERY))
            .map(str::to_owned);
        let is_google = google.is_some();
        let issuer = google.or(discovered).or_else(|| {
            let what = format!("the issuer of the security scheme `{name}`");
            scope.given(&format!("{name}.issuer"), at, &what)
        });
        let audiences = text("x-google-audiences").or_else(|| {
            let what = format!(
                "the audiences of the security scheme `{name}`, separated by commas (`any` \
                 accepts all)"
            );
            scope.given(&format!("{name}.audiences"), at, &what)
        });
        let keys = text("x-google-jwks_uri");
        let issuers = issuer.zip(audiences).map(|(iss, audiences)| Issuer {
            iss,
            audiences: (audiences != "any").then(|| {
                let list = audiences.split(',').map(|one| one.trim().to_owned());
                list.collect()
            }),
            keys,
            ..Issuer::default()
        });
        let mut places = vec![Place::Bearer];
        if is_google {
            places.push(Place::Query("access_token".to_owned()));
        }
        Authorizer {
            at: scheme.span.clone(),
            trust: Trust::Issuers(issuers.into_iter().collect()),
            places,
        }
    }
}
