//! REST APIs: `AWS::ApiGateway::{RestApi,Resource,Method,Authorizer}`.

use std::collections::BTreeMap;

use crate::import::model::{Api, Authorizer, Cors, Kind, Note, Route, Rule, Scopes};
use crate::import::policy::restrict;
use crate::import::scope::{Resource, Scope};
use crate::import::{authorizer, cors, openapi};
use crate::tree::Node;

/// The REST APIs of a template, and those outside of it that its methods name.
pub(super) fn read(scope: &Scope<'_>, wanted: &dyn Fn(&str) -> bool) -> Vec<Api> {
    let mut apis: BTreeMap<String, Api> = BTreeMap::new();
    for resource in scope.resources("AWS::ApiGateway::RestApi") {
        let api = if wanted(resource.name) {
            api(scope, resource)
        } else {
            Api::new(resource.name, Kind::Rest)
        };
        apis.insert(api.name.clone(), api);
    }
    let paths = paths(scope, wanted, &mut apis);
    let mut answers: BTreeMap<String, Vec<Cors>> = BTreeMap::new();
    for resource in scope.resources("AWS::ApiGateway::Method") {
        let owner = resource.body.descend(&["Properties", "RestApiId"]);
        let owner = owner.and_then(|owner| scope.reference(owner));
        match owner {
            Some(owner) if wanted(&owner) => {
                let api = apis
                    .entry(owner)
                    .or_insert_with_key(|name| Api::new(name, Kind::Rest));
                method(scope, resource, &paths, api, &mut answers);
            }
            Some(owner) => {
                apis.entry(owner)
                    .or_insert_with_key(|name| Api::new(name, Kind::Rest));
            }
            None => scope
                .problems
                .report(resource.at, "the method has no `RestApiId`; write one"),
        }
    }
    let authorizers = scope.resources("AWS::ApiGateway::Authorizer");
    let mut apis: Vec<Api> = apis.into_values().collect();
    for api in &mut apis {
        if let Some(found) = answers.remove(&api.name) {
            cors::common(api, found);
        }
        stages(scope, api);
        for (name, _) in api.named_authorizers() {
            let found = authorizers.iter().find(|one| one.name == name);
            if let Some(found) = found
                && !api.authorizers.contains_key(&name)
            {
                api.authorizers.insert(name, read_authorizer(scope, *found));
            }
        }
    }
    apis
}

/// A stage is a part of the path that clients send.
fn stages(scope: &Scope<'_>, api: &mut Api) {
    let resources = scope.resources("AWS::ApiGateway::Stage").into_iter();
    for resource in resources.chain(scope.resources("AWS::ApiGateway::Deployment")) {
        let Some(properties) = resource.body.get("Properties") else {
            continue;
        };
        let of = |name: &str| properties.get(name).map(Node::to_json);
        let owner = format!("{{\"Ref\":{:?}}}", api.name);
        if of("RestApiId") == Some(owner)
            && let Some(stage) = of("StageName")
        {
            api.leave_out(
                resource.at,
                format!("the stage {stage}; write it as `paths.base` if clients send it"),
            );
        }
    }
}

fn api(scope: &Scope<'_>, resource: Resource<'_>) -> Api {
    let mut api = Api::new(resource.name, Kind::Rest);
    let Some(properties) = scope.get(resource.body, "Properties") else {
        return api;
    };
    let get = |name: &str| scope.get(&properties, name);
    openapi::read_definition(scope, &properties, ["Body", "BodyS3Location"], &mut api);
    if let Some(node) = get("Policy") {
        restrict(scope, &mut api, &node);
    }
    let types = scope.descend(&properties, &["EndpointConfiguration", "Types"]);
    if let Some(types) = types
        && scope.texts(&types).iter().any(|kind| kind == "PRIVATE")
    {
        let reason = "the API was private: only VPC endpoints reached it";
        api.restricted = Some(Note::new(&types.span, reason));
    }
    api
}

/// The paths of all resources by name, and the API of each.
fn paths(
    scope: &Scope<'_>,
    wanted: &dyn Fn(&str) -> bool,
    apis: &mut BTreeMap<String, Api>,
) -> BTreeMap<String, String> {
    let resources = scope.resources("AWS::ApiGateway::Resource");
    let by_name: BTreeMap<&str, Resource<'_>> =
        resources.iter().map(|one| (one.name, *one)).collect();
    let mut paths = BTreeMap::new();
    for resource in &resources {
        let owner = resource.body.descend(&["Properties", "RestApiId"]);
        let owner = owner.and_then(|owner| scope.reference(owner));
        if owner.as_deref().is_some_and(|owner| !wanted(owner)) {
            continue;
        }
        let Some(path) = path(scope, *resource, &by_name) else {
            continue;
        };
        if let Some(owner) = owner {
            let api = apis
                .entry(owner)
                .or_insert_with_key(|name| Api::new(name, Kind::Rest));
            api.paths.push((path.clone(), resource.at.clone()));
        }
        paths.insert(resource.name.to_owned(), path);
    }
    paths
}

/// The path of a resource, from the parts of its parents.
fn path(
    scope: &Scope<'_>,
    resource: Resource<'_>,
    all: &BTreeMap<&str, Resource<'_>>,
) -> Option<String> {
    let mut parts = Vec::new();
    let mut current = resource;
    // A parent that is its own child ends the loop, too.
    for _ in 0..=all.len() {
        let properties = scope.get(current.body, "Properties")?;
        let part = scope.get(&properties, "PathPart")?;
        parts.push(scope.text(&part)?);
        let parent = properties.get("ParentId")?;
        let name = scope.reference(parent)?;
        if name.ends_with(".RootResourceId") {
            parts.reverse();
            return Some(format!("/{}", parts.join("/")));
        }
        if let Some(next) = all.get(name.as_str()) {
            current = *next;
            continue;
        }
        let above = scope.given(
            &format!("{name}.Path"),
            &parent.span,
            &format!("the path of the resource `{name}`, such as `/` or `/v1`"),
        )?;
        parts.reverse();
        return Some(format!(
            "{}/{}",
            above.trim_end_matches('/'),
            parts.join("/")
        ));
    }
    scope.problems.report(
        resource.at,
        "the resource is its own parent; correct `ParentId`",
    );
    None
}

fn method(
    scope: &Scope<'_>,
    resource: Resource<'_>,
    paths: &BTreeMap<String, String>,
    api: &mut Api,
    answers: &mut BTreeMap<String, Vec<Cors>>,
) -> Option<()> {
    let properties = scope.get(resource.body, "Properties")?;
    let reference = |name: &str| {
        let found = properties.get(name);
        if found.is_none() {
            let sentence = format!("the method has no `{name}`; write one");
            scope.problems.report(resource.at, &sentence);
        }
        scope.reference(found?)
    };
    let of = reference("ResourceId")?;
    let verb = reference("HttpMethod")?;
    let path = if of.ends_with(".RootResourceId") {
        "/".to_owned()
    } else {
        match paths.get(&of) {
            Some(path) => path.clone(),
            None if scope.type_of(&of).is_some() => return None,
            None => scope.given(
                &format!("{of}.Path"),
                resource.at,
                &format!("the path of the resource `{of}`, such as `/v1`"),
            )?,
        }
    };
    let mut rule = rule(scope, &properties);
    if verb == "OPTIONS" && is_mock(scope, &properties) {
        match mock_answer(scope, resource, &properties) {
            Some(cors) => answers.entry(api.name.clone()).or_default().push(cors),
            None => api.leave_out(
                resource.at,
                format!("`OPTIONS {path}`: its mock integration sets no CORS headers"),
            ),
        }
        rule = Rule::Denied(authorizer::MOCK.to_owned());
    }
    if let Rule::Token(names, _) = &rule
        && names.iter().any(|name| api.authorizers.contains_key(name))
    {
        scope.problems.report(
            resource.at,
            "its authorizer has the name of a security scheme of the API's `Body`; rename one",
        );
    }
    let pattern = format!("{verb} {path}");
    api.routes.push(Route::new(pattern, resource.at, rule));
    Some(())
}

fn rule(scope: &Scope<'_>, properties: &Node) -> Rule {
    let get = |name: &str| scope.get(properties, name);
    let scopes = get("AuthorizationScopes").map_or_else(Vec::new, |list| scope.texts(&list));
    let authorizer = properties
        .get("AuthorizerId")
        .and_then(|id| scope.reference(id));
    if get("ApiKeyRequired").is_some_and(|flag| scope.flag(&flag)) {
        return Rule::Denied(authorizer::API_KEY.to_owned());
    }
    let kind = get("AuthorizationType").and_then(|kind| scope.text(&kind));
    match (kind.as_deref(), authorizer) {
        (None | Some("NONE"), None) if scopes.is_empty() => Rule::Public,
        (Some("COGNITO_USER_POOLS"), Some(name)) => Rule::Token(vec![name], Scopes::AnyOf(scopes)),
        (Some("CUSTOM"), Some(name)) => Rule::Denied(authorizer::lambda_reason(&name)),
        (Some("AWS_IAM"), _) => Rule::Denied(authorizer::IAM.to_owned()),
        (kind, _) => Rule::Denied(format!(
            "its authorization is contradictory: the type is {}",
            kind.map_or("absent".to_owned(), |kind| format!("`{kind}`"))
        )),
    }
}

fn is_mock(scope: &Scope<'_>, properties: &Node) -> bool {
    let kind = scope.descend(properties, &["Integration", "Type"]);
    kind.and_then(|kind| scope.text(&kind)).as_deref() == Some("MOCK")
}

fn mock_answer(scope: &Scope<'_>, resource: Resource<'_>, properties: &Node) -> Option<Cors> {
    let responses = scope.descend(properties, &["Integration", "IntegrationResponses"])?;
    let responses = scope.elements(&responses);
    responses.iter().find_map(|response| {
        let parameters = scope.get(response, "ResponseParameters")?;
        cors::mock(scope, resource.at, &parameters)
    })
}

fn read_authorizer(scope: &Scope<'_>, resource: Resource<'_>) -> Authorizer {
    let Some(properties) = scope.get(resource.body, "Properties") else {
        return authorizer::unknown(resource.at, "its authorizer has no properties");
    };
    let get = |name: &str| scope.get(&properties, name);
    let kind = get("Type").and_then(|kind| scope.text(&kind));
    if kind.as_deref() != Some("COGNITO_USER_POOLS") {
        return authorizer::lambda(resource.at, resource.name);
    }
    let sources = get("IdentitySource").map_or_else(Vec::new, |node| scope.texts(&node));
    let restricted = get("IdentityValidationExpression").is_some();
    let pools = get("ProviderARNs");
    authorizer::cognito(scope, resource.at, pools.as_deref(), &sources, restricted)
}
