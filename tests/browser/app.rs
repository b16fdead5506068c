//! The page of `examples/browser-app`, used as a user would.

use serde_json::{Value, json};

use crate::chromium::Chromium;
use crate::issuer::CLIENT;
use crate::servers::Servers;
use crate::support::http::{Request, Response};
use crate::support::http1;
use crate::support::tokens;

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
        browser.wait_until_there("body[data-ready]");
        Self { browser, servers }
    }

    /// Signs in at the issuer and returns to the page.
    fn sign_in(&self, name: &str, password: &str, lifetime: &str) {
        self.browser.click("#sign-in-button");
        self.browser.wait_until_there("#username");
        self.fill(name, password, lifetime);
        self.browser.wait_until_there("body[data-ready]");
    }

    /// Fills in the form of the issuer and sends it.
    fn fill(&self, name: &str, password: &str, lifetime: &str) {
        self.browser.write("#username", name);
        self.browser.write("#password", password);
        self.browser
            .click(&format!("#lifetime option[value='{lifetime}']"));
        self.browser.click("#submit");
    }

    fn address(&self) -> String {
        let address = self.browser.run("return location.href", &Value::Null);
        address.as_str().expect("an address").to_owned()
    }

    /// Sends a request to the issuer.
    fn ask_issuer(&self, request: &Request) -> Response {
        let address = self.servers.issuer();
        let address = address.trim_start_matches("http://").parse();
        http1::exchange(address.expect("an address"), request).expect("an answer")
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
fn a_wrong_password_is_reported_by_the_issuer() {
    let app = App::open();
    assert!(app.text("#issuer-origin").contains(&app.servers.issuer()));
    app.browser.click("#sign-in-button");
    app.browser.wait_until_there("#username");
    assert!(app.address().starts_with(&app.servers.issuer()));
    app.fill("ada", "wrong", "3600");
    app.browser
        .wait_for(".error", |text| text.contains("nobody has this"));
    app.fill("ada", "lovelace", "3600");
    app.browser.wait_until_there("body[data-ready]");
    assert_eq!(app.text("#user"), "ada");
    // The code has left the address.
    assert_eq!(app.address(), format!("{}/", app.servers.page()));
}

#[test]
fn an_answer_that_the_page_did_not_ask_for_signs_nobody_in() {
    let app = App::open();
    let issuer = app.servers.issuer();
    let started = |state: &str| {
        let started = json!({"issuer": issuer, "state": state, "verifier": "v".repeat(43)});
        let script = "sessionStorage.setItem('sign-in', JSON.stringify(argument))";
        app.browser.run(script, &started);
    };
    let iss = issuer.replace(':', "%3A").replace('/', "%2F");
    for (state, query, why) in [
        ("", format!("code=c&state=s&iss={iss}"), "did not ask"),
        ("s", format!("code=c&state=other&iss={iss}"), "did not ask"),
        (
            "s",
            "code=c&state=s&iss=http%3A%2F%2Fother".to_owned(),
            "another issuer",
        ),
        ("s", "code=c&state=s".to_owned(), "another issuer"),
        (
            "s",
            format!("error=access_denied&state=s&iss={iss}"),
            "access_denied",
        ),
        ("s", format!("code=c&state=s&iss={iss}"), "invalid_grant"),
    ] {
        if !state.is_empty() {
            started(state);
        }
        app.browser
            .open(&format!("{}/?{query}", app.servers.page()));
        app.browser.wait_until_there("body[data-ready]");
        let said = app.text("#sign-in-error");
        assert!(said.contains(why), "{query}: {said}");
        assert_eq!(app.text("#user"), "", "{query}");
        assert_eq!(app.address(), format!("{}/", app.servers.page()));
    }
}

#[test]
fn the_issuer_gives_a_token_once_and_only_for_the_verifier() {
    let app = App::open();
    let page = app.servers.page();
    let verifier = "a".repeat(64);
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, verifier.as_bytes());
    let challenge = tokens::encode(digest);
    let request = |challenge: &str, redirect: &str, more: &str| {
        format!(
            "response_type=code&client_id={CLIENT}&redirect_uri={redirect}&scope=notes:read&state=s\
             &code_challenge={challenge}&code_challenge_method=S256&username=ada&password=lovelace{more}"
        )
    };
    let authorize = |body: String| app.ask_issuer(&Request::post("/authorize", body));
    let code = || {
        let answer = authorize(request(&challenge, &format!("{page}/"), ""));
        let to = answer.header("location").expect("a redirect");
        let (_, rest) = to.split_once("code=").expect("a code");
        rest.split('&').next().expect("a code").to_owned()
    };
    let redeem = |code: &str, verifier: &str, redirect: &str| {
        let body = format!(
            "grant_type=authorization_code&client_id={CLIENT}&code={code}&redirect_uri={redirect}&code_verifier={verifier}"
        );
        app.ask_issuer(&Request::post("/token", body))
    };
    let home = format!("{page}/");

    let first = code();
    let answer = redeem(&first, &verifier, &home);
    assert_eq!(answer.status, 200);
    // The user may write, and the page did not ask for it.
    assert_eq!(answer.json()["scope"], "notes:read");
    assert_eq!(redeem(&first, &verifier, &home).status, 400, "used twice");
    assert_eq!(redeem(&code(), &"b".repeat(64), &home).status, 400);
    assert_eq!(redeem(&code(), &verifier, "http://evil.test/").status, 400);
    // A wrong verifier uses the code up.
    let second = code();
    assert_eq!(redeem(&second, "", &home).status, 400);
    assert_eq!(redeem(&second, &verifier, &home).status, 400);

    // Nobody is sent to an address that is not registered.
    for redirect in ["http://evil.test/", &format!("{home}x"), &page, ""] {
        let answer = authorize(request(&challenge, redirect, ""));
        assert_eq!(
            (answer.status, answer.header("location")),
            (400, None),
            "{redirect}"
        );
    }
    for wrong in [
        request("", &home, ""),
        request(&challenge, &home, "").replace("S256", "plain"),
        request(&challenge, &home, "").replace("type=code", "type=token"),
        request(&challenge, &home, "&code_challenge=other"),
    ] {
        let answer = authorize(wrong);
        let to = answer.header("location").expect("a redirect");
        assert!(to.starts_with(&format!("{home}?error=")), "{to}");
    }
    // What a client writes is text in the form.
    let hostile = request(&challenge, &home, "").replace("state=s", "state=%22%3E%3Cscript%3E");
    let form = app.ask_issuer(&Request::get(format!("/authorize?{hostile}")));
    assert!(form.text().contains("&quot;&gt;&lt;script&gt;"), "{form}");
    assert!(form.header("content-security-policy").is_some());
}

#[test]
fn an_unreadable_answer_names_its_rule() {
    let app = App::open();
    let why = |card: &str| {
        app.expect(card, "unreadable");
        app.text(&format!("#{card} .why"))
    };
    let starts = |said: String, expected: &str| assert!(said.starts_with(expected), "{said}");
    starts(
        why("put-notes-1"),
        "allow_methods: the preflight allows DELETE,",
    );
    starts(
        why("get-partner"),
        "allow_origins: the answer names no origin",
    );
    app.browser.click("#custom-header");
    starts(
        why("get-public"),
        "allow_headers: the preflight allows Authorization, Content-Type, and the request has X-Debug",
    );
    app.browser.click("#custom-header");
    app.browser.click("#credentials");
    starts(
        why("get-fonts"),
        "allow_origins: the answer allows *, which does not count",
    );
    app.browser.click("#credentials");
    app.sign_in("ada", "lovelace", "3600");
    starts(
        why("get-fonts"),
        "allow_headers: the preflight allows nothing,",
    );
    starts(
        why("get-partner"),
        "allow_origins: the answer names no origin",
    );
    app.expect("get-me", "200");
    assert_eq!(app.text("#get-me .why"), "");
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
    // It is still sent, and once more by the page's server, which looks for the rule.
    assert_eq!(upstream(), before + 2);
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
