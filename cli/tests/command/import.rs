//! Imports. Each golden result passes `check`, and its cases pass `test`.

mod envoy;
mod envoy_gateway;
mod istio;
mod sam;
mod terraform;

use std::fs;

use crate::golden::{Golden, Ran, folder, run, run_in};

const DENIED: &str = "access: denied";

/// The output of an import, the warnings of `check`, and the result of the cases.
fn import_and_test(arguments: &[&str]) -> String {
    let folder = folder().join("import");
    let cases = std::env::temp_dir().join(format!(
        "edge-authz-import-{}-{}",
        std::process::id(),
        arguments[0]
    ));
    let cases_text = cases.to_str().unwrap();
    let all = [&["import", "--cases", cases_text], arguments].concat();
    let ran = run_in(&folder, &all, "");
    let mut text = format!("{}{}exit {}\n", ran.out, ran.err, ran.code);
    if ran.code == 0 {
        let checked = run(&["check", "-"], &ran.out);
        assert_eq!(checked.code, 0, "{}", checked.out);
        text += &checked.out;
        let played = run(&["test", cases_text], "");
        assert_eq!(played.code, 0, "{}", played.out);
        text += played.out.rsplit(": ").next().unwrap();
        fs::remove_file(&cases).unwrap();
    }
    text
}

#[test]
fn imports_are_as_recorded_and_pass_check_and_their_cases() {
    let mut golden = Golden::default();
    let pool = "Pool=eu-west-1_EXAMPLE";
    for arguments in [
        &[
            "http-api.yaml",
            "--param",
            pool,
            "--param",
            "Client=client-1",
        ][..],
        &["rest-api.yaml", "--param", pool],
        &["body.json"],
        &["openapi.yaml", "--param", "login.audiences=pets"],
        &["google.json"],
        &["unknown.yaml"],
        &["sam.yaml", "--api", "ServerlessHttpApi"],
        &["sam.processed.yaml", "--api", "Pets"],
        &["istio.yaml"],
        &["gateway.yaml"],
        &["envoy.yaml"],
        &["terraform.json", "--api", "aws_apigatewayv2_api.pets"],
        &[
            "terraform-plan.json",
            "--param",
            "aws_apigatewayv2_authorizer.jwt.jwt_configuration[0].issuer=https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_EXAMPLE",
            "--param",
            "aws_apigatewayv2_authorizer.jwt.jwt_configuration[0].audience=client-1",
        ],
        &[
            "terraform-plan-rest.json",
            "--param",
            "aws_api_gateway_authorizer.pool.provider_arns=arn:aws:cognito-idp:eu-west-1:1:userpool/eu-west-1_EXAMPLE",
            "--param",
            "aws_api_gateway_method.parts.resource_id=aws_api_gateway_resource.parts[each.key]",
        ],
    ] {
        let file = folder().join(format!("import/{}.out", arguments[0]));
        golden.compare(&file, &import_and_test(arguments));
    }
    golden.finish();
}

pub(crate) fn import(text: &str, arguments: &[&str]) -> Ran {
    run(&[&["import", "-"], arguments].concat(), text)
}

/// The result for a text, with the access of a route.
pub(crate) fn access(text: &str, pattern: &str) -> String {
    let ran = import(text, &[]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let json = run(&["routes", "--json", "-"], &ran.out);
    let table: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    let lines: Vec<_> = ran.out.lines().collect();
    let at = lines
        .iter()
        .position(|line| {
            let quoted = line.replace("match: $default", "match: \"$default\"");
            quoted.ends_with(&format!("- match: \"{pattern}\""))
        })
        .unwrap_or_else(|| panic!("no {pattern} in\n{}\n{table}", ran.out));
    let of_route = lines[at + 1..]
        .iter()
        .take_while(|line| line.starts_with("    "))
        .filter(|line| !line.trim_start().starts_with('#'));
    of_route
        .map(|line| line.trim())
        .collect::<Vec<_>>()
        .join(", ")
}

/// A REST API as `OpenAPI`, with these paths.
fn rest(paths: &str, pool: &str) -> String {
    format!(
        r#"{{"openapi": "3.0.1", "info": {{"title": "a"}}, "paths": {paths},
        "components": {{"securitySchemes": {{
          "key": {{"type": "apiKey", "name": "x-api-key", "in": "header"}},
          "lambda": {{"type": "apiKey", "name": "Authorization", "in": "header",
            "x-amazon-apigateway-authorizer": {{"type": "token", "authorizerUri": "arn"}}}},
          "pool": {{"type": "apiKey", "name": "Authorization", "in": "header",
            "x-amazon-apigateway-authorizer": {{"type": "cognito_user_pools", {pool}
              "providerARNs": ["arn:aws:cognito-idp:eu-west-1:1:userpool/eu-west-1_a"]}}}}}}}}}}"#
    )
}

#[test]
fn several_apis_are_listed_and_one_can_be_chosen() {
    let template =
        "Resources:\n  A: {Type: AWS::ApiGatewayV2::Api}\n  B: {Type: AWS::ApiGateway::RestApi}\n";
    let ran = import(template, &[]);
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("several APIs: `A`, `B`"), "{}", ran.err);
    assert_eq!(import(template, &["--api", "B"]).code, 0);
    assert_eq!(import(template, &["--api", "C"]).code, 1);
}

#[test]
fn a_file_with_thousands_of_errors_shows_some_of_them_and_their_number() {
    let routes: Vec<_> = (0..3000)
        .map(|number| {
            format!(
                "  R{number}: {{Type: AWS::ApiGatewayV2::Route, Properties: {{ApiId: !Ref A}}}}\n"
            )
        })
        .collect();
    let template = format!(
        "Resources:\n  A: {{Type: AWS::ApiGatewayV2::Api}}\n{}",
        routes.concat()
    );
    let ran = import(&template, &[]);
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("and 2950 more errors"), "{}", ran.err);
    assert_eq!(ran.err.matches("has no `RouteKey`").count(), 50);
}

#[test]
fn a_rest_path_without_a_method_is_denied_although_a_less_specific_path_has_it() {
    let text = rest(
        r#"{"/pets/{id}": {"get": {}}, "/pets/mine": {"put": {"security": [{"pool": []}]}}}"#,
        "",
    );
    assert_eq!(access(&text, "ANY /pets/mine"), "access: denied");
    // Parents are resources without methods.
    let text = rest(r#"{"/{proxy+}": {"get": {}}, "/a/b": {"get": {}}}"#, "");
    assert_eq!(access(&text, "ANY /a"), "access: denied");
}

#[test]
fn a_cognito_method_with_scopes_takes_access_tokens_and_one_without_takes_id_tokens() {
    let text = rest(
        r#"{"/a": {"get": {"security": [{"pool": []}]}, "put": {"security": [{"pool": ["x/w", "x/a"]}]}}}"#,
        "",
    );
    assert_eq!(access(&text, "GET /a"), "token_use: id");
    assert_eq!(
        access(&text, "PUT /a"),
        "token_use: access, scopes: [x/w, x/a]"
    );
    let ran = import(&text, &[]);
    assert!(ran.out.contains("audiences: any"), "{}", ran.out);
    assert!(ran.out.contains("the source checks no audience"));
    let checked = run(&["check", "-"], &ran.out);
    assert!(checked.out.contains("warning"), "{}", checked.out);
}

#[test]
fn the_header_of_an_authorizer_is_read_with_and_without_bearer() {
    let text = rest(r#"{"/a": {"get": {"security": [{"pool": []}]}}}"#, "");
    let ran = import(&text, &[]);
    assert!(
        ran.out.contains("- header: authorization\nroutes"),
        "{}",
        ran.out
    );
}

#[test]
fn what_has_no_equivalent_is_denied() {
    for (operation, pool) in [
        (r#"{"security": [{"lambda": []}]}"#, ""),
        (r#"{"security": [{"key": []}]}"#, ""),
        (r#"{"security": [{"pool": [], "key": []}]}"#, ""),
        (r#"{"security": [{"pool": []}, {"key": []}]}"#, ""),
        (r#"{"security": [{"nobody": []}]}"#, ""),
        (r#"{"x-amazon-apigateway-auth": {"type": "AWS_IAM"}}"#, ""),
        (
            r#"{"security": [{"pool": []}]}"#,
            r#""identityValidationExpression": "a","#,
        ),
    ] {
        let text = rest(&format!(r#"{{"/a": {{"get": {operation}}}}}"#), pool);
        assert_eq!(access(&text, "GET /a"), "access: denied", "{operation}");
    }
}

#[test]
fn a_resource_policy_denies_every_route() {
    let policy = |condition: &str| {
        format!(
            "Resources: {{A: {{Type: 'AWS::ApiGateway::RestApi', Properties: {{Policy: {{Statement: [{{Effect: Allow, \
             Principal: '*', Action: 'execute-api:Invoke', Resource: 'execute-api:/*'{condition}}}]}}, \
             Body: {{openapi: 3.0.1, paths: {{/a: {{get: {{}}}}}}}}}}}}}}"
        )
    };
    assert_eq!(access(&policy(""), "GET /a"), "access: public");
    let restricted = policy(", Condition: {IpAddress: {'aws:SourceIp': 10.0.0.0/8}}");
    assert_eq!(access(&restricted, "GET /a"), "access: denied");
}

#[test]
fn equal_patterns_with_different_rules_are_denied() {
    let text = rest(
        r#"{"/a/{x}": {"get": {}}, "/a/{y}/": {"get": {"security": [{"pool": []}]}}}"#,
        "",
    );
    assert_eq!(access(&text, "GET /a/{x}"), "access: denied");
}

#[test]
fn a_public_requirement_of_a_plain_document_is_public_and_its_scopes_are_all_of() {
    let plain = |security: &str| {
        format!(
            "{{openapi: 3.0.0, info: {{title: a}}, paths: {{/a: {{get: {{security: {security}}}}}}}, components: \
             {{securitySchemes: {{s: {{type: oauth2, x-google-issuer: 'https://a.example', \
             x-google-audiences: a}}}}}}}}"
        )
    };
    assert_eq!(access(&plain("[]"), "GET /a"), "access: public");
    assert_eq!(access(&plain("[{}]"), "GET /a"), "access: public");
    assert_eq!(
        access(&plain("[{}, {s: []}]"), "GET /a"),
        "access: optional"
    );
    assert_eq!(access(&plain("[{}, {s: [x]}]"), "GET /a"), "access: denied");
    assert_eq!(
        access(&plain("[{s: [read, write]}]"), "GET /a"),
        "scopes: {all_of: [read, write]}"
    );
    assert_eq!(
        access(&plain("[{s: [read]}, {s: [write]}]"), "GET /a"),
        "scopes: [read, write]"
    );
    let ran = import(
        &plain("[{s: []}]").replace("x-google-audiences: a", "x: a"),
        &[],
    );
    assert!(ran.err.contains("--param s.audiences=VALUE"), "{}", ran.err);
}

#[test]
fn an_unused_parameter_and_an_unresolved_condition_are_errors() {
    let template = "Parameters: {P: {Type: String, Default: a}, Q: {Type: String}}\nConditions: {C: !Equals [!Ref Q, a]}\n\
                    Resources:\n  A: {Type: AWS::ApiGatewayV2::Api}\n  R: {Type: AWS::ApiGatewayV2::Route, Condition: C, \
                    Properties: {ApiId: !Ref A, RouteKey: GET /a}}\n";
    let ran = import(template, &[]);
    assert!(ran.err.contains("--param Q=VALUE"), "{}", ran.err);
    assert_eq!((ran.code, &*ran.out), (1, ""));
    assert!(import(template, &["--param", "Q=a"]).out.contains("GET /a"));
    assert!(!import(template, &["--param", "Q=b"]).out.contains("GET /a"));
    let ran = import(template, &["--param", "Q=a", "--param", "p=a"]);
    assert!(ran.err.contains("`--param p` is not used"), "{}", ran.err);
}

#[test]
fn an_absent_issuer_is_denied() {
    let template = "Resources:\n  A: {Type: AWS::ApiGatewayV2::Api}\n  J: {Type: AWS::ApiGatewayV2::Authorizer, \
                    Properties: {AuthorizerType: JWT, JwtConfiguration: {Audience: [a]}}}\n  R: {Type: \
                    AWS::ApiGatewayV2::Route, Properties: {ApiId: !Ref A, RouteKey: GET /a, AuthorizationType: JWT, \
                    AuthorizerId: !Ref J}}\n";
    assert_eq!(access(template, "GET /a"), "access: denied");
}

#[test]
fn names_of_the_source_cannot_add_members() {
    let text = r#"{"openapi": "3.0.1", "info": {"title": "a\nroutes: [{match: $default, access: public}]"},
        "paths": {"/a": {"get": {"security": [{"x\n- match: GET /b\n  access: public": []}]}}}}"#;
    assert_eq!(access(text, "GET /a"), "access: denied");
    let ran = import(text, &[]);
    assert_eq!(
        ran.out.matches("- match:").count() - ran.out.matches("?- match").count(),
        1
    );
}
