//! A link holds what is written, and no secret unless the user says so.

use serde_json::{Value, json};

use super::stage::Playground;

/// Chooses a pasted token with its key set.
const PASTE: &str = "document.querySelector('[name=kind][value=pasted]').click()";

/// Not a real token, but it looks like one.
const TOKEN: &str = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJl";

fn address(page: &Playground) -> String {
    let address = page.run("return location.href", &Value::Null);
    address.as_str().unwrap().to_owned()
}

/// The fragment after a click on the button.
fn shared(page: &Playground) -> String {
    page.browser.click("#share");
    page.browser
        .wait_for("#shared", |text| text.starts_with("The link is"));
    let address = address(page);
    page.run(
        "document.getElementById('shared').textContent = ''",
        &Value::Null,
    );
    let (before, fragment) = address.split_once('#').expect("a fragment");
    assert_eq!(before, page.url());
    format!("#{fragment}")
}

#[test]
fn a_link_leads_back_to_what_was_written() {
    let page = Playground::open_at("#example=getting-started/2");
    page.fill(&json!({
        "text": format!("# größer 😀\n{}", page.value("text")),
        "target": "/pets/ä?x=1", "host": "server", "algorithm": "PS384", "now": "2030-01-01T00:00:00",
    }));
    let ids = [
        "text",
        "host",
        "method",
        "target",
        "headers",
        "provider",
        "algorithm",
        "claims",
        "now",
    ];
    let before = ids.map(|id| page.value(id));
    let verdict = page.text("#verdict");
    let link = shared(&page);
    page.asked();
    page.go(&link);
    assert_eq!(ids.map(|id| page.value(id)), before);
    page.browser.wait_for("#verdict", |text| text == verdict);
    assert_eq!(page.value("example"), "");
    // Servers see no fragment.
    assert!(page.asked().iter().all(|target| !target.contains("state")));
}

#[test]
fn a_pasted_token_is_left_out_unless_the_user_says_otherwise() {
    let page = Playground::open();
    let box_is_shown = "return !document.getElementById('secrets-label').hidden";
    assert_eq!(page.run(box_is_shown, &Value::Null), false);
    page.run(PASTE, &Value::Null);
    page.fill(&json!({
        "pasted": TOKEN, "key-set": r#"{"keys":[]}"#, "target": format!("/pets?token={TOKEN}"),
        "headers": format!("Authorization: Basic c2VjcmV0\nx-copy: {TOKEN}\ncookie: id=c2VjcmV0\nx-other: 1"),
    }));
    assert_eq!(page.run(box_is_shown, &Value::Null), true);
    let link = shared(&page);
    page.go(&link);
    for id in ["pasted", "headers", "target"] {
        let value = page.value(id);
        assert!(
            !value.contains("eyJ") && !value.contains("c2VjcmV0"),
            "{id}: {value}"
        );
    }
    assert!(page.value("headers").contains("x-other: 1"));
    assert_eq!(page.value("key-set"), r#"{"keys":[]}"#);

    page.fill(&json!({"pasted": TOKEN}));
    page.browser.click("#secrets");
    let link = shared(&page);
    page.go(&link);
    assert_eq!(page.value("pasted"), TOKEN);
}

#[test]
fn a_bad_link_is_a_sentence() {
    let page = Playground::open();
    // A small link may unpack to any size.
    let bomb = page.run(
        "const packed = new Blob([JSON.stringify({text: 'a'.repeat(50_000_000)})]).stream()
             .pipeThrough(new CompressionStream('deflate-raw'));
         const bytes = new Uint8Array(await new Response(packed).arrayBuffer());
         const binary = Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');
         return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');",
        &Value::Null,
    );
    let bomb = format!("#state={}", bomb.as_str().unwrap());
    for link in ["#state=AAAA", "#state=_", &bomb] {
        page.go(link);
        assert!(
            page.text("#shared").starts_with("The link cannot be read"),
            "{}",
            page.text("#shared")
        );
        assert_eq!(page.value("example"), "getting-started");
    }
    page.go("#example=no-such/99");
    assert_eq!(page.value("example"), "getting-started");
}
