//! Documents and tokens are written: findings in their place, completions, every algorithm.

use serde_json::{Value, json};

use super::stage::Playground;
use crate::site::press;

const WRONG: &str = "routes:\n  - match: GET /a\n    access: public\n    acces: public\n  - match: GET /b\n    access: nobody\n";

#[test]
fn errors_are_shown_in_their_place() {
    let page = Playground::open();
    page.write(WRONG);
    assert_eq!(page.text("#summary"), "2 errors");
    assert!(page.text("#verdict").contains("has errors"));
    let first = page.text("#findings li:first-child");
    for part in ["error EA002, line 4", "routes[0].acces", "access"] {
        assert!(first.contains(part), "{first} lacks {part}");
    }
    let marks = page.run(
        "const texts = (kind) => [...document.querySelectorAll(kind)].map((one) => one.textContent);
         return {numbers: texts('.gutter .error'), underlined: texts('.marks .error').length,
             says: texts('.marks .says-error')};",
        &Value::Null,
    );
    assert_eq!(marks["numbers"], json!(["4", "6"]), "{marks}");
    assert_eq!(marks["underlined"], 2, "{marks}");
    assert_eq!(marks["says"].as_array().unwrap().len(), 2, "{marks}");
    // A finding leads to its text.
    page.browser.click("#findings li:first-child button");
    let selected = page.run(
        "const field = document.activeElement;
         return field.value.slice(field.selectionStart, field.selectionEnd);",
        &Value::Null,
    );
    assert_eq!(selected, "acces");
    // The marks leave with the error.
    page.write("routes:\n  - match: GET /a\n    access: public\n");
    assert_eq!(page.text("#summary"), "No errors and no warnings");
    let left = page.run(
        "return document.querySelectorAll('.gutter .error, .marks div').length",
        &Value::Null,
    );
    assert_eq!(left, 0);
}

#[test]
fn warnings_do_not_prevent_a_decision() {
    let page = Playground::open();
    page.write("mode: report\nroutes:\n  - match: GET /pets\n    access: denied\n  - match: $default\n    access: public\n");
    assert!(
        page.text("#summary").contains("warning"),
        "{}",
        page.text("#summary")
    );
    assert!(
        page.text("#verdict").starts_with("GET"),
        "{}",
        page.text("#verdict")
    );
}

/// Writes a document, with the caret at its end.
fn at_the_end_of(document: &str) -> Playground {
    let page = Playground::open();
    page.write(document);
    let caret = "const field = document.getElementById('text');
        field.focus(); field.setSelectionRange(field.value.length, field.value.length);";
    page.run(caret, &Value::Null);
    page
}

/// Presses Ctrl and Space, and waits for the list.
fn open_completions(page: &Playground) {
    page.browser.configure(
        "Input.dispatchKeyEvent",
        &json!({"type": "rawKeyDown", "key": " ", "code": "Space", "windowsVirtualKeyCode": 32, "modifiers": 2}),
    );
    page.browser
        .wait_until_there("#completions:not([hidden]) li[aria-selected=true]");
}

/// The name of the active entry, and what is said about it.
fn chosen(page: &Playground) -> Value {
    page.run(
        "const field = document.getElementById('text');
         const option = document.getElementById(field.getAttribute('aria-activedescendant'));
         return [option.firstChild.textContent, document.getElementById('chosen').textContent];",
        &Value::Null,
    )
}

#[test]
fn completions_are_chosen_by_keyboard_and_said_in_words() {
    let page = at_the_end_of("routes:\n  - match: GET /pets\n    ");
    open_completions(&page);
    let first = chosen(&page);
    assert!(first[1].as_str().unwrap().contains(": "), "{first}");
    press(&page.browser, "ArrowDown", 40);
    assert_ne!(chosen(&page), first);
    press(&page.browser, "ArrowUp", 38);
    assert_eq!(chosen(&page), first);
    press(&page.browser, "Escape", 27);
    let is_open = "return !document.getElementById('completions').hidden";
    assert_eq!(page.run(is_open, &Value::Null), false);
    assert!(page.value("text").ends_with("\n    "));
}

#[test]
fn completions_are_written_and_can_be_undone() {
    let page = at_the_end_of("routes:\n  - match: GET /pets\n    acc");
    let assert_ends = |end: &str| {
        let text = page.value("text");
        assert!(text.ends_with(end), "{text}");
    };
    open_completions(&page);
    press(&page.browser, "Enter", 13);
    assert_ends("\n    access: ");
    open_completions(&page);
    press(&page.browser, "ArrowDown", 40);
    press(&page.browser, "Enter", 13);
    assert_ends("access: optional");
    // Without a list, Enter begins a line as far to the right.
    press(&page.browser, "Enter", 13);
    assert_ends("optional\n    ");
    page.browser.configure(
        "Input.dispatchKeyEvent",
        &json!({"type": "rawKeyDown", "key": "z", "code": "KeyZ", "windowsVirtualKeyCode": 90, "modifiers": 2, "commands": ["undo"]}),
    );
    assert_ends("optional");
}

/// While somebody writes, the list is open, but Enter is a new line until an entry is chosen.
#[test]
fn the_list_does_not_get_in_the_way_of_writing() {
    let page = at_the_end_of("routes:\n  - match: GET /pets\n    acc");
    page.browser.configure(
        "Input.dispatchKeyEvent",
        &json!({"type": "keyDown", "key": "e", "code": "KeyE", "text": "e", "windowsVirtualKeyCode": 69}),
    );
    page.browser
        .wait_until_there("#completions:not([hidden]) li");
    press(&page.browser, "Enter", 13);
    let text = page.value("text");
    assert!(text.ends_with("acce\n    "), "{text}");
}

#[test]
fn claims_are_signed_with_every_algorithm_that_the_provider_accepts() {
    let page = Playground::open_at("#example=getting-started/2");
    let results = page.run(
        "const select = document.getElementById('algorithm');
         const results = [];
         for (const name of [...select.options].map((option) => option.value)) {
             const before = document.body.dataset.turn;
             select.value = name;
             select.dispatchEvent(new Event('input', {bubbles: true}));
             await settled(before);
             results.push([name, document.getElementById('verdict').textContent]);
         }
         return results;",
        &Value::Null,
    );
    let results = results.as_array().unwrap();
    assert_eq!(results.len(), 10, "{results:?}");
    for result in results {
        assert!(
            result[1]
                .as_str()
                .unwrap()
                .contains("goes to the upstream (allowed)"),
            "{result}"
        );
    }
}

#[test]
fn mistakes_in_the_request_are_sentences() {
    let page = Playground::open_at("#example=getting-started/2");
    for (field, value, sentence) in [
        ("claims", "{", "The claims are not JSON"),
        ("claims", "[]", "The claims are not a JSON object."),
        ("now", "today", "The time is not written as 2026-"),
        ("headers", "no colon", "A header is written `name: value`."),
    ] {
        page.go("#example=getting-started/2");
        page.fill(&json!({field: value}));
        assert!(
            page.text("#verdict").starts_with(sentence),
            "{}",
            page.text("#verdict")
        );
    }
}

#[test]
fn the_time_decides_about_a_token() {
    let page = Playground::open_at("#example=getting-started/2");
    let claims =
        r#"{"iss": "https://login.example.com", "aud": "pets", "sub": "alice", "exp": 1767225600}"#;
    page.fill(&json!({"claims": claims, "now": "2025-12-31T23:00:00"}));
    assert!(
        page.text("#verdict").contains("(allowed)"),
        "{}",
        page.text("#verdict")
    );
    page.fill(&json!({"now": "2026-01-01T01:00:00Z"}));
    assert!(
        page.text("#verdict").contains("(expired)"),
        "{}",
        page.text("#verdict")
    );
}
