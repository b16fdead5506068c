//! Templates of AWS SAM.

use super::*;

/// A configuration without its comments.
fn uncommented(text: &str) -> Vec<&str> {
    let lines = text.lines();
    lines
        .filter(|line| !line.trim_start().starts_with('#'))
        .collect()
}

#[test]
fn a_sam_template_and_its_processed_template_give_the_same_configuration() {
    let folder = folder().join("import");
    for api in ["ServerlessHttpApi", "Pets"] {
        let [source, processed] = ["sam.yaml", "sam.processed.yaml"]
            .map(|file| run_in(&folder, &["import", file, "--api", api], ""));
        assert_eq!((source.code, processed.code), (0, 0), "{}", source.err);
        assert_eq!(uncommented(&source.out), uncommented(&processed.out));
    }
}

#[test]
fn a_sam_api_that_is_not_in_the_file_and_a_foreign_definition_are_errors() {
    for (resource, words) in [
        (
            "F: {Type: AWS::Serverless::Function, Properties: {Events: {E: {Type: HttpApi, Properties: {ApiId: x}}}}}",
            "is not a SAM resource",
        ),
        (
            "F: {Type: AWS::Serverless::HttpApi, Properties: {DefinitionUri: api.yaml}}",
            "in another file",
        ),
    ] {
        let ran = import(&format!("Resources:\n  {resource}\n"), &[]);
        assert_eq!(ran.code, 1);
        assert!(ran.err.contains(words), "{}", ran.err);
    }
}

#[test]
fn a_sam_resource_policy_denies_every_route() {
    let template = "Resources:\n  A: {Type: AWS::Serverless::Api, Properties: {Auth: {ResourcePolicy: {IpRangeWhitelist: [10.0.0.1]}}}}\n  \
                    F: {Type: AWS::Serverless::Function, Properties: {Events: {E: {Type: Api, Properties: {RestApiId: !Ref A, Path: /a, \
                    Method: get}}}}}\n";
    assert_eq!(access(template, "GET /a"), "access: denied");
}

#[test]
fn a_definition_body_without_security_gets_the_default_authorizer() {
    let template = "Resources:\n  A: {Type: AWS::Serverless::HttpApi, Properties: {Auth: {DefaultAuthorizer: J, Authorizers: {J: \
                    {JwtConfiguration: {issuer: 'https://a.example', audience: [a]}}}}, DefinitionBody: {openapi: 3.0.1, paths: {/a: \
                    {get: {}}}}}}\n";
    assert_eq!(access(template, "GET /a"), "");
}

#[test]
fn a_value_whose_members_are_not_known_is_an_error() {
    let event = |auth: &str| {
        format!(
            "Parameters: {{P: {{Type: String, Default: a}}}}\nResources:\n  F: {{Type: AWS::Serverless::Function, Properties: \
             {{Events: {{E: {{Type: HttpApi, Properties: {{Path: /a, Auth: {auth}}}}}}}}}}}\n"
        )
    };
    for auth in [
        "!Ref P",
        "!Ref Q",
        "[Authorizer]",
        "!GetAtt Q.Auth",
        "{Fn::Transform: x}",
    ] {
        let ran = import(&event(auth), &[]);
        assert_eq!((ran.code, &*ran.out), (1, ""), "{auth}");
    }
    assert_eq!(import(&event("{}"), &[]).code, 0);
}

#[test]
fn a_user_pool_that_is_no_arn_can_be_given() {
    let text = rest(r#"{"/a": {"get": {"security": [{"pool": []}]}}}"#, "");
    let real = "arn:aws:cognito-idp:eu-west-1:1:userpool/eu-west-1_a";
    for wrong in [
        "arn:aws:1",
        "arn:aws:cognito-idp:eu-west-1:1:userpool/us-east-1_a",
        "arn:aws:cognito-idp:x.example/:1:userpool/x.example/_a",
        "arn:aws:cognito-idp:eu-west-1:1:userpool/eu-west-1_a/b",
    ] {
        let text = text.replace(real, wrong);
        let ran = import(&text, &[]);
        assert!(
            ran.err.contains(&format!("--param {wrong}=VALUE")),
            "{}",
            ran.err
        );
        let given = import(&text, &["--param", &format!("{wrong}={real}")]);
        assert!(
            given.out.contains("amazonaws.com/eu-west-1_a"),
            "{}",
            given.err
        );
        assert_eq!(import(&text, &["--param", &format!("{wrong}=arn")]).code, 1);
    }
}
