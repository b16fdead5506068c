//! No document and no trap stops the page.

use std::fmt::Write;

use serde_json::{Value, json};

use super::stage::Playground;

/// Writes a document and counts how often the page gets to run until the core has answered.
const RUNS_MEANWHILE: &str = "
    const before = document.body.dataset.turn;
    const field = document.getElementById('text');
    field.value = argument;
    field.dispatchEvent(new Event('input', {bubbles: true}));
    let longest = 0;
    let runs = 0;
    for (let last = performance.now(); document.body.dataset.turn === before; runs++) {
        await new Promise((resolve) => setTimeout(resolve, 5));
        const now = performance.now();
        longest = Math.max(longest, now - last);
        last = now;
    }
    return {runs, longest, summary: document.getElementById('summary').textContent};";

#[test]
fn hostile_documents_leave_the_page_responsive() {
    let page = Playground::open();
    let mut many = "routes:\n".to_owned();
    for number in 0..10_000 {
        writeln!(
            many,
            "  - match: GET /a{number}/{{id}}\n    scopes: [s{number}]"
        )
        .unwrap();
    }
    let long = format!("routes:\n  - match: GET /{}\n", "a".repeat(1_000_000));
    let mut deep = String::new();
    for depth in 0..2000 {
        writeln!(deep, "{}a:", " ".repeat(depth)).unwrap();
    }
    // Each list has nine times the elements of the one before.
    let mut aliases = "a: &a [x, x]\n".to_owned();
    for (before, name) in ('a'..'h').zip('b'..='h') {
        let elements = vec![format!("*{before} "); 9].join(", ");
        writeln!(aliases, "{name}: &{name} [{elements}]").unwrap();
    }
    for (what, document) in [
        ("10,000 routes", many),
        ("a line of 1 MB", long),
        ("deep JSON", "[".repeat(500_000)),
        ("deep YAML", "- ".repeat(200_000)),
        ("deep indentation", deep),
        ("aliases", aliases),
        ("200,000 lines", "# a\n".repeat(200_000)),
    ] {
        let found = page.run(RUNS_MEANWHILE, &json!(document));
        // The change is read 150 ms after it was made; the page runs at least every 5 ms.
        assert!(found["runs"].as_u64() >= Some(3), "{what}: {found}");
    }
    page.write("routes:\n  - match: $default\n    access: public\n");
    page.browser
        .wait_for("#verdict", |text| text.contains("(public)"));
}

/// A module that traps when it is asked for a decision, and from then on: only a new one
/// answers again.
const TRAPS: &str = "
    const text = (letters) => [letters.length, ...new TextEncoder().encode(letters)];
    const section = (id, bytes) => [id, bytes.length, ...bytes];
    const body = (...code) => [code.length + 2, 0, ...code, 0x0b];
    const module = new Uint8Array([
        0, 0x61, 0x73, 0x6d, 1, 0, 0, 0,
        // input: i32 -> i32; answer and output: -> i32
        ...section(1, [2, 0x60, 1, 0x7f, 1, 0x7f, 0x60, 0, 1, 0x7f]),
        ...section(3, [3, 0, 1, 1]),
        ...section(5, [1, 0, 1]),
        ...section(7, [4, ...text('memory'), 2, 0, ...text('input'), 0, 0, ...text('answer'), 0, 1, ...text('output'), 0, 2]),
        ...section(10, [3,
            ...body(0x41, 0x80, 0x08),
            ...body(
                // The call begins with {\"call\":\" at 1024. If the next letter is d: remember it, and trap.
                0x41, 0x89, 0x08, 0x2d, 0, 0, 0x41, 0xe4, 0x00, 0x46, 0x04, 0x40,
                0x41, 0, 0x41, 1, 0x3a, 0, 0, 0x00, 0x0b,
                // Trap if it has trapped before.
                0x41, 0, 0x2d, 0, 0, 0x04, 0x40, 0x00, 0x0b,
                0x41, 8),
            ...body(0x41, 0x80, 0x10)]),
        ...section(11, [1, 0, 0x41, 0x80, 0x10, 0x0b, ...text('{\"ok\":7}')]),
    ]);
    const {Core} = await import(new URL('core.js', location.href));
    const core = await Core.start(WebAssembly.compile(module));
    const outcome = (name) => core.call(name, {}).then((value) => value, (error) => error.message);
    const outcomes = [];
    for (const name of ['check', 'decide', 'check', 'decide', 'complete']) outcomes.push(await outcome(name));
    return outcomes;";

#[test]
fn a_trap_ends_a_call_and_not_the_page() {
    let page = Playground::open();
    let found = page.run(TRAPS, &Value::Null);
    assert_eq!(
        found,
        json!([
            7,
            "RuntimeError: unreachable",
            7,
            "RuntimeError: unreachable",
            7
        ])
    );
}

#[test]
fn a_document_that_is_too_long_is_an_error() {
    let page = Playground::open();
    let found = page.run(
        "const {Core} = await import(new URL('core.js', location.href));
         const core = await Core.start();
         const check = (length) => core.call('check', {document: {text: '#'.repeat(length), host: 'envoy'}});
         const {findings} = await check(9 << 20);
         const refused = await check(17 << 20).catch((error) => error.message);
         return [findings.length, refused, (await check(1)).errors];",
        &Value::Null,
    );
    let refused = "the text is too long: at most 16 MiB are read";
    assert_eq!(found, json!([1, refused, 1]));
}

/// Of several calls that wait, the last one of each kind is made.
#[test]
fn superseded_calls_are_not_made() {
    let page = Playground::open();
    let found = page.run(
        "const {Core} = await import(new URL('core.js', location.href));
         const core = await Core.start();
         const calls = ['a', 'b', 'c', 'd'].map((text) => core.call('check', {document: {text, host: 'envoy'}}));
         const found = await Promise.all(calls);
         return found.map((value) => value === undefined ? null : value.errors);",
        &Value::Null,
    );
    assert_eq!(found, json!([1, null, null, 1]));
}
