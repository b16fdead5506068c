//! References through the variables and outputs of modules.

use serde_json::{Value, json};

use super::super::{access, import};
use super::planned::{
    API_ID, ONE, Planned, ROUTE, declared, plan, references, route, with_authorizer,
};

/// A route in a module, whose variables come from here.
fn in_module(expressions: &Value, outputs: &Value) -> Value {
    let mut plan = with_authorizer(&references(&ONE));
    let mut of_module = plan_of_module();
    let calls = json!({
        "m": {"expressions": expressions, "module": {"resources": [declared(ROUTE, "r", &json!({
            "api_id": references(&["var.api_id"]), "authorizer_id": references(&["var.authorizer.id", "var.authorizer"])}))]}},
        "n": {"expressions": {"authorizer": references(&ONE)}, "module": {"outputs": outputs}},
    });
    plan["configuration"]["root_module"]["module_calls"] = calls;
    plan["planned_values"]["root_module"]["child_modules"] =
        of_module["planned_values"]["root_module"]["child_modules"].take();
    let changes = of_module["resource_changes"].as_array_mut().unwrap();
    plan["resource_changes"]
        .as_array_mut()
        .unwrap()
        .append(changes);
    plan
}

fn plan_of_module() -> Value {
    let route = Planned {
        module: "module.m[\"k\"]",
        ..route("", "GET /b")
    };
    plan(&[route], &json!({}))
}

#[test]
fn variables_and_outputs_of_modules_are_followed() {
    let output = json!({"out": {"expression": references(&["var.authorizer"])}});
    for authorizer in [
        references(&ONE[1..]),
        references(&ONE),
        references(&["module.n.out", "module.n"]),
    ] {
        let text = in_module(
            &json!({"api_id": references(&API_ID), "authorizer": authorizer}),
            &output,
        )
        .to_string();
        assert_eq!(access(&text, "GET /b"), "", "{authorizer}");
    }
    for authorizer in [
        references(&["local.x"]),
        references(&["module.n.absent", "module.n"]),
        references(&["module.n"]),
        references(&["var.authorizer", "local.x"]),
        references(&[
            "module.n.out",
            "module.n",
            "aws_apigatewayv2_authorizer.two.id",
        ]),
    ] {
        let text = in_module(
            &json!({"api_id": references(&API_ID), "authorizer": authorizer}),
            &output,
        );
        let ran = import(&text.to_string(), &[]);
        assert_eq!((ran.code, &*ran.out), (1, ""), "{authorizer}");
    }
}

#[test]
fn references_in_a_circle_or_a_crowd_end() {
    let circle = json!({"out": {"expression": references(&["module.n.out"])}});
    let text = in_module(
        &json!({"api_id": references(&API_ID), "authorizer": references(&["module.n.out"])}),
        &circle,
    );
    assert_eq!(import(&text.to_string(), &[]).code, 1);
    let both = json!({"out": {"expression": references(&["module.n.out", "module.n.out"])}});
    let text = in_module(
        &json!({"api_id": references(&API_ID), "authorizer": references(&["module.n.out"])}),
        &both,
    );
    assert_eq!(import(&text.to_string(), &[]).code, 1);
}
