//! Nothing that is written leaves the page.

use serde_json::{Value, json};

use super::stage::Playground;

#[test]
fn the_page_asks_for_its_own_files_and_for_nothing_afterwards() {
    let page = Playground::open();
    let loaded = page.asked();
    assert!(loaded.len() >= 8, "{loaded:?}");
    assert!(
        loaded
            .iter()
            .all(|target| target.starts_with("/playground/")),
        "{loaded:?}"
    );
    page.write("routes:\n  - match: GET /secret-path\n    acc");
    page.fill(&json!({"example": "cognito-http-api"}));
    page.run(
        "document.querySelector('[name=kind][value=pasted]').click()",
        &Value::Null,
    );
    page.fill(
        &json!({"pasted": "secret", "key-set": "secret", "target": "https://secret.example.com/"}),
    );
    page.browser.click("#share");
    page.browser.wait_for("#shared", |text| !text.is_empty());
    assert_eq!(page.asked(), Vec::<String>::new());
    let elsewhere = page.run(
        "return performance.getEntriesByType('resource').map(({name}) => name)
             .filter((name) => !name.startsWith(new URL('.', location.href)) && !name.startsWith('blob:'));",
        &Value::Null,
    );
    assert_eq!(elsewhere, json!([]));
    let errors: Vec<_> = page.browser.console();
    assert!(errors.is_empty(), "{errors:?}");
}

/// The browser itself would stop code that wanted to send something: in the page, and in the
/// worker, which has the document and the token.
#[test]
fn the_policy_of_the_page_binds_its_worker_too() {
    let page = Playground::open();
    let other = "http://other.test:1/";
    let from_page = "
        const blocked = [];
        addEventListener('securitypolicyviolation', (event) => blocked.push(event.effectiveDirective));
        await fetch(argument).catch(() => {});
        new Image().src = argument;
        navigator.sendBeacon(argument, 'x');
        try { new WebSocket('ws://other.test:1/'); } catch {}
        const frame = document.createElement('iframe');
        frame.src = argument;
        document.body.append(frame);
        const script = document.createElement('script');
        script.textContent = 'window.injected = true';
        document.body.append(script);
        for (let tries = 0; tries < 200 && blocked.length < 6; tries++) {
            await new Promise((resolve) => setTimeout(resolve, 10));
        }
        frame.remove();
        return {blocked: blocked.sort(), injected: window.injected ?? false};";
    let found = page.run(from_page, &json!(other));
    assert_eq!(
        found,
        json!({"blocked": ["connect-src", "connect-src", "connect-src", "frame-src", "img-src", "script-src-elem"], "injected": false})
    );
    let from_worker = "
        const script = `
            self.addEventListener('securitypolicyviolation', (event) => self.postMessage(event.effectiveDirective));
            fetch(${JSON.stringify(argument)}).catch(() => {});`;
        const worker = new Worker(URL.createObjectURL(new Blob([script])));
        return new Promise((resolve) => { worker.onmessage = ({data}) => resolve(data); });";
    assert_eq!(page.run(from_worker, &json!(other)), "connect-src");
}
