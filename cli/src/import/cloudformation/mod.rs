//! `CloudFormation` and SAM templates, in JSON and YAML.

mod http;
mod rest;

use super::model::Api;
use super::sam;
use super::scope::Scope;
use crate::tree::Node;

/// Transforms that change no API that is written in the template.
const HARMLESS: [&str; 4] = [
    "AWS::Serverless-",
    "AWS::LanguageExtensions",
    "AWS::SecretsManager-",
    "AWS::CodeDeployBlueGreen",
];

/// Resources that restrict or change APIs in ways that have no equivalent.
const WITHOUT_EQUIVALENT: [(&str, &str); 8] = [
    ("AWS::WAFv2::WebACLAssociation", "the web ACL"),
    ("AWS::WAFRegional::WebACLAssociation", "the web ACL"),
    (
        "AWS::ApiGateway::UsagePlan",
        "the usage plan (quota and throttling)",
    ),
    (
        "AWS::ApiGateway::GatewayResponse",
        "the gateway response; refusals have CORS headers here",
    ),
    (
        "AWS::ApiGateway::RequestValidator",
        "the request validation",
    ),
    (
        "AWS::ApiGateway::DomainName",
        "the domain name, with its TLS settings",
    ),
    (
        "AWS::ApiGatewayV2::DomainName",
        "the domain name, with its TLS settings",
    ),
    (
        "AWS::ApiGateway::BasePathMapping",
        "the base path; write `paths.base` if clients send it",
    ),
];

/// Reads the APIs of a template. If one is chosen, the others have no content.
pub(super) fn read(scope: &Scope<'_>, root: &Node, api: Option<&str>) -> Vec<Api> {
    transforms(scope, root);
    if let Some(resources) = root.get("Resources") {
        scope.is_plain(resources);
    }
    let wanted = |name: &str| api.is_none_or(|chosen| chosen == name);
    let mut apis = http::read(scope, &wanted);
    apis.extend(rest::read(scope, &wanted));
    apis.extend(sam::read(scope, root, &wanted));
    for api in &mut apis {
        for (of, words) in WITHOUT_EQUIVALENT {
            for resource in scope.resources(of) {
                api.leave_out(resource.at, format!("`{}`: {words}", resource.name));
            }
        }
    }
    apis
}

/// A macro may change every resource when the template is deployed.
fn transforms(scope: &Scope<'_>, root: &Node) {
    let Some(transform) = root.get("Transform") else {
        return;
    };
    let names = match transform.elements() {
        [] => std::slice::from_ref(transform),
        several => several,
    };
    for name in names {
        let known = name
            .text()
            .is_some_and(|text| HARMLESS.iter().any(|known| text.starts_with(known)));
        if !known {
            scope.problems.report(
                &name.span,
                "the template is changed by a macro when it is deployed; import the processed \
                 template (`aws cloudformation get-template --template-stage Processed`)",
            );
        }
    }
}
