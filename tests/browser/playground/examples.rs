//! Each example of the repository gives in the page what its case file expects.

use serde_json::Value;

use super::stage::Playground;

/// The names of the examples.
const NAMES: &str = "
    const examples = await (await fetch('examples.json')).json();
    return examples.map(({name}) => name);";

/// Opens each request of an example, and returns what the page says of it.
const EACH: &str = "
    const examples = await (await fetch('examples.json')).json();
    const {cases} = examples.find(({name}) => name === argument);
    const said = [];
    for (const [number, one] of cases.entries()) {
        const before = document.body.dataset.turn;
        location.hash = `#example=${argument}/${number}`;
        await settled(before);
        const text = (id) => document.getElementById(id).textContent;
        said.push({
            name: one.name, expected: text('expected'), verdict: text('verdict'),
            decided: document.querySelectorAll('#trace .decided').length,
        });
    }
    return said;";

#[test]
fn each_example_gives_what_its_case_file_expects() {
    let page = Playground::open();
    let names = page.run(NAMES, &Value::Null);
    let names = names.as_array().unwrap();
    assert!(names.len() >= 8, "{names:?}");
    let mut wrong = Vec::new();
    let mut opened = 0;
    for name in names {
        let said = page.run(EACH, name);
        let said = said.as_array().unwrap();
        assert!(said.len() >= 5, "{name}: {said:?}");
        opened += said.len();
        let unmet = |one: &&Value| {
            let expected = one["expected"].as_str().unwrap();
            !expected.starts_with("This is what") || one["decided"].as_u64() > Some(1)
        };
        wrong.extend(said.iter().filter(unmet).cloned());
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(opened >= 100, "only {opened} requests were opened");
}

#[test]
fn examples_and_their_requests_are_chosen_in_lists() {
    let page = Playground::open();
    assert_eq!(page.value("example"), "getting-started");
    page.fill(&serde_json::json!({"case": "1"}));
    assert!(
        page.text("#verdict").contains("401"),
        "{}",
        page.text("#verdict")
    );
    page.fill(&serde_json::json!({"example": "sst-api"}));
    assert!(page.value("text").contains("sst-api"));
    // What somebody changes is not the example any more.
    page.fill(&serde_json::json!({"method": "PATCH"}));
    assert_eq!(page.text("#expected"), "");
    assert!(page.text("#verdict").starts_with("PATCH"));
}
