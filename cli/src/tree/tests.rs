#![allow(
    clippy::string_slice,
    clippy::many_single_char_names,
    clippy::format_push_string,
    reason = "a test ends at the first unexpected result"
)]
use super::*;

fn yaml(text: &str) -> Node {
    let mut documents = parse_yaml(text).unwrap();
    assert_eq!(documents.len(), 1);
    documents.remove(0)
}

#[test]
fn values_and_names_know_where_they_stand() {
    for (text, node) in [
        ("a: [x, 'y']\nb:\n  c: 12\n", None),
        (
            "{\"a\": [\"x\", \"y\"],\n\t\"b\": {\"\\u0063\": 12}}",
            Some(()),
        ),
    ]
    .map(|(text, json)| {
        (
            text,
            json.map_or_else(|| yaml(text), |()| parse_json(text).unwrap()),
        )
    }) {
        let [a, b] = node.members() else { panic!() };
        assert_eq!(&text[a.name_span.clone()].trim_matches('"'), &"a");
        let [x, y] = a.value.elements() else { panic!() };
        assert_eq!((x.text(), y.text()), (Some("x"), Some("y")));
        assert_eq!(text[y.span.clone()].trim_matches(['"', '\'']), "y");
        let [c] = b.value.members() else { panic!() };
        assert_eq!(c.name, "c");
        assert_eq!(&text[c.value.span.clone()], "12");
        assert_eq!(node.to_json(), r#"{"a":["x","y"],"b":{"c":12}}"#);
    }
}

#[test]
fn duplicate_members_are_kept() {
    assert_eq!(yaml("a: 1\na: 2\n").to_json(), r#"{"a":1,"a":2}"#);
    let json = r#"{"a":1,"a":2}"#;
    assert_eq!(parse_json(json).unwrap().to_json(), json);
}

#[test]
fn quotes_and_tags_keep_text_text() {
    let node = yaml("- off\n- 'off'\n- \"0123\"\n- !!str 12\n- ! 12\n- |\n  no\n");
    assert_eq!(node.to_json(), r#"[false,"off","0123","12","12","no\n"]"#);
}

#[test]
fn names_are_what_is_written() {
    assert_eq!(
        yaml("off: 1\n12: 2\n'x': 3\n").to_json(),
        r#"{"off":1,"12":2,"x":3}"#
    );
    assert!(parse_yaml("[a]: 1\n").is_err());
}

#[test]
fn aliases_are_expanded_up_to_a_limit() {
    assert_eq!(
        yaml("a: &x {b: 1}\nc: *x\n").to_json(),
        r#"{"a":{"b":1},"c":{"b":1}}"#
    );
    assert!(parse_yaml("a: &x [*x]\n").is_err());
    let mut bomb = "a0: &a0 [1]\n".to_owned();
    for level in 1..30 {
        let before = level - 1;
        bomb += &format!("a{level}: &a{level} [*a{before}, *a{before}, *a{before}]\n");
    }
    let fault = parse_yaml(&bomb).unwrap_err();
    assert_eq!(fault.message, "its aliases expand to too much data");
    let mut deep = "a0: &a0 [1]\n".to_owned();
    for level in 1..1000 {
        let before = level - 1;
        deep += &format!("a{level}: &a{level} [*a{before}]\n");
    }
    assert!(
        parse_yaml(&deep)
            .unwrap_err()
            .message
            .starts_with("nested deeper")
    );
}

#[test]
fn too_deep_nesting_is_refused() {
    for open in ["[", "{\"a\":"] {
        assert!(parse_json(&open.repeat(100_000)).is_err());
        assert!(parse_yaml(&open.repeat(100_000)).is_err());
    }
    let deep = format!("{}{}", "[".repeat(129), "]".repeat(129));
    assert!(parse_json(&deep).is_err());
    assert!(parse_yaml(&deep).is_err());
    assert!(parse_json(&deep[1..257]).is_ok());
    assert!(parse_yaml(&deep[1..257]).is_ok());
}

#[test]
fn a_text_may_contain_several_documents_or_none() {
    assert_eq!(parse_yaml("a: 1\n---\nb: 2\n").unwrap().len(), 2);
    assert_eq!(parse_yaml("# nothing\n").unwrap().len(), 0);
}

#[test]
fn short_forms_are_objects_in_templates_and_mean_nothing_elsewhere() {
    let text = "- !Ref off\n- !GetAtt a.b\n- !Join [\"\", [!Ref a, 1]]\n- !Sub {a: b}\n- &x !Ref y\n- *x\n";
    let node = parse_template(text).unwrap().remove(0);
    assert_eq!(
        node.to_json(),
        r#"[{"Ref":"off"},{"Fn::GetAtt":"a.b"},{"Fn::Join":["",[{"Ref":"a"},1]]},{"Fn::Sub":{"a":"b"}},{"Ref":"y"},{"Ref":"y"}]"#
    );
    assert_eq!(yaml("- !Ref off\n").to_json(), "[false]");
    let fault = parse_template("a: !Reff b\n").unwrap_err();
    assert_eq!(fault.message, "`!Reff` is not a function of CloudFormation");
    let deep = format!("{}{}", "!If [".repeat(129), "]".repeat(129));
    assert!(
        parse_template(&deep)
            .unwrap_err()
            .message
            .starts_with("nested deeper")
    );
}
