//! The page is legible on a desktop and on a phone, in light and dark, and can be used by
//! keyboard and with a screen reader.

use serde_json::{Value, json};

use super::stage::Playground;
use crate::site::{DESKTOP, LOOK_AT_PAGE, PHONE, focus_stops, note, prefer, resize};

/// States of the page in which every kind of text appears.
const STATES: [&str; 4] = [
    "#example=getting-started/0",
    "#example=getting-started/2",
    "#example=mcp-server/0",
    "#example=cdk-rest-api-cors/1",
];

#[test]
fn the_page_is_legible() {
    let page = Playground::open();
    let mut wrong = Vec::new();
    for window in [DESKTOP, (1000, 800, false), PHONE, (320, 640, true)] {
        resize(&page.browser, window);
        for scheme in ["light", "dark"] {
            prefer(&page.browser, scheme);
            for state in STATES {
                page.go(state);
                note(
                    &mut wrong,
                    &page.browser.run(LOOK_AT_PAGE, &Value::Null),
                    |it| format!("{window:?}, {scheme}, {state}: {it}"),
                );
            }
            page.write("routes:\n  - match: GET /a\n    acces: public\nmode: report\n");
            note(
                &mut wrong,
                &page.browser.run(LOOK_AT_PAGE, &Value::Null),
                |it| format!("{window:?}, {scheme}, with errors: {it}"),
            );
            page.run(
                "document.querySelector('[name=kind][value=pasted]').click()",
                &Value::Null,
            );
            note(
                &mut wrong,
                &page.browser.run(LOOK_AT_PAGE, &Value::Null),
                |it| format!("{window:?}, {scheme}, pasted: {it}"),
            );
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn every_control_is_reached_by_keyboard() {
    let page = Playground::open_at("#example=getting-started/2");
    for window in [DESKTOP, PHONE] {
        resize(&page.browser, window);
        page.run("document.activeElement.blur()", &Value::Null);
        let stops = focus_stops(&page.browser);
        let order = [
            "example",
            "case",
            "share",
            "host",
            "text",
            "method",
            "target",
            "headers",
            "provider",
            "algorithm",
            "typ",
            "claims",
            "now",
        ];
        let mut rest = stops.iter();
        for needed in order {
            assert!(
                rest.any(|stop| stop == needed),
                "{needed} is not in its place among {stops:?}"
            );
        }
    }
}

#[test]
fn every_control_has_a_name_for_screen_readers() {
    let page = Playground::open_at("#example=getting-started/2");
    let found = page.run(
        "const controls = [...document.querySelectorAll('input, select, textarea, button, [role=listbox], section, fieldset')];
         const named = (one) => [
             ...(one.labels ?? []), one.querySelector(':scope > legend'),
             document.getElementById(one.getAttribute('aria-labelledby')), one.localName === 'button' ? one : null,
         ].some((label) => label?.textContent.trim()) || one.ariaLabel;
         const ids = [...document.querySelectorAll('[aria-controls], [aria-describedby], [aria-labelledby]')]
             .flatMap((one) => ['aria-controls', 'aria-describedby', 'aria-labelledby'].map((name) => one.getAttribute(name)));
         return {
             count: controls.length,
             nameless: controls.filter((one) => !named(one)).map((one) => one.outerHTML.slice(0, 80)),
             broken: ids.filter((id) => id && !document.getElementById(id)),
             live: [...document.querySelectorAll('[role=status]')].map(({id}) => id),
         };",
        &Value::Null,
    );
    assert_eq!(found["nameless"], json!([]));
    assert_eq!(found["broken"], json!([]));
    assert!(found["count"].as_u64() >= Some(20), "{found}");
    for live in ["verdict", "summary", "chosen", "shared", "start"] {
        assert!(
            found["live"].as_array().unwrap().contains(&json!(live)),
            "{found}"
        );
    }
}
