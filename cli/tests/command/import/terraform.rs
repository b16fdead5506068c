//! Plans of Terraform: what is not known before the apply is followed, asked for, or
//! refused, and never guessed.

mod modules;
mod planned;

use serde_json::json;

use self::planned::{
    ONE, Planned, api, authorizer, configuration, plan, references, route, with_authorizer,
};
use super::{access, import};

#[test]
fn a_reference_to_one_authorizer_is_followed() {
    let text = with_authorizer(&references(&ONE)).to_string();
    assert_eq!(access(&text, "GET /a"), "");
    let ran = import(&text, &[]);
    assert!(ran.out.contains("https://one.example"), "{}", ran.out);
    assert!(!ran.out.contains("https://two.example"), "{}", ran.out);
    // What is known in every plan changes nothing.
    let beside = [&ONE[..], &["each.key", "var.stage", "path.module"]].concat();
    let other = import(&with_authorizer(&references(&beside)).to_string(), &[]);
    assert_eq!(other.out, ran.out);
}

#[test]
fn an_authorizer_that_something_else_may_choose_is_asked_for() {
    let two = ["aws_apigatewayv2_authorizer.two.id"];
    for others in [
        &two[..],
        &["local.authorizer"],
        &["each.value.authorizer", "each.value"],
        &["module.other.id", "module.other"],
        &["aws_lambda_function.f.arn", "aws_lambda_function.f"],
        &["aws_apigatewayv2_authorizer.two"],
        &["self.id"],
        &["not an address ]["],
        &[""],
    ] {
        for all in [[&ONE[..], others].concat(), [others, &ONE[..]].concat()] {
            let text = with_authorizer(&references(&all)).to_string();
            let ran = import(&text, &[]);
            assert_eq!((ran.code, &*ran.out), (1, ""), "{all:?}");
            assert!(
                ran.err
                    .contains("`--param aws_apigatewayv2_route.r.authorizer_id=VALUE`"),
                "{}",
                ran.err
            );
            let given = "aws_apigatewayv2_route.r.authorizer_id=aws_apigatewayv2_authorizer.two";
            let ran = import(&text, &["--param", given]);
            assert!(ran.out.contains("https://two.example"), "{}", ran.err);
        }
    }
    for wrong in [
        "aws_apigatewayv2_authorizer.three",
        "aws_apigatewayv2_authorizer.two.arn",
        "aws_apigatewayv2_api.a",
        "au1",
        "",
    ] {
        let given = format!("aws_apigatewayv2_route.r.authorizer_id={wrong}");
        let ran = import(
            &with_authorizer(&references(&two[..0])).to_string(),
            &["--param", &given],
        );
        assert_eq!((ran.code, &*ran.out), (1, ""), "{wrong}");
    }
}

#[test]
fn an_attribute_of_an_authorizer_that_is_not_its_identifier_is_none() {
    for reference in [
        "aws_apigatewayv2_authorizer.one.name",
        "aws_apigatewayv2_authorizer.one.jwt_configuration[0].id",
        "aws_apigatewayv2_authorizer.none.id",
        "aws_apigatewayv2_authorizer.one[0].id",
        "aws_api_gateway_authorizer.one.id",
        "module.m.aws_apigatewayv2_authorizer.one.id",
    ] {
        let ran = import(&with_authorizer(&references(&[reference])).to_string(), &[]);
        assert_eq!((ran.code, &*ran.out), (1, ""), "{reference}");
    }
}

#[test]
fn an_instance_with_the_same_key_is_suggested_and_not_assumed() {
    let expression = references(&["aws_apigatewayv2_authorizer.one", "each.key"]);
    let text = plan(
        &[
            api(),
            authorizer("one", "[\"x\"]", "https://x.example"),
            authorizer("one", "[\"y\"]", "https://y.example"),
            route("[\"x\"]", "GET /x"),
            route("[\"y\"]", "GET /y"),
        ],
        &configuration(&expression),
    )
    .to_string();
    let ran = import(&text, &[]);
    let argument =
        "aws_apigatewayv2_route.r.authorizer_id=aws_apigatewayv2_authorizer.one[each.key]";
    assert_eq!((ran.code, &*ran.out), (1, ""));
    assert!(
        ran.err.contains(&format!("`--param '{argument}'`")),
        "{}",
        ran.err
    );
    let ran = import(&text, &["--param", argument]);
    for (pattern, provider) in [("GET /x", "one--x"), ("GET /y", "one--y")] {
        let route = format!("- match: \"{pattern}\"\n    providers: [{provider}]\n");
        assert!(ran.out.contains(&route), "{}", ran.out);
    }
    let all = "aws_apigatewayv2_route.r.authorizer_id=aws_apigatewayv2_authorizer.one[\"y\"]";
    let one =
        "aws_apigatewayv2_route.r[\"x\"].authorizer_id=aws_apigatewayv2_authorizer.one[\"x\"]";
    let both = import(&text, &["--param", all, "--param", one]);
    assert_eq!(both.out, ran.out, "{}", both.err);
    // With one instance, nothing else can be meant.
    let text = plan(
        &[
            api(),
            authorizer("one", "[0]", "https://x.example"),
            route("", "GET /x"),
        ],
        &configuration(&references(&["aws_apigatewayv2_authorizer.one"])),
    );
    assert_eq!(access(&text.to_string(), "GET /x"), "");
}

#[test]
fn what_is_not_known_of_a_rule_is_asked_for() {
    for name in [
        "route_key",
        "authorization_type",
        "authorization_scopes",
        "api_key_required",
        "api_id",
    ] {
        let mut plan = with_authorizer(&references(&ONE));
        let changes = plan["resource_changes"].as_array_mut().unwrap();
        changes[3]["change"]["after_unknown"][name] = json!(true);
        let resources = &mut plan["configuration"]["root_module"]["resources"];
        resources[3]["expressions"][name] = references(&["local.x"]);
        let ran = import(&plan.to_string(), &[]);
        assert_eq!((ran.code, &*ran.out), (1, ""), "{name}");
        assert!(
            ran.err
                .contains(&format!("aws_apigatewayv2_route.r.{name}=")),
            "{}",
            ran.err
        );
    }
    // One of several scopes.
    let mut plan = with_authorizer(&references(&ONE));
    plan["planned_values"]["root_module"]["resources"][3]["values"]["authorization_scopes"] =
        json!(["a", null]);
    plan["resource_changes"][3]["change"]["after_unknown"]["authorization_scopes"] =
        json!([false, true]);
    assert_eq!(import(&plan.to_string(), &[]).code, 1);
    let given = "aws_apigatewayv2_route.r.authorization_scopes=a, b";
    let ran = import(&plan.to_string(), &["--param", given]);
    assert!(ran.out.contains("scopes: [a, b]"), "{}", ran.out);
}

#[test]
fn a_plan_that_lacks_resources_is_refused() {
    for (name, value, words) in [
        ("errored", json!(true), "has failed"),
        ("complete", json!(false), "is incomplete"),
        ("resource_changes", json!([]), "`resource_changes`"),
        ("format_version", json!("2.0"), "version of the format"),
    ] {
        let mut plan = with_authorizer(&references(&ONE));
        plan[name] = value;
        let ran = import(&plan.to_string(), &[]);
        assert_eq!((ran.code, &*ran.out), (1, ""), "{name}");
        assert!(ran.err.contains(words), "{}", ran.err);
    }
    let mut plan = with_authorizer(&references(&ONE));
    plan["configuration"] = json!({});
    assert_eq!(import(&plan.to_string(), &[]).code, 1);
}

#[test]
fn a_resource_of_a_rest_api_has_the_path_of_its_parts() {
    let shop = |path: &str, part: &str| {
        let resource = |kind, name, values, unknown| Planned {
            module: "",
            kind,
            name,
            key: "",
            values,
            unknown,
        };
        let plan = plan(
            &[
                resource(
                    "aws_api_gateway_rest_api",
                    "a",
                    json!({"id": "r1", "root_resource_id": "root"}),
                    json!({}),
                ),
                resource(
                    "aws_api_gateway_resource",
                    "b",
                    json!({"id": "b1", "rest_api_id": "r1", "parent_id": "root", "path": path, "path_part": part}),
                    json!({}),
                ),
                resource(
                    "aws_api_gateway_method",
                    "m",
                    json!({"rest_api_id": "r1", "resource_id": "b1", "http_method": "GET", "authorization": "NONE"}),
                    json!({}),
                ),
            ],
            &json!({}),
        );
        plan.to_string()
    };
    // The provider computes the path when it applies the change.
    assert_eq!(
        access(&shop("/former", "new"), "GET /new"),
        "access: public"
    );
}

#[test]
fn a_quick_create_makes_a_public_route() {
    let mut plan = with_authorizer(&references(&ONE));
    plan["resource_changes"][0]["change"]["after_unknown"]["target"] = json!(true);
    plan["configuration"]["root_module"]["resources"][0]["expressions"]["target"] =
        references(&["aws_lambda_function.f.arn"]);
    assert_eq!(access(&plan.to_string(), "$default"), "access: public");
}

#[test]
fn a_rule_with_a_value_of_another_type_is_denied() {
    for (name, value) in [
        ("authorization_type", json!(5)),
        ("authorization_type", json!([])),
        ("authorizer_id", json!(5)),
        ("authorization_scopes", json!("a")),
        ("authorization_scopes", json!({})),
        ("authorization_scopes", json!(["a", 5])),
        ("api_key_required", json!("false")),
        ("api_key_required", json!(1)),
    ] {
        for kind in ["NONE", "JWT"] {
            let mut plan = with_authorizer(&references(&ONE));
            let marks = &mut plan["resource_changes"][3]["change"]["after_unknown"];
            if kind == "NONE" || name == "authorizer_id" {
                marks["authorizer_id"] = json!(false);
            }
            let values = &mut plan["planned_values"]["root_module"]["resources"][3]["values"];
            values["authorizer_id"] = json!(null);
            values["authorization_type"] = json!(kind);
            values[name] = value.clone();
            let text = plan.to_string();
            assert_eq!(access(&text, "GET /a"), "access: denied", "{name} {value}");
        }
    }
}
