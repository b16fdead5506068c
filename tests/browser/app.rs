//! The page of `examples/browser-app`, used as a user would.

use crate::chromium::Chromium;
use crate::servers::Servers;

/// The page, open.
struct App {
    browser: Chromium,
    servers: Servers,
}

impl App {
    fn open() -> Self {
        let servers = Servers::start();
        let browser = Chromium::start();
        browser.open(&servers.page());
        browser.wait_for("#cards", |text| text.contains("GET /nowhere"));
        Self { browser, servers }
    }

    fn sign_in(&self, name: &str, password: &str, lifetime: &str) {
        self.browser.write("#username", name);
        self.browser.write("#password", password);
        self.browser
            .click(&format!("#lifetime option[value='{lifetime}']"));
        self.browser.click("#sign-in button");
    }

    /// Clicks the button of a card, and compares the status that it shows.
    #[track_caller]
    fn expect(&self, card: &str, status: &str) {
        // The result of an earlier click must not be taken for this one.
        let forget = format!("document.querySelector('#{card} .status').textContent = ''");
        self.browser.run(&forget, &serde_json::Value::Null);
        self.browser.click(&format!("#{card} .call"));
        let shown = self
            .browser
            .wait_for(&format!("#{card} .status"), |text| !text.is_empty());
        assert_eq!(shown, status, "{card}");
    }

    fn text(&self, selector: &str) -> String {
        self.browser.text(selector)
    }
}

/// The cards and what they show, in order.
type Expected = [(&'static str, &'static str); 10];

const SIGNED_OUT: Expected = [
    ("get-public", "200"),
    ("get-me", "401"),
    ("get-notes", "401"),
    ("post-notes", "401"),
    ("delete-notes-1", "401"),
    ("put-notes-1", "unreadable"),
    ("get-fonts", "200"),
    ("get-partner", "unreadable"),
    ("get-broken", "503"),
    ("get-nowhere", "404"),
];

/// With the token of a user who may read and write. `GET /fonts` allows no
/// `Authorization`.
const ADA: Expected = [
    ("get-public", "200"),
    ("get-me", "200"),
    ("get-notes", "200"),
    ("post-notes", "200"),
    ("delete-notes-1", "200"),
    ("put-notes-1", "unreadable"),
    ("get-fonts", "unreadable"),
    ("get-partner", "unreadable"),
    ("get-broken", "503"),
    ("get-nowhere", "404"),
];

const BOB: Expected = [
    ("get-public", "200"),
    ("get-me", "200"),
    ("get-notes", "200"),
    ("post-notes", "403"),
    ("delete-notes-1", "403"),
    ("put-notes-1", "unreadable"),
    ("get-fonts", "unreadable"),
    ("get-partner", "unreadable"),
    ("get-broken", "503"),
    ("get-nowhere", "404"),
];

#[test]
fn every_button_shows_what_its_route_answers() {
    let app = App::open();
    for (card, status) in SIGNED_OUT {
        app.expect(card, status);
    }
    assert!(
        app.text("#get-me .headers")
            .contains(r#"Bearer realm="api""#)
    );
    assert!(app.text("#get-me .body").contains("Unauthorized"));

    for (name, password, expected) in [("ada", "lovelace", ADA), ("bob", "builder", BOB)] {
        app.sign_in(name, password, "3600");
        app.browser.wait_for("#user", |text| text == name);
        for (card, status) in expected {
            app.expect(card, status);
        }
        let seen = app.text("#get-me .body");
        assert!(seen.contains(&format!("x-user-id     {name}")), "{seen}");
        assert!(seen.contains("authorization –"), "{seen}");
        app.browser.click("#sign-out");
    }
    let refused = app.text("#post-notes .headers");
    assert!(refused.contains(r#"scope="notes:write""#), "{refused}");
    app.servers.envoy.assert_no_trap();
}

#[test]
fn a_wrong_password_is_reported_and_refused() {
    let app = App::open();
    app.sign_in("ada", "wrong", "3600");
    app.browser
        .wait_for("#sign-in-error", |text| text.contains("nobody has this"));
    assert_eq!(app.text("#user"), "");
    assert!(app.text("#issuer-origin").contains(&app.servers.issuer()));
    app.expect("get-me", "401");
}

#[test]
fn a_token_that_ends_or_is_broken_is_refused_with_its_reason() {
    let app = App::open();
    app.sign_in("ada", "lovelace", "3600");
    app.browser.wait_for("#user", |text| text == "ada");
    app.expect("get-me", "200");
    app.browser.click("#break-token");
    app.expect("get-me", "401");
    assert!(app.text("#get-me .headers").contains("signature"));
    app.browser.click("#break-token");
    app.expect("get-me", "200");

    app.browser.click("#sign-out");
    app.sign_in("ada", "lovelace", "1");
    app.browser.wait_for("#expiry", |text| text == "expired");
    app.expect("get-me", "401");
    assert!(app.text("#get-me .headers").contains("expired"));
}

#[test]
fn the_switches_change_what_is_sent_and_what_can_be_read() {
    let app = App::open();
    let upstream = || app.servers.upstream.count();
    app.expect("get-public", "200");
    assert!(app.text("#get-public .body").contains("cookie        –"));

    // Cookies: the API receives them, and the browser does not accept `*` in an answer to
    // them.
    app.browser.click("#credentials");
    app.expect("get-public", "200");
    assert!(app.text("#get-public .body").contains("theme=dark"));
    let before = upstream();
    app.expect("get-fonts", "unreadable");
    assert_eq!(upstream(), before + 1, "it is still sent");
    app.browser.click("#credentials");
    app.expect("get-fonts", "200");

    // A header that the policy does not allow: the request is not sent.
    app.browser.click("#custom-header");
    let before = upstream();
    app.expect("get-public", "unreadable");
    assert_eq!(upstream(), before);
    app.browser.click("#custom-header");

    // The user is signed in, but the request has no token.
    app.sign_in("ada", "lovelace", "3600");
    app.browser.wait_for("#user", |text| text == "ada");
    app.browser.click("#send-token");
    app.expect("get-me", "401");
}

#[test]
fn all_calls_at_once() {
    let app = App::open();
    app.browser.click("#call-all");
    for (card, status) in SIGNED_OUT {
        let selector = format!("#{card} .status");
        let shown = app.browser.wait_for(&selector, |text| !text.is_empty());
        assert_eq!(shown, status, "{card}");
    }
}
